// DynamoDB's rule for writes under way, for the body in memory: a row in two transactions at once refuses the later
// one, a plain write to a row in a transaction is refused too, and a partition takes only so many writes a second. What
// is refused has changed nothing and may be sent again.
import type { Clock } from '../foundation/clock.ts';
import { type PocketfulError, retryLater } from '../foundation/errors.ts';
import type { Write } from './panda.ts';
import { keyText } from './transaction.ts';

/** How long things take, and how much a partition bears. */
export interface Pace {
  readonly clock: Clock;
  /** Of a transaction and of a single write; 0: over in the same turn of the event loop or the next. */
  readonly transactionMs: number;
  readonly writeMs: number;
  /** Of a read, however many rows. */
  readonly readMs: number;
  /** Rows written a second to one partition, those of a transaction twice. DynamoDB: 1,000. */
  readonly partitionWritesPerSecond?: number;
}

const TRANSACTION_FACTOR = 2;

const busy = (why: string): PocketfulError => retryLater('PANDA_BUSY', `the metadata store is busy (${why})`);

interface Bucket {
  units: number;
  atMs: number;
}

export class MemoryTraffic {
  readonly #pace: Pace | undefined;
  readonly #inTransaction = new Set<string>();
  readonly #buckets = new Map<string, Bucket>();

  constructor(pace?: Pace) {
    this.#pace = pace;
  }

  /** Takes the rows; gives the way to let go of them. Throws `retry` PANDA_BUSY. */
  enter(writes: readonly Write[]): () => void {
    const names = writes.map(keyText);
    if (names.some((name) => this.#inTransaction.has(name))) throw busy('TransactionConflict');
    this.#take(writes);
    if (writes.length === 1) return () => {};
    for (const name of names) this.#inTransaction.add(name);
    return () => {
      for (const name of names) this.#inTransaction.delete(name);
    };
  }

  /** Until the writes that entered are over. */
  async passWrites(count: number): Promise<void> {
    const pace = this.#pace;
    const ms = (count === 1 ? pace?.writeMs : pace?.transactionMs) ?? 0;
    if (ms > 0) await pace?.clock.sleep(ms);
  }

  async passRead(): Promise<void> {
    const pace = this.#pace;
    if (pace !== undefined && pace.readMs > 0) await pace.clock.sleep(pace.readMs);
  }

  /** A second's worth may be used at once. */
  #take(writes: readonly Write[]): void {
    const perSecond = this.#pace?.partitionWritesPerSecond;
    if (perSecond === undefined || this.#pace === undefined) return;
    const nowMs = this.#pace.clock.monotonicMs();
    const factor = writes.length === 1 ? 1 : TRANSACTION_FACTOR;
    const wanted = Map.groupBy(writes, ({ partition }) => partition);
    const taken: [Bucket, number][] = [];
    for (const [partition, of] of wanted) {
      const bucket = this.#buckets.get(partition) ?? { units: perSecond, atMs: nowMs };
      this.#buckets.set(partition, bucket);
      bucket.units = Math.min(perSecond, bucket.units + ((nowMs - bucket.atMs) * perSecond) / 1000);
      bucket.atMs = nowMs;
      if (bucket.units < of.length * factor) throw busy(`ThrottlingException of partition ${partition}`);
      taken.push([bucket, of.length * factor]);
    }
    for (const [bucket, units] of taken) bucket.units -= units;
  }
}
