// Steps of runs, flips, repairs and frees, with what may happen meanwhile.
import type { RunId } from '../../../lib/foundation/ids.ts';
import { discardAttributes, discardKey } from '../../../lib/panda/rows/drives/discard-row.ts';
import type { DriveState } from '../../../lib/panda/rows/drives/drive-row.ts';
import { storeAttributes, storeKey } from '../../../lib/panda/rows/store-row.ts';
import { zoneAttributes, zoneKey } from '../../../lib/panda/rows/zone-row.ts';
import { giveUpLostZones } from '../../../lib/volume/behind/lost-zones.ts';
import { lookAtDrives } from '../../../lib/volume/behind/newer-chunks.ts';
import { raiseAboveDrives } from '../../../lib/volume/behind/raise-above-drives.ts';
import { sweepStrays } from '../../../lib/volume/behind/sweep.ts';
import { freeDiscards } from '../../../lib/volume/repair/discards.ts';
import { repairVolume } from '../../../lib/volume/repair/repair-volume.ts';
import { finishReturned, hasUnfinishedReturn } from '../../../lib/volume/repair/returned.ts';
import { listVolumes, readBucket } from '../../../lib/volume/rows/read-rows.ts';
import { DrainingSources, endSource } from '../../../lib/volume/runs/drain-source.ts';
import { claimNext, commitArrivals, dropNext, NextExtents } from '../../../lib/volume/runs/flip.ts';
import { freeTrash } from '../../../lib/volume/runs/free.ts';
import { adoptRun, releaseRun, retireVolume, takeRun } from '../../../lib/volume/runs/runs.ts';
import type { ArrivingBucket } from '../../../lib/volume/steps/flip-steps.ts';
import type { World } from '../../store/harness.ts';
import { told } from '../told.ts';
import { BUCKETS, OPEN, SEALED, TRASH, ZONES } from './changes.ts';
import type { Step } from './lines.ts';
import { contentsOf, encodedMore, encodedWorld, marked, storeWith, thinned, volumeIn, withStrays } from './world.ts';

const [RUN, HEIR] = ['l1/p0/000000000001', 'l1/p1/000000000002'] as [RunId, RunId];

/** A sealed volume on a drive that is being emptied, or lost. */
async function onDrive(state: DriveState): Promise<World> {
  const world = await encodedWorld(4);
  const { extents } = await volumeIn(world, 'sealed');
  return marked(world, extents[1]?.drive ?? 0, state);
}

async function draining(isThin = false): Promise<World> {
  const world = isThin ? await thinned(await encodedWorld(4)) : await encodedWorld(4);
  await takeRun(world.start({ othersDead: true }).components, (await volumeIn(world, 'sealed')).id, RUN);
  return world;
}

/** A sealed volume of which nothing is left, by its rows. */
async function emptied(): Promise<World> {
  const world = await draining();
  await world.panda.transact(BUCKETS['buckets dead'](world.panda.snapshot()));
  return world;
}

/** What a flip has left: the extents that a volume had are in trash. */
async function flippedWorld(): Promise<World> {
  const world = await draining();
  const p = world.start({ othersDead: true });
  await flip(p, world);
  await releaseRun(p.components, (await volumeIn(world, 'draining')).id, RUN);
  return world;
}

async function flip(p: ReturnType<World['start']>, world: World): Promise<unknown> {
  const host = await volumeIn(world, 'draining');
  const claimed = await claimNext(p.volumes, RUN, host);
  if (claimed === undefined) return 'not claimed';
  const next = new NextExtents(p.volumes, RUN, claimed);
  const contents = await contentsOf(p, world, host);
  const seqs: number[] = [];
  for (const content of contents) if (next.fits([content])) seqs.push(await next.add([content]));
  const { storedBytes, generation, extents, token } = next;
  return [
    seqs,
    storedBytes,
    generation,
    extents,
    token,
    await told(() => next.writeDirectories()),
    await next.flip(claimed),
  ];
}

/** An extent that a repair has replaced, and that the rows say no more about. */
async function withDiscards(world: World): Promise<World> {
  const volume = await volumeIn(world, 'sealed');
  for (const [column, drive] of [0, 5].entries()) {
    const extent = { drive, zone: 40 + column, zoneGeneration: 2 };
    const used = zoneAttributes({ generation: 2, state: 'used', volume: volume.id });
    await world.panda.transact([
      { kind: 'put', ...zoneKey(drive, extent.zone), attributes: used },
      {
        kind: 'put',
        ...discardKey(extent),
        attributes: discardAttributes({ ...extent, volume: volume.id, column, sinceMs: 0 }),
      },
    ]);
    await world.drives[drive]?.append({ zone: extent.zone, generation: 2 }, '1-1', [new Uint8Array(9)]);
  }
  return world;
}

