// The metadata all processes of a run share: rows, what they were before (for reads that may be old), and which transactions are under way.

import type { MemoryPanda } from '../../../lib/panda/memory-panda.ts';
import type { Key, Row, Write } from '../../../lib/panda/panda.ts';
import { blockFromRow } from '../../../lib/panda/rows/block-row.ts';
import { keyText } from '../../../lib/panda/transaction.ts';
import type { Coverage } from '../checkers/coverage.ts';

/** So many older versions of a row may still be read. */
const OLDER_MAX = 6;
/** Rows whose attribute `s` is the state of a state machine. */
const MACHINES = /^(volume|block|zone)\//;

export class PandaServer {
  readonly rows: MemoryPanda;
  /** How many have passed at once. */
  week = 0;
  readonly #coverage: Coverage;
  readonly #older = new Map<string, (Row | undefined)[]>();
  /** How many transactions under way touch a row. */
  readonly #underWay = new Map<string, number>();
  /** Transactions that took effect: sent again, or done late, the same array does nothing more (DynamoDB's request token). */
  readonly #done = new WeakSet<readonly Write[]>();

  /** Told of every transaction that is done, with the rows as they were. */
  onDone: (writes: readonly Write[], before: readonly (Row | undefined)[]) => Promise<void> = async () => {};

  /** Where what it leaves is journalled. */
  onCommit: ((writes: readonly Write[], rows: readonly (Row | undefined)[]) => void) | undefined;

  constructor(rows: MemoryPanda, coverage: Coverage) {
    this.rows = rows;
    this.#coverage = coverage;
  }

  begin(writes: readonly Write[]): void {
    for (const write of writes) this.#count(keyText(write), 1);
  }

  end(writes: readonly Write[]): void {
    for (const write of writes) this.#count(keyText(write), -1);
  }

  /** Whether another transaction under way touches a row of this one. */
  collides(writes: readonly Write[]): boolean {
    return writes.some((write) => (this.#underWay.get(keyText(write)) ?? 0) > 1);
  }

  async transact(writes: readonly Write[], step: string): Promise<void> {
    if (this.#done.has(writes)) return;
    const before = await this.rows.getMany(writes);
    await this.rows.transact(writes);
    if (writes.length > 1) this.#done.add(writes);
    this.onCommit?.(writes, await this.rows.getMany(writes));
    await this.onDone(writes, before);
    for (const [i, write] of writes.entries()) {
      if (write.kind === 'check') continue;
      const name = keyText(write);
      const older = this.#older.get(name) ?? [];
      older.push(before[i]);
      if (older.length > OLDER_MAX) older.shift();
      this.#older.set(name, older);
      const machine = MACHINES.exec(write.partition)?.[1];
      if (machine !== undefined)
        this.#coverage.edge(machine, stateOf(before[i]), step, await this.#stateAfter(write, before[i]));
    }
  }

  /** The row as it was before one of the transactions that wrote it lately. */
  older(key: Key, draw: (bound: number) => number): { readonly row: Row | undefined } | undefined {
    const older = this.#older.get(keyText(key));
    return older === undefined ? undefined : { row: older[draw(older.length)] };
  }

  async #stateAfter(write: Write, before: Row | undefined): Promise<string> {
    if (write.kind === 'delete') return 'none';
    if (write.kind === 'put') return stateOf(write);
    if (write.partition.startsWith('block/')) return stateOf(await this.rows.get(write));
    const set = write.kind === 'update' ? write.set?.['s'] : undefined;
    return set === undefined ? stateOf(before) : String(set);
  }

  #count(name: string, by: 1 | -1): void {
    const next = (this.#underWay.get(name) ?? 0) + by;
    if (next === 0) this.#underWay.delete(name);
    else this.#underWay.set(name, next);
  }
}

function stateOf(row: Row | undefined): string {
  if (row === undefined) return 'none';
  return row.partition.startsWith('block/') ? blockFromRow(row).state : String(row.attributes['s'] ?? 'there');
}
