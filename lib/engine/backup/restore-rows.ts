// RESTORE --REBUILD: location from the drives, names, references and wrapped keys from a backup, less what the shred log names. Pure:
// a scan and rows go in, the rows of a fresh Panda come out, with a report of what could not be had.

import { codecShape } from '../../codec/shape.ts';
import type { GroupEntry } from '../../format/group-directory.ts';
import { assert } from '../../foundation/assert.ts';
import type { BlockId, BucketId, RecordId, VolumeId } from '../../foundation/ids.ts';
import type { Attributes, Key, Row } from '../../panda/panda.ts';
import { type BlockRow, blockAttributes, blockFromRow, blockKey } from '../../panda/rows/block-row.ts';
import { bucketKey, deadKey, NO_DEAD, withDead } from '../../panda/rows/bucket-row.ts';
import { GROUP_SLOTS_MAX, groupAttributes, groupKey } from '../../panda/rows/group-row.ts';
import { objectFromRow, segmentFromRow, segmentPartition } from '../../panda/rows/object-row.ts';
import { trashAttributes, trashFromRow, trashKey } from '../../panda/rows/trash-row.ts';
import { type Extent, extentText, volumeKey } from '../../panda/rows/volume-row.ts';
import { zoneAttributes, zoneKey } from '../../panda/rows/zone-row.ts';
import type { Settings } from '../../settings/settings.ts';
import { putClass } from '../../volume/write/append.ts';
import { type DriveScan, type FoundGroup, isDecodable } from './scan-drives.ts';

export interface RebuildReport {
  readonly objects: number;
  readonly blocks: number;
  readonly volumes: number;
  readonly buckets: number;
  /** Objects of the backup that cannot be restored, and why. */
  readonly lost: readonly { readonly namespace: string; readonly key: string; readonly reason: string }[];
  /** Records on the drives that no block of the backup names: younger than it, or dead. */
  readonly unnamedRecords: number;
}

interface Place {
  readonly group: FoundGroup;
  readonly entry: GroupEntry;
}

/** A bucket as one group set holds it: one volume, one generation, one move. */
interface Home {
  readonly bucket: BucketId;
  readonly move: number;
  readonly volume: VolumeId;
  readonly generation: number;
  readonly places: Place[];
}

/** Zones of columns that never got a byte: they exist in no listing. Beyond every real zone number. */
const UNKNOWN_ZONE = 9_999_999;

export function rebuildRows(
  settings: Settings,
  drives: number,
  scan: DriveScan,
  backup: readonly Row[],
  shredded: ReadonlySet<RecordId>,
  nowMs: number,
): { readonly rows: readonly Row[]; readonly report: RebuildReport } {
  const named = namedBlocks(backup, shredded);
  const byRecord = new Map([...named.values()].map((block) => [block.recordId, block]));
  const candidates = chooseHomes(scan, byRecord);
  const placed = placeBlocks(candidates, byRecord);
  const used = new Set([...placed.values()].map(({ bucket }) => bucket));
  const homes = new Map([...candidates].filter(([bucket]) => used.has(bucket)));
  const names = keepNames(backup, placed);
  const refs = countReferences(names.rows);
  const blocks = [...placed.values()]
    .map((block) => ({ ...block, refs: refs.get(block.id) ?? 0 }))
    .map((block): BlockRow => ({ ...block, state: block.refs === 0 ? 'trash' : 'live' }));
  const rows = [
    ...names.rows,
    ...backup.filter((row) => KEPT_TABLES.some((table) => row.partition.startsWith(table))),
    ...blocks.map((block) => rowOf(blockKey(block.id), blockAttributes(block))),
    ...trashRows(settings.cell, blocks, backup, nowMs),
    ...bucketRows(settings.cell, homes, blocks, nowMs),
    ...volumeRows(settings, drives, scan, homes, blocks, nowMs),
  ];
  const report: RebuildReport = {
    objects: names.rows.filter((row) => row.partition.startsWith('object/')).length,
    blocks: blocks.length,
    volumes: new Set([...homes.values()].map((home) => home.volume)).size,
    buckets: homes.size,
    lost: names.lost,
    unnamedRecords: new Set(scan.groups.flatMap((group) => [...group.entries.keys()])).size - placed.size,
  };
  return { rows, report };
}

