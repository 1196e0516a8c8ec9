// What drives list of a volume, which of its objects must exist, and what is said of one that is not what it must be.
import { describe, expect, it } from 'vitest';
import { driveBusy, driveUnavailable } from '../../../lib/drive/errors.ts';
import type { ErrorCode } from '../../../lib/foundation/error-codes.ts';
import { corrupt, denied, type PocketfulError, retryLater } from '../../../lib/foundation/errors.ts';
import { damagePartition } from '../../../lib/panda/rows/damage-row.ts';
import type { VolumeRow } from '../../../lib/panda/rows/volume-row.ts';
import { faultOf } from '../../../lib/volume/check/check-object.ts';
import { type ColumnListing, listColumns } from '../../../lib/volume/check/listing.ts';
import { mustExist } from '../../../lib/volume/check/named-parts.ts';
import { isPackInTheWay, notePackFaults } from '../../../lib/volume/check/pack-in-the-way.ts';
import { noteDamage, readDamage } from '../../../lib/volume/rows/damage.ts';
import { toldCalls } from '../read/told-panda-calls.ts';
import { ReadingWorld, type Stored } from '../reading-world.ts';

async function worldOf(lengths: readonly number[] = [300]) {
  const world = new ReadingWorld({ warm: 'xor-2-1' });
  const stored = await world.append(lengths);
  const volume = await world.volumeOf(stored[0] as Stored);
  const listed: number[] = [];
  for (const [column, { drive }] of volume.extents.entries()) {
    const faulty = world.drives[drive] as (typeof world.drives)[number];
    const { list } = faulty;
    faulty.list = (at, signal) => {
      listed.push(column);
      return list.call(faulty, at, signal);
    };
  }
  return { world, stored, volume, listed };
}

const codes = (listings: readonly ColumnListing[]) => listings.map(({ objects }) => objects && [...objects.keys()]);

describe('a listing', () => {
  it('is of every column, or of those that are asked for beside what is known of the others', async () => {
    const { world, volume, listed } = await worldOf();
    const all = await listColumns(world.store, volume);
    expect(codes(all)).toEqual([['1-1'], [], ['1-1']]);
    expect(listed).toEqual([0, 1, 2]);
    const known: ColumnListing[] = [{ objects: new Map([['x', 1]]) }, { objects: undefined }];
    listed.splice(0);
    const some = await listColumns(world.store, volume, [2], known);
    expect(some.slice(0, 2)).toEqual(known);
    expect(codes(some)[2]).toEqual(['1-1']);
    expect(listed).toEqual([2]);
    // What is asked for is listed whatever is known, and what nobody knows is listed as well.
    expect(codes(await listColumns(world.store, volume, [0], known))).toEqual([['1-1'], undefined, ['1-1']]);
    expect(listed).toEqual([2, 0, 2]);
    expect(codes(await listColumns(world.store, volume, undefined, known))).toEqual([['1-1'], [], ['1-1']]);
  });

  it('that a drive does not give is none, and the drive rests; a mistake comes out', async () => {
    const { world, volume } = await worldOf();
    const { drive } = volume.extents[1] as VolumeRow['extents'][number];
    world.driveOf(volume, 1).list = () => Promise.reject(driveBusy('d', 'busy'));
    expect(codes(await listColumns(world.store, volume))).toEqual([['1-1'], undefined, ['1-1']]);
    expect(world.store.health.fault(drive)).toBe('DRIVE_BUSY');
    const mistake = new TypeError('a mistake');
    world.driveOf(volume, 1).list = () => Promise.reject(mistake);
    await expect(listColumns(world.store, volume)).rejects.toBe(mistake);
  });

  it('of a drive that the store does not know is none', async () => {
    const { world, volume } = await worldOf();
    const extents = volume.extents.map((extent, column) => (column === 1 ? { ...extent, drive: 77 } : extent));
    expect(codes(await listColumns(world.store, { ...volume, extents }))).toEqual([['1-1'], undefined, ['1-1']]);
    expect(world.store.health.fault(77)).toBe('DRIVE_UNAVAILABLE');
  });
});

describe('what an error says of an object', () => {
  it.each<[ErrorCode, string | undefined]>([
    ['CHUNK_FOREIGN', 'foreign'],
    ['DIRECTORY_FOREIGN', 'foreign'],
    ['CHUNK_VERSION', 'foreign'],
    ['RECORD_VERSION', 'foreign'],
    ['DIRECTORY_VERSION', 'foreign'],
    ['CHUNK_TRUNCATED', 'short'],
    ['CHUNK_MALFORMED', 'wrong'],
    ['RECORD_MALFORMED', 'wrong'],
  ])('%s: %s', (code, kind) => {
    expect(faultOf(corrupt(code as never, ''))).toEqual({ kind, reason: code });
  });

  it('is nothing if it is of the drive, and a mistake comes out', () => {
    for (const error of [driveUnavailable('d', ''), driveBusy('d', ''), denied('DRIVE_DENIED', '')])
      expect(faultOf(error)).toBeUndefined();
    const mistake = new TypeError('a mistake');
    expect(() => faultOf(mistake)).toThrow(mistake);
  });
});

