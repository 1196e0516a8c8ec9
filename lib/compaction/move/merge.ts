// Merges carried out, journalled like every run: PREPARE (leases), COPY (groups, each indexed before the next),
// CLEANUP, DONE. What was merged stays merged wherever it is cut off; whoever finds a dead process's journal goes on
// with what is left of its volumes.
import { mapLimit } from '../../foundation/concurrency.ts';
import { isPocketfulError } from '../../foundation/errors.ts';
import type { BucketId, RunId, VolumeId } from '../../foundation/ids.ts';
import { byLane, type Lane } from '../../foundation/lane.ts';
import { type Reason, reasonOf } from '../../foundation/reason.ts';
import { MERGE_PARTITIONS_AT_ONCE } from '../../limits/compaction.ts';
import { GROUP_SLOTS_MAX, MERGED_BUCKETS_MAX } from '../../limits/panda.ts';
import { type BlockRow, blockFromRow, blockPartitions } from '../../panda/rows/block-row.ts';
import { deadFromRow, deadKey } from '../../panda/rows/bucket-row.ts';
import { laneOf, type VolumeRow } from '../../panda/rows/volume-row.ts';
import { capacityBytes, type Settings } from '../../settings/settings.ts';
import { collectBucket } from '../../volume/read/collect-bucket.ts';
import type { Components } from '../../volume/rows/components.ts';
import { readBucket, readVolume, rowsOf } from '../../volume/rows/read-rows.ts';
import { endSource } from '../../volume/runs/drain-source.ts';
import type { VolumeStore } from '../../volume/volume-store.ts';
import {
  type MergeRecord,
  type MergeResult,
  type MergeTarget,
  mergeBuckets,
} from '../../volume/write/merge-buckets.ts';
import type { Skipped } from '../run/leases.ts';

/** A last group may be half as large again as one has to be, where volumes hold more than one. */
const lastGroupBytesMax = (settings: Settings): number =>
  Math.max(
    settings.groupBytesMin,
    Math.min(settings.groupBytesMin * 1.5, capacityBytes(settings, settings.warmCodec) / 2),
  );

/** What merging took and saved. */
export interface MergeTally {
  /** New buckets. */
  buckets: number;
  /** Remnants copied into them. */
  remnants: number;
  blockRows: number;
  /** Rows of remnants and of empty buckets that are gone. */
  rowsDropped: number;
  groups: number;
  recordBytes: number;
  storedBytes: number;
  metadataWrites: number;
  /** Block rows looked through. */
  scanned: number;
  retired: number;
  readonly destinations: Set<VolumeId>;
  readonly skipped: Skipped[];
  stalled: Reason | undefined;
}

export const nothingMerged = (): MergeTally => ({
  buckets: 0,
  remnants: 0,
  blockRows: 0,
  rowsDropped: 0,
  groups: 0,
  recordBytes: 0,
  storedBytes: 0,
  metadataWrites: 0,
  scanned: 0,
  retired: 0,
  destinations: new Set(),
  skipped: [],
  stalled: undefined,
});

/** Remnants that are to become one bucket. */
export type MergeTask = readonly { readonly bucket: string; readonly volume: string }[];

/** Merges remnants of leased volumes, and ends their leases: the empty ones are retired. */
export async function mergeSources(
  store: VolumeStore,
  run: RunId,
  volumes: readonly VolumeRow[],
  tasks: readonly MergeTask[],
  signal?: AbortSignal,
): Promise<MergeTally> {
  const tally = nothingMerged();
  try {
    if (tasks.length > 0) await new Merging(store, run, volumes, tally).run(tasks, signal);
  } catch (error) {
    if (!isPocketfulError(error)) throw error;
    tally.stalled = reasonOf(error);
  }
  for (const volume of volumes) await endMerged(store, volume, run, tally);
  return tally;
}

async function endMerged(store: VolumeStore, volume: VolumeRow, run: RunId, tally: MergeTally): Promise<void> {
  const isRetired = await endSource(store, volume, run);
  if (isRetired) tally.retired += 1;
  const left = isRetired
    ? 0
    : (await readVolume(store.components.panda, store.components.settings.cell, volume.id))?.buckets.size;
  const dropped = volume.buckets.size - (left ?? volume.buckets.size);
  tally.rowsDropped += dropped;
  tally.metadataWrites += 3 * dropped + 2;
}

interface WaitingMerge {
  readonly lane: Lane;
  readonly target: MergeTarget;
  readonly remnants: number;
  readonly bytes: number;
}

type NamedBlocks = ReadonlyMap<BucketId, ReadonlyMap<number, BlockRow>>;

class Merging {
  readonly #store: VolumeStore;
  readonly #run: RunId;
  readonly #volumes: ReadonlyMap<string, VolumeRow>;
  readonly #tally: MergeTally;
  #waiting: readonly WaitingMerge[] = [];

  constructor(store: VolumeStore, run: RunId, volumes: readonly VolumeRow[], tally: MergeTally) {
    this.#store = store;
    this.#run = run;
    this.#volumes = new Map(volumes.map((volume) => [volume.id, volume]));
    this.#tally = tally;
  }

