// The pools of open volumes, with what may happen meanwhile: leases beside others, of several volumes, in lanes, on drives that are away.
import { driveBusy } from '../../../lib/drive/errors.ts';
import type { Lane } from '../../../lib/foundation/lane.ts';
import { VOLUME_BUCKETS_MAX } from '../../../lib/limits/panda.ts';
import { LEASE_MS } from '../../../lib/limits/volume.ts';
import type { VolumeRow } from '../../../lib/panda/rows/volume-row.ts';
import { listVolumes } from '../../../lib/volume/rows/read-rows.ts';
import type { Process, World } from '../../store/harness.ts';
import { told } from '../told.ts';
import { OPEN, ZONES } from './changes.ts';
import type { Step } from './lines.ts';
import { encodedWorld, storeWith, volumeIn } from './world.ts';

const bodyOf = (n: number): Uint8Array => Uint8Array.from({ length: 100 * n }, (_, i) => (i * n) % 251);

const put = ({ frontend }: Process, n: number): Promise<unknown> =>
  frontend.put({ namespace: 'default', key: `kept/${n}`, body: bodyOf(n) });

const short = ({ id, class: cls, lane, owner, token, nextSeq }: VolumeRow): readonly unknown[] => [
  id,
  cls,
  lane,
  owner,
  token,
  nextSeq,
];

/** Others are at so many volumes, and alive. */
async function heldByOthers(count: number): Promise<World> {
  const world = await storeWith(1);
  for (let i = 0; i < count; i++) await world.start().volumes.open.lease('hot', 2_000);
  return world;
}

const leased = async ({ volumes }: Process): Promise<unknown> =>
  told(async () => {
    const lease = await volumes.open.lease('hot', 2_000);
    await lease.release();
    return short(lease.volume);
  });

export const POOL_STEPS: Readonly<Record<string, Step>> = {
  'leases that go on from one put to the next': {
    prepare: () => storeWith(1),
    meanwhile: OPEN,
    act: async (p) => {
      p.volumes.open.keepLeases(500);
      for (const n of [1, 2, 3]) await put(p, n);
      return p.volumes.open.giveLeasesBack();
    },
  },
  'a lease for which this process waits for itself': {
    prepare: () => storeWith(1),
    meanwhile: OPEN,
    act: async ({ volumes }) => {
      const first = await volumes.open.lease('hot', 2_000);
      const second = volumes.open.lease('hot', 2_000);
      const third = volumes.open.lease('warm', 2_000);
      await first.release();
      const ends = await Promise.allSettled([second, third].map(async (lease) => (await lease).burn([1])));
      const told = await Promise.allSettled([second, third]);
      return [
        short(first.volume),
        ends.map(({ status }) => status),
        told.map((one) => (one.status === 'fulfilled' ? short(one.value.volume) : String(one.reason))),
      ];
    },
  },
  'a lease beside another process': {
    prepare: () => heldByOthers(1),
    meanwhile: { 'given back': OPEN['given back'], sealed: OPEN.sealed, gone: OPEN.gone, ...ZONES },
    act: leased,
  },
  'a lease beside more processes than there may be volumes': {
    prepare: () => heldByOthers(4),
    meanwhile: {},
    act: leased,
  },
  'a lease of a volume whose holder is late': {
    prepare: () => heldByOthers(2),
    meanwhile: { leased: OPEN.leased },
    act: async (p, world) => {
      world.clock.advance(LEASE_MS - 1);
      const before = await p.volumes.open.rooms('hot');
      world.clock.advance(1);
      return [before, await p.volumes.open.rooms('hot'), await leased(p)];
    },
  },
  'a lease of an open volume on a drive that is away': {
    prepare: () => storeWith(3),
    meanwhile: OPEN,
    act: async (p, world) => {
      const [extent] = (await volumeIn(world, 'open')).extents;
      p.volumes.health.failed(extent?.drive ?? 0, driveBusy('a drive', 'away'));
      return [await p.volumes.open.rooms('hot'), await leased(p), await p.volumes.open.recoverIdle()];
    },
  },
  'open volumes of which some are sealed': {
    prepare: async () => {
      const world = await encodedWorld(3, false);
      const { open } = world.start().volumes;
      await (await open.lease('hot', 2_000, 1, 7 as Lane)).burn([9]);
      await (await open.lease('hot', 2_000, 1)).burn([9]);
      return world;
    },
    meanwhile: OPEN,
    act: async ({ volumes, components }) => {
      const known = (await listVolumes(components.panda, 'c0')).filter(({ state }) => state === 'open');
      const others = new Set(known.filter(({ lane }) => lane === 7).map(({ id }) => id));
      return [
        known.map(short),
        await volumes.open.sealAll('hot', new Set()),
        await volumes.open.sealAll('hot', others),
        await volumes.open.rooms('hot', 7 as Lane),
        await volumes.open.sealAll('hot'),
        await volumes.open.sealAll('hot'),
      ];
    },
  },
  'a lease of more buckets than the open volume takes': {
    prepare: () => encodedWorld(3, false),
    meanwhile: OPEN,
    act: async ({ volumes }) => {
      const [room] = await volumes.open.rooms('warm');
      const fits = await volumes.open.lease('warm', 2_000, room?.buckets);
      await fits.release();
      const lease = await volumes.open.lease('warm', 2_000, VOLUME_BUCKETS_MAX);
      await lease.release();
      return [room, short(fits.volume), short(lease.volume)];
    },
  },
};
