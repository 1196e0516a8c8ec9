// L3's worker where the queue hands over messages by itself: a batch goes through the Live Coder, and the answer is
// what must not be deleted. What cannot be read is shown again at once, so that it is a dead letter soon; while the
// Live Coder stalls, messages stay hidden until the queue shows them again. The queue counts receives, and what was
// only cut off by time has not failed: it is forgotten, and the drainer sends it again as if for the first time.
import type { RunId } from '../../../foundation/ids.ts';
import type { Reason } from '../../../foundation/reason.ts';
import { DRAIN_RECEIVE_MAX } from '../../../limits/compaction.ts';
import type { DeadLetter, Delivery, Stream, StreamFigures } from '../../../stream/stream.ts';
import type { MoveResult } from '../../../volume/write/move.ts';
import type { Actors } from '../../run/actors.ts';
import { metadataWritesLeft } from '../../run/period.ts';
import { flowOf } from './flow.ts';
import { DrainWorker } from './stream-runs.ts';

const NO_FIGURES: StreamFigures = { ready: 0, inFlight: 0, oldestAgeMs: 0, dead: 0 };

export interface DeliveredReport {
  /** Receipts that are not done with. */
  readonly failed: readonly string[];
  readonly movedBuckets: number;
  readonly movedBytes: number;
  readonly storedBytes: number;
  readonly stalled: Reason | undefined;
}

export async function workDelivered(
  actors: Actors,
  stream: Stream,
  deliveries: readonly Delivery[],
  signal: AbortSignal,
): Promise<DeliveredReport> {
  const { store, makeTarget } = actors;
  const batch = new DeliveredBatch(deliveries, stream);
  const sums = { movedBuckets: 0, movedBytes: 0, storedBytes: 0 };
  const onMoved = (_run: RunId, result: MoveResult): void => {
    sums.movedBuckets += result.moved.length;
    sums.movedBytes += result.recordBytes;
    sums.storedBytes += result.storedBytes;
  };
  const worker = new DrainWorker(store, batch, makeTarget, { onMoved });
  // What the budget of this period does not allow is forgotten: the drainer sends again what Panda says is draining.
  const { receive } = flowOf({
    stream: NO_FIGURES,
    coderWaitingBytes: 0,
    coderStalled: undefined,
    metadataWritesLeft: await metadataWritesLeft(store.components),
  });
  batch.forgetBeyond(receive);
  while (!signal.aborted && (await worker.step(DRAIN_RECEIVE_MAX)) > 0);
  if (!signal.aborted && worker.stalled === undefined) {
    // A small group is only worth writing when no more is to come.
    const isSmall = worker.waitingBytes < store.components.settings.groupBytesMin / 2;
    const more = isSmall && worker.waitingBytes > 0 && (await stream.figures()).ready > 0;
    if (!more) await worker.flush();
  }
  if (signal.aborted) batch.forgetUnfailed();
  await worker.discard();
  const failed = batch.unfinished();
  if (worker.stalled === undefined) await stream.release(failed);
  return { failed, ...sums, stalled: worker.stalled };
}

/** The messages of one event as a stream: receiving takes from them, acknowledging is noted for the answer. */
class DeliveredBatch implements Stream {
  readonly #all: readonly Delivery[];
  readonly #inner: Stream;
  readonly #done = new Set<string>();
  readonly #failed = new Set<string>();
  #next = 0;
  #end: number;

  constructor(deliveries: readonly Delivery[], inner: Stream) {
    this.#all = deliveries;
    this.#end = deliveries.length;
    this.#inner = inner;
  }

  /** Acknowledges all but the first `max`, unseen. */
  forgetBeyond(max: number): void {
    for (const { receipt } of this.#all.slice(max)) this.#done.add(receipt);
    this.#end = Math.min(this.#end, max);
  }

  /** What is neither done with nor failed until now. */
  forgetUnfailed(): void {
    for (const { receipt } of this.#all) if (!this.#failed.has(receipt)) this.#done.add(receipt);
  }

  unfinished(): string[] {
    return this.#all.map(({ receipt }) => receipt).filter((receipt) => !this.#done.has(receipt));
  }

  async receive(max: number): Promise<Delivery[]> {
    const taken = this.#all.slice(this.#next, Math.min(this.#end, this.#next + max));
    this.#next += taken.length;
    return taken;
  }

  async ack(receipts: readonly string[]): Promise<void> {
    for (const receipt of receipts) this.#done.add(receipt);
  }

  /** Noted; they are given back at the end, all at once. */
  async release(receipts: readonly string[]): Promise<void> {
    for (const receipt of receipts) this.#failed.add(receipt);
  }

  send(bodies: readonly string[]): Promise<void> {
    return this.#inner.send(bodies);
  }
  figures(): Promise<StreamFigures> {
    return this.#inner.figures();
  }
  dead(max: number): Promise<DeadLetter[]> {
    return this.#inner.dead(max);
  }
  redrive(ids?: readonly string[]): Promise<number> {
    return this.#inner.redrive(ids);
  }
  drop(ids: readonly string[]): Promise<number> {
    return this.#inner.drop(ids);
  }
  async close(): Promise<void> {}
}
