// Directory packs on drives: how many requests they take, what happens when one is damaged, foreign or not there, and who wrote it.
import { describe, expect, it } from 'vitest';
import { findVolumeFaults } from '../../lib/engine/doctor/doctor-volumes.ts';
import { hasLeftovers } from '../../lib/engine/upkeep/end-dead-work.ts';
import { encodeDirectoryPack, parsePackHeader, parsePackIndex } from '../../lib/format/directory-pack.ts';
import { bucketDirectoryName, DIRECTORY_PACK_NAME } from '../../lib/format/object-names.ts';
import type { BucketRow } from '../../lib/panda/rows/bucket-row.ts';
import { groupPartition } from '../../lib/panda/rows/group-row.ts';
import { STORE_FORMAT, storeKey } from '../../lib/panda/rows/store-row.ts';
import { type VolumeRow, volumeKey } from '../../lib/panda/rows/volume-row.ts';
import { Findings } from '../../lib/verify/findings.ts';
import { finishPendingSeals } from '../../lib/volume/open/pending-seals.ts';
import { finishSeal } from '../../lib/volume/open/seal.ts';
import { readDamage } from '../../lib/volume/rows/damage.ts';
import { flipped } from '../format/damage.ts';
import { ReadingWorld, type Stored } from './reading-world.ts';

const LENGTHS = [700, 64, 3000, 1500, 1501, 999, 2048, 40, 16];

interface Sealed {
  readonly world: ReadingWorld;
  readonly volume: VolumeRow;
  readonly buckets: readonly BucketRow[];
  readonly stored: readonly (readonly Stored[])[];
}

/** Buckets of so many slots each, moved into one volume that is sealed then. */
async function sealedBuckets(slots: readonly (readonly number[])[]): Promise<Sealed> {
  const world = new ReadingWorld({ hot: 'replica-4', warm: 'xor-2-1' });
  const stored: Stored[][] = [];
  for (const lengths of slots) stored.push(await world.virtualBucket(lengths));
  for (const one of stored) await world.move([one]);
  await world.store.open.sealAll('warm');
  const volume = await world.volumeOf(stored[0]?.[0] as Stored);
  expect(volume).toMatchObject({ state: 'sealed', directoriesPending: false });
  const buckets = await Promise.all(stored.map((one) => world.bucketRow((one[0] as Stored).bucket)));
  world.restart();
  return { world, volume, buckets, stored };
}

const long = new Array<number>(4000).fill(16);
/** As every reader of m+1 = 2 copies asks them. */
const [FIRST, SECOND] = [1, 2];

async function packOf({ world, volume }: Sealed, column = FIRST) {
  const extent = volume.extents[column] as VolumeRow['extents'][number];
  const at = { zone: extent.zone, generation: extent.zoneGeneration };
  const bytes = await (world.media[extent.drive] as (typeof world.media)[number]).read(at, DIRECTORY_PACK_NAME);
  return { bytes, index: parsePackIndex(parsePackHeader(bytes), bytes) };
}

const slotsOf = async ({ world, volume }: Sealed, bucket: BucketRow | undefined, many = false): Promise<number[]> => {
  const reading = many ? 'many buckets' : 'one bucket';
  const slots = await world.store.directories.bucketPart(volume, bucket as BucketRow, reading);
  expect(slots.lost).toBeUndefined();
  return [...slots.entries].map(([slot]) => slot);
};

