// The Live Coder: takes buckets of draining volumes, one after the other, and writes them in large even groups into
// erasure-coded volumes, those of each lane into volumes of that lane. `push` waits while a group is written or while
// drives are missing: that is its back pressure.
import { isKind, isPocketfulError } from '../foundation/errors.ts';
import type { BucketId, RunId, VolumeId } from '../foundation/ids.ts';
import { byLane, type Lane } from '../foundation/lane.ts';
import { type Reason, reasonOf } from '../foundation/reason.ts';
import { laneOf } from '../panda/rows/volume-row.ts';
import type { BucketContent } from '../volume/read/collect-bucket.ts';
import { slotSpan } from '../volume/rows/directory-room.ts';
import type { VolumeStore } from '../volume/volume-store.ts';
import { type MoveResult, moveBuckets } from '../volume/write/move.ts';
import { chooseGroup, keptBackBytes, type WaitingBucket, waitingBytesMax } from './choose-group.ts';

export interface LiveCoderReport {
  readonly groups: number;
  readonly buckets: number;
  readonly recordBytes: number;
  readonly storedBytes: number;
  readonly destinations: ReadonlySet<VolumeId>;
  /** Why it could not write, if it is stalled now. */
  readonly stalled: Reason | undefined;
}

export class LiveCoder {
  readonly #store: VolumeStore;
  readonly #run: RunId;
  readonly #onMoved: ((result: MoveResult) => void) | undefined;
  #waiting: BucketContent[] = [];
  #groups = 0;
  #buckets = 0;
  #recordBytes = 0;
  #storedBytes = 0;
  readonly #destinations = new Set<VolumeId>();
  #stalled: Reason | undefined;

  constructor(store: VolumeStore, run: RunId, onMoved?: (result: MoveResult) => void) {
    this.#store = store;
    this.#run = run;
    this.#onMoved = onMoved;
  }

  report(): LiveCoderReport {
    return {
      groups: this.#groups,
      buckets: this.#buckets,
      recordBytes: this.#recordBytes,
      storedBytes: this.#storedBytes,
      destinations: this.#destinations,
      stalled: this.#stalled,
    };
  }

  /** Buckets taken but not yet moved. */
  waiting(): BucketId[] {
    return this.#waiting.map(({ bucket }) => bucket.id);
  }

  /**
   * Takes a bucket of a volume that is draining under this coder's run. Throws `retry` when it cannot write: nothing is
   * lost.
   */
  async push(content: BucketContent): Promise<void> {
    this.#waiting.push(content);
    while (await this.#emit(laneOf(content.source), false));
    // No more is in memory for there being several lanes.
    for (let lanes = this.#lanes(); lanes.length > 1 && this.#isOverfull(); lanes = this.#lanes())
      await this.#emit(lanes.reduce((most, lane) => (lane.bytes > most.bytes ? lane : most)).lane, true);
  }

  /** Writes what is waiting; the last group may be small. */
  async flush(): Promise<void> {
    for (const { lane } of this.#lanes()) while (this.#of(lane).length > 0) await this.#emit(lane, true);
  }

  /** Gives up what is waiting: those buckets stay where they are. */
  discard(): BucketId[] {
    const left = this.waiting();
    this.#waiting = [];
    return left;
  }

  #of(lane: Lane): BucketContent[] {
    return this.#waiting.filter(({ source }) => laneOf(source) === lane);
  }

  #lanes(): { readonly lane: Lane; readonly bytes: number }[] {
    const lanes = byLane(this.#waiting, ({ source }) => laneOf(source));
    return lanes.map(([lane, contents]) => ({ lane, bytes: bytesIn(contents) }));
  }

  #isOverfull(): boolean {
    const { settings } = this.#store.components;
    return bytesIn(this.#waiting) >= waitingBytesMax(settings) + keptBackBytes(settings);
  }

  async #emit(lane: Lane, flush: boolean): Promise<boolean> {
    const { settings } = this.#store.components;
    const contents = this.#of(lane);
    const waiting = contents.map(({ records }) => ({
      recordBytes: records.map(({ record }) => record.length),
      span: slotSpan(records),
    }));
    const choice = chooseGroup(waiting, settings, await this.#store.open.rooms('warm', lane), flush);
    if (choice === undefined) return false;
    const isChosen = new Set(choice.chosen);
    const chosen = contents.filter((_, i) => isChosen.has(i));
    if (!flush && this.#keepsBack(waiting, isChosen)) return false;
    try {
      this.#note(await moveBuckets(this.#store, this.#run, chosen));
    } catch (error) {
      if (isKind(error, 'retry') && isPocketfulError(error)) this.#stalled = reasonOf(error);
      throw error;
    }
    const isMoved = new Set(chosen);
    this.#waiting = this.#waiting.filter((content) => !isMoved.has(content));
    return true;
  }

  /** True if what would be left is a splinter, and there is room to wait for more. */
  #keepsBack(waiting: readonly WaitingBucket[], isChosen: ReadonlySet<number>): boolean {
    const { settings } = this.#store.components;
    const bytes = waiting.map(({ recordBytes }) => recordBytes.reduce((sum, length) => sum + length, 0));
    const total = bytes.reduce((sum, length) => sum + length, 0);
    const left = bytes.reduce((sum, length, i) => (isChosen.has(i) ? sum : sum + length), 0);
    const keptBack = keptBackBytes(settings);
    return left < keptBack && total < waitingBytesMax(settings) + keptBack;
  }

  #note(result: MoveResult): void {
    this.#stalled = undefined;
    this.#groups += 1;
    this.#buckets += result.moved.length;
    this.#recordBytes += result.recordBytes;
    this.#storedBytes += result.storedBytes;
    this.#destinations.add(result.destination);
    this.#onMoved?.(result);
  }
}

const bytesIn = (contents: readonly BucketContent[]): number =>
  contents.reduce((sum, { records }) => records.reduce((bytes, { record }) => bytes + record.length, sum), 0);