describe('objects that must exist', () => {
  it('are the groups by sequence, whether rows, a directory or the row of a bucket names them', async () => {
    const { world, stored, volume } = await worldOf([300]);
    await world.append([400]);
    const open = await mustExist(world.store, volume);
    expect(open).toMatchObject({ directories: [], isComplete: true });
    expect(open.groups.map(({ seq, token }) => [seq, token])).toEqual([
      [1, 1],
      [2, 2],
    ]);
    expect(open.listings).toHaveLength(3);
    await world.store.open.sealAll('warm');
    const sealed = await world.volumeOf(stored[0] as Stored);
    const found = await mustExist(world.restart(), sealed);
    expect(found.groups).toEqual([
      { seq: 1, token: 1 },
      { seq: 2, token: 2 },
    ]);
    expect(found).toMatchObject({ directories: ['pack'], isComplete: true });
    // Its buckets were never moved: without a directory nothing leads to their groups.
    for (const column of [0, 1, 2])
      await world.tamper(sealed, column, (bytes, name) => (name === 'dirs' ? undefined : bytes));
    expect(await mustExist(world.restart(), sealed)).toMatchObject({
      directories: ['pack'],
      groups: [],
      isComplete: false,
    });
  });

  it('are what their rows say where those are there beside the directories: more than a directory tells', async () => {
    const { world, stored, volume } = await worldOf([300]);
    const rows = world.panda.snapshot().filter(({ partition }) => partition.startsWith('group/'));
    const open = await mustExist(world.store, volume);
    await world.store.open.sealAll('warm');
    for (const row of rows) await world.panda.transact([{ kind: 'put', ...row }]);
    const { groups } = await mustExist(world.restart(), await world.volumeOf(stored[0] as Stored));
    expect(groups).toEqual(open.groups);
    expect(groups[0]?.lists).toEqual({ records: 1, buckets: 1 });
  });

  it('are found without directories where all buckets were moved there, or are elsewhere by now', async () => {
    const world = new ReadingWorld({ hot: 'replica-4', warm: 'xor-2-1', drives: 8 });
    const buckets = [await world.virtualBucket([300]), await world.virtualBucket([400])];
    for (const bucket of buckets) await world.move([bucket]);
    await world.store.open.sealAll('warm');
    const volume = await world.volumeOf(buckets[0]?.[0] as Stored);
    for (const column of [0, 1, 2])
      await world.tamper(volume, column, (bytes, name) => (name === 'dirs' ? undefined : bytes));
    const seqs = async () => {
      const { groups, isComplete } = await mustExist(world.restart(), volume);
      return [groups.map(({ seq }) => seq), isComplete];
    };
    expect(await seqs()).toEqual([[1, 2], true]);
    const [moved] = buckets[1] as [Stored, ...Stored[]];
    const rows = world.panda.snapshot().filter(({ partition }) => partition.startsWith('bucket/'));
    const row = rows.find(({ sort }) => sort === moved.bucket);
    if (row === undefined) return expect.fail('no row');
    const change = (attributes: object) =>
      world.panda.transact([
        { kind: 'put', partition: row.partition, sort: row.sort, attributes: { ...row.attributes, ...attributes } },
      ]);
    await change({ v: '00000000000000ee' });
    expect(await seqs()).toEqual([[1], true]);
    await change({ m: 0 });
    expect(await seqs()).toEqual([[1], false]);
    await change({ m: 'no number' });
    expect(await seqs()).toEqual([[1], false]);
    await world.panda.transact([{ kind: 'delete', partition: row.partition, sort: row.sort }]);
    expect(await seqs()).toEqual([[1], true]);
  });
});

describe('an object in the way of a pack', () => {
  const foreign = corrupt('DIRECTORY_FOREIGN', '');
  const gone = driveUnavailable('d', 'gone');

  it('is noted, each column that has one, and is in the way as long as that is so', async () => {
    const { world, volume } = await worldOf();
    const { components } = world;
    expect(await isPackInTheWay(components, volume)).toBe(false);
    const calls = toldCalls(world);
    await notePackFaults(components, volume, new Map());
    await notePackFaults(components, volume, new Map([[0, gone]]));
    expect(calls()).toEqual([]);
    const missing = (await worldOf()).world
      .driveOf(volume, 0)
      .read({ zone: 1, generation: 1 }, 'x')
      .catch((error: PocketfulError) => error);
    await notePackFaults(components, volume, new Map([[1, (await missing) as PocketfulError]]));
    expect(await readDamage(components, volume.id)).toEqual([]);
    await notePackFaults(
      components,
      volume,
      new Map([
        [1, foreign],
        [0, gone],
        [2, corrupt('DIRECTORY_MALFORMED', '')],
      ]),
    );
    expect(
      (await readDamage(components, volume.id)).map(({ column, part, kind, reason }) => [column, part, kind, reason]),
    ).toEqual([
      [1, 'pack', 'foreign', 'DIRECTORY_FOREIGN'],
      [2, 'pack', 'wrong', 'DIRECTORY_MALFORMED'],
    ]);
    expect(await isPackInTheWay(components, volume)).toBe(true);
    expect(await isPackInTheWay(components, { ...volume, generation: 2 })).toBe(false);
  });

  it('is none if the pack is only missing, or something else is wrong', async () => {
    const { world, volume } = await worldOf();
    const { id, generation } = volume;
    const of = { volume: id, generation, column: 0, reason: 'CHUNK_MISSING' };
    await noteDamage(world.components, volume, [
      { ...of, part: 'pack', kind: 'missing' },
      { ...of, part: 1, kind: 'wrong' },
    ]);
    expect(await isPackInTheWay(world.components, volume)).toBe(false);
  });

  it('is noted another time if it cannot be now; a mistake comes out', async () => {
    const { world, volume } = await worldOf();
    const failing = (error: Error) => {
      world.panda.transact = () => Promise.reject(error);
      return notePackFaults(world.components, volume, new Map([[1, foreign]]));
    };
    await failing(retryLater('PANDA_FULL', 'full'));
    const mistake = new TypeError('a mistake');
    await expect(failing(mistake)).rejects.toBe(mistake);
    expect(world.panda.snapshot().some(({ partition }) => partition === damagePartition('c0'))).toBe(false);
  });
});
