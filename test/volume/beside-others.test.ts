// Steps beside others that are at the same thing: what they have done meanwhile is theirs, how often it is tried again, and what is given back.
import { describe, expect, it } from 'vitest';
import type { BlockId, RunId } from '../../lib/foundation/ids.ts';
import { CHUNKS_LOOKED_INTO_MAX, ZONE_CLAIM_ATTEMPTS_MAX } from '../../lib/limits/volume.ts';
import { PandaConflict } from '../../lib/panda/conflict.ts';
import type { Write } from '../../lib/panda/panda.ts';
import { bucketKey } from '../../lib/panda/rows/bucket-row.ts';
import { retiringKey } from '../../lib/panda/rows/retiring-kek-row.ts';
import { type VolumeRow, volumeKey } from '../../lib/panda/rows/volume-row.ts';
import { zoneKey } from '../../lib/panda/rows/zone-row.ts';
import { lookAtDrives } from '../../lib/volume/behind/newer-chunks.ts';
import { directoriesOf } from '../../lib/volume/open/seal.ts';
import { readVolume } from '../../lib/volume/rows/read-rows.ts';
import { claimNext } from '../../lib/volume/runs/flip.ts';
import { freeTrash } from '../../lib/volume/runs/free.ts';
import { takeRun } from '../../lib/volume/runs/runs.ts';
import { KEK_RETIRING } from '../../lib/volume/write/append.ts';
import { appendBulk } from '../../lib/volume/write/append-bulk.ts';
import { ReadingWorld, type Stored } from './reading-world.ts';

const CELL = 'c0';
const RUN = 'l1/a/000000000001' as RunId;

/** What `seen` says of every transaction: refused if it answers so. */
function watch(world: ReadingWorld, seen: (writes: readonly Write[]) => Promise<boolean>): void {
  const transact = world.panda.transact.bind(world.panda);
  world.panda.transact = async (writes) => {
    if (await seen(writes)) throw new PandaConflict([0]);
    return transact(writes);
  };
}

const touches =
  ({ id }: Pick<VolumeRow, 'id'>) =>
  (writes: readonly Write[]): boolean =>
    writes.some(({ kind, sort }) => kind === 'update' && sort === id);

it('a bucket that has moved away is in no directory of the volume that is sealed', async () => {
  const world = new ReadingWorld({ warm: 'xor-2-1' });
  const [stays, leaves] = [await world.virtualBucket([100, 200]), await world.virtualBucket([300])];
  const volume = await world.move([stays, leaves]);
  const [one, other] = [stays[0]?.bucket, leaves[0]?.bucket] as [Stored['bucket'], Stored['bucket']];
  expect([...(await directoriesOf(world.store, volume)).keys()].sort()).toEqual([one, other].sort());
  await world.panda.transact([{ kind: 'update', ...bucketKey(CELL, other), set: { v: '00000000000000ee' } }]);
  expect([...(await directoriesOf(world.store, volume)).keys()]).toEqual([one]);
  await world.panda.transact([{ kind: 'delete', ...bucketKey(CELL, one) }]);
  expect(await directoriesOf(world.store, volume)).toEqual(new Map());
});

it('of two that see a volume retired in the future, the first says when its grace begins', async () => {
  const world = new ReadingWorld({ warm: 'xor-2-1' });
  const records = await world.virtualBucket([100]);
  const { id } = await world.move([records]);
  await world.store.open.sealAll('warm');
  const nowMs = world.clock.nowMs();
  const key = volumeKey(CELL, id);
  const ahead = nowMs + 400 * 24 * 3_600_000;
  const volume = (await readVolume(world.panda, CELL, id)) as VolumeRow;
  const bucket = [...volume.buckets][0] as Stored['bucket'];
  await world.panda.transact([{ kind: 'update', ...key, set: { s: 'trash', d: ahead }, insert: { mv: [bucket] } }]);
  const trashed = (await readVolume(world.panda, CELL, id)) as VolumeRow;
  expect(trashed).toMatchObject({ state: 'trash', trashedAtMs: ahead });
  expect(trashed.moved.size).toBe(1);
  let isFirst = true;
  watch(world, async (writes) => {
    if (!isFirst || !touches(trashed)(writes)) return false;
    isFirst = false;
    await world.panda.transact([{ kind: 'update', ...key, set: { d: nowMs - 5 } }]);
    return false;
  });
  expect((await freeTrash(world.store)).freedZones).toBe(0);
  expect(isFirst).toBe(false);
  expect(await readVolume(world.panda, CELL, id)).toMatchObject({ state: 'trash', trashedAtMs: nowMs - 5 });
});

