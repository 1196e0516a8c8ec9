// A store of rows in memory that writes down what it is asked, in order, and whose answers can be lost or refused: for tests of what is asked.
import { unknownOutcome } from '../../../lib/foundation/errors.ts';
import { MemoryPanda } from '../../../lib/panda/memory-panda.ts';
import type { Attributes, Key, Page, QueryOptions, Row, SortRange, Write } from '../../../lib/panda/panda.ts';

/** `done`: it was done, and its answer is lost; `undone`: it was not, and nobody knows. */
export type Answer = 'sound' | 'done' | 'undone' | Error;

export class ToldPanda extends MemoryPanda {
  /** `get PARTITION SORT`, `getMany N`, `query PARTITION`, `write KIND PARTITION SORT, …`. */
  calls: string[] = [];
  /** Of the transactions to come, one after the other; sound behind them. */
  answers: Answer[] = [];
  /** Awaited before each call, which is told as in `calls`. */
  before: ((call: string) => Promise<void> | void) | undefined;

  async #told(call: string): Promise<void> {
    this.calls.push(call);
    await this.before?.(call);
  }

  override async get(key: Key): Promise<Row | undefined> {
    await this.#told(`get ${key.partition} ${key.sort}`);
    return super.get(key);
  }

  override async getMany(keys: readonly Key[]): Promise<(Row | undefined)[]> {
    await this.#told(`getMany ${keys.length}`);
    return super.getMany(keys);
  }

  override async query(partition: string, range?: SortRange, options?: QueryOptions): Promise<Page> {
    await this.#told(`query ${partition}`);
    return super.query(partition, range, options);
  }

  override async transact(writes: readonly Write[]): Promise<void> {
    await this.#told(`write ${writes.map(({ kind, partition, sort }) => `${kind} ${partition} ${sort}`).join(', ')}`);
    const answer = this.answers.shift() ?? 'sound';
    if (answer instanceof Error) throw answer;
    if (answer !== 'undone') await super.transact(writes);
    if (answer !== 'sound') throw unknownOutcome('PANDA_UNKNOWN', 'who knows');
  }

  /** What a test puts there itself: not told. */
  async plant(key: Key, attributes: Attributes): Promise<void> {
    await super.transact([{ kind: 'put', ...key, attributes }]);
  }

  async uproot(key: Key): Promise<void> {
    await super.transact([{ kind: 'delete', ...key }]);
  }

  /** The calls since the last time. */
  taken(): string[] {
    const calls = this.calls;
    this.calls = [];
    return calls;
  }

  /** The rows of a partition, by sort key. */
  rowsIn(partition: string): Record<string, Attributes> {
    const rows = this.snapshot().filter((row) => row.partition === partition);
    return Object.fromEntries(rows.map(({ sort, attributes }) => [sort, attributes]));
  }
}