describe('a directory pack on a drive', () => {
  it('is read once for all buckets, if it is short', async () => {
    const sealed = await sealedBuckets([LENGTHS, LENGTHS, [20]]);
    const counts = await Promise.all(sealed.buckets.map((bucket) => slotsOf(sealed, bucket)));
    expect(counts.map(({ length }) => length)).toEqual([9, 9, 1]);
    expect(sealed.world.reads).toHaveLength(1);
    sealed.world.store.directories.forget(sealed.volume);
    await slotsOf(sealed, sealed.buckets[0]);
    expect(sealed.world.reads).toHaveLength(2);
  });

  it('of many slots is not read whole for one bucket: its head, and what lies beyond by a range', async () => {
    const sealed = await sealedBuckets([long, long, long, long]);
    const { bytes, index } = await packOf(sealed);
    expect(bytes.length).toBeGreaterThan(240_000);
    const byPlace = index.map(({ bucket }) => sealed.buckets.find(({ id }) => id === bucket));
    expect(await slotsOf(sealed, byPlace[0])).toHaveLength(4000);
    expect(sealed.world.reads).toHaveLength(1);
    expect(await slotsOf(sealed, byPlace[1])).toHaveLength(4000);
    expect(sealed.world.reads).toHaveLength(1);
    const lengths: (number | undefined)[] = [];
    for (const medium of sealed.world.media) {
      const read = medium.read.bind(medium);
      medium.read = (at, name, range) => {
        lengths.push(range?.length);
        return read(at, name, range);
      };
    }
    expect(await slotsOf(sealed, byPlace[3])).toHaveLength(4000);
    expect(lengths).toEqual([index[3]?.length]);
    expect(await slotsOf(sealed, byPlace[3])).toHaveLength(4000);
    expect(sealed.world.reads).toHaveLength(2);
  });

  it('of many slots is read at once by whoever wants many buckets, or the rest of it at once', async () => {
    const sealed = await sealedBuckets([long, long, long, long]);
    for (const bucket of sealed.buckets) expect(await slotsOf(sealed, bucket, true)).toHaveLength(4000);
    expect(sealed.world.reads).toHaveLength(1);
    sealed.world.restart();
    const { index } = await packOf(sealed);
    const byPlace = index.map(({ bucket }) => sealed.buckets.find(({ id }) => id === bucket));
    await slotsOf(sealed, byPlace[0]);
    for (const bucket of byPlace.toReversed()) expect(await slotsOf(sealed, bucket, true)).toHaveLength(4000);
    expect(sealed.world.reads).toHaveLength(2);
  });

  it('lists live slots only, and nothing of a bucket that moved on', async () => {
    const world = new ReadingWorld({ hot: 'replica-4', warm: 'xor-2-1' });
    const [first, second] = [await world.virtualBucket(LENGTHS), await world.virtualBucket(LENGTHS)];
    const { id } = await world.move([first, second]);
    const bucket = (first[0] as Stored).bucket;
    await world.kill(bucket, [0, 4, 8]);
    await world.store.open.sealAll('warm');
    const volume = { ...(await world.volumeOf(first[0] as Stored)), id };
    const sealed = { world, volume, buckets: [await world.bucketRow(bucket)], stored: [first] };
    world.restart();
    expect(await slotsOf(sealed, sealed.buckets[0])).toEqual([1, 2, 3, 5, 6, 7]);
    const stranger = { ...(sealed.buckets[0] as BucketRow), id: 'ffffffffffffffff' as BucketRow['id'], move: 0 };
    const { lost } = await world.store.directories.bucketPart(volume, stranger);
    expect(lost?.columns).toEqual([FIRST, SECOND]);
  });

  it.each<[string, (bytes: Uint8Array) => Uint8Array | undefined]>([
    ['gone', () => undefined],
    ['of zero length', () => new Uint8Array(0)],
    ['cut in its header', (bytes) => bytes.slice(0, 63)],
    ['cut in its index', (bytes) => bytes.slice(0, 70)],
    ['cut in the directory', (bytes) => bytes.slice(0, bytes.length - 1)],
    ['flipped in its header', (bytes) => flipped(bytes, 8 * 41)],
    ['flipped in its index', (bytes) => flipped(bytes, 8 * 70)],
    ['flipped in the directory', (bytes) => flipped(bytes, 8 * (bytes.length - 10))],
  ])('%s: the copy on the next column is read', async (_, damage) => {
    const sealed = await sealedBuckets([LENGTHS]);
    const { world, volume } = sealed;
    const damaged = (bytes: Uint8Array, name: string) => (name === DIRECTORY_PACK_NAME ? damage(bytes) : bytes);
    await world.tamper(volume, FIRST, damaged);
    expect(await slotsOf(sealed, sealed.buckets[0])).toHaveLength(9);
    expect(world.columnsRead(volume)).toEqual([FIRST, SECOND]);
    await world.tamper(volume, SECOND, damaged);
    world.restart();
    const slots = await world.store.directories.bucketPart(volume, sealed.buckets[0] as BucketRow);
    // The group's own directory is there still.
    expect([...slots.entries]).toHaveLength(9);
  });

  it('of another volume is not believed', async () => {
    const [sealed, other] = [await sealedBuckets([LENGTHS]), await sealedBuckets([LENGTHS, [30]])];
    const foreign = (await packOf(other)).bytes;
    const swap = (bytes: Uint8Array, name: string) => (name === DIRECTORY_PACK_NAME ? foreign : bytes);
    const third = new ReadingWorld({ hot: 'replica-4', warm: 'xor-2-1', seed: 9 });
    expect(third.components.storeId).not.toBe(sealed.world.components.storeId);
    await sealed.world.tamper({ ...sealed.volume }, FIRST, swap);
    sealed.world.restart();
    expect(await slotsOf({ ...sealed, volume: { ...sealed.volume, generation: 1 } }, sealed.buckets[0])).toHaveLength(
      9,
    );
  });

  it('is not there in volumes of before: an object a bucket is read instead, asked for once', async () => {
    const sealed = await sealedBuckets([LENGTHS, LENGTHS]);
    const { world, volume, buckets } = sealed;
    const { bytes, index } = await packOf(sealed);
    await world.tamper(volume, FIRST, (object, name) => (name === DIRECTORY_PACK_NAME ? undefined : object));
    const extent = volume.extents[FIRST] as VolumeRow['extents'][number];
    for (const { bucket, offset, length } of index)
      await world.media[extent.drive]?.append(
        { zone: extent.zone, generation: extent.zoneGeneration },
        bucketDirectoryName(bucket),
        [bytes.slice(offset, offset + length)],
      );
    for (const bucket of buckets) expect(await slotsOf(sealed, bucket)).toHaveLength(9);
    expect(world.reads.map((detail) => detail.split('/').at(-1))).toEqual([
      DIRECTORY_PACK_NAME,
      ...buckets.map(({ id }) => bucketDirectoryName(id)),
    ]);
  });
});

