// The index scanner: every block's row leads to its record. Rows come in the order of their hashes, directories by
// volume; so a chunk of rows is gathered as numbers (block-table.ts), sorted by bucket, and held against directories
// that are read once for the chunk. What does not fit is suspected only: the row and everything on its way are read
// again (check-block.ts) before it is called a finding.

import { chunkName } from '../format/object-names.ts';
import { isPocketfulError } from '../foundation/errors.ts';
import type { BlockId, BucketId } from '../foundation/ids.ts';
import { GET_MANY_MAX } from '../limits/panda.ts';
import { type BucketRow, bucketFromRow, bucketKey } from '../panda/rows/bucket-row.ts';
import { readOrTell } from '../panda/rows/row-reader.ts';
import type { VolumeRow } from '../panda/rows/volume-row.ts';
import { type ColumnListing, listColumns } from '../volume/check/listing.ts';
import type { BucketMap, FoundSlot } from '../volume/read/directories.ts';
import { readVolume } from '../volume/rows/read-rows.ts';
import type { VolumeStore } from '../volume/volume-store.ts';
import { type BlockTable, placePrint, recordPrint, type TableEntry } from './block-table.ts';
import { type BlockFault, checkBlock, endOf, MissingObjects } from './check-block.ts';
import type { Findings } from './findings.ts';
import { blocksBetween, type Chunk, type GatherOptions, gatherBlocks, passBad } from './gather-blocks.ts';
import { keepFindings } from './keep-findings.ts';

export interface IndexScanOptions extends GatherOptions {
  readonly findings: Findings;
  /** Where the scan goes on, as `cursor` of the report said; undefined: at the beginning. */
  readonly cursor?: string | undefined;
  readonly onProgress?: ((blocks: number) => void) | undefined;
}

export interface IndexScanReport {
  readonly blocks: number;
  /** Directories of volumes that were read. */
  readonly volumes: number;
  readonly faults: readonly { readonly block: BlockId; readonly fault: BlockFault }[];
  /** Blocks whose directory could not be had now. */
  readonly unread: number;
  /** Where the next scan goes on; undefined: this one came to the end. */
  readonly cursor: string | undefined;
}

export async function scanIndex(store: VolumeStore, options: IndexScanOptions): Promise<IndexScanReport> {
  const { isOver = () => false, isLate = () => false, findings } = options;
  const faults: { block: BlockId; fault: BlockFault }[] = [];
  let cursor: string | undefined = options.cursor ?? '00';
  let blocks = 0;
  let volumes = 0;
  let unread = 0;
  while (cursor !== undefined && !isOver()) {
    const from: string = cursor;
    const chunk: Chunk = await gatherBlocks(store, from, options, (more) => options.onProgress?.(blocks + more));
    const check = new ChunkCheck(store, chunk.table);
    const suspects = await check.run(isOver);
    if (isOver()) break;
    const confirmed = suspects.size === 0 ? NOTHING : await confirm(store, chunk, suspects);
    for (const [block, fault] of confirmed.faults) {
      faults.push({ block, fault });
      findings.add(SEVERITY[fault] ?? 'lost', 'index', `block ${block}: ${fault}`);
    }
    await keepFindings(store.components, 'index', { from, to: chunk.to }, confirmed.faults);
    blocks += chunk.table.size;
    volumes += check.volumes;
    unread += check.unread + confirmed.unread;
    cursor = chunk.next;
    if (isLate()) break;
  }
  return { blocks, volumes, faults, unread, cursor };
}

/** Some of it is missing: the code brings it back. */
const SEVERITY: Partial<Record<BlockFault, 'degraded'>> = { CHUNK_UNLISTED: 'degraded' };
const NOTHING = { faults: new Map<BlockId, BlockFault>(), unread: 0 };

/** A chunk held against the directories, volume by volume. */
class ChunkCheck {
  readonly #store: VolumeStore;
  readonly #table: BlockTable;
  readonly #listings = new Map<string, Promise<readonly ColumnListing[]>>();
  volumes = 0;
  unread = 0;

  constructor(store: VolumeStore, table: BlockTable) {
    this.#store = store;
    this.#table = table;
  }

