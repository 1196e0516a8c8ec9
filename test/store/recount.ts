// Counts everything again from the object rows and the drives, and holds it against what the rows say. Used after crashes.
import { strict as assert } from 'node:assert';
import type { BlockId } from '../../lib/foundation/ids.ts';
import type { Row } from '../../lib/panda/panda.ts';
import { type BlockRow, blockFromRow } from '../../lib/panda/rows/block-row.ts';
import { bucketFromRow, deadFromRow, deadKey, isDead, NO_DEAD } from '../../lib/panda/rows/bucket-row.ts';
import { discardFromRow, discardPartition } from '../../lib/panda/rows/drives/discard-row.ts';
import { driveFromRow, drivePartition } from '../../lib/panda/rows/drives/drive-row.ts';
import { type ObjectRow, objectFromRow, segmentFromRow } from '../../lib/panda/rows/object-row.ts';
import { isCompleteRow, isListedIn, listPartition, VOLUME_LISTS } from '../../lib/panda/rows/open-row.ts';
import { holdingFromRow, holdsReferences, referencesLeft } from '../../lib/panda/rows/removed/held-references.ts';
import { trashFromRow } from '../../lib/panda/rows/trash-row.ts';
import { volumeFromRow } from '../../lib/panda/rows/volume-row.ts';
import { zoneFromRow, zonePartition } from '../../lib/panda/rows/zone-row.ts';
import { mayHaveReturned } from '../../lib/volume/repair/returned.ts';
import type { Process } from './harness.ts';

async function allRows(p: Process): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const page of p.components.panda.scan()) rows.push(...page);
  return rows;
}

const of = (rows: readonly Row[], table: string): Row[] => rows.filter((row) => row.partition.startsWith(`${table}/`));

export interface RecountOptions {
  /**
   * Whoever said that a drive is back may have died before it erased what was given up there, and nobody has repaired since. After a repair
   * nothing of it may be left.
   */
  readonly awaitsRepair?: boolean;
}

/** References of every block, trash rows, live bytes of every bucket, and the zones. `away`: drives that a rebuild did not see. */
export async function expectSound(
  p: Process,
  away: readonly number[] = [],
  { awaitsRepair = false }: RecountOptions = {},
): Promise<void> {
  const rows = await allRows(p);
  expectReferences(rows);
  await expectLiveBytes(p, rows);
  expectBuckets(rows);
  expectZones(rows, away, awaitsRepair);
  expectExtents(p, rows);
  expectLists(p, rows);
}

/** As `expectSound`, of the lists alone: what holds at any moment, whoever died where. */
export const expectListed = async (p: Process): Promise<void> => expectLists(p, await allRows(p));

/** Exactly the open volumes, and exactly the hot ones, are listed; once any release has done it that knows how. */
function expectLists({ components }: Process, rows: readonly Row[]): void {
  const volumes = of(rows, 'volume').map(volumeFromRow);
  for (const list of VOLUME_LISTS) {
    const found = rows.filter(({ partition }) => partition === listPartition(list, components.settings.cell));
    if (!found.some(isCompleteRow)) continue;
    const ids = found.filter((row) => !isCompleteRow(row)).map(({ sort }) => sort);
    const wanted = volumes.filter((volume) => isListedIn(list, volume)).map(({ id }) => id as string);
    assert.deepEqual(ids.sort(), wanted.sort(), `volumes listed as ${list}`);
  }
}

/** Whatever was written there, directories included, an extent is never larger than it may be. */
function expectExtents({ components }: Process, rows: readonly Row[]): void {
  for (const { id, extentUsedBytes } of of(rows, 'volume').map(volumeFromRow)) {
    const isWithin = Math.max(...extentUsedBytes) <= components.settings.extentBytes;
    same(
      isWithin,
      true,
      () => `extents of volume ${id} (${extentUsedBytes}) within ${components.settings.extentBytes} bytes`,
    );
  }
}

/** No words are made where it holds: this runs millions of times, in vitest and in the simulation. */
function same(actual: unknown, wanted: unknown, what: () => string): void {
  if (!Object.is(actual, wanted)) assert.fail(`${what()}: ${String(actual)}, not ${String(wanted)}`);
}

