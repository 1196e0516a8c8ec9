// Where the slots of a bucket are, from what the drives and the group rows say. Directories of groups never change once
// written, so they are cached under volume and generation; those of sealed buckets: sealed-directories.ts.
import { codecShape } from '../../codec/shape.ts';
import { BucketDirectory, type SlotLocation } from '../../format/bucket-directory.ts';
import type { GroupEntry } from '../../format/group-directory.ts';
import type { BucketId } from '../../foundation/ids.ts';
import { LruCache } from '../../foundation/lru.ts';
import { CACHED_LENGTHS_MAX, GROUP_DIRECTORIES_BYTES_MAX } from '../../limits/reads.ts';
import type { BucketRow } from '../../panda/rows/bucket-row.ts';
import type { AppendGroupRow } from '../../panda/rows/group-row.ts';
import type { VolumeRow } from '../../panda/rows/volume-row.ts';
import type { Components } from '../rows/components.ts';
import type { DriveHealth } from '../rows/drive-health.ts';
import { listGroups, readGroup } from '../rows/read-rows.ts';
import { ColumnFaults } from './column-faults.ts';
import { type GroupPlace, readableFirst } from './read-column.ts';
import { type GroupListing, readColumnBytes, readGroupListing } from './read-directory.ts';
import { type Reading, SealedDirectories } from './sealed-directories.ts';
import { SharedReads } from './shared-reads.ts';

/** Of one entry in memory, its strings and its place in the index included. */
const ENTRY_BYTES = 350;

/** A slot's place; the record id where the directory names it. */
export interface FoundSlot extends SlotLocation {
  readonly recordId?: GroupEntry['recordId'];
}

/** The slots of one bucket in one volume. */
export interface BucketSlots {
  find(slot: number): FoundSlot | undefined;
  /** In no particular order. */
  readonly entries: Iterable<readonly [slot: number, place: FoundSlot]>;
}

/** As much as could be read; `lost` says what could not. */
export interface PartialSlots extends BucketSlots {
  readonly lost: ColumnFaults | undefined;
}

