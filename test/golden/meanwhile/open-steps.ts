// Steps of open volumes, with what may happen meanwhile.

import { volumeKey } from '../../../lib/panda/rows/volume-row.ts';
import { createVolume } from '../../../lib/volume/open/create-volume.ts';
import { endLeases } from '../../../lib/volume/open/end-leases.ts';
import { finishPendingSeals } from '../../../lib/volume/open/pending-seals.ts';
import { appendGroup } from '../../../lib/volume/write/append.ts';
import { told } from '../told.ts';
import { BLOCKS, BUCKETS, OPEN, PENDING, SEALED, ZONES } from './changes.ts';
import type { Step } from './lines.ts';
import { encodedWorld, pendingSealWorld, recordsOf, STEPS, storeWith, volumeIn } from './world.ts';

/** A group was committed under a lease whose holder is dead, and nothing names its slots. */
async function withPendingGroup() {
  const world = await storeWith(2);
  const group = await appendGroup(world.start().volumes, recordsOf([300, 200]), 1);
  group.leave();
  return world;
}

/** An open volume of which so many bytes of each extent are used. */
async function filled(usedBytes: number) {
  const world = await storeWith(2);
  const { id, extents } = await volumeIn(world, 'open');
  const set = { u: extents.map(() => usedBytes) };
  await world.panda.transact([{ kind: 'update', ...volumeKey('c0', id), set }]);
  return world;
}

const free = ({ id, state, owner, token, nextSeq, extentUsedBytes }: Awaited<ReturnType<typeof volumeIn>>) =>
  [id, state, owner, token, nextSeq, extentUsedBytes] as const;

export const OPEN_STEPS: Readonly<Record<string, Step>> = {
  'a lease, given back and taken again': {
    prepare: () => storeWith(1),
    meanwhile: OPEN,
    act: async ({ volumes }) => {
      const first = await volumes.open.lease('hot', 2_000);
      await first.release();
      const second = await volumes.open.lease('hot', 2_000);
      await second.burn([5, 6]);
      return [free(first.volume), free(second.volume), second.seq];
    },
  },
  'a lease of a volume that is full, and of a new one': {
    prepare: () => filled(STEPS.extentBytes - 300),
    meanwhile: { ...OPEN, ...ZONES },
    act: async ({ volumes }) => {
      const lease = await volumes.open.lease('hot', 2_000);
      await lease.release();
      return free(lease.volume);
    },
  },
  'a lease of more than the open volume has room for': {
    prepare: () => filled(STEPS.extentBytes / 2),
    meanwhile: OPEN,
    act: async ({ volumes }) => {
      const lease = await volumes.open.lease('hot', STEPS.extentBytes - 3_000);
      await lease.release();
      return [free(lease.volume), await volumes.open.rooms('hot')];
    },
  },
  'a lease after a group that nobody settled': {
    prepare: withPendingGroup,
    meanwhile: { ...PENDING, ...BLOCKS },
    options: { othersDead: true },
    act: async ({ volumes }) => {
      const lease = await volumes.open.lease('hot', 2_000);
      await lease.release();
      return free(lease.volume);
    },
  },
  'open volumes that the dead left': {
    prepare: withPendingGroup,
    meanwhile: PENDING,
    options: { othersDead: true },
    act: ({ volumes }) => volumes.open.recoverIdle(),
  },
  'leases that are ended': {
    prepare: withPendingGroup,
    meanwhile: PENDING,
    act: ({ components }) => endLeases(components),
  },
  'hot volumes that are sealed': {
    prepare: () => storeWith(3),
    meanwhile: OPEN,
    act: ({ volumes }) => volumes.open.sealAll('hot'),
  },
  'warm volumes that are sealed': {
    prepare: () => encodedWorld(5, false),
    meanwhile: { ...OPEN, 'seal at its end': SEALED['seal at its end'], repaired: SEALED.repaired, ...BUCKETS },
    options: { othersDead: true },
    act: ({ volumes }) => volumes.open.sealAll('warm'),
  },
  'seals that are brought to their end': {
    prepare: pendingSealWorld,
    meanwhile: { ...SEALED, ...BUCKETS, 'group rows gone': PENDING['group rows gone'] },
    act: ({ volumes }) => finishPendingSeals(volumes),
  },
  'a new volume': {
    prepare: () => storeWith(1),
    meanwhile: { ...ZONES, gone: OPEN.gone },
    act: ({ components, volumes }) => told(() => createVolume(components, volumes.zones, 'warm')),
  },
};
