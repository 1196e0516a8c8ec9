// Repairs of what is missing, damaged or unevenly spread, with what may happen meanwhile.
import type { RunId } from '../../../lib/foundation/ids.ts';
import { driveAttributes, driveKey } from '../../../lib/panda/rows/drives/drive-row.ts';
import { balanceStore } from '../../../lib/volume/repair/balance-store.ts';
import { repairStore } from '../../../lib/volume/repair/repair-store.ts';
import { repairVolume } from '../../../lib/volume/repair/repair-volume.ts';
import { listDamage, noteDamage } from '../../../lib/volume/rows/damage.ts';
import { claimRepairWrites } from '../../../lib/volume/steps/repair-steps.ts';
import type { World } from '../../store/harness.ts';
import { flipped, type PlantedPlace, placesIn, replace } from '../../volume/planted.ts';
import { SEALED, ZONES } from './changes.ts';
import type { Step } from './lines.ts';
import { encodedWorld, pendingSealWorld, volumeIn } from './world.ts';

export const RUN = 'repair/p0/000000000001' as RunId;

/** Objects of the sealed volume, by which they are; each is gone or rotten, and noted. */
export async function damaged(
  world: World,
  which: readonly (readonly [isHit: (place: PlantedPlace) => boolean, kind: 'missing' | 'wrong'])[],
): Promise<World> {
  const volume = await volumeIn(world, 'sealed');
  const places = (await placesIn(world)).filter((place) => place.volume.id === volume.id);
  for (const [isHit, kind] of which)
    for (const place of places.filter(isHit)) {
      await replace(world, place, kind === 'missing' ? undefined : flipped(place.bytes, place.bytes.length - 9, 3));
      const { id, generation } = place.volume;
      const reason = kind === 'missing' ? 'CHUNK_MISSING' : 'CHUNK_MALFORMED';
      const { column, part } = place;
      const { components } = world.start({ othersDead: true });
      await noteDamage(components, place.volume, [{ volume: id, generation, column, part, kind, reason }]);
    }
  return world;
}

export const repair: Step['act'] = async ({ components, volumes }, world) => [
  await repairVolume(volumes, (await volumeIn(world, 'sealed')).id, RUN),
  (await listDamage(components)).map(({ column, part, kind }) => [column, part, kind]),
];

/** All drives but these two are given up for new extents. */
async function crowded(): Promise<World> {
  const world = await encodedWorld(5, true, 5);
  const { extents } = await volumeIn(world, 'sealed');
  const [a, b] = extents.map(({ drive }) => drive);
  await world.panda.transact(
    world.drives
      .map((_, drive) => drive)
      .filter((drive) => !extents.some((extent) => extent.drive === drive))
      .map((drive) => ({
        kind: 'put' as const,
        ...driveKey(drive),
        attributes: driveAttributes({
          state: 'active',
          change: 1,
          sinceMs: 0,
          domain: drive % 2 === 0 ? `${a}` : `${b}`,
        }),
      })),
  );
  return world;
}

/** A repair died that had claimed a place for a column which is not to be moved any more. */
async function abandoned(): Promise<World> {
  const world = await encodedWorld(4);
  const volume = await volumeIn(world, 'sealed');
  const p = world.start({ othersDead: true });
  const claim = await p.volumes.zones.claim(volume.id, 1, { keeps: volume.extents.map(({ drive }) => drive) });
  const extents = new Map(claim.extents.map((extent) => [1, extent]));
  const writes = claimRepairWrites('c0', RUN, volume, extents, claim.writes);
  const key = world.panda.snapshot().find(({ sort }) => sort === volume.id) ?? { partition: '', sort: '' };
  const take = { partition: key.partition, sort: key.sort, kind: 'update' } as const;
  await world.panda.transact([{ ...take, set: { r: RUN, s: 'draining' } }]);
  await world.panda.transact(writes);
  await world.panda.transact([{ ...take, set: { s: 'sealed' }, remove: ['r'] }]);
  return world;
}

export const isChunk = ({ part }: PlantedPlace): boolean => typeof part === 'number';
const MEANWHILE = { flipped: SEALED.flipped, repaired: SEALED.repaired, 'taken over': SEALED['taken over'], ...ZONES };

export const REPAIR_STEPS: Readonly<Record<string, Step>> = {
  'a repair of chunks that are missing': {
    prepare: async () => damaged(await encodedWorld(4), [[(one) => isChunk(one) && one.column === 1, 'missing']]),
    meanwhile: MEANWHILE,
    act: repair,
  },
  'a repair of a column that is rotten': {
    prepare: async () => damaged(await encodedWorld(4), [[(one) => isChunk(one) && one.column === 0, 'wrong']]),
    meanwhile: MEANWHILE,
    act: repair,
  },
  'a repair of directories that are missing, or rotten, and of a parity chunk': {
    prepare: async () =>
      damaged(await encodedWorld(4), [
        [({ part, column }) => part === 'pack' && column === 1, 'missing'],
        [({ part, column }) => part === 'pack' && column === 0, 'wrong'],
        [(one) => isChunk(one) && one.column === 2, 'missing'],
      ]),
    meanwhile: MEANWHILE,
    act: repair,
  },
  'a repair of more than can be made again': {
    prepare: async () =>
      damaged(await encodedWorld(4), [
        [(one) => isChunk(one) && one.column === 1, 'missing'],
        [(one) => isChunk(one) && one.column === 2, 'missing'],
      ]),
    meanwhile: { flipped: SEALED.flipped, repaired: SEALED.repaired },
    act: repair,
  },
  'a repair of a volume whose seal is pending': {
    prepare: async () => damaged(await pendingSealWorld(), [[(one) => isChunk(one) && one.column === 1, 'wrong']]),
    meanwhile: { 'seal at its end': SEALED['seal at its end'], ...MEANWHILE },
    act: repair,
  },
  'a repair that nobody wants any more': {
    prepare: abandoned,
    meanwhile: MEANWHILE,
    act: repair,
  },
  'a pass of repairs over a store': {
    prepare: abandoned,
    meanwhile: { 'taken by a run': SEALED['taken by a run'], gone: SEALED.gone },
    act: ({ volumes }) => repairStore(volumes, { ignoreGrace: true, bytesMax: 10_000 }),
  },
  'drives that are balanced': {
    prepare: crowded,
    meanwhile: { 'taken by a run': SEALED['taken by a run'], repaired: SEALED.repaired },
    act: ({ volumes }) => balanceStore(volumes, { ignoreGrace: true }),
  },
};
