// The stream of a stage's table: what each transaction changed, by shard and in order. A batch is given to an invocation, and again until one that was not
// taken for dead has shipped it. What is shipped of it by those who were goes on beside that.
import type { ChangedRow } from '../../../lib/panda/journal-source.ts';
import type { Key } from '../../../lib/panda/panda.ts';
import { unshippedPartitions } from '../../../lib/panda/rows/journal-rows.ts';
import { keyText } from '../../../lib/panda/sort-order.ts';
import type { SimProcess } from '../scheduler/sim-process.ts';
import type { Commit } from './commit-log.ts';

interface StreamedRow extends ChangedRow {
  readonly sequence: number;
  /** The second of it. */
  readonly atMs: number;
}

export interface Delivery {
  readonly shard: number;
  readonly to: number;
  readonly process: SimProcess;
  readonly changed: readonly ChangedRow[];
  readonly atMs: number;
}

interface Shard {
  readonly rows: StreamedRow[];
  /** So many were shipped, and that was answered. */
  acknowledged: number;
  underWay: Delivery | undefined;
}

const SHARDS = 3;
const SECOND_MS = 1000;

export class TableStream {
  readonly #shards: readonly Shard[] = Array.from({ length: SHARDS }, () => ({
    rows: [],
    acknowledged: 0,
    underWay: undefined,
  }));
  readonly #unshipped: ReadonlySet<string>;

  constructor(cell: string) {
    this.#unshipped = new Set(unshippedPartitions(cell));
  }

  /** Rows of which no change comes: a snapshot has them, as they were then. */
  isUnshipped({ partition }: Key): boolean {
    return this.#unshipped.has(partition);
  }

  note({ changes, sequence, atMs }: Commit): void {
    for (const change of changes) {
      if (this.isUnshipped(change)) continue;
      const shard = this.#shards[shardOf(change)] as Shard;
      shard.rows.push({ ...change, sequence, atMs: Math.floor(atMs / SECOND_MS) * SECOND_MS });
    }
  }

  get shards(): number {
    return SHARDS;
  }

  /** Undefined: nothing is there, or an invocation is at it. `isGone`: whether that one is taken for dead. */
  deliver(
    shard: number,
    process: SimProcess,
    rowsMax: number,
    isGone: (process: SimProcess) => boolean,
  ): Delivery | undefined {
    const one = this.#shards[shard] as Shard;
    if (one.underWay !== undefined && !isGone(one.underWay.process)) return undefined;
    const rows = one.rows.slice(one.acknowledged, one.acknowledged + rowsMax);
    if (rows.length === 0) return undefined;
    const changed = rows.map(({ partition, sort, attributes }) => ({ partition, sort, attributes }));
    const atMs = Math.max(...rows.map((row) => row.atMs));
    one.underWay = { shard, to: one.acknowledged + rows.length, process, changed, atMs };
    return one.underWay;
  }

  /** The shard whose next row is the oldest of all but that one's, if any has more than was shipped. */
  behind(but: number): number | undefined {
    const next = this.#shards.map(({ rows, acknowledged }) => rows[acknowledged]?.sequence ?? Number.POSITIVE_INFINITY);
    const oldest = Math.min(...next.filter((_, shard) => shard !== but));
    return Number.isFinite(oldest)
      ? next.findIndex((sequence, shard) => shard !== but && sequence === oldest)
      : undefined;
  }

  /** What one says who was taken for dead is heard by nobody. */
  answered(delivery: Delivery, isShipped: boolean): boolean {
    const one = this.#shards[delivery.shard] as Shard;
    if (one.underWay !== delivery) return false;
    one.underWay = undefined;
    if (isShipped) one.acknowledged = delivery.to;
    return isShipped;
  }

  /** By key, the COMMIT of the last image that was acknowledged; undefined: no batch ever was. */
  acknowledged(): ReadonlyMap<string, number> | undefined {
    const last = new Map<string, number>();
    for (const { rows, acknowledged } of this.#shards)
      for (const row of rows.slice(0, acknowledged)) last.set(keyText(row), row.sequence);
    return last.size === 0 ? undefined : last;
  }
}

/** All images of a row are in one. */
function shardOf({ partition, sort }: Key): number {
  let sum = 0;
  for (const letter of `${partition}|${sort}`) sum = (sum * 31 + (letter.codePointAt(0) as number)) % 65_521;
  return sum % SHARDS;
}
