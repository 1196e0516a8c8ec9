// The index scanner: every block's row leads to its record. Rows come in the order of their hashes, directories by
// volume; so a chunk of rows is gathered as numbers (block-table.ts), sorted by bucket, and held against directories
// that are read once for the chunk. What does not fit is suspected only: the row and everything on its way are read
// again (check-block.ts) before it is called a finding.

import type { GroupEntry } from '../format/group-directory.ts';
import { isPocketfulError } from '../foundation/errors.ts';
import type { BlockId, BucketId } from '../foundation/ids.ts';
import { GET_MANY_MAX } from '../limits/panda.ts';
import { INDEX_CHUNK_BLOCKS_MAX } from '../limits/verify.ts';
import { type BlockRow, blockFromRow, blockPartitions } from '../panda/rows/block-row.ts';
import { type BucketRow, bucketFromRow, bucketKey } from '../panda/rows/bucket-row.ts';
import { readOrTell } from '../panda/rows/row-reader.ts';
import type { VolumeRow } from '../panda/rows/volume-row.ts';
import { type ColumnListing, listColumns } from '../volume/check/listing.ts';
import type { FoundSlot } from '../volume/read/directories.ts';
import { readVolume } from '../volume/rows/read-rows.ts';
import type { VolumeStore } from '../volume/volume-store.ts';
import { BlockTable, placePrint, recordPrint, type TableEntry } from './block-table.ts';
import { type BlockFault, checkBlock, isListed, MissingObjects } from './check-block.ts';
import type { Findings } from './findings.ts';
import { keepFindings } from './keep-findings.ts';

