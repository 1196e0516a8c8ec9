// BULK: what a put brings in large amounts goes into erasure-coded volumes at once, past the hot tier. The rule goes by
// bytes: records wait, those of all puts of the process together, until they are worth it (`bulkFromBytes`); from then
// on every full group is written, and what is left at the end of the put as well. A put that ends before that gets its
// records back and appends them to hot volumes, as the small and the interactive do. So it does when no group can be
// written now.
import { isKind, isPocketfulError } from '../foundation/errors.ts';
import type { Lane } from '../foundation/lane.ts';
import { GROUP_SLOTS_MAX, MERGED_BUCKETS_MAX } from '../limits/panda.ts';
import type { VolumeStore } from '../volume/volume-store.ts';
import { putClass } from '../volume/write/append.ts';
import { appendBulk, type BulkPart, type GroupShare } from '../volume/write/append-bulk.ts';
import type { BulkReader, BulkStream, BulkWriter } from '../volume/write/bulk-stream.ts';
import { bulkBatchBytes, bulkFromBytes, bulkHeldBytes, bulkKeptBackBytes, bulkSettings } from './bulk-size.ts';
import { chooseGroup, waitingBytesMax } from './choose-group.ts';

/** Undefined where there is no hot tier: every put goes into erasure-coded volumes. */
export const bulkWriterOf = (store: VolumeStore): BulkCoder | undefined =>
  putClass(store.components.settings) === 'hot' ? new BulkCoder(store) : undefined;

export interface BulkMade {
  readonly groups: number;
  readonly recordBytes: number;
  readonly storedBytes: number;
}

const NOTHING_MADE: BulkMade = { groups: 0, recordBytes: 0, storedBytes: 0 };

interface Waiting {
  readonly stream: Stream;
  readonly lane: Lane;
  readonly records: BulkPart;
  readonly bytes: number;
  readonly longestBytes: number;
  readonly kekVersion: number;
  /** Undefined: it is for the hot tier. */
  answer(share: GroupShare | undefined): void;
  fail(error: unknown): void;
}

export class BulkCoder implements BulkWriter {
  readonly batchBytesMax: number;
  readonly segmentBytesMax: number;
  /** From how many bytes on a put is a bulk one in any case; one of short records may be with less. */
  readonly fromBytes: number;
  readonly #store: VolumeStore;
  readonly #streams = new Set<Stream>();
  #waiting: readonly Waiting[] = [];
  #made = NOTHING_MADE;
  #isRunning = false;
  #isChanged = false;

  constructor(store: VolumeStore, fromBytes = bulkFromBytes(store.components.settings)) {
    const { settings } = store.components;
    this.#store = store;
    this.fromBytes = fromBytes;
    this.batchBytesMax = bulkBatchBytes(settings, 0);
    this.segmentBytesMax = bulkBatchBytes(settings, settings.blockBytesMax);
  }

  /** What was written since this was asked last. */
  takeMade(): BulkMade {
    const made = this.#made;
    this.#made = NOTHING_MADE;
    return made;
  }

  heldBytesMin(longestRecordBytes: number): number {
    return bulkHeldBytes(this.#store.components.settings, longestRecordBytes);
  }

  stream(): BulkStream {
    return new Stream({
      offer: (stream, records, kekVersion, lane) => this.#offer(stream, records, kekVersion, lane),
      changed: (stream) => this.#changed(stream),
    });
  }

  #offer(stream: Stream, records: BulkPart, kekVersion: number, lane: Lane): Promise<GroupShare | undefined> {
    const { promise, resolve, reject } = Promise.withResolvers<GroupShare | undefined>();
    const bytes = records.reduce((sum, { record }) => sum + record.length, 0);
    stream.brings(lane, bytes);
    stream.waiting += 1;
    const longestBytes = longestOf(records.map(({ record }) => record.length));
    const one = { stream, lane, records, bytes, longestBytes, kekVersion, answer: resolve, fail: reject };
    this.#waiting = [...this.#waiting, one];
    this.#changed(stream);
    return promise;
  }

  #changed(stream: Stream): void {
    if (stream.waiting > 0) this.#streams.add(stream);
    this.#isChanged = true;
    if (!this.#isRunning && this.#waiting.length > 0) void this.#run();
  }