describe('a seal that was begun twice', () => {
  it('counts what the first attempt stored, and leaves it', async () => {
    const world = new ReadingWorld({ hot: 'replica-4', warm: 'xor-2-1' });
    const stored = await world.virtualBucket(LENGTHS);
    await world.move([stored]);
    const { extentUsedBytes } = await world.volumeOf(stored[0] as Stored);
    await world.store.open.sealAll('warm');
    // As if the worker had died between the packs and the volume's row.
    const sealed = await world.volumeOf(stored[0] as Stored);
    const key = volumeKey(world.components.settings.cell, sealed.id);
    await world.panda.transact([{ kind: 'update', ...key, set: { dp: 1, u: extentUsedBytes } }]);
    const packBytes = (await packOf({ world, volume: sealed, buckets: [], stored: [] })).bytes.length;
    await world.kill((stored[0] as Stored).bucket, [0]);
    expect(await finishPendingSeals(world.restart())).toBe(1);
    const done = await world.volumeOf(stored[0] as Stored);
    expect(done.directoriesPending).toBe(false);
    const added = done.extentUsedBytes.map((bytes, i) => bytes - (extentUsedBytes[i] as number));
    expect(added).toEqual([0, packBytes, packBytes]);
    const slots = await slotsOf(
      { world, volume: done, buckets: [], stored: [] },
      await world.bucketRow((stored[0] as Stored).bucket),
    );
    expect(slots).toHaveLength(9);
  });

  it('does not call foreign what another worker stored meanwhile, when more had died', async () => {
    const { world, volume, bucket } = await toBeSealed();
    for (const column of [FIRST, SECOND]) world.driveOf(volume, column).state = 'read-only';
    await world.store.open.sealAll('warm');
    const pending = await world.volumeOf(bucket);
    expect(pending.directoriesPending).toBe(true);
    for (const column of [FIRST, SECOND]) world.driveOf(volume, column).state = 'healthy';
    // Rows have been read then, and nothing is stored.
    world.beforeRead = async () => {
      world.beforeRead = undefined;
      await world.kill(bucket.bucket, [0]);
      world.driveOf(volume, SECOND).state = 'read-only';
      await expect(finishSeal(world.restart(), pending)).rejects.toMatchObject({ code: 'DIRECTORY_NOT_STORED' });
      world.driveOf(volume, SECOND).state = 'healthy';
    };
    await finishSeal(world.restart(), pending);
    expect(world.beforeRead).toBeUndefined();
    expect(await readDamage(world.components, volume.id)).toEqual([]);
    expect((await world.volumeOf(bucket)).directoriesPending).toBe(false);
  });

  it('stays pending, readable and with its group rows, until every column has the pack', async () => {
    const { world, volume, bucket, groups } = await toBeSealed();
    for (const state of ['read-only', 'lost'] as const) {
      world.driveOf(volume, SECOND).state = state;
      if (state === 'read-only') await world.store.open.sealAll('warm');
      const pending = await world.volumeOf(bucket);
      expect(pending).toMatchObject({ state: 'sealed', directoriesPending: true });
      await expect(finishSeal(world.restart(), pending)).rejects.toMatchObject({ code: 'DIRECTORY_NOT_STORED' });
      expect(await finishPendingSeals(world.restart())).toBe(0);
      expect(await groups()).toBe(1);
      world.restart();
      expect(await slotsOf(sealedIn(world, pending), await world.bucketRow(bucket.bucket))).toHaveLength(9);
    }
    world.driveOf(volume, SECOND).state = 'healthy';
    expect(await finishPendingSeals(world.restart())).toBe(1);
    const done = await world.volumeOf(bucket);
    expect(done.directoriesPending).toBe(false);
    expect(await groups()).toBe(0);
    for (const column of [FIRST, SECOND]) expect((await packOf(sealedIn(world, done), column)).index).toHaveLength(1);
  });

  it('is not made again and again for a drive that is away: its drives are asked first', async () => {
    const { world, volume } = await toBeSealed();
    world.driveOf(volume, FIRST).state = 'read-only';
    await world.store.open.sealAll('warm');
    world.driveOf(volume, FIRST).state = 'lost';
    for (let i = 0; i < 3; i++) expect(await finishPendingSeals(world.restart())).toBe(0);
    expect(world.reads).toEqual([]);
  });

  it.each<[string, (bytes: Uint8Array) => Uint8Array, string]>([
    ['cut in its header', (bytes) => bytes.slice(0, 63), 'short'],
    ['cut behind its header', (bytes) => bytes.slice(0, 64), 'short'],
    ['cut in the directory', (bytes) => bytes.slice(0, bytes.length - 1), 'short'],
    ['flipped in its header', (bytes) => flipped(bytes, 8 * 41), 'wrong'],
    ['flipped in the directory', (bytes) => flipped(bytes, 8 * (bytes.length - 10)), 'wrong'],
    ['of other directories', () => emptyPack(), 'foreign'],
  ])('does not take an object %s for the pack: it is noted, and left alone from then on', async (_, spoil, kind) => {
    const { world, bucket, groups } = await toBeSealed();
    const sealed = await sealedOnce(world, bucket);
    emptyPack = () =>
      Buffer.concat(
        encodeDirectoryPack(
          { storeId: world.components.storeId, volumeId: sealed.id, generation: sealed.generation },
          [],
        ),
      );
    await world.tamper(sealed, SECOND, (bytes, name) => (name === DIRECTORY_PACK_NAME ? spoil(bytes) : bytes));
    expect(await finishPendingSeals(world.restart())).toBe(0);
    expect(await world.volumeOf(bucket)).toMatchObject({ directoriesPending: true });
    const noted = await readDamage(world.components, sealed.id);
    expect(noted).toMatchObject([{ column: SECOND, part: 'pack', kind }]);
    expect(await groups()).toBe(1);
    const again = world.restart();
    expect(await finishPendingSeals(again)).toBe(0);
    expect(world.reads).toEqual([]);
    expect(await hasLeftovers(again)).toBe(false);
    // Doctor says so, and that it costs no copy of anything.
    const findings = new Findings();
    const { redundancy } = await findVolumeFaults(again, new Set(), findings, { read: true });
    expect(findings.list.map(({ check }) => check)).toEqual([kind, 'directories']);
    expect(findings.list[1]?.message).toMatch(/on 1 of 2 columns/);
    expect(redundancy).toMatchObject({ full: 1, reduced: [], lost: 0 });
    expect(await readDamage(world.components, sealed.id)).toEqual(noted);
    // A sound one in its place, and doctor has seen it: the seal ends.
    await world.tamper(sealed, SECOND, (bytes, name) => (name === DIRECTORY_PACK_NAME ? undefined : bytes));
    await findVolumeFaults(world.restart(), new Set(), new Findings(), {});
    expect(await readDamage(world.components, sealed.id)).toEqual([]);
    expect(await finishPendingSeals(world.restart())).toBe(1);
  });
});