/** Without those of puts whose rows came after their group was recovered: objects that no block names, blocks whose slot was dead. */
function soundObjects(rows: readonly Row[]): ObjectRow[] {
  const names = new Map(soundBlocks(rows).map(({ id, named }) => [id as string, named]));
  return of(rows, 'object')
    .map(objectFromRow)
    .filter(({ isNamed, version, blocks }) => !isNamed || names.get(blocks?.[0] ?? '') === version);
}

function soundBlocks(rows: readonly Row[]): BlockRow[] {
  const buckets = new Set(of(rows, 'bucket').map(({ sort }) => sort));
  const deads = new Map(of(rows, 'dead').map((row) => [row.sort, deadFromRow(row)]));
  return of(rows, 'block')
    .map(blockFromRow)
    .filter(({ named, refs, bucket, slot }) => {
      const isSuspect = named !== undefined && refs === 1;
      return !isSuspect || (buckets.has(bucket) && !isDead(deads.get(bucket) ?? NO_DEAD, slot));
    });
}

function expectReferences(rows: readonly Row[]): void {
  const refs = new Map<BlockId, number>();
  const count = (ids: readonly BlockId[]): void => {
    for (const id of ids) refs.set(id, (refs.get(id) ?? 0) + 1);
  };
  for (const object of soundObjects(rows)) count(object.blocks ?? []);
  for (const row of of(rows, 'segment')) count(segmentFromRow(row).blocks);
  const blocks = soundBlocks(rows);
  const names = new Map(blocks.map(({ id, named }) => [id, named]));
  // What was deleted refers to its blocks until GC has given its references back.
  for (const { blockId, object } of holdingRows(rows).flatMap(referencesLeft))
    if (!object.isNamed || names.get(blockId) === object.version) count([blockId]);
  const stored = new Map(blocks.map((block) => [block.id, block.refs]));
  for (const [id, count] of refs) same(stored.get(id), count, () => `references of block ${id.slice(0, 8)}`);
  const trash = new Set(of(rows, 'trash').map((row) => trashFromRow(row).blockId));
  for (const block of blocks) {
    same(block.refs, refs.get(block.id) ?? 0, () => `references of block ${block.id.slice(0, 8)}`);
    same(block.state, block.refs === 0 ? 'trash' : 'live', () => `state of block ${block.id.slice(0, 8)}`);
    same(trash.has(block.id), block.refs === 0, () => `trash row of block ${block.id.slice(0, 8)}`);
  }
  same(trash.size, blocks.filter((block) => block.refs === 0).length, () => 'blocks with a trash row');
}

const holdingRows = (rows: readonly Row[]) => of(rows, 'removed').filter(holdsReferences).map(holdingFromRow);

/** Slots that GC has noted: their block row may have gone. */
function notedSlots(rows: readonly Row[]): Set<string> {
  const noted = holdingRows(rows).flatMap(({ notes }) => notes);
  return new Set(noted.map(({ bucket, slot }) => `${bucket}/${slot}`));
}

