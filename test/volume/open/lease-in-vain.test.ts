// Leases that are lost to others time and again: that has an end, which says to try later.
import { expect, it } from 'vitest';
import {
  CONFLICT_ATTEMPTS_MAX,
  LEASE_WAITS_MAX,
  OPEN_GROWTH_MAX,
  ZONE_CLAIM_ATTEMPTS_MAX,
} from '../../../lib/limits/volume.ts';
import { PandaConflict } from '../../../lib/panda/conflict.ts';
import { volumeKey } from '../../../lib/panda/rows/volume-row.ts';
import { createVolume } from '../../../lib/volume/open/create-volume.ts';
import { listVolumes } from '../../../lib/volume/rows/read-rows.ts';
import { TINY, World } from '../../store/harness.ts';

/** A store whose every transaction loses from now on, but for what `wins` lets through. */
function losing(world: World, wins: () => boolean = () => false) {
  const transact = world.panda.transact.bind(world.panda);
  let lost = 0;
  world.panda.transact = async (writes) => {
    if (wins()) return transact(writes);
    lost += 1;
    throw new PandaConflict([0]);
  };
  return { lost: () => lost };
}

/** One open volume, and how long whoever waits has waited. */
async function world() {
  const made = new World(41, { ...TINY, openVolumes: 1 });
  const p = made.start();
  const first = await p.volumes.open.lease('hot', 1_000);
  await first.release();
  const waited: number[] = [];
  const sleep = made.clock.sleep.bind(made.clock);
  made.clock.sleep = (ms) => {
    waited.push(ms);
    return sleep(ms);
  };
  return { made, p, id: first.volume.id, waited };
}

it('a lease that others always have first is given up: try later', async () => {
  const { made, p, waited } = await world();
  const { lost } = losing(made);
  await expect(p.volumes.open.lease('hot', 1_000)).rejects.toMatchObject({ kind: 'retry', code: 'VOLUMES_BUSY' });
  expect(waited).toHaveLength(LEASE_WAITS_MAX);
  expect(waited.slice(0, 6)).toEqual([20, 40, 80, 160, 320, 320]);
  expect(lost()).toBe(CONFLICT_ATTEMPTS_MAX + 1 + LEASE_WAITS_MAX);
});

it('so is one whose full volumes cannot be had to be sealed, with as many as there may be', async () => {
  const { made, p, waited } = await world();
  for (let i = 1; i < OPEN_GROWTH_MAX; i++) await createVolume(p.components, p.volumes.zones, 'hot');
  const volumes = await listVolumes(made.panda, TINY.cell);
  for (const { id } of volumes) {
    const set = { u: [TINY.extentBytes, TINY.extentBytes, TINY.extentBytes], n: 5 };
    await made.panda.transact([{ kind: 'update', ...volumeKey(TINY.cell, id), set }]);
  }
  made.clock.advance(6_000);
  const { lost } = losing(made);
  await expect(p.volumes.open.lease('hot', 1_000)).rejects.toMatchObject({ kind: 'retry', code: 'VOLUMES_BUSY' });
  expect(waited).toHaveLength(LEASE_WAITS_MAX);
  expect(lost()).toBe(CONFLICT_ATTEMPTS_MAX + 1 + LEASE_WAITS_MAX);
});

it('and a new volume whose zones others always take first', async () => {
  const made = new World(41, { ...TINY, openVolumes: 1 });
  const p = made.start();
  await p.volumes.open.rooms('hot'); // looks, and there are none
  const { lost } = losing(made);
  await expect(p.volumes.open.lease('hot', 1_000)).rejects.toMatchObject({ kind: 'retry', code: 'VOLUMES_BUSY' });
  expect(lost()).toBe(ZONE_CLAIM_ATTEMPTS_MAX + 1);
});

it('after as many as may happen by chance nobody has waited, and the lease is had', async () => {
  for (const losses of [CONFLICT_ATTEMPTS_MAX, CONFLICT_ATTEMPTS_MAX + 1]) {
    const { made, p, id, waited } = await world();
    const { lost } = losing(made, () => lost() >= losses);
    const lease = await p.volumes.open.lease('hot', 1_000);
    expect(lost()).toBe(losses);
    expect(waited).toHaveLength(losses - CONFLICT_ATTEMPTS_MAX);
    const volumes = await listVolumes(made.panda, TINY.cell);
    expect(volumes.find((volume) => volume.id === lease.volume.id)?.owner).toBe(p.components.owner);
    expect(volumes.some((volume) => volume.id === id)).toBe(true);
  }
});