let emptyPack: () => Uint8Array = () => new Uint8Array(0);

const sealedIn = (world: ReadingWorld, volume: VolumeRow): Sealed => ({ world, volume, buckets: [], stored: [] });

/** A bucket in an open warm volume, and how many group rows that has. */
async function toBeSealed() {
  const world = new ReadingWorld({ hot: 'replica-4', warm: 'xor-2-1' });
  const stored = await world.virtualBucket(LENGTHS);
  const volume = await world.move([stored]);
  const groups = async (): Promise<number> =>
    (await world.panda.query(groupPartition(volume.id, volume.generation))).rows.length;
  return { world, volume, bucket: stored[0] as Stored, groups };
}

/** As if the worker had died between the packs and the volume's row. */
async function sealedOnce(world: ReadingWorld, bucket: Stored): Promise<VolumeRow> {
  const { id, generation, extentUsedBytes } = await world.volumeOf(bucket);
  const groups = (await world.panda.query(groupPartition(id, generation))).rows;
  await world.store.open.sealAll('warm');
  const key = volumeKey(world.components.settings.cell, id);
  await world.panda.transact([
    { kind: 'update', ...key, set: { dp: 1, u: extentUsedBytes } },
    ...groups.map((row) => ({ kind: 'put' as const, ...row })),
  ]);
  return world.volumeOf(bucket);
}

describe('the format of a store', () => {
  it('is raised before the first pack is written, so that releases that know none refuse it', async () => {
    const world = new ReadingWorld({ hot: 'replica-4', warm: 'xor-2-1' });
    await world.panda.transact([{ kind: 'put', ...storeKey, attributes: { f: 1, i: 'x' } }]);
    const stored = await world.virtualBucket(LENGTHS);
    await world.move([stored]);
    expect((await world.panda.get(storeKey))?.attributes['f']).toBe(1);
    await world.store.open.sealAll('warm');
    expect((await world.panda.get(storeKey))?.attributes).toMatchObject({ f: STORE_FORMAT, i: 'x' });
  });
});