  async run(tasks: readonly MergeTask[], signal: AbortSignal | undefined): Promise<void> {
    const wanted = new Set(tasks.flatMap((task) => task.map(({ bucket }) => bucket as BucketId)));
    const { named, scanned } = await blocksIn(this.#store.components, wanted, signal);
    this.#tally.scanned = scanned;
    for (const task of tasks) {
      if (signal?.aborted) return;
      await this.#take(task, named);
    }
    for (const [lane, waiting] of byLane(this.#waiting, (one) => one.lane)) await this.#flush(lane, waiting.length);
  }

  async #take(task: MergeTask, named: NamedBlocks): Promise<void> {
    const { bucketBytes, groupBytesMin } = this.#store.components.settings;
    const records: MergeRecord[] = [];
    const lane = this.#laneOf(task[0]?.volume);
    let bytes = 0;
    let remnants = 0;
    let createdAtMs = Number.MAX_SAFE_INTEGER;
    for (const { bucket, volume } of task) {
      if (this.#laneOf(volume) !== lane) continue;
      const found = await this.#recordsOf(bucket as BucketId, volume, named);
      if (found === undefined || found.records.length === 0) continue;
      const more = found.records.reduce((sum, { record }) => sum + record.length, 0);
      // More lives in it than was planned for: it waits for the next plan.
      if (bytes + more > Math.min(bucketBytes, groupBytesMin)) continue;
      if (records.length + found.records.length > GROUP_SLOTS_MAX) continue;
      records.push(...found.records);
      bytes += more;
      remnants += 1;
      createdAtMs = Math.min(createdAtMs, found.createdAtMs);
    }
    // One remnant alone saves nothing.
    if (remnants < 2) return;
    this.#waiting = [...this.#waiting, { lane, target: { records, createdAtMs }, remnants, bytes }];
    // A whole group goes out once so much is there that what is left is no splinter: its columns would not be level.
    const lastBytesMax = lastGroupBytesMax(this.#store.components.settings);
    while (this.#isOver(lastBytesMax, this.#of(lane))) await this.#flush(lane, this.#wholeGroup(lane, groupBytesMin));
  }

  #laneOf(volume: string | undefined): Lane {
    return laneOf(this.#volumes.get(volume ?? '') ?? {});
  }

  #of(lane: Lane): readonly WaitingMerge[] {
    return this.#waiting.filter((one) => one.lane === lane);
  }

  #isOver(bytesMax: number, waiting: readonly WaitingMerge[]): boolean {
    const slots = waiting.reduce((sum, { target }) => sum + target.records.length, 0);
    const bytes = waiting.reduce((sum, each) => sum + each.bytes, 0);
    return bytes > bytesMax || slots > GROUP_SLOTS_MAX || waiting.length > MERGED_BUCKETS_MAX;
  }

  /** As many of those waiting as make a group, the first at least. */
  #wholeGroup(lane: Lane, groupBytes: number): number {
    const waiting = this.#of(lane);
    let count = 1;
    while (count < waiting.length && !this.#isOver(groupBytes, waiting.slice(0, count + 1))) count += 1;
    return count;
  }

  /**
   * Its live records that a block row names there; undefined if it is no longer in a volume of the run, or cannot be
   * read.
   */
  async #recordsOf(id: BucketId, volume: string, named: NamedBlocks) {
    const { panda, settings } = this.#store.components;
    const source = this.#volumes.get(volume);
    const bucket = await readBucket(panda, settings.cell, id);
    if (source === undefined || bucket?.volume !== source.id) return undefined;
    const dead = deadFromRow(await panda.get(deadKey(settings.cell, id)));
    try {
      const content = await collectBucket(this.#store, source, bucket, dead);
      const blocks = named.get(id);
      const records = content.records.flatMap(({ slot, recordId, record }): MergeRecord[] => {
        const block = blocks?.get(slot);
        if (block?.recordId !== recordId) return [];
        return [{ blockId: block.id, recordId, record, from: { bucket: id, slot }, source: source.id }];
      });
      return { records, createdAtMs: bucket.createdAtMs };
    } catch (error) {
      if (!isPocketfulError(error)) throw error;
      this.#tally.skipped.push({
        volume,
        reason: { code: error.code, text: `bucket ${id} cannot be read: ${error.message}` },
      });
      return undefined;
    }
  }

  async #flush(lane: Lane, count: number): Promise<void> {
    const waiting = this.#of(lane).slice(0, count);
    if (waiting.length === 0) return;
    this.#waiting = this.#waiting.filter((one) => !waiting.includes(one));
    const targets = waiting.map(({ target }) => target);
    this.#note(await mergeBuckets(this.#store, this.#run, targets, lane));
    this.#tally.remnants += waiting.reduce((sum, { remnants }) => sum + remnants, 0);
  }

  #note(result: MergeResult): void {
    const tally = this.#tally;
    tally.groups += 1;
    tally.buckets += result.buckets.length;
    tally.blockRows += result.blockRows;
    tally.metadataWrites += result.metadataWrites;
    tally.recordBytes += result.recordBytes;
    tally.storedBytes += result.storedBytes;
    tally.destinations.add(result.destination);
  }
}

/**
 * The live blocks of some buckets, by slot. Nothing leads from a slot to its block but the block's row, so all of them
 * are looked through, once for a whole run. The buckets are in sealed volumes: blocks leave them, and none comes.
 */
async function blocksIn(
  components: Components,
  buckets: ReadonlySet<BucketId>,
  signal: AbortSignal | undefined,
): Promise<{ readonly named: NamedBlocks; readonly scanned: number }> {
  const named = new Map<BucketId, Map<number, BlockRow>>();
  let scanned = 0;
  await mapLimit(blockPartitions(), MERGE_PARTITIONS_AT_ONCE, async (partition) => {
    if (signal?.aborted) return;
    for await (const row of rowsOf(components.panda, partition)) {
      scanned += 1;
      const block = blockFromRow(row);
      if (block.state !== 'live' || block.cell !== components.settings.cell || !buckets.has(block.bucket)) continue;
      const slots = named.get(block.bucket);
      if (slots === undefined) named.set(block.bucket, new Map([[block.slot, block]]));
      else slots.set(block.slot, block);
    }
  });
  return { named, scanned };
}