export class Directories {
  readonly #components: Components;
  readonly #health: DriveHealth;
  readonly #groups = new LruCache<string, readonly GroupEntry[]>(
    GROUP_DIRECTORIES_BYTES_MAX,
    (entries) => 256 + entries.length * ENTRY_BYTES,
  );
  readonly #sealed: SealedDirectories;
  readonly #lengths = new LruCache<string, readonly number[]>(CACHED_LENGTHS_MAX);
  /** Chunks whose header was seen to be theirs: objects never change, so once is enough. */
  readonly #proven = new LruCache<string, true>(CACHED_LENGTHS_MAX);
  readonly #reads = new SharedReads();

  constructor(components: Components, health: DriveHealth) {
    this.#components = components;
    this.#health = health;
    this.#sealed = new SealedDirectories({ components, health });
  }

  /** Everything a committed group holds. Throws RecordLost if no column tells. */
  async group(volume: VolumeRow, seq: number, token: number): Promise<readonly GroupEntry[]> {
    const listing = await this.#listing({ volume, sequence: seq, token });
    if (!listing.complete) throw listing.faults.lost(`the directory of group ${seq}-${token} of volume ${volume.id}`);
    return listing.entries;
  }

  /** What a committed group holds of one bucket, by slot. Throws RecordLost if no column tells. */
  async groupSlots(volume: VolumeRow, seq: number, token: number, bucket: BucketId): Promise<BucketMap> {
    return slotsIn(await this.group(volume, seq, token), seq, token).get(bucket) ?? NO_SLOTS;
  }

  /** What the writer of a group knows already. */
  put(
    volume: VolumeRow,
    seq: number,
    token: number,
    entries: readonly GroupEntry[],
    columnBytes?: readonly number[],
  ): void {
    this.#remember({ volume, sequence: seq, token }, entries, columnBytes);
  }

  /** All slots of a bucket. Throws RecordLost if some of its directory cannot be read: nothing is left out silently. */
  async bucket(volume: VolumeRow, bucket: BucketRow): Promise<BucketSlots> {
    const slots = await this.bucketPart(volume, bucket);
    if (slots.lost !== undefined) throw slots.lost.lost(`the directory of bucket ${bucket.id} in volume ${volume.id}`);
    return slots;
  }

  /** As `bucket`, but with whatever can be read: enough for a reader of one slot. */
  async bucketPart(volume: VolumeRow, bucket: BucketRow, reading: Reading = 'one bucket'): Promise<PartialSlots> {
    const mayBeSealed = volume.class === 'warm' && volume.state !== 'open';
    let sealed: BucketDirectory | ColumnFaults | undefined;
    if (mayBeSealed && !volume.directoriesPending) sealed = await this.#sealed.find(volume, bucket.id, reading);
    if (sealed instanceof BucketDirectory) return fromSealed(sealed);
    if (bucket.move > 0) {
      const listing = await this.#listing({ volume, sequence: bucket.seq, token: bucket.token });
      const lost = listing.complete ? undefined : listing.faults;
      return fromListings([[listing, bucket.seq, bucket.token]], bucket.id, lost);
    }
    const appended = await this.#appended(volume, bucket);
    if (appended.lost === undefined) return appended;
    // The group rows may have gone since the volume row was read: they do once the directories are written.
    if (mayBeSealed && sealed === undefined) sealed = await this.#sealed.find(volume, bucket.id, reading);
    if (sealed instanceof BucketDirectory) return fromSealed(sealed);
    if (sealed !== undefined) appended.lost.addAll(sealed);
    return appended;
  }

  /** Forgets what it knows of a volume: it was freed, or has a new generation. */
  forget(volume: Pick<VolumeRow, 'id'>): void {
    for (const key of this.#reads.forget(volume.id)) {
      this.#groups.delete(key);
      this.#lengths.delete(key);
      this.#proven.delete(key);
    }
    this.#sealed.forget(volume);
  }

  /**
   * Payload bytes of every column of a group, from a header or, when none can be read, from the group's row. `order`:
   * columns whose header is to be tried, the best first; `seen` is told which one answered. Undefined if nothing tells.
   */
  async columnBytes(
    place: GroupPlace,
    order?: readonly number[],
    seen?: (column: number) => void,
  ): Promise<readonly number[] | undefined> {
    const key = keyOf(place);
    const known = this.#lengths.get(key);
    if (known !== undefined) return known;
    const { dataColumns, parityColumns } = codecShape(place.volume.codec);
    const all = Array.from(
      { length: dataColumns + parityColumns },
      (_, i) => (dataColumns + i) % (dataColumns + parityColumns),
    );
    const ports = { components: this.#components, health: this.#health };
    const found = await readColumnBytes(ports, place, order ?? readableFirst(ports, place.volume, all));
    if (found !== undefined) seen?.(found.column);
    const columnBytes = found?.columnBytes ?? (await this.#rowBytes(place));
    if (columnBytes !== undefined) this.#learnLengths(place, columnBytes);
    return columnBytes;
  }

  isProven(place: GroupPlace, column: number): boolean {
    return this.#proven.get(`${keyOf(place)}/${column}`) ?? false;
  }

  prove(place: GroupPlace, column: number): void {
    const key = `${keyOf(place)}/${column}`;
    this.#proven.set(key, true);
    this.#reads.note(place.volume.id, key);
  }

  #learnLengths(place: GroupPlace, columnBytes: readonly number[]): void {
    const key = keyOf(place);
    this.#lengths.set(key, columnBytes);
    this.#reads.note(place.volume.id, key);
  }

  async #rowBytes({ volume, sequence, token }: GroupPlace): Promise<readonly number[] | undefined> {
    const row = await readGroup(this.#components.panda, volume, sequence);
    return row?.token === token ? row.columnBytes : undefined;
  }

  /** A bucket that was never moved: the append groups that name it. */
  async #appended(volume: VolumeRow, bucket: BucketRow): Promise<PartialSlots> {
    const groups = (await listGroups(this.#components.panda, volume)).filter(
      (group): group is AppendGroupRow => group.kind === 'append' && group.bucket === bucket.id,
    );
    const faults = new ColumnFaults(volume, this.#components.drives);
    const listings: [GroupListing, number, number][] = [];
    let complete = true;
    for (const group of groups) {
      const place = { volume, sequence: group.seq, token: group.token };
      this.#learnLengths(place, group.columnBytes);
      const listing = await this.#listing(place);
      if (!listing.complete) {
        complete = false;
        faults.addAll(listing.faults);
      }
      listings.push([listing, group.seq, group.token]);
    }
    // Rows are dropped once the volume has bucket directories: then those that are left are not the whole bucket.
    const slots = groups.reduce((sum, group) => sum + group.slots.length, 0);
    if (slots < bucket.slots) complete = false;
    return fromListings(listings, bucket.id, complete ? undefined : faults);
  }

  async #listing(place: GroupPlace): Promise<GroupListing> {
    const key = keyOf(place);
    const entries = this.#groups.get(key);
    const faults = new ColumnFaults(place.volume, this.#components.drives);
    if (entries !== undefined) return { entries, complete: true, columnBytes: this.#lengths.get(key), faults };
    return this.#reads.once(key, async () => {
      const listing = await readGroupListing({ components: this.#components, health: this.#health }, place);
      if (listing.complete) this.#remember(place, listing.entries, listing.columnBytes);
      return listing;
    });
  }

  #remember(place: GroupPlace, entries: readonly GroupEntry[], columnBytes: readonly number[] | undefined): void {
    const key = keyOf(place);
    this.#groups.set(key, entries);
    this.#reads.note(place.volume.id, key);
    if (columnBytes !== undefined) this.#learnLengths(place, columnBytes);
  }
}

const keyOf = ({ volume, sequence, token }: GroupPlace): string =>
  `${volume.id}/${volume.generation}/${sequence}-${token}`;

const fromSealed = (directory: BucketDirectory): PartialSlots => ({
  find: (slot) => directory.find(slot),
  get entries() {
    return directory.entries;
  },
  lost: undefined,
});

function fromListings(
  listings: readonly (readonly [GroupListing, number, number])[],
  bucket: BucketId,
  lost: ColumnFaults | undefined,
): PartialSlots {
  const parts = listings.map(([{ entries }, sequence, token]) => slotsIn(entries, sequence, token).get(bucket));
  const found = parts.filter((part) => part !== undefined);
  const slots = found.length === 1 ? (found[0] as BucketMap) : new Map(found.flatMap((part) => [...part]));
  return { find: (slot) => slots.get(slot), entries: slots, lost };
}

export type BucketMap = ReadonlyMap<number, FoundSlot>;
const NO_SLOTS: BucketMap = new Map();

/** The entries of a group's directory by bucket and slot; made once, as every read of a moved record asks. */
const indexes = new WeakMap<readonly GroupEntry[], ReadonlyMap<BucketId, BucketMap>>();

function slotsIn(entries: readonly GroupEntry[], sequence: number, token: number): ReadonlyMap<BucketId, BucketMap> {
  const known = indexes.get(entries);
  if (known !== undefined) return known;
  const index = new Map<BucketId, Map<number, FoundSlot>>();
  for (const { bucket, slot, recordId, column, offset, length } of entries) {
    const slots = index.get(bucket) ?? new Map<number, FoundSlot>();
    index.set(bucket, slots.set(slot, { sequence, token, column, offset, length, recordId }));
  }
  indexes.set(entries, index);
  return index;
}