it('extents for a flip are claimed so often while others take them, and no longer than the run is held', async () => {
  for (const isLost of [false, true]) {
    const world = new ReadingWorld({ warm: 'xor-2-1', drives: 4 });
    const { id } = await world.move([await world.virtualBucket([100])]);
    await world.store.open.sealAll('warm');
    const host = (await takeRun(world.components, id, RUN)) as VolumeRow;
    expect(host.run).toBe(RUN);
    let refused = 0;
    watch(world, async (writes) => {
      if (!touches(host)(writes)) return false;
      refused += 1;
      if (refused > 50) throw new Error('it never ends');
      if (isLost && refused === 3) {
        const { attributes } = (await world.panda.get(volumeKey(CELL, id))) ?? expect.fail('no volume');
        const other = Object.entries(attributes).map(([name, value]) => [
          name,
          value === RUN ? 'l1/b/000000000002' : value,
        ]);
        await world.panda.transact([{ kind: 'put', ...volumeKey(CELL, id), attributes: Object.fromEntries(other) }]);
      }
      return true;
    });
    expect(await claimNext(world.store, RUN, host)).toBeUndefined();
    expect(refused).toBe(isLost ? 3 : ZONE_CLAIM_ATTEMPTS_MAX + 1);
  }
});

describe('a bulk group of several buckets that is not written', () => {
  async function bulk() {
    const world = new ReadingWorld({ warm: 'xor-2-1' });
    const records = () =>
      [700, 64].map((bytes) => ({ blockId: `${bytes}`.padStart(64, '0') as BlockId, ...world.newRecord(bytes) }));
    const settings = { ...world.components.settings, slotsPerBucketMax: 2 };
    world.store = Object.create(world.store, {
      components: { value: { ...world.components, settings } },
    }) as ReadingWorld['store'];
    const write = () => appendBulk(world.store, [records(), records()], 1);
    const rows = () => world.panda.snapshot().filter(({ partition }) => partition.startsWith('volume/'));
    return { world, write, rows };
  }

  it('gives its lease back if its keys are about to go', async () => {
    const { world, write, rows } = await bulk();
    await world.panda.transact([{ kind: 'put', ...retiringKey(1), attributes: {} }]);
    await expect(write()).rejects.toMatchObject({ code: KEK_RETIRING });
    expect(rows().map(({ attributes }) => attributes['o'])).toEqual([undefined]);
  });

  it('gives it back once where a drive does not take it: with the sequence that is burnt', async () => {
    const { world, write, rows } = await bulk();
    await world.append([300]);
    (world.drives[0] as ReadingWorld['drives'][number]).state = 'read-only';
    const ends: (readonly Write[])[] = [];
    watch(world, async (writes) => {
      if (writes.some((one) => one.kind === 'update' && one.remove?.includes('o'))) ends.push(writes);
      return false;
    });
    await expect(write()).rejects.toMatchObject({ kind: 'retry' });
    expect(ends.length).toBeGreaterThan(0);
    for (const [write] of ends) expect(write).toMatchObject({ set: { n: expect.any(Number) } });
    expect(rows().map(({ attributes }) => attributes['o'])).toEqual([undefined]);
  });
});

it('files that are no chunks do not hide a chunk that a newer Panda wrote', async () => {
  const world = new ReadingWorld({ warm: 'xor-2-1' });
  const [stored] = (await world.append([300])) as [Stored];
  const volume = await world.volumeOf(stored);
  const extent = volume.extents[0] as VolumeRow['extents'][number];
  const medium = world.media[extent.drive] as ReadingWorld['media'][number];
  const at = { zone: extent.zone, generation: extent.zoneGeneration };
  const chunks = await Promise.all(
    (await medium.list(at)).map(async ({ name }) => ({ name, bytes: await medium.read(at, name) })),
  );
  await medium.erase(at);
  const strangers = Array.from({ length: CHUNKS_LOOKED_INTO_MAX + 1 }, (_, i) => `-${i}`);
  for (const name of strangers) await medium.append(at, name, [new Uint8Array(5)]);
  for (const { name, bytes } of chunks) await medium.append(at, name, [bytes]);
  expect((await medium.list(at)).slice(0, strangers.length).map(({ name }) => name)).toEqual(strangers);
  const newer = async () =>
    (await lookAtDrives(world.components)).find(({ drive }) => drive === extent.drive)?.newer.length;
  expect(await newer()).toBe(0);
  // As an older Panda would have it: neither the zone nor the volume is known.
  await world.panda.transact([{ kind: 'delete', ...zoneKey(extent.drive, extent.zone) }]);
  await world.panda.transact([{ kind: 'delete', ...volumeKey(CELL, volume.id) }]);
  expect(await newer()).toBe(1);
});
