// Repairs that go on where others stopped, from what was replaced, or to a given drive; and passes over a store, cut off here or there.
import { scriptedPlan } from '../../../lib/foundation/faults.ts';
import { discardAttributes, discardKey } from '../../../lib/panda/rows/drives/discard-row.ts';
import { zoneAttributes, zoneKey } from '../../../lib/panda/rows/zone-row.ts';
import { balanceStore } from '../../../lib/volume/repair/balance-store.ts';
import { type RepairOptions, repairStore } from '../../../lib/volume/repair/repair-store.ts';
import { type ColumnMove, repairVolume } from '../../../lib/volume/repair/repair-volume.ts';
import { listVolumes } from '../../../lib/volume/rows/read-rows.ts';
import type { Process, World } from '../../store/harness.ts';
import { placesIn } from '../../volume/planted.ts';
import { told } from '../told.ts';
import { SEALED, ZONES } from './changes.ts';
import type { Step } from './lines.ts';
import { damaged, isChunk, RUN, repair } from './repair-steps.ts';
import { encodedMore, encodedWorld, marked, volumeIn } from './world.ts';

/** A repair of a column of a lost drive that could not go on after so many objects. */
async function interrupted(objects: number): Promise<World> {
  const world = await encodedWorld(6);
  const { id, extents } = await volumeIn(world, 'sealed');
  await marked(world, extents[1]?.drive ?? 0, 'lost');
  let appended = 0;
  const plan = scriptedPlan(({ port, operation }) =>
    port === 'drive' && operation === 'append' && ++appended > objects ? 'before-error' : 'none',
  );
  await told(() => repairVolume(world.start({ plan }).volumes, id, RUN));
  if ((await volumeIn(world, 'sealed')).repair === undefined) throw new Error('it came to its end');
  return world;
}

/** More is missing than can be made again; what a repair has replaced still has what one of the columns misses. */
async function withReplaced(isSound: boolean): Promise<World> {
  const world = await encodedWorld(4);
  const volume = await volumeIn(world, 'sealed');
  const places = (await placesIn(world)).filter((place) => place.volume.id === volume.id && place.column === 1);
  const extent = { drive: 5, zone: 60, zoneGeneration: 2 };
  for (const { name, bytes } of places) {
    const copy = bytes.slice();
    if (!isSound) copy[copy.length - 9] = 99;
    await world.drives[5]?.append({ zone: 60, generation: 2 }, name, [copy]);
  }
  const row = { ...extent, volume: volume.id, column: 1, sinceMs: 0 };
  const used = zoneAttributes({ generation: 2, state: 'used', volume: volume.id });
  await world.panda.transact([
    { kind: 'put', ...zoneKey(5, 60), attributes: used },
    { kind: 'put', ...discardKey(extent), attributes: discardAttributes(row) },
  ]);
  return damaged(world, [
    [(one) => isChunk(one) && one.column === 1, 'missing'],
    [(one) => isChunk(one) && one.column === 2, 'missing'],
    [({ part, column }) => part === 'pack' && column === 1, 'missing'],
  ]);
}

/** To the first drive that has none of the volume; `wrong`: as if the column lay elsewhere. */
const moved =
  (column: number, isWrong = false): Step['act'] =>
  async ({ volumes }, world) => {
    const { id, extents } = await volumeIn(world, 'sealed');
    const taken = extents.map(({ drive }) => drive);
    const to = world.drives.findIndex((_, drive) => !taken.includes(drive as (typeof taken)[number]));
    const move: ColumnMove = { column, from: isWrong ? to : (taken[column] ?? 0), to };
    const had = new Map<number, number>();
    return [await repairVolume(volumes, id, RUN, { move, had }), [...had]];
  };

/** Two volumes with a column each on a drive that is lost. */
async function withMuchToRepair(): Promise<World> {
  const world = await encodedMore(await encodedWorld(4));
  const sealed = (await listVolumes(world.panda, 'c0')).filter(({ state }) => state === 'sealed');
  const isIn = (drive: number) => sealed.every(({ extents }) => extents.some((extent) => extent.drive === drive));
  return marked(
    world,
    world.drives.findIndex((_, drive) => isIn(drive)),
    'lost',
  );
}

/** What a pass tells on its way, and in the end. */
const pass =
  (options: (stop: () => void) => RepairOptions): Step['act'] =>
  async ({ volumes }: Process) => {
    const controller = new AbortController();
    const heard: unknown[] = [];
    const stop = (): void => controller.abort(new Error('stopped'));
    const own = options(stop);
    const report = await told(() =>
      repairStore(volumes, {
        ignoreGrace: true,
        signal: controller.signal,
        ...own,
        onPlan: (plan) => heard.push(plan.repairs.length, plan.bytes, plan.open, plan.abandoned),
        onBytes: (bytes) => {
          heard.push(bytes);
          own.onBytes?.(bytes);
        },
        onVolume: (repaired) => {
          heard.push(repaired);
          own.onVolume?.(repaired);
        },
      }),
    );
    return [report, heard];
  };

