// A row that cannot be read is told of where somebody listens, and comes out where nobody does: it is in the way of no other, and is never taken for one
// that is not there. A mistake of a program always comes out.
import { describe, expect, it } from 'vitest';
import { FLEET_STATES } from '../../lib/compaction/facts/fleet.ts';
import { snapshotOf } from '../../lib/compaction/facts/snapshot.ts';
import { corrupt, retryLater } from '../../lib/foundation/errors.ts';
import type { VolumeId } from '../../lib/foundation/ids.ts';
import type { Write } from '../../lib/panda/panda.ts';
import { bucketKey } from '../../lib/panda/rows/bucket-row.ts';
import { listPartition } from '../../lib/panda/rows/open-row.ts';
import { volumeKey } from '../../lib/panda/rows/volume-row.ts';
import { listBuckets, listVolumes } from '../../lib/volume/rows/read-rows.ts';
import { mendVolumeLists, readListed } from '../../lib/volume/rows/volume-lists.ts';
import { type Process, TINY, World } from '../store/harness.ts';

const CELL = TINY.cell;

/** Two open volumes and more; the row of the first is damaged, and a listener hears of it. */
async function withBadRow() {
  const world = new World(21, TINY, 20);
  const p = world.start();
  for (let i = 0; i < 4; i++)
    await p.frontend.put({ namespace: 'n', key: `k${i}`, body: Buffer.from(`body ${i} `.repeat(100)) });
  const p2 = world.start();
  await Promise.all(
    [p, p2].map((q, i) => q.frontend.put({ namespace: 'n', key: `both${i}`, body: Buffer.from(`b${i}`) })),
  );
  const ids = (await listVolumes(world.panda, CELL)).filter(({ state }) => state === 'open').map(({ id }) => id);
  const [bad] = ids as [VolumeId];
  await world.panda.transact([{ kind: 'update', ...volumeKey(CELL, bad), set: { n: 'no number' } } as Write]);
  const told: string[] = [];
  const listening: Process['components'] = { ...p.components, badRow: ({ sort }) => void told.push(sort) };
  const isListed = async (id: string): Promise<boolean> =>
    (await world.panda.get({ partition: listPartition('open', CELL), sort: id })) !== undefined;
  return { world, p, ids, bad, told, listening, isListed };
}

describe('a row of a volume that cannot be read', () => {
  it('is told of, and stays in the list of open ones; the others are read', async () => {
    const { ids, bad, told, listening, isListed } = await withBadRow();
    const read = await readListed(listening, 'open', [...ids, '00000000000000ff' as VolumeId]);
    expect(read.map(({ id }) => id)).toEqual(ids.slice(1));
    expect(told).toEqual([bad]);
    expect(await isListed(bad)).toBe(true);
    await mendVolumeLists(listening);
    expect(told).toEqual([bad, bad]);
    expect(await isListed(bad)).toBe(true);
  });

  it('comes out where nobody listens', async () => {
    const { p, ids } = await withBadRow();
    await expect(readListed(p.components, 'open', ids)).rejects.toMatchObject({ code: 'ROW_MALFORMED' });
    await expect(mendVolumeLists(p.components)).rejects.toMatchObject({ code: 'ROW_MALFORMED' });
  });
});

describe('a row of a bucket that cannot be read', () => {
  it('is told of, and its volume is left alone by whoever plans; without a listener it comes out', async () => {
    const { world, p, bad, told, listening } = await withBadRow();
    await world.panda.transact([{ kind: 'update', ...volumeKey(CELL, bad), set: { n: 9 } } as Write]);
    const [bucket] = await listBuckets(world.panda, CELL);
    const { id, volume } = bucket ?? expect.fail('no bucket');
    const stateOf = async () => {
      const view = await snapshotOf(listening);
      return FLEET_STATES[view.state[view.ids.indexOf(volume)] ?? -1];
    };
    const before = await stateOf();
    await world.panda.transact([{ kind: 'update', ...bucketKey(CELL, id), set: { l: 'no number' } } as Write]);
    expect(before).not.toBe('leased');
    expect(await stateOf()).toBe('leased');
    expect(told).toEqual([id]);
    await expect(snapshotOf(p.components)).rejects.toMatchObject({ code: 'ROW_MALFORMED' });
  });
});

describe('rows that are asked for together', () => {
  it('are asked for one by one if one of them is damaged', async () => {
    const { world, ids, bad, told, listening, isListed } = await withBadRow();
    const damaged = corrupt('ROW_MALFORMED', 'one of them');
    world.panda.getMany = () => Promise.reject(damaged);
    expect((await readListed(listening, 'open', ids)).map(({ id }) => id)).toEqual(ids.slice(1));
    expect(told).toEqual([bad]);
    expect(await isListed(bad)).toBe(true);
    await expect(readListed({ ...listening, badRow: undefined } as never, 'open', ids)).rejects.toBe(damaged);
  });

  it('come out as what they are if it is no damage', async () => {
    const { world, ids, told, listening } = await withBadRow();
    const busy = retryLater('PANDA_BUSY', 'not now');
    world.panda.getMany = () => Promise.reject(busy);
    await expect(readListed(listening, 'open', ids)).rejects.toBe(busy);
    const get = world.panda.get.bind(world.panda);
    world.panda.getMany = () => Promise.reject(corrupt('ROW_MALFORMED', 'one of them'));
    world.panda.get = (key) => (key.partition.startsWith('volume/') ? Promise.reject(busy) : get(key));
    await expect(readListed(listening, 'open', ids)).rejects.toBe(busy);
    expect(told).toEqual([]);
  });
});