/** Tables whose rows hold no location. */
const KEPT_TABLES = ['store', 'shred/', 'kek'];
const rowOf = (key: Key, attributes: Attributes): Row => ({ ...key, attributes });

function namedBlocks(backup: readonly Row[], shredded: ReadonlySet<RecordId>): Map<BlockId, BlockRow> {
  const blocks = backup.filter((row) => row.partition.startsWith('block/')).map(blockFromRow);
  return new Map(blocks.filter((block) => !shredded.has(block.recordId)).map((block) => [block.id, block]));
}

/** Per bucket the highest move that holds all its named records in decodable groups. */
function chooseHomes(scan: DriveScan, byRecord: ReadonlyMap<RecordId, BlockRow>): Map<BucketId, Home> {
  const candidates = new Map<string, Home>();
  for (const group of scan.groups.filter(isDecodable))
    for (const entry of group.entries.values()) {
      // Two proposals of one move may lie in one volume: each append is a home of its own, but the groups of move 0 belong together.
      const which = entry.move === 0 ? '' : `/${group.sequence}/${group.token}`;
      const key = `${entry.bucket}/${entry.move}/${group.volume}/${group.generation}${which}`;
      const home = candidates.get(key) ?? {
        bucket: entry.bucket,
        move: entry.move,
        volume: group.volume,
        generation: group.generation,
        places: [],
      };
      home.places.push({ group, entry });
      candidates.set(key, home);
    }
  const byBucket = Map.groupBy(candidates.values(), (home) => home.bucket);
  const chosen = new Map<BucketId, Home>();
  for (const [bucket, homes] of byBucket) {
    const needed = new Set(
      homes.flatMap((home) => home.places.map(({ entry }) => entry.recordId)).filter((id) => byRecord.has(id)),
    );
    if (needed.size === 0) continue; // nothing of it is named: its volume may be freed
    const held = (home: Home): number =>
      new Set(home.places.map(({ entry }) => entry.recordId)).intersection(needed).size;
    const order = [...homes].sort(
      (a, b) => held(b) - held(a) || b.move - a.move || b.generation - a.generation || lastToken(b) - lastToken(a),
    );
    chosen.set(bucket, order[0] as Home);
  }
  return chosen;
}

const lastToken = (home: Home): number => Math.max(...home.places.map(({ group }) => group.token));

/** A merge leaves a record in two buckets until the old one is erased: either copy will do, the one the backup names first of all. */
function placeBlocks(
  homes: ReadonlyMap<BucketId, Home>,
  byRecord: ReadonlyMap<RecordId, BlockRow>,
): Map<BlockId, BlockRow> {
  const placed = new Map<BlockId, BlockRow>();
  for (const home of homes.values())
    for (const { group, entry } of home.places) {
      const block = byRecord.get(entry.recordId);
      if (block === undefined || placed.get(block.id)?.bucket === block.bucket) continue;
      placed.set(block.id, {
        ...block,
        bucket: entry.bucket,
        slot: entry.slot,
        recordBytes: entry.length,
        hint: {
          volume: group.volume,
          generation: group.generation,
          seq: group.sequence,
          token: group.token,
          column: entry.column,
          offset: entry.offset,
        },
      });
    }
  return placed;
}

function keepNames(backup: readonly Row[], placed: ReadonlyMap<BlockId, BlockRow>) {
  const segments = Map.groupBy(
    backup.filter((row) => row.partition.startsWith('segment/')),
    (row) => row.partition,
  );
  const rows: Row[] = [];
  const lost: { namespace: string; key: string; reason: string }[] = [];
  for (const row of backup.filter((candidate) => candidate.partition.startsWith('object/'))) {
    const object = objectFromRow(row);
    const own = object.segments === undefined ? [] : (segments.get(segmentPartition(object.version)) ?? []);
    const blocks = object.blocks ?? own.flatMap((segment) => segmentFromRow(segment).blocks);
    const gone = blocks.filter((id) => !placed.has(id)).length;
    const missingSegments = (object.segments ?? 0) - own.length;
    if (gone === 0 && missingSegments === 0) rows.push(row, ...own);
    else
      lost.push({
        namespace: object.namespace,
        key: object.key,
        reason:
          gone > 0
            ? `${gone} of ${blocks.length} blocks are on no drive or were shredded`
            : 'its block list is incomplete',
      });
  }
  return { rows, lost };
}

