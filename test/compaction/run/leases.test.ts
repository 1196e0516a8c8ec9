// Volumes of a run: leased as they were planned, or left out with the reason; and those of a dead run, taken over by whoever goes on with it.
import { expect, it } from 'vitest';
import { adoptVolumes, isSkipped, leasePlanned } from '../../../lib/compaction/run/leases.ts';
import type { RunId, VolumeId } from '../../../lib/foundation/ids.ts';
import { readVolume } from '../../../lib/volume/rows/read-rows.ts';
import { takeRun } from '../../../lib/volume/runs/runs.ts';
import { SMALL } from '../acting-world.ts';
import { hex, sealedRows } from '../do/scripted-batches.ts';

const RUN = 'l2/p0/1' as RunId;
const planned = { volume: hex(0), generation: 1, buckets: 4 };

it('a volume is leased if it is what it was, or holds fewer buckets', async () => {
  const { p, world } = await sealedRows([0.5, 0.5]);
  const taken = await leasePlanned(p.volumes, RUN, planned);
  expect(isSkipped(taken)).toBe(false);
  expect(taken).toEqual(await readVolume(world.panda, SMALL.cell, hex(0) as VolumeId));
  expect(taken).toMatchObject({ id: hex(0), state: 'draining', run: RUN });
  expect(await leasePlanned(p.volumes, RUN, { ...planned, volume: hex(1), buckets: 5 })).toMatchObject({ run: RUN });
});

it('it is left out if it is not, and says why', async () => {
  const { p, set } = await sealedRows([0.5]);
  const whyNot = async (changes: Partial<typeof planned> = {}) => {
    const left = await leasePlanned(p.volumes, RUN, { ...planned, ...changes });
    return isSkipped(left) ? [left.volume, left.reason] : 'leased';
  };
  const id = hex(0);
  expect(await whyNot({ volume: hex(9) })).toEqual([hex(9), { code: 'VOLUME_GONE', text: 'it is not there any more' }]);
  expect(await whyNot({ generation: 2 })).toEqual([
    id,
    { code: 'VOLUME_CHANGED', text: 'it is at generation 1, planned at 2' },
  ]);
  expect(await whyNot({ buckets: 3 })).toEqual([
    id,
    { code: 'VOLUME_CHANGED', text: 'it holds 4 buckets, planned with 3' },
  ]);
  await set(0, { s: 'open' });
  expect(await whyNot()).toEqual([id, { code: 'VOLUME_NOT_SEALED', text: 'it is open' }]);
  await set(0, { s: 'draining', r: 'l3/p9/1' });
  expect(await whyNot()).toEqual([id, { code: 'VOLUME_OWNED', text: 'it is owned by run l3/p9/1' }]);
});

it('it is left out if another run was quicker', async () => {
  const { p, world } = await sealedRows([0.5]);
  const other = 'l2/p9/9' as RunId;
  const get = world.panda.get.bind(world.panda);
  let isTaken = false;
  world.panda.get = async (key) => {
    const row = await get(key);
    if (key.partition.startsWith('volume/') && !isTaken) {
      isTaken = true;
      await takeRun(p.components, hex(0) as VolumeId, other);
    }
    return row;
  };
  expect(await leasePlanned(p.volumes, RUN, planned)).toEqual({
    volume: hex(0),
    reason: { code: 'VOLUME_OWNED', text: 'another run took it first' },
  });
});

it('what drains under a dead run is taken over, what drains under this one is its own; no other is touched', async () => {
  const { world, set } = await sealedRows([0.5, 0.5, 0.5, 0.5, 0.5, 0.5]);
  const p = world.start();
  const owners = ['l2/p0/1', RUN.replace('p0', p.components.owner), 'l2/parked/1', 'l2/alive/1'] as const;
  for (const [v, run] of owners.entries()) await set(v, { s: 'draining', r: run });
  await set(4, { r: 'l2/p0/1' });
  const dead = { ...p.volumes, components: { ...p.components, isOwnerGone: (owner: string) => owner === 'p0' } };
  const run = owners[1] as RunId;
  const ids = [0, 1, 2, 3, 4, 5, 9].map((n) => hex(n) as VolumeId);
  const adopted = await adoptVolumes(dead as never, run, ids);
  expect(adopted.map(({ id, run: of }) => [id, of])).toEqual([0, 1, 2].map((n) => [hex(n), run]));
  const runs: (string | undefined)[] = [];
  for (const id of ids) runs.push((await readVolume(world.panda, SMALL.cell, id))?.run);
  expect(runs).toEqual([run, run, run, 'l2/alive/1', 'l2/p0/1', undefined, undefined]);
  // Of two who take over one comes first.
  const transact = world.panda.transact.bind(world.panda);
  await set(5, { s: 'draining', r: 'l2/parked/2' });
  world.panda.transact = async (writes) => {
    world.panda.transact = transact;
    await set(5, { r: 'l2/alive/2' });
    return transact(writes);
  };
  expect(await adoptVolumes(dead as never, run, [hex(5) as VolumeId])).toEqual([]);
});