async function expectLiveBytes(p: Process, rows: readonly Row[]): Promise<void> {
  const volumes = new Map(of(rows, 'volume').map((row) => [row.sort, volumeFromRow(row)]));
  const noted = notedSlots(rows);
  const named = new Map<string, Map<number, number>>();
  for (const block of soundBlocks(rows)) {
    const slots = named.get(block.bucket) ?? new Map<number, number>();
    named.set(block.bucket, slots.set(block.slot, block.recordBytes));
  }
  for (const bucket of of(rows, 'bucket').map(bucketFromRow)) {
    const volume = volumes.get(bucket.volume);
    assert(volume !== undefined, `the volume of bucket ${bucket.id} is not there`);
    const dead = deadFromRow(await p.components.panda.get(deadKey(p.components.settings.cell, bucket.id)));
    let live = 0;
    const slots = named.get(bucket.id) ?? new Map();
    // Where every slot is dead nobody looks for one, and what led to them may be gone.
    if (
      slots.size === 0 &&
      Array.from({ length: bucket.slots }, (_, slot) => slot).every((slot) => isDead(dead, slot))
    ) {
      same(bucket.liveBytes, 0, () => `live bytes of bucket ${bucket.id}, all of whose slots are dead`);
      continue;
    }
    for (const [slot, { length }] of (await p.volumes.directories.bucket(volume, bucket)).entries) {
      // What a newer Panda wrote, whose pack a seal of an older one took: slots that no row counts, and no reader asks
      // for. Undercounted ones would have names.
      if (slot >= bucket.slots)
        same(slots.has(slot), false, () => `a block names slot ${slot} of ${bucket.slots} of bucket ${bucket.id}`);
      else if (isDead(dead, slot))
        same(slots.has(slot), false, () => `a block names dead slot ${slot} of bucket ${bucket.id}`);
      else {
        live += length;
        // A slot no block names is live only while its group is pending, or until GC has made it die.
        if (volume.pendingSeq === undefined && !noted.has(`${bucket.id}/${slot}`))
          same(slots.get(slot), length, () => `slot ${slot} of bucket ${bucket.id}`);
      }
    }
    same(bucket.liveBytes, live, () => `live bytes of bucket ${bucket.id}`);
  }
  const buckets = new Set<string>(of(rows, 'bucket').map(({ sort }) => sort));
  for (const id of named.keys()) same(buckets.has(id), true, () => `bucket ${id} is there`);
}

function expectBuckets(rows: readonly Row[]): void {
  const volumes = of(rows, 'volume').map(volumeFromRow);
  for (const bucket of of(rows, 'bucket').map(bucketFromRow)) {
    const holders = volumes.filter((volume) => volume.buckets.has(bucket.id)).map(({ id }) => id);
    assert.deepEqual(holders, [bucket.volume], `holders of bucket ${bucket.id}: ${holders}, not ${bucket.volume}`);
  }
}

/** Every zone in use belongs to a volume that has it as an extent, and the other way round; but for those of drives that were away. */
function expectZones(rows: readonly Row[], away: readonly number[], awaitsRepair: boolean): void {
  const extents = new Map<string, string>();
  const states = rows.filter(({ partition }) => partition === drivePartition).map(driveFromRow);
  const gone = new Set(
    states
      .filter((row) => row.state === 'lost' || row.state === 'retired' || (awaitsRepair && mayHaveReturned(row)))
      .map(({ drive }) => zonePartition(drive)),
  );
  for (const volume of of(rows, 'volume').map(volumeFromRow))
    for (const { drive, zone } of [...volume.extents, ...(volume.repair?.extents.values() ?? [])])
      extents.set(`${drive}/${zone}`, volume.id);
  for (const row of rows.filter(({ partition }) => partition === discardPartition)) {
    const { drive, zone, volume } = discardFromRow(row);
    extents.set(`${drive}/${zone}`, volume);
  }
  for (const row of of(rows, 'zone')) {
    const zone = zoneFromRow(row);
    const holder = extents.get(`${row.partition.slice('zone/'.length)}/${zone.zone}`);
    // What was given up on a drive that is lost waits for it to come back, or stays so once it is forgotten.
    const isGivenUp = zone.state === 'erasing' && holder === undefined && gone.has(row.partition);
    const wanted = zone.state === 'free' || isGivenUp ? undefined : zone.volume;
    same(holder, wanted, () => `zone ${row.partition} ${zone.zone} is ${zone.state}`);
  }
  const isReserved = ({ partition, ...row }: Row): boolean => {
    const { volume, state, zone } = zoneFromRow({ partition, ...row });
    const drive = partition.slice('zone/'.length);
    const isAway = away.includes(Number(drive));
    // One that somebody died over while it was discarded is still held by its discard row.
    const isGivenUp = state === 'erasing' && gone.has(partition) && !extents.has(`${drive}/${zone}`);
    return (isAway && volume === undefined) || isGivenUp;
  };
  const inUse = of(rows, 'zone').filter((row) => zoneFromRow(row).state !== 'free' && !isReserved(row));
  same(extents.size, inUse.length, () => 'extents with a zone row');
}
