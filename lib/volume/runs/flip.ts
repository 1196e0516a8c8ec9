// FLIP (protocols 14-15): a sealed volume gets new extents and a generation one higher, its live slots and buckets of
// others in them; bucket rows name the volume only, so none of its own changes. Before the flip nobody reads the new
// extents; after it nobody writes the old ones, which go to trash as a volume of their own.
import { codecShape } from '../../codec/shape.ts';
import type { Drive } from '../../drive/drive.ts';
import { encodeBucketDirectory, type SlotLocation } from '../../format/bucket-directory.ts';
import { parseChunkName } from '../../format/object-names.ts';
import { assert } from '../../foundation/assert.ts';
import { type BucketId, newVolumeId, type RunId, type VolumeId } from '../../foundation/ids.ts';
import { ZONE_CLAIM_ATTEMPTS_MAX } from '../../limits/volume.ts';
import { extentText, type VolumeRow } from '../../panda/rows/volume-row.ts';
import type { GroupPlace } from '../open/lease.ts';
import { notStored, putPacks } from '../open/put-pack.ts';
import { extentFreeBytes } from '../open/room.ts';
import type { BucketContent } from '../read/collect-bucket.ts';
import { readGroupListing } from '../read/read-directory.ts';
import type { Components } from '../rows/components.ts';
import { directoryBytesOf, filledBy, moreDirectoryBytes, slotSpan } from '../rows/directory-room.ts';
import { readBucket, readVolume } from '../rows/read-rows.ts';
import { transactUnlessConflict } from '../rows/transact.ts';
import {
  type ArrivingBucket,
  arrivalWrites,
  claimNextWrites,
  dropNextWrites,
  flipWrites,
} from '../steps/flip-steps.ts';
import type { VolumeStore } from '../volume-store.ts';
import { moveNeedBytes } from '../write/move.ts';
import { writeGroup } from '../write/write-group.ts';

/** A group that a process before this one is known to have stored. */
interface StoredGroup {
  readonly seq: number;
}

/**
 * The next generation of a leased host in the making. Groups are added, then `writeDirectories`, `flip`, and the
 * arriving buckets are committed. Whatever fails before the flip, `dropNext` undoes all of it.
 */
export class NextExtents {
  readonly token: number;
  readonly arriving: ArrivingBucket[] = [];
  storedBytes = 0;
  readonly #store: VolumeStore;
  readonly #run: RunId;
  /** As it will be after the flip. */
  #volume: VolumeRow;
  readonly #slots = new Map<BucketId, Map<number, SlotLocation>>();