function countReferences(names: readonly Row[]): Map<BlockId, number> {
  const refs = new Map<BlockId, number>();
  for (const row of names) {
    const blocks = row.partition.startsWith('object/') ? (objectFromRow(row).blocks ?? []) : segmentFromRow(row).blocks;
    for (const id of blocks) refs.set(id, (refs.get(id) ?? 0) + 1);
  }
  return refs;
}

function trashRows(cell: string, blocks: readonly BlockRow[], backup: readonly Row[], nowMs: number): Row[] {
  const since = new Map(
    backup
      .filter((row) => row.partition.startsWith('trash/'))
      .map(trashFromRow)
      .map((trash) => [trash.blockId, trash.sinceMs]),
  );
  return blocks
    .filter((block) => block.refs === 0)
    .map((block) =>
      rowOf(
        trashKey(cell, block.bucket, block.slot),
        trashAttributes({
          blockId: block.id,
          recordId: block.recordId,
          recordBytes: block.recordBytes,
          sinceMs: since.get(block.id) ?? nowMs,
        }),
      ),
    );
}

function bucketRows(
  cell: string,
  homes: ReadonlyMap<BucketId, Home>,
  blocks: readonly BlockRow[],
  nowMs: number,
): Row[] {
  const bySlot = Map.groupBy(blocks, (block) => block.bucket);
  return [...homes.values()].flatMap((home) => {
    const live = bySlot.get(home.bucket) ?? [];
    const lengths = new Map(home.places.map(({ entry }) => [entry.slot, entry.length]));
    const slots = Math.max(...lengths.keys()) + 1;
    const liveSlots = new Set(live.map(({ slot }) => slot));
    const dead = Array.from({ length: slots }, (_, slot) => slot).filter((slot) => !liveSlots.has(slot));
    const group = home.places[0]?.group;
    assert(group !== undefined, 'a home has places');
    const bucket = rowOf(bucketKey(cell, home.bucket), {
      v: home.volume,
      m: home.move,
      ...(home.move > 0 ? { q: group.sequence, t: group.token } : {}),
      u: [...lengths.values()].reduce((sum, bytes) => sum + bytes, 0),
      l: live.reduce((sum, { recordBytes }) => sum + recordBytes, 0),
      n: slots,
      a: nowMs,
    });
    if (dead.length === 0) return [bucket];
    return [bucket, rowOf(deadKey(cell, home.bucket), { v: 1, b: withDead(NO_DEAD, dead) })];
  });
}

/** Volumes with at least one bucket, sealed; every other zone generation seen is garbage, its zone free under a new generation. */
function volumeRows(
  settings: Settings,
  drives: number,
  scan: DriveScan,
  homes: ReadonlyMap<BucketId, Home>,
  blocks: readonly BlockRow[],
  nowMs: number,
): Row[] {
  const rows: Row[] = [];
  const used = new Map<string, { generation: number; volume: VolumeId }>();
  for (const [id, held] of Map.groupBy(homes.values(), (home) => home.volume)) {
    const generation = Math.max(...held.map((home) => home.generation));
    const groups = scan.groups.filter((group) => group.volume === id && group.generation === generation);
    const extents = extentsOf(groups, drives);
    for (const { drive, zone, zoneGeneration } of extents)
      used.set(`${drive}/${zone}`, { generation: zoneGeneration, volume: id });
    rows.push(volumeRow(settings, scan, id, generation, groups, held, extents, nowMs));
    rows.push(...appendGroupRows(id, generation, groups, held, blocks));
  }
  const highest = new Map<string, { drive: number; zone: number; generation: number }>();
  for (const { drive, at } of scan.zones) {
    const key = `${drive}/${at.zone}`;
    const generation = Math.max(at.generation, highest.get(key)?.generation ?? 0);
    highest.set(key, { drive, zone: at.zone, generation });
  }
  for (const [key, { generation, volume }] of used) {
    const [drive, zone] = key.split('/').map(Number) as [number, number];
    rows.push(rowOf(zoneKey(drive, zone), zoneAttributes({ generation, state: 'used', volume })));
    highest.delete(key);
  }
  for (const { drive, zone, generation } of highest.values())
    rows.push(
      rowOf(zoneKey(drive, zone), zoneAttributes({ generation: generation + 1, state: 'free', volume: undefined })),
    );
  return rows;
}