  /** One group after the other, until nothing can be done before something changes. */
  async #run(): Promise<void> {
    this.#isRunning = true;
    for (let goesOn = true; (goesOn || this.#isChanged) && this.#waiting.length > 0; ) {
      this.#isChanged = false;
      try {
        goesOn = await this.#step();
      } catch (error) {
        this.#giveBack(
          this.#take(() => true),
          error,
        );
      }
    }
    this.#isRunning = false;
  }

  /** False if there was nothing to do: in one lane after the other. */
  async #step(): Promise<boolean> {
    for (const lane of new Set(this.#waiting.map((one) => one.lane))) if (await this.#stepIn(lane)) return true;
    return false;
  }

  async #stepIn(lane: Lane): Promise<boolean> {
    const its = this.#waiting.filter((one) => one.lane === lane);
    const streams = new Set(its.map(({ stream }) => stream));
    const quiet = [...this.#streams].find((stream) => streams.has(stream) && stream.isQuiet);
    const waitingBytes = its.reduce((sum, { bytes }) => sum + bytes, 0);
    const longest = longestOf(its.map(({ longestBytes }) => longestBytes));
    const from = Math.min(this.fromBytes, bulkFromBytes(this.#store.components.settings, longest));
    if (waitingBytes < from && !its.some(({ stream }) => stream.broughtBytes(lane) >= from)) {
      for (const one of this.#take((any) => any.lane === lane && any.stream === quiet)) one.answer(undefined);
      return quiet !== undefined;
    }
    const chosen = await this.#choose(lane, its, quiet !== undefined);
    if (chosen.length > 0) await this.#write(lane, chosen);
    return chosen.length > 0;
  }

  /** Of one KEK version, and as many slots as a group may have. */
  async #choose(lane: Lane, waiting: readonly Waiting[], flush: boolean): Promise<readonly Waiting[]> {
    let slots = 0;
    const kekVersion = waiting[0]?.kekVersion;
    const end = waiting.findIndex((one) => {
      slots += one.records.length;
      return slots > GROUP_SLOTS_MAX || one.kekVersion !== kekVersion;
    });
    const inReach = end < 0 ? waiting : waiting.slice(0, end);
    const longest = longestOf(inReach.map(({ longestBytes }) => longestBytes));
    const settings = bulkSettings(this.#store.components.settings, longest);
    const all = inReach.map(({ records }) => ({ recordBytes: records.map(({ record }) => record.length) }));
    const rooms = (await this.#store.open.rooms('warm', lane)).map((room) => ({
      ...room,
      buckets: Math.min(room.buckets, MERGED_BUCKETS_MAX),
    }));
    const mustGo = flush || end >= 0;
    const choice = chooseGroup(all, settings, rooms, mustGo);
    if (choice === undefined) return [];
    const chosen = choice.chosen.map((i) => inReach[i] as Waiting);
    const total = inReach.reduce((sum, { bytes }) => sum + bytes, 0);
    const left = total - chosen.reduce((sum, { bytes }) => sum + bytes, 0);
    const keptBack = bulkKeptBackBytes(settings);
    // What would be left is a splinter, and more comes.
    if (!mustGo && left < keptBack && total < waitingBytesMax(settings) + keptBack) return [];
    return chosen;
  }

  async #write(lane: Lane, chosen: readonly Waiting[]): Promise<void> {
    const these = new Set(chosen);
    const parts = this.#take((one) => these.has(one));
    const kekVersion = (parts[0] as Waiting).kekVersion;
    try {
      const { shares, recordBytes, storedBytes } = await appendBulk(
        this.#store,
        parts.map(({ records }) => records),
        kekVersion,
        lane,
      );
      this.#made = {
        groups: this.#made.groups + 1,
        recordBytes: this.#made.recordBytes + recordBytes,
        storedBytes: this.#made.storedBytes + storedBytes,
      };
      for (const [i, part] of parts.entries()) part.answer(shares[i]);
    } catch (error) {
      this.#giveBack(parts, error);
    }
  }

  /** Too few drives for a group, or no room for one: hot volumes may still have both. */
  #giveBack(parts: readonly Waiting[], error: unknown): void {
    const goesHot = isPocketfulError(error) && isKind(error, 'retry');
    for (const part of parts) {
      if (goesHot) part.answer(undefined);
      else part.fail(error);
    }
  }

  #take(isTaken: (one: Waiting) => boolean): readonly Waiting[] {
    const taken = this.#waiting.filter(isTaken);
    this.#waiting = this.#waiting.filter((one) => !isTaken(one));
    for (const { stream } of taken) {
      stream.waiting -= 1;
      if (stream.waiting === 0) this.#streams.delete(stream);
    }
    return taken;
  }
}

const longestOf = (lengths: readonly number[]): number => Math.max(0, ...lengths);

interface StreamPorts {
  offer(stream: Stream, records: BulkPart, kekVersion: number, lane: Lane): Promise<GroupShare | undefined>;
  changed(stream: Stream): void;
}

class Stream implements BulkStream {
  /** Batches whose records wait. */
  waiting = 0;
  readonly #ports: StreamPorts;
  readonly #broughtBytes = new Map<Lane, number>();
  #batches = 0;
  #readers = 0;
  #readersWaiting = 0;

  constructor(ports: StreamPorts) {
    this.#ports = ports;
  }

  /** Nothing more comes of it before what waits is done. */
  get isQuiet(): boolean {
    return this.waiting > 0 && this.waiting === this.#batches && this.#readersWaiting >= this.#readers;
  }

  broughtBytes(lane: Lane): number {
    return this.#broughtBytes.get(lane) ?? 0;
  }

  brings(lane: Lane, bytes: number): void {
    this.#broughtBytes.set(lane, this.broughtBytes(lane) + bytes);
  }

  reader(): BulkReader {
    this.#readers += 1;
    return {
      waits: () => {
        this.#readersWaiting += 1;
        this.#ports.changed(this);
        return () => {
          this.#readersWaiting -= 1;
        };
      },
      end: () => {
        this.#readers -= 1;
        this.#ports.changed(this);
      },
    };
  }

  begin(): () => void {
    this.#batches += 1;
    return () => {
      this.#batches -= 1;
      this.#ports.changed(this);
    };
  }

  offer(records: BulkPart, kekVersion: number, lane: Lane): Promise<GroupShare | undefined> {
    return this.#ports.offer(this, records, kekVersion, lane);
  }
}
