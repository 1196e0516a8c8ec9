// Doctor's recount of the rows: references from the names, live bytes from the blocks, buckets and zones from the
// volumes. The rows must be of one moment; blocks are held in memory as counts.

import { isPocketfulError } from '../../foundation/errors.ts';
import type { BlockId, BucketId } from '../../foundation/ids.ts';
import type { Row } from '../../panda/panda.ts';
import { blockFromRow } from '../../panda/rows/block-row.ts';
import { type BucketRow, bucketFromRow, deadFromRow } from '../../panda/rows/bucket-row.ts';
import { type DiscardRow, discardFromRow } from '../../panda/rows/drives/discard-row.ts';
import { driveFromRow } from '../../panda/rows/drives/drive-row.ts';
import {
  type ObjectRow,
  objectFromRow,
  RELEASES,
  type ReleaseRow,
  releaseFromRow,
  segmentFromRow,
  UPLOADS,
} from '../../panda/rows/object-row.ts';
import { type HoldingRow, holdingFromRow, holdsReferences } from '../../panda/rows/removed/held-references.ts';
import { removedFromRow, removedSegmentFromRow, removedVersionOf } from '../../panda/rows/removed/removed-row.ts';
import { soundRow } from '../../panda/rows/row-reader.ts';
import { trashFromRow } from '../../panda/rows/trash-row.ts';
import { type VolumeRow, volumeFromRow } from '../../panda/rows/volume-row.ts';
import { type ZoneRow, zoneFromRow } from '../../panda/rows/zone-row.ts';
import type { Findings } from '../../verify/findings.ts';
import type { Components } from '../../volume/rows/components.ts';
import { BlockTable } from './block-table.ts';
import type { Counted } from './counted.ts';
import { destroyedKeys, judgeKeys } from './doctor-keys.ts';
import { VolumeListsFound } from './doctor-lists.ts';
import { judgeBuckets, judgeZones } from './doctor-places.ts';
import { takeRemoved } from './doctor-removed.ts';
import { slotState } from './slot-state.ts';

interface Tally {
  readonly blocks: BlockTable;
  readonly liveBytes: Map<BucketId, number>;
  readonly kekVersions: Map<number, number>;
  readonly volumes: Map<string, VolumeRow>;
  readonly lists: VolumeListsFound;
  readonly buckets: BucketRow[];
  readonly zones: { readonly drive: number; readonly zone: ZoneRow }[];
  readonly discards: DiscardRow[];
  /** Drives that are lost or retired. */
  readonly gone: Set<number>;
  readonly releases: Map<string, ReleaseRow>;
  /** What was deleted, and its references with it until GC has given them back. */
  readonly deleted: HoldingRow[];
  /** Versions whose segments belong to an object, with its name and how many it has; or to an upload or a release. */
  readonly segmented: Map<string, { readonly name: string; missing: number }>;
  readonly unfinished: Set<string>;
  /** Names with a block that has no row. */
  readonly broken: string[];
  /** Versions of objects that could be restored. */
  readonly removed: Set<string>;
  /** Versions with segments that nobody owns. */
  readonly orphans: string[];
  objects: number;
}

export async function findRowFaults(
  components: Components,
  findings: Findings,
  signal?: AbortSignal,
): Promise<Counted> {
  const tally: Tally = {
    blocks: new BlockTable(),
    liveBytes: new Map(),
    kekVersions: new Map(),
    volumes: new Map(),
    lists: new VolumeListsFound(components.settings.cell),
    buckets: [],
    zones: [],
    discards: [],
    gone: new Set(),
    releases: new Map(),
    deleted: [],
    segmented: new Map(),
    unfinished: new Set(),
    broken: [],
    removed: new Set(),
    orphans: [],
    objects: 0,
  };
  const destroyed = await destroyedKeys(components);
  // Blocks and releases first: names are held against them.
  const told = new Set<string>();
  await eachRow(components, findings, told, signal, (row) => takeFirst(tally, soundRow(row)));
  await eachRow(components, findings, told, signal, (row) => takeNames(tally, row));
  await takeRemoved(components, tally, tally.deleted);
  await leaveOutVoids(components, tally);
  judgeObjects(tally, findings);
  judgeSegments(tally, findings);
  judgeReferences(tally, findings);
  await judgeKeys(components, tally.kekVersions, destroyed, findings);
  judgeBuckets(tally, findings);
  judgeZones(tally, findings);
  tally.lists.judge(tally.volumes, findings);
  return {
    objects: tally.objects,
    blocks: tally.blocks.size,
    buckets: tally.buckets.length,
    volumes: tally.volumes.size,
    zones: tally.zones.length,
  };
}

/** Rows that came after their group was recovered: nobody refers to them, nor do they count for their bucket. */
async function leaveOutVoids(components: Components, tally: Tally): Promise<void> {
  for (const place of tally.blocks) {
    if (place.named === undefined || place.refs !== 1) continue;
    const state = await slotState(components, place);
    if (state === 'live' || state === 'unreadable') continue;
    place.leaveOut();
    const live = (tally.liveBytes.get(place.bucket) ?? 0) - place.recordBytes;
    if (live > 0 || state === 'dead') tally.liveBytes.set(place.bucket, live);
    else tally.liveBytes.delete(place.bucket);
  }
}

async function eachRow(
  components: Components,
  findings: Findings,
  told: Set<string>,
  signal: AbortSignal | undefined,
  take: (row: Row) => void,
): Promise<void> {
  for await (const page of components.panda.scan()) {
    signal?.throwIfAborted();
    for (const row of page) {
      try {
        take(row);
      } catch (error) {
        if (!isPocketfulError(error)) throw error;
        const name = `${row.partition}\t${row.sort}`;
        if (!told.has(name)) findings.add('wrong', 'row', error.message);
        told.add(name);
      }
    }
  }
}