  /** Listed once for each volume and generation. */
  readonly #listingsOf = (volume: VolumeRow): Promise<readonly ColumnListing[]> => {
    const key = `${volume.id}/${volume.generation}`;
    const known = this.#listings.get(key) ?? listColumns(this.#store, volume);
    this.#listings.clear(); // volumes come one after the other
    this.#listings.set(key, known);
    return known;
  };

  /** Slots, by bucket, whose row does not fit what the directories say. */
  async run(isOver: () => boolean): Promise<Map<string, Set<number>>> {
    const entriesOf = this.#table.byBucket();
    const ids = this.#table.buckets();
    const suspects = new Map<string, Set<number>>();
    const suspect = (bucket: string, entries: readonly TableEntry[]): void => {
      const slots = suspects.get(bucket) ?? new Set();
      for (const { slot } of entries) slots.add(slot);
      if (slots.size > 0) suspects.set(bucket, slots);
    };
    const byVolume = new Map<string, { readonly number: number; readonly row: BucketRow }[]>();
    for await (const [number, row] of this.#bucketRows(ids)) {
      if (row === undefined) suspect(ids[number] as string, entriesOf(number));
      else {
        const of = byVolume.get(row.volume);
        if (of === undefined) byVolume.set(row.volume, [{ number, row }]);
        else of.push({ number, row });
      }
    }
    const { panda, settings } = this.#store.components;
    for (const [id, buckets] of byVolume) {
      if (isOver()) return suspects;
      const volume = await readVolume(panda, settings.cell, id as VolumeRow['id']).catch(passBad);
      for (const { number, row } of buckets) {
        const entries = entriesOf(number);
        suspect(row.id, volume === undefined ? entries : await this.#misfits(volume, row, entries));
      }
      this.volumes += 1;
    }
    return suspects;
  }

  async *#bucketRows(ids: readonly string[]): AsyncGenerator<readonly [number, BucketRow | undefined]> {
    const { panda, settings, badRow = () => {} } = this.#store.components;
    for (let at = 0; at < ids.length; at += GET_MANY_MAX) {
      const some = ids.slice(at, at + GET_MANY_MAX);
      const rows = await panda.getMany(some.map((id) => bucketKey(settings.cell, id as BucketId)));
      for (const [i, row] of rows.entries())
        yield [at + i, row === undefined ? undefined : readOrTell(row, bucketFromRow, badRow)];
    }
  }

  async #misfits(volume: VolumeRow, bucket: BucketRow, entries: readonly TableEntry[]): Promise<TableEntry[]> {
    try {
      const slots = await this.#store.directories.bucketPart(volume, bucket, 'many buckets');
      const listings = await this.#listingsOf(volume);
      const home = bucket.move === 0 ? this.#table.homeOf(volume.id, volume.generation) : undefined;
      const misfits: TableEntry[] = [];
      let group: GroupSeen | undefined;
      for (const entry of entries) {
        const found = slots.find(entry.slot);
        if (found === undefined) {
          if (slots.lost === undefined) misfits.push(entry);
          else this.unread += 1;
          continue;
        }
        // One after the other lies in the same group as a rule.
        if (group?.sequence !== found.sequence || group.token !== found.token)
          group = await this.#groupOf(volume, bucket, found, listings);
        if (!fits(entry, found, group, home)) misfits.push(entry);
      }
      return misfits;
    } catch (error) {
      if (!isPocketfulError(error)) throw error;
      this.unread += entries.length;
      return [];
    }
  }

  async #groupOf(
    volume: VolumeRow,
    bucket: BucketRow,
    { sequence, token, recordId }: FoundSlot,
    listings: readonly ColumnListing[],
  ): Promise<GroupSeen> {
    const name = chunkName(sequence, token);
    return {
      sequence,
      token,
      listedBytes: listings.map(({ objects }) => (objects === undefined ? undefined : (objects.get(name) ?? 0))),
      // Bucket directories of sealed volumes do not name records: those of groups do.
      slots:
        recordId === undefined
          ? await this.#store.directories.groupSlots(volume, sequence, token, bucket.id)
          : undefined,
    };
  }
}

/** What holds for all slots of a bucket in one group. */
interface GroupSeen {
  readonly sequence: number;
  readonly token: number;
  /** By column: undefined while its drive cannot be listed. */
  readonly listedBytes: readonly (number | undefined)[];
  /** By the group's own directory, where the bucket's does not name records. */
  readonly slots: BucketMap | undefined;
}

/** `home`: the number of hints into this volume and generation, if readers of this bucket go by hints. */
function fits(entry: TableEntry, found: FoundSlot, group: GroupSeen, home: number | undefined): boolean {
  const { column, offset, length } = found;
  const listedBytes = group.listedBytes[column];
  if (listedBytes !== undefined && listedBytes < endOf(found)) return false;
  let { recordId } = found;
  if (group.slots !== undefined) {
    const same = group.slots.get(entry.slot);
    if (same?.column !== column || same.offset !== offset || same.length !== length) return false;
    recordId = same.recordId;
  }
  if (recordId === undefined || recordPrint(recordId, length) !== entry.record) return false;
  if (home === undefined || entry.home !== home) return true;
  return placePrint(found.sequence, found.token, column, offset) === entry.hint;
}

/** The rows of the chunk that are suspected, each looked at on its own. */
async function confirm(
  store: VolumeStore,
  { from, to }: Chunk,
  suspects: ReadonlyMap<string, ReadonlySet<number>>,
): Promise<{ readonly faults: Map<BlockId, BlockFault>; readonly unread: number }> {
  const faults = new Map<BlockId, BlockFault>();
  const missing = new MissingObjects(store);
  let unread = 0;
  for await (const { id, bucket, slot } of blocksBetween(store, from, to)) {
    if (!suspects.get(bucket)?.has(slot)) continue;
    const verdict = await checkBlock(store, id, missing);
    if (verdict === 'unread') unread += 1;
    else if (verdict !== 'sound') faults.set(id, verdict.fault);
  }
  return { faults, unread };
}