export const RUN_STEPS: Readonly<Record<string, Step>> = {
  'a run that is taken, handed on and given back': {
    prepare: () => encodedWorld(4),
    meanwhile: SEALED,
    act: async ({ components }, world) => {
      const { id } = await volumeIn(world, 'sealed');
      const taken = await takeRun(components, id, RUN);
      const adopted = await adoptRun(components, id, RUN, HEIR);
      return [taken?.run, adopted?.run, (await releaseRun(components, id, HEIR))?.state];
    },
  },
  'a source that is read to its end': {
    prepare: () => draining(true),
    meanwhile: { ...SEALED, ...BUCKETS },
    act: async (p, world) => {
      const sources = new DrainingSources(p.volumes, RUN);
      const fed: unknown[] = [];
      await sources.feed(await volumeIn(world, 'draining'), async ({ bucket, records }) => {
        fed.push([bucket.id, records.map(({ slot }) => slot)]);
      });
      await sources.end();
      return [fed, sources.retired];
    },
  },
  'a source whose last records have died': {
    prepare: emptied,
    meanwhile: { ...SEALED, ...BUCKETS },
    act: async ({ volumes }, world) => endSource(volumes, await volumeIn(world, 'draining'), RUN),
  },
  'a volume that is retired': {
    prepare: async () => {
      const world = await emptied();
      const { id } = await volumeIn(world, 'draining');
      const { partition } = world.panda.snapshot().find(({ sort }) => sort === id) ?? { partition: '' };
      await world.panda.transact([{ kind: 'update', partition, sort: id, remove: ['b'] }]);
      return world;
    },
    meanwhile: SEALED,
    act: async ({ components }, world) => retireVolume(components, await volumeIn(world, 'draining'), RUN),
  },
  'a flip': { prepare: draining, meanwhile: { ...SEALED, ...ZONES }, act: flip },
  'a flip that is given up': {
    prepare: draining,
    meanwhile: SEALED,
    act: async (p, world) => {
      const claimed = await claimNext(p.volumes, RUN, await volumeIn(world, 'draining'));
      return claimed === undefined ? 'not claimed' : (await dropNext(p.volumes, RUN, claimed))?.state;
    },
  },
  'buckets that arrive by a flip': {
    prepare: async () => {
      const world = await encodedMore(await draining());
      await takeRun(world.start({ othersDead: true }).components, (await volumeIn(world, 'sealed')).id, RUN);
      return world;
    },
    meanwhile: { ...SEALED, ...BUCKETS },
    act: async ({ volumes }, world) => {
      const [host, source] = (await listVolumes(world.panda, 'c0')).filter(({ state }) => state === 'draining');
      if (host === undefined || source === undefined) throw new Error('two volumes are drained');
      const arriving: ArrivingBucket[] = [];
      for (const [seq, id] of [...source.buckets].entries()) {
        const bucket = await readBucket(world.panda, 'c0', id);
        if (bucket !== undefined) arriving.push({ bucket: id, source: source.id, move: bucket.move, seq: seq + 1 });
      }
      return commitArrivals(volumes, RUN, host, arriving);
    },
  },
  'trash that is freed': {
    prepare: flippedWorld,
    meanwhile: { ...TRASH, ...BUCKETS, 'zones gone on': ZONES['zones gone on'] },
    act: async ({ volumes }) => [await freeTrash(volumes), await freeTrash(volumes)],
  },
  'a repair of a column on a drive that is being emptied': {
    prepare: () => onDrive('draining'),
    meanwhile: { ...SEALED, ...ZONES },
    act: async ({ volumes }, world) => repairVolume(volumes, (await volumeIn(world, 'sealed')).id, RUN),
  },
  'a repair of a column on a drive that is lost': {
    prepare: () => onDrive('lost'),
    meanwhile: { flipped: SEALED.flipped, ...BUCKETS },
    act: async ({ volumes }, world) => repairVolume(volumes, (await volumeIn(world, 'sealed')).id, RUN),
  },
  'extents that were replaced and are erased': {
    prepare: async () => withDiscards(await encodedWorld(4)),
    meanwhile: { ...SEALED, 'zones gone on': ZONES['zones gone on'] },
    act: async ({ volumes }) => [await freeDiscards(volumes), await freeDiscards(volumes)],
  },
  'extents that were replaced, on a drive that is gone': {
    prepare: async () => marked(await withDiscards(await encodedWorld(4)), 5, 'retired'),
    meanwhile: { gone: SEALED.gone, 'zones gone on': ZONES['zones gone on'] },
    act: async ({ volumes }) => [await freeDiscards(volumes, { ignoreGrace: true }), await freeDiscards(volumes)],
  },
  'zones of a drive that is back': {
    prepare: withStrays,
    meanwhile: { 'zones gone on': ZONES['zones gone on'], gone: SEALED.gone },
    act: async ({ volumes }) => [
      await hasUnfinishedReturn(volumes),
      await finishReturned(volumes, 2),
      await finishReturned(volumes, 1),
      await hasUnfinishedReturn(volumes),
    ],
  },
  'zones that belong to nobody': {
    prepare: withStrays,
    meanwhile: ZONES,
    act: ({ components }) => giveUpLostZones(components),
  },
  'what drives hold, looked at and swept': {
    prepare: withStrays,
    meanwhile: ZONES,
    act: async ({ components, volumes }) => [await lookAtDrives(components), await told(() => sweepStrays(volumes))],
  },
  'rows that are raised above what drives hold': {
    prepare: async () => {
      const world = await withStrays();
      const { components } = world.start({ othersDead: true });
      const { storeId, settings } = components;
      const row = { storeId, settings, drives: [], createdAtMs: 0 };
      await world.panda.transact([{ kind: 'put', ...storeKey, attributes: storeAttributes(row) }]);
      return world;
    },
    meanwhile: { ...OPEN, 'zones gone on': ZONES['zones gone on'] },
    act: ({ components }) => raiseAboveDrives(components, 3),
  },
  'a look at drives of a store that is being written': {
    prepare: () => storeWith(3),
    meanwhile: { leased: OPEN.leased, gone: OPEN.gone },
    act: async ({ components, volumes }) => {
      const lease = await volumes.open.lease('hot', 2_000);
      return [await lookAtDrives(components), lease.token];
    },
  },
};
