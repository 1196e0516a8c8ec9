// A group that several batches share: how their parts lie in buckets, and that it ends with the last of them, in the way that the most careful one asks for.
import { describe, expect, it } from 'vitest';
import { type BlockId, hexOf } from '../../lib/foundation/ids.ts';
import type { VolumeRow } from '../../lib/panda/rows/volume-row.ts';
import type { Settings } from '../../lib/settings/settings.ts';
import { listVolumes } from '../../lib/volume/rows/read-rows.ts';
import { appendBulk, type GroupShare } from '../../lib/volume/write/append-bulk.ts';
import { ReadingWorld } from './reading-world.ts';

const CELL = 'c0';
const HEAD_BYTES = new ReadingWorld({ warm: 'xor-2-1' }).newRecord(16).record.length - 16;

/** A group of parts whose records are so long. */
async function shared(parts: readonly (readonly number[])[], changes: Partial<Settings> = {}) {
  const world = new ReadingWorld({ warm: 'xor-2-1' });
  const settings = { ...world.components.settings, ...changes };
  const store = Object.create(world.store, { components: { value: { ...world.components, settings } } });
  const records = parts.map((lengths) =>
    lengths.map((bytes) => ({
      blockId: hexOf(world.random.bytes(32)) as BlockId,
      ...world.newRecord(bytes - HEAD_BYTES),
    })),
  );
  const group = await appendBulk(store as ReadingWorld['store'], records, 1);
  const rows = (table: string) => world.panda.snapshot().filter(({ partition }) => partition.startsWith(`${table}/`));
  const now = async () => {
    const [{ pendingSeq, owner, token }] = (await listVolumes(world.panda, CELL)) as [VolumeRow];
    return { isPending: pendingSeq !== undefined, isLeased: owner !== undefined, token };
  };
  return { world, group, shares: group.shares as readonly [GroupShare, GroupShare], rows, now };
}

const PENDING = { isPending: true, isLeased: true, token: 1 };
const SETTLED = { isPending: false, isLeased: false, token: 1 };
const RECOVERED = { isPending: false, isLeased: false, token: 2 };

describe('parts of a group', () => {
  it('each have the places of their records, and the group has the bytes of all', async () => {
    const { world, group } = await shared([[300, 200], [150], [400, 100, 120]]);
    expect(group.shares.map(({ placed }) => placed.map(({ slot }) => slot))).toEqual([[0, 1], [2], [3, 4, 5]]);
    expect(new Set(group.shares.flatMap(({ placed }) => placed.map(({ bucket }) => bucket))).size).toBe(1);
    expect(group.recordBytes).toBe(1270);
    const zones = await Promise.all(world.media.map(async (drive) => ({ drive, zones: await drive.zones() })));
    let stored = 0;
    for (const { drive, zones: some } of zones)
      for (const at of some) for (const { bytes } of await drive.list(at)) stored += bytes;
    expect(group.storedBytes).toBe(stored);
  });

  it.each<[string, Partial<Settings>, readonly number[]]>([
    ['as many as its bytes take', { bucketBytes: 800 }, [1, 1, 1]],
    ['no more than its bytes take', { bucketBytes: 799 }, [1, 1, 2]],
    ['as many as its slots take', { slotsPerBucketMax: 4 }, [1, 1, 1]],
    ['no more than its slots take', { slotsPerBucketMax: 3 }, [1, 1, 2]],
    ['counted anew for each', { bucketBytes: 500 }, [1, 2, 2]],
    ['one where it takes only one', { bucketBytes: 499 }, [1, 2, 3]],
  ])('lie in a bucket, %s', async (_, changes, numbers) => {
    const { group, rows } = await shared([[300], [200, 100], [200]], changes);
    const buckets = group.shares.map(({ placed }) => placed.map(({ bucket }) => bucket));
    for (const part of buckets) expect(new Set(part).size).toBe(1);
    const known = [...new Set(buckets.flat())];
    expect(buckets.map(([first]) => known.indexOf(first as (typeof known)[number]) + 1)).toEqual(numbers);
    expect(rows('bucket')).toHaveLength(known.length);
    const used = rows('bucket').map(({ attributes }) => Number(attributes['u']));
    expect(used.reduce((a, b) => a + b)).toBe(800);
  });
});

// One bucket is an append like any other, two are written as a merge writes them.
describe.each([1, 2])('a group of %i buckets', (count) => {
  const made = () => shared([[300], [200]], count === 2 ? { slotsPerBucketMax: 1 } : {});

  it('is settled by the last of its batches, if all slots are named', async () => {
    const { shares, rows, now } = await made();
    expect(rows('bucket')).toHaveLength(count);
    expect(await now()).toEqual(PENDING);
    await shares[1].settle(true);
    expect(await now()).toEqual(PENDING);
    await shares[0].settle(true);
    expect(await now()).toEqual(SETTLED);
    expect(rows('dead').flatMap(({ attributes }) => attributes['b'] ?? [])).toEqual([]);
  });

  it.each([[[true, false]], [[false, true]]])('loses what nobody names (%j)', async ([first, second]) => {
    const { shares, rows, now } = await made();
    await shares[0].settle(first as boolean);
    expect(await now()).toEqual(PENDING);
    await shares[1].settle(second as boolean);
    expect(await now()).toEqual(SETTLED);
    expect(rows('dead').filter(({ attributes }) => attributes['b'] !== undefined)).toHaveLength(count);
  });

  it('is left as it is if one of them leaves it, first or last', async () => {
    for (const isFirst of [true, false]) {
      const { shares, rows, now } = await made();
      if (isFirst) shares[0].leave();
      else await shares[0].settle(true);
      if (isFirst) await shares[1].settle(false);
      else shares[1].leave();
      expect(await now()).toEqual(PENDING);
      expect(rows('dead').filter(({ attributes }) => attributes['b'] !== undefined)).toEqual([]);
    }
  });

  it('is recovered at once, and once, under another token', async () => {
    const { world, shares, now } = await made();
    expect(await shares[0].recover()).toBe(true);
    expect(await now()).toEqual(RECOVERED);
    const before = world.panda.snapshot();
    expect(await shares[1].recover()).toBe(true);
    await shares[1].settle(true);
    expect(world.panda.snapshot()).toEqual(before);
  });

  it('lets one of them at its rows at a time', async () => {
    const { shares } = await made();
    const give = await shares[0].turn();
    let isTaken = false;
    const second = shares[1].turn().then((done) => {
      isTaken = true;
      return done;
    });
    for (let i = 0; i < 10; i++) await undefined;
    expect(isTaken).toBe(false);
    give();
    (await second)();
    expect(isTaken).toBe(true);
  });
});