export interface IndexScanOptions {
  readonly findings: Findings;
  /** Where the scan goes on, as `cursor` of the report said; undefined: at the beginning. */
  readonly cursor?: string | undefined;
  /** Rows of one chunk: memory. */
  readonly chunkBlocksMax?: number | undefined;
  /** True: gather no more rows; what was gathered is still checked. */
  readonly isLate?: (() => boolean) | undefined;
  /** True: stop; the chunk under way is begun anew by the next scan. */
  readonly isOver?: (() => boolean) | undefined;
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
    const chunk: Chunk = await gather(store, from, options, (more) => options.onProgress?.(blocks + more));
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

interface Chunk {
  readonly table: BlockTable;
  readonly from: string;
  /** The last name it may hold. */
  readonly to: string;
  readonly next: string | undefined;
}

/** Rows from a name on: until there are enough, or it is late. A cursor is the beginning of a block's id. */
async function gather(
  { components }: VolumeStore,
  from: string,
  { chunkBlocksMax = INDEX_CHUNK_BLOCKS_MAX, isLate = () => false, isOver = () => false }: IndexScanOptions,
  onProgress: (blocks: number) => void,
): Promise<Chunk> {
  const table = new BlockTable();
  const bad = components.badRow ?? (() => {});
  for (const partition of blockPartitions()) {
    const bits = partition.slice(-2);
    if (bits < from.slice(0, 2)) continue;
    let at: string | undefined = bits === from.slice(0, 2) ? from : bits;
    while (at !== undefined) {
      const page: Awaited<ReturnType<typeof components.panda.query>> = await components.panda.query(partition, {
        from: at,
      });
      for (const row of page.rows) {
        const block = readOrTell(row, blockFromRow, bad);
        if (block !== undefined && block.cell === components.settings.cell) table.add(block);
      }
      onProgress(table.size);
      at = page.next;
      if (at !== undefined && (table.size >= chunkBlocksMax || isLate() || isOver()))
        return { table, from, to: `${at.slice(0, -1)}${before(at.at(-1) as string)}`, next: at };
    }
    const next = nextBits(bits);
    if (next !== undefined && (table.size >= chunkBlocksMax || isLate() || isOver()))
      return { table, from, to: `${bits}~`, next };
  }
  return { table, from, to: '~', next: undefined };
}

/** The highest text that is below a name's last digit: names in between do not exist. */
const before = (digit: string): string => `${String.fromCharCode(digit.charCodeAt(0) - 1)}~`;

function nextBits(bits: string): string | undefined {
  const next = Number.parseInt(bits, 16) + 1;
  return next === 256 ? undefined : next.toString(16).padStart(2, '0');
}

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
    const suspects = new Map<string, Set<number>>();
    const suspect = (bucket: string, entries: Iterable<TableEntry>): void => {
      const slots = suspects.get(bucket) ?? new Set();
      for (const { slot } of entries) slots.add(slot);
      if (slots.size > 0) suspects.set(bucket, slots);
    };
    const byVolume = new Map<string, BucketRow[]>();
    for await (const [number, row] of this.#bucketRows()) {
      if (row === undefined) suspect(this.#table.buckets[number] as string, entriesOf(number));
      else byVolume.set(row.volume, [...(byVolume.get(row.volume) ?? []), row]);
    }
    const numbers = new Map(this.#table.buckets.map((id, number) => [id, number]));
    const { panda, settings } = this.#store.components;
    for (const [id, buckets] of byVolume) {
      if (isOver()) return suspects;
      const volume = await readVolume(panda, settings.cell, id as VolumeRow['id']).catch(passBad);
      for (const bucket of buckets) {
        const entries = entriesOf(numbers.get(bucket.id) as number);
        if (volume === undefined) suspect(bucket.id, entries);
        else suspect(bucket.id, await this.#misfits(volume, bucket, [...entries]));
      }
      this.volumes += 1;
    }
    return suspects;
  }

  async *#bucketRows(): AsyncGenerator<readonly [number, BucketRow | undefined]> {
    const { panda, settings, badRow = () => {} } = this.#store.components;
    const ids = this.#table.buckets;
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
      const records = new Map<string, ReadonlyMap<number, GroupEntry>>();
      const misfits: TableEntry[] = [];
      for (const entry of entries) {
        const found = slots.find(entry.slot);
        if (found === undefined && slots.lost !== undefined) this.unread += 1;
        else if (found === undefined || isListed(listings, found) === false) misfits.push(entry);
        else if (!(await this.#fits(entry, found, { volume, bucket, home, records }))) misfits.push(entry);
      }
      return misfits;
    } catch (error) {
      if (!isPocketfulError(error)) throw error;
      this.unread += entries.length;
      return [];
    }
  }

  async #fits(entry: TableEntry, found: FoundSlot, of: BucketPlaces): Promise<boolean> {
    const recordId = found.recordId ?? (await this.#recordAt(entry.slot, found, of));
    if (recordId === undefined || recordPrint(recordId, found.length) !== entry.record) return false;
    if (of.home === undefined || entry.home !== of.home) return true;
    return placePrint(found.sequence, found.token, found.column, found.offset) === entry.hint;
  }

  /** Which record the group's directory names in the place that the bucket's directory names. */
  async #recordAt(slot: number, found: FoundSlot, { volume, bucket, records }: BucketPlaces) {
    const key = `${found.sequence}-${found.token}`;
    let group = records.get(key);
    if (group === undefined) {
      const entries = await this.#store.directories.group(volume, found.sequence, found.token);
      group = new Map(entries.filter((one) => one.bucket === bucket.id).map((one) => [one.slot, one]));
      records.set(key, group);
    }
    const entry = group.get(slot);
    const isSame = entry?.column === found.column && entry.offset === found.offset && entry.length === found.length;
    return isSame ? entry.recordId : undefined;
  }
}

interface BucketPlaces {
  readonly volume: VolumeRow;
  readonly bucket: BucketRow;
  /** The number of hints into this volume and generation, if readers of this bucket go by hints. */
  readonly home: number | undefined;
  readonly records: Map<string, ReadonlyMap<number, GroupEntry>>;
}

/** A row that cannot be read is doctor's to name. */
function passBad(error: unknown): undefined {
  if (!isPocketfulError(error) || error.kind !== 'corrupt') throw error;
  return undefined;
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

async function* blocksBetween({ components }: VolumeStore, from: string, to: string): AsyncGenerator<BlockRow> {
  for (const partition of blockPartitions()) {
    const bits = partition.slice(-2);
    if (bits < from.slice(0, 2) || bits > to.slice(0, 2)) continue;
    let at: string | undefined = bits === from.slice(0, 2) ? from : bits;
    while (at !== undefined) {
      const page: Awaited<ReturnType<typeof components.panda.query>> = await components.panda.query(partition, {
        from: at,
        to,
      });
      for (const row of page.rows) {
        const block = readOrTell(row, blockFromRow, () => {});
        if (block !== undefined && block.cell === components.settings.cell) yield block;
      }
      at = page.next;
    }
  }
}