/** All volumes lie on four drives; the others have come since. */
async function uneven(): Promise<World> {
  const world = await encodedWorld(0, false);
  for (const drive of [4, 5]) await marked(world, drive, 'draining');
  for (const seed of [1, 2, 3]) await encodedMore(world, seed);
  for (const drive of [4, 5]) await marked(world, drive, 'active', 3);
  return world;
}

const RUNS = { 'taken by a run': SEALED['taken by a run'], repaired: SEALED.repaired, gone: SEALED.gone };
const MEANWHILE = { ...SEALED, ...ZONES };

export const RESUMED_STEPS: Readonly<Record<string, Step>> = {
  'a repair that goes on where another one stopped': {
    prepare: () => interrupted(1),
    meanwhile: MEANWHILE,
    act: repair,
  },
  'a repair whose new place is on a drive that is lost by now': {
    prepare: async () => {
      const world = await interrupted(1);
      const { repair: claimed } = await volumeIn(world, 'sealed');
      const [extent] = claimed?.extents.values() ?? [];
      return marked(world, extent?.drive ?? 0, 'lost');
    },
    meanwhile: { 'taken over': SEALED['taken over'], gone: SEALED.gone },
    act: repair,
  },
  'a repair whose new place holds something else': {
    prepare: async () => {
      const world = await interrupted(0);
      const { repair: claimed } = await volumeIn(world, 'sealed');
      const [extent] = claimed?.extents.values() ?? [];
      if (extent === undefined) throw new Error('nothing was claimed');
      const at = { zone: extent.zone, generation: extent.zoneGeneration };
      for (const name of ['1-1', '1-2', '2-2', '2-3', 'pack'])
        await world.drives[extent.drive]?.append(at, name, [new Uint8Array(40)]);
      return world;
    },
    meanwhile: { 'taken over': SEALED['taken over'], repaired: SEALED.repaired },
    act: async ({ volumes }, world) => {
      const { id } = await volumeIn(world, 'sealed');
      const once = () => told(() => repairVolume(volumes, id, RUN));
      return [await once(), await once()];
    },
  },
  'a repair from what was replaced': {
    prepare: () => withReplaced(true),
    meanwhile: { repaired: SEALED.repaired, flipped: SEALED.flipped },
    act: repair,
  },
  'a repair from what was replaced and is rotten': {
    prepare: () => withReplaced(false),
    meanwhile: { repaired: SEALED.repaired },
    act: repair,
  },
  'a column that is moved to a drive': {
    prepare: () => encodedWorld(4),
    meanwhile: MEANWHILE,
    act: moved(1),
  },
  'a column that is not where it is to be moved from': {
    prepare: () => encodedWorld(4),
    meanwhile: {},
    act: moved(1, true),
  },
  'a column that is not to be moved, as another one misses something': {
    prepare: async () => damaged(await encodedWorld(4), [[(one) => isChunk(one) && one.column === 2, 'missing']]),
    meanwhile: {},
    act: moved(1),
  },
  'a column that misses something nobody has noted, and is not moved': {
    prepare: async () => {
      const world = await encodedWorld(4);
      const hit = [
        [(one: { column: number; part: unknown }) => typeof one.part === 'number' && one.column > 0, 'missing'],
      ];
      await damaged(world, hit as unknown as Parameters<typeof damaged>[1]);
      await world.panda.transact(
        world.panda
          .snapshot()
          .filter(({ partition }) => partition.startsWith('damage'))
          .map(({ partition, sort }) => ({ kind: 'delete', partition, sort })),
      );
      return world;
    },
    meanwhile: {},
    act: moved(1),
  },
  'a pass of repairs over several volumes': {
    prepare: withMuchToRepair,
    meanwhile: RUNS,
    act: pass(() => ({})),
  },
  'a pass of repairs whose budget is spent': {
    prepare: withMuchToRepair,
    meanwhile: {},
    act: pass(() => ({ bytesMax: 1 })),
  },
  'a pass of repairs that is stopped in a volume': {
    prepare: withMuchToRepair,
    meanwhile: {},
    act: pass((stop) => ({ onBytes: stop })),
  },
  'a pass of repairs that is stopped behind a volume': {
    prepare: withMuchToRepair,
    meanwhile: {},
    act: pass((stop) => ({ onVolume: stop, ignoreGrace: false })),
  },
  'drives that are uneven': {
    prepare: uneven,
    meanwhile: RUNS,
    act: async ({ volumes }) => {
      const heard: unknown[] = [];
      const options = { onPlan: (plan: unknown) => heard.push(plan), onBytes: (bytes: number) => heard.push(bytes) };
      return [await balanceStore(volumes, { ...options, ignoreGrace: true }), heard, await balanceStore(volumes)];
    },
  },
  'drives that are uneven, with a budget': {
    prepare: uneven,
    meanwhile: {},
    act: ({ volumes }) => balanceStore(volumes, { bytesMax: 1 }),
  },
};