  constructor(store: VolumeStore, run: RunId, host: VolumeRow) {
    const { next } = host;
    assert(next !== undefined && host.run === run, 'a flip has a leased host with its next extents');
    this.#store = store;
    this.#run = run;
    this.token = host.token + 1;
    this.#volume = {
      ...host,
      generation: next.generation,
      extents: next.extents,
      extentUsedBytes: next.extents.map(() => 0),
      // Its buckets get a directory even if nothing of them is left.
      directoryBytes: directoryBytesOf([...host.buckets].map(() => 0)),
      token: this.token,
      nextSeq: 1,
      next: undefined,
    };
  }

  get generation(): number {
    return this.#volume.generation;
  }

  get extents(): string[] {
    return this.#volume.extents.map(extentText);
  }

  /**
   * Goes on after the groups that a process which is gone stored in these extents. Whatever else it left there is a
   * stray, and counts. False, nothing changed: a group of it cannot be read, or its directories are there already.
   */
  async resume(groups: readonly StoredGroup[], arriving: readonly ArrivingBucket[]): Promise<boolean> {
    const left = await leftIn(this.#store.components, this.#volume);
    if (left === undefined) return false;
    const arrived = new Set(arriving.map(({ bucket }) => bucket));
    const slots = new Map<BucketId, Map<number, SlotLocation>>();
    for (const { seq } of groups) {
      const place = { volume: this.#volume, sequence: seq, token: this.token };
      const { entries, complete } = await readGroupListing(this.#store, place);
      if (!complete) return false;
      for (const { bucket, slot, column, offset, length } of entries) {
        const its = slots.get(bucket) ?? new Map<number, SlotLocation>();
        slots.set(bucket, its.set(slot, { sequence: seq, token: this.token, column, offset, length }));
      }
    }
    let directoryBytes = 0;
    for (const [bucket, its] of slots) {
      const span = slotSpan([...its.keys()].map((slot) => ({ slot })));
      directoryBytes += arrived.has(bucket) ? directoryBytesOf([span]) : moreDirectoryBytes(span);
      this.#slots.set(bucket, its);
    }
    this.arriving.push(...arriving);
    this.#volume = {
      ...this.#volume,
      nextSeq: left.lastSeq + 1,
      buckets: new Set([...this.#volume.buckets, ...slots.keys()]),
      ...filledBy(this.#volume, left.bytes, directoryBytes),
    };
    return true;
  }

  /** Whether one more group of these buckets fits, room for directories left. */
  fits(contents: readonly BucketContent[]): boolean {
    const { dataColumns } = codecShape(this.#volume.codec);
    return moveNeedBytes(contents, dataColumns) <= extentFreeBytes(this.#store.components, this.#volume);
  }

  /** Stores a group in the new extents: its sequence number. Throws `retry` GROUP_NOT_STORED: the flip is off then. */
  async add(contents: readonly BucketContent[]): Promise<number> {
    const volume = this.#volume;
    const isOwn = (content: BucketContent): boolean => content.source.id === volume.id;
    const records = contents.flatMap((content) =>
      content.records.map(({ slot, recordId, record }) => ({
        bucket: content.bucket.id,
        move: content.bucket.move + (isOwn(content) ? 0 : 1),
        slot,
        recordId,
        record,
      })),
    );
    const seq = volume.nextSeq;
    const written = await writeGroup(this.#store, placeInNext(volume, this.token, seq), 'move', records);
    for (const { bucket, slot, column, offset, length } of written.entries) {
      const slots = this.#slots.get(bucket) ?? new Map<number, SlotLocation>();
      this.#slots.set(bucket, slots.set(slot, { sequence: seq, token: this.token, column, offset, length }));
    }
    for (const content of contents) {
      if (isOwn(content)) continue;
      const { id, move } = content.bucket;
      this.arriving.push({ bucket: id, source: content.source.id, move, seq });
    }
    this.#volume = {
      ...volume,
      nextSeq: seq + 1,
      buckets: new Set([...volume.buckets, ...contents.map(({ bucket }) => bucket.id)]),
      ...filledBy(
        volume,
        written.objectBytes,
        contents.reduce((sum, content) => {
          const span = slotSpan(content.records);
          return sum + (isOwn(content) ? moreDirectoryBytes(span) : directoryBytesOf([span]));
        }, 0),
      ),
    };
    this.storedBytes += written.objectBytes.reduce((sum, bytes) => sum + bytes, 0);
    return seq;
  }

  /**
   * A directory for every bucket that will be looked for here, on all m+1 columns: nothing else leads to its slots. A
   * zombie of the run may have left another one in these extents, and then the flip is off. Throws `retry`
   * DIRECTORY_NOT_STORED.
   */
  async writeDirectories(): Promise<void> {
    const volume = this.#volume;
    const owner = { storeId: this.#store.components.storeId, volumeId: volume.id, generation: volume.generation };
    const directories = new Map<BucketId, Uint8Array>();
    for (const bucket of volume.buckets) {
      const entries = this.#slots.get(bucket) ?? new Map<number, SlotLocation>();
      directories.set(bucket, encodeBucketDirectory({ ...owner, bucket, entries }));
    }
    const puts = await putPacks(this.#store, volume, directories, 'the same');
    if (puts.failures.size > 0) throw notStored(volume, puts);
    const used = volume.extentUsedBytes.map((bytes, column) => bytes + (puts.bytes[column] as number));
    this.#volume = { ...volume, extentUsedBytes: used };
  }

  /**
   * One transaction with the zone rows: the host is at the new generation, its old extents are in trash. False: the
   * host was lost to another run.
   */
  async flip(host: VolumeRow): Promise<boolean> {
    const { components } = this.#store;
    const cell = components.settings.cell;
    const nowMs = Math.max(0, components.clock.nowMs());
    const writes = flipWrites(cell, this.#run, host, this.#volume, newVolumeId(components.randomness), nowMs);
    const took = async (): Promise<boolean> =>
      (await readVolume(components.panda, cell, host.id))?.generation === this.generation;
    const flipped = await transactUnlessConflict(components, writes, took);
    if (flipped) this.#store.directories.forget(host);
    return flipped;
  }
}

/** Bytes on each extent, and the last sequence number used; undefined if there is a directory pack. */
async function leftIn(
  { drives }: Components,
  { extents }: VolumeRow,
): Promise<{ readonly bytes: readonly number[]; readonly lastSeq: number } | undefined> {
  const bytes: number[] = [];
  let lastSeq = 0;
  for (const { drive, zone, zoneGeneration } of extents) {
    const listed = await (drives[drive] as Drive).list({ zone, generation: zoneGeneration });
    for (const { name } of listed) {
      const chunk = parseChunkName(name);
      if (chunk === undefined) return undefined;
      lastSeq = Math.max(lastSeq, chunk.sequence);
    }
    bytes.push(listed.reduce((sum, object) => sum + object.bytes, 0));
  }
  return { bytes, lastSeq };
}

/**
 * The extents belong to one run alone, so there is no token to lose; what could not be stored is dropped with all the
 * rest.
 */
const placeInNext = (volume: VolumeRow, token: number, seq: number): GroupPlace => ({
  volume,
  token,
  seq,
  burn: async () => undefined,
});

/**
 * Claims extents for the next generation of a host that is draining under `run`. Undefined: the run lost it. Throws
 * `retry` DRIVES_MISSING or STORE_FULL.
 */
export async function claimNext(store: VolumeStore, run: RunId, host: VolumeRow): Promise<VolumeRow | undefined> {
  const { components, zones } = store;
  assert(host.next === undefined, 'an earlier next is dropped first');
  for (let attempt = 0; ; attempt++) {
    const claim = await zones.claim(host.id, host.extents.length);
    const writes = claimNextWrites(components.settings.cell, run, host, claim.extents, claim.writes);
    const took = async (): Promise<boolean> => {
      const now = await readVolume(components.panda, components.settings.cell, host.id);
      return now?.next?.extents.map(extentText).join() === claim.extents.map(extentText).join();
    };
    if (await transactUnlessConflict(components, writes, took)) break;
    zones.refresh();
    const now = await readVolume(components.panda, components.settings.cell, host.id);
    if (now?.run !== run || attempt >= ZONE_CLAIM_ATTEMPTS_MAX) return undefined;
  }
  // Whoever took this process for dead may have dropped it since.
  const claimed = await readVolume(components.panda, components.settings.cell, host.id);
  return claimed?.run === run && claimed.next !== undefined ? claimed : undefined;
}

/**
 * A next that will not be flipped to: its zones go to trash as a volume of their own, in the transaction that takes
 * them from the host. The host as it is then; undefined when the run lost it.
 */
export async function dropNext(store: VolumeStore, run: RunId, host: VolumeRow): Promise<VolumeRow | undefined> {
  const { next } = host;
  if (next === undefined) return host;
  const { components } = store;
  const cell = components.settings.cell;
  const nowMs = Math.max(0, components.clock.nowMs());
  const writes = dropNextWrites(cell, run, host, next, newVolumeId(components.randomness), nowMs);
  const took = async (): Promise<boolean> => (await readVolume(components.panda, cell, host.id))?.next === undefined;
  if (!(await transactUnlessConflict(components, writes, took))) return undefined;
  return readVolume(components.panda, cell, host.id);
}

/**
 * Step 11 for buckets that arrived by a flip: a transaction of three rows each. Those already moved, or lost to others,
 * are passed over.
 */
export async function commitArrivals(
  store: VolumeStore,
  run: RunId,
  host: { readonly id: VolumeId; readonly generation: number; readonly token: number },
  arriving: readonly ArrivingBucket[],
): Promise<BucketId[]> {
  const { components } = store;
  const moved: BucketId[] = [];
  const { cell } = components.settings;
  for (const one of arriving) {
    const { bucket, move } = one;
    const writes = arrivalWrites(cell, run, host, one);
    const took = async (): Promise<boolean> => {
      const now = await readBucket(components.panda, cell, bucket);
      return now?.volume === host.id && now.move === move + 1;
    };
    if (await transactUnlessConflict(components, writes, took)) moved.push(bucket);
  }
  return moved;
}