function extentsOf(groups: readonly FoundGroup[], drives: number): Extent[] {
  const columns = groups[0]?.columnBytes.length ?? 0;
  const known = Array.from({ length: columns }, (_, i) => groups.find((group) => group.extents[i])?.extents[i]);
  const taken = new Set(known.map((extent) => extent?.drive));
  return known.map((extent) => {
    if (extent !== undefined) return extent;
    const drive = Array.from({ length: drives }, (_, i) => i).find((candidate) => !taken.has(candidate)) ?? 0;
    taken.add(drive);
    return { drive, zone: UNKNOWN_ZONE, zoneGeneration: 1 };
  });
}

function volumeRow(
  settings: Settings,
  scan: DriveScan,
  id: VolumeId,
  generation: number,
  groups: readonly FoundGroup[],
  held: readonly Home[],
  extents: readonly Extent[],
  nowMs: number,
): Row {
  const codec = (groups[0] as FoundGroup).codec;
  const cls = putClass(settings) === 'hot' && codec === settings.hotCodec ? 'hot' : 'warm';
  const stored = new Map(scan.zones.map(({ drive, at, bytes }) => [`${drive}:${at.zone}:${at.generation}`, bytes]));
  const seen = scan.directories.get(`${id}/${generation}`) ?? new Set();
  const isPending = cls === 'warm' && held.some((home) => !seen.has(home.bucket));
  assert(extents.length === codecShape(codec).dataColumns + codecShape(codec).parityColumns, 'k + m extents');
  return rowOf(volumeKey(settings.cell, id), {
    cl: cls,
    c: codec,
    s: 'sealed',
    g: generation,
    x: extents.map(extentText),
    t: Math.max(...groups.map((group) => group.token)) + 1,
    n: Math.max(...groups.map((group) => group.sequence)) + 1,
    u: extents.map((extent) => stored.get(extentText(extent)) ?? 0),
    b: new Set(held.map((home) => home.bucket)),
    a: nowMs,
    z: nowMs,
    ...(isPending ? { dp: 1 } : {}),
  });
}

/** Buckets that were never moved are found through the rows of their groups until there is a directory. */
function appendGroupRows(
  id: VolumeId,
  generation: number,
  groups: readonly FoundGroup[],
  held: readonly Home[],
  blocks: readonly BlockRow[],
): Row[] {
  const own = new Set(held.filter((home) => home.move === 0).map((home) => home.bucket));
  const blockOf = new Map(blocks.map((block) => [block.recordId, block.id]));
  const unnamed = '0'.repeat(64) as BlockId;
  const rows = new Map<number, Row>();
  for (const group of groups) {
    const entries = [...group.entries.values()].sort((a, b) => a.slot - b.slot);
    const first = entries[0];
    if (group.kind !== 'append' || first === undefined || !own.has(first.bucket)) continue;
    if (entries.length > GROUP_SLOTS_MAX) continue;
    // A stray proposal may have the same sequence number as the committed group: the one whose records are named is it.
    if (rows.has(group.sequence) && !entries.some(({ recordId }) => blockOf.has(recordId))) continue;
    rows.set(
      group.sequence,
      rowOf(
        groupKey(id, generation, group.sequence),
        groupAttributes({
          kind: 'append',
          seq: group.sequence,
          token: group.token,
          columnBytes: group.columnBytes,
          bucket: first.bucket,
          firstSlot: first.slot,
          slots: entries.map(({ recordId, length }) => ({
            blockId: blockOf.get(recordId) ?? unnamed,
            recordId,
            recordBytes: length,
          })),
        }),
      ),
    );
  }
  return [...rows.values()];
}