const tableOf = (row: Row): string => row.partition.split('/')[0] as string;

function takeFirst(tally: Tally, row: Row): void {
  switch (tableOf(row)) {
    case 'block': {
      const block = blockFromRow(row);
      const { bucket, recordBytes, kekVersion } = block;
      tally.blocks.add(block.id, { ...block, named: block.named, isTrash: block.state === 'trash' });
      tally.liveBytes.set(bucket, (tally.liveBytes.get(bucket) ?? 0) + recordBytes);
      tally.kekVersions.set(kekVersion, (tally.kekVersions.get(kekVersion) ?? 0) + 1);
      break;
    }
    case 'dead':
      deadFromRow(row);
      break;
    case 'bucket':
      tally.buckets.push(bucketFromRow(row));
      break;
    case 'volume':
      tally.volumes.set(row.sort, volumeFromRow(row));
      break;
    case 'discard':
      tally.discards.push(discardFromRow(row));
      break;
    case 'drive': {
      const { drive, state } = driveFromRow(row);
      if (state === 'lost' || state === 'retired') tally.gone.add(drive);
      break;
    }
    case 'zone':
      tally.zones.push({ drive: Number(row.partition.slice('zone/'.length)), zone: zoneFromRow(row) });
      break;
    case 'work':
      if (row.partition === RELEASES) tally.releases.set(row.sort, releaseFromRow(row));
      if (row.partition === RELEASES || row.partition === UPLOADS) tally.unfinished.add(row.sort);
      break;
    case 'object': {
      const object = objectFromRow(row);
      if (object.segments !== undefined)
        tally.segmented.set(object.version, { name: nameOf(object), missing: object.segments });
      break;
    }
    case 'removed':
      for (const { object } of removedFromRow(row).objects) tally.removed.add(object.version);
      if (holdsReferences(row)) tally.deleted.push(holdingFromRow(row));
      break;
    default:
      tally.lists.take(row);
  }
}

function takeNames(tally: Tally, row: Row): void {
  switch (tableOf(row)) {
    case 'object': {
      const object = objectFromRow(row);
      if (object.isNamed && !isNamedBy(tally, object)) break; // void: it was never there
      tally.objects += 1;
      if (!refer(tally, object.blocks ?? [])) tally.broken.push(nameOf(object));
      break;
    }
    case 'segment': {
      const version = row.partition.slice('segment/'.length);
      const { index, blocks } = segmentFromRow(row);
      const owner = tally.segmented.get(version);
      if (owner !== undefined) owner.missing -= 1;
      else if (!tally.unfinished.has(version)) tally.orphans.push(version);
      const given = givenBack(tally.releases.get(version), index);
      if (!refer(tally, blocks.slice(given))) tally.broken.push(owner?.name ?? `the upload ${version}`);
      break;
    }
    case 'work':
      if (row.partition === RELEASES) {
        const release = releaseFromRow(row);
        refer(tally, release.blocks.slice(givenBack(release, 0)));
      }
      break;
    case 'removed-segment': {
      const version = removedVersionOf(row);
      removedSegmentFromRow(row);
      // It holds no references; but nobody would ever take it away.
      if (!tally.removed.has(version)) tally.orphans.push(version);
      break;
    }
    case 'trash': {
      const block = tally.blocks.get(trashFromRow(row).blockId);
      block?.foundTrashRow();
      break;
    }
  }
}

/** References of a list (a release's own is its segment 0) that its release has given back already. */
function givenBack(release: ReleaseRow | undefined, segment: number): number {
  const [at = 0, block = 0] = (release?.cursor ?? '0:0').split(':').map(Number);
  return at === segment ? block : 0;
}

/** An object that was put plain counts only if its block names it. */
function isNamedBy(tally: Tally, { blocks, version }: ObjectRow): boolean {
  const block = tally.blocks.get(blocks?.[0] as BlockId);
  if (block?.named !== version) return false;
  block.giveName();
  return true;
}

/** False if one of the blocks has no row. */
function refer(tally: Tally, ids: readonly BlockId[]): boolean {
  let isWhole = true;
  for (const id of ids) {
    const block = tally.blocks.get(id);
    if (block === undefined) isWhole = false;
    else block.refs -= 1;
  }
  return isWhole;
}

const nameOf = ({ namespace, key }: ObjectRow): string => JSON.stringify(`${namespace}/${key}`);

function judgeObjects(tally: Tally, findings: Findings): void {
  for (const name of tally.broken) findings.add('lost', 'object', `${name} names a block that has no row`);
}

function judgeSegments({ segmented, orphans }: Tally, findings: Findings): void {
  for (const { name, missing } of segmented.values())
    if (missing !== 0) findings.add('lost', 'object', `${name} lacks ${missing} parts of its block list`);
  for (const version of new Set(orphans))
    findings.add('wrong', 'references', `the block list of version ${version} belongs to no object`);
}

function judgeReferences(tally: Tally, findings: Findings): void {
  const homes = new Map(tally.buckets.map(({ id, volume }) => [id, tally.volumes.get(volume)]));
  for (const { id, refs, isTrash, hasTrashRow, named, bucket } of tally.blocks) {
    const block = `block ${id.slice(0, 8)}…`;
    // The object that it names is being put.
    const isPending = named !== undefined && homes.get(bucket)?.pendingSeq !== undefined;
    if (refs !== (isPending ? 1 : 0))
      findings.add(
        'wrong',
        'references',
        `${block} counts ${Math.abs(refs)} references too ${refs > 0 ? 'many' : 'few'}`,
      );
    if (isTrash !== hasTrashRow)
      findings.add('wrong', 'references', `${block} is ${isTrash ? 'in trash without' : 'live with'} a trash row`);
  }
}
