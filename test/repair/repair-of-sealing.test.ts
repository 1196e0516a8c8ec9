// REPAIR of a volume whose seal is pending, while somebody else brings the seal to its end: the directories belong to the column that is made again,
// and the rows by which its groups were found are gone.
import { beforeAll, describe, expect, it } from 'vitest';
import { FaultyDrive } from '../../lib/drive/faulty-drive.ts';
import { encodeHot } from '../../lib/live-coder/encode-hot.ts';
import type { DamageRow } from '../../lib/panda/rows/damage-row.ts';
import { groupPartition } from '../../lib/panda/rows/group-row.ts';
import type { VolumeRow } from '../../lib/panda/rows/volume-row.ts';
import { settingsOf } from '../../lib/settings/settings.ts';
import { Findings } from '../../lib/verify/findings.ts';
import { scrub } from '../../lib/verify/scrub.ts';
import { lookAtVolume } from '../../lib/volume/check/look.ts';
import { finishSeal } from '../../lib/volume/open/seal.ts';
import { planRepair } from '../../lib/volume/repair/repair-store.ts';
import { repairVolume } from '../../lib/volume/repair/repair-volume.ts';
import { listDamage, noteDamage } from '../../lib/volume/rows/damage.ts';
import { listVolumes } from '../../lib/volume/rows/read-rows.ts';
import { newRunId } from '../../lib/volume/runs/runs.ts';
import { VolumeStore } from '../../lib/volume/volume-store.ts';
import type { World } from '../store/harness.ts';
import { expectSound } from '../store/recount.ts';
import { expectUndamaged } from '../store/undamaged.ts';
import { LOOKED_AT, placesIn, plantedWorld, replace } from '../volume/planted.ts';
import { afterFirstWrite, mark } from './drives.ts';
import { packlessDrive } from './packless-drive.ts';

const DIRECTORY_COLUMN = 1;
const settings = settingsOf('demo', { ...LOOKED_AT, trashGraceMs: 0, warmCodec: 'xor-2-1' });
let made: World;

/** A warm volume that is sealed, and no column of which took its directories. */
beforeAll(async () => {
  made = await plantedWorld(31, settings, 6);
  const { components } = made.start({ othersDead: true });
  const drives = made.drives.map(packlessDrive);
  const volumes = new VolumeStore({ ...components, drives });
  await volumes.open.sealAll('hot');
  await encodeHot(volumes, { force: true, flush: true });
  await volumes.open.sealAll('warm');
});

const pendingIn = async (world: World): Promise<VolumeRow> => {
  const found = (await listVolumes(world.panda, 'c0')).find(({ directoriesPending }) => directoriesPending);
  if (found === undefined) throw new Error('no seal is pending');
  return found;
};

/** A store whose drives stop at the first call of that kind until the seal was finished by another process. */
function meanwhileSealed(world: World, call: 'append' | 'list' | 'read', volume: VolumeRow) {
  const { components } = world.start({ othersDead: true });
  const meanwhile = { isSealed: false };
  const drives = world.drives.map((drive) => {
    const slow = new FaultyDrive(drive);
    const inner = slow[call].bind(slow) as (...args: unknown[]) => Promise<never>;
    slow[call] = async (...args: unknown[]): Promise<never> => {
      if (!meanwhile.isSealed) {
        meanwhile.isSealed = true;
        await finishSeal(world.start().volumes, volume);
      }
      return inner(...args);
    };
    return slow;
  });
  return { meanwhile, store: new VolumeStore({ ...components, drives }) };
}

/** Nothing is to be made of the volume, nor found wrong anywhere; others may lie on the drive that is emptied, too. */
async function expectWhole(world: World, { id }: VolumeRow): Promise<void> {
  const { volumes } = world.start({ othersDead: true });
  const findings = new Findings();
  await scrub(volumes, { findings, away: new Set(), allSinceMs: world.clock.nowMs() });
  expect(findings.list).toEqual([]);
  expect((await planRepair(volumes)).repairs.filter(({ volume }) => volume.id === id)).toEqual([]);
  await expectUndamaged(world.start());
  await expectSound(world.start());
}

describe('a seal that ends while a column is made again', () => {
  it.each(['list', 'read', 'append'] as const)(
    'elsewhere, at the first %s: its directories are there too',
    async (call) => {
      const world = made.clone();
      const volume = await pendingIn(world);
      await mark(world, volume.extents[DIRECTORY_COLUMN]?.drive ?? -1, 'draining');
      const { store, meanwhile } = meanwhileSealed(world, call, volume);
      const repaired = await repairVolume(store, volume.id, newRunId(store.components, 'repair'));
      expect(meanwhile.isSealed).toBe(true);
      expect(repaired).toMatchObject({ columns: [DIRECTORY_COLUMN], left: [] });
      expect(repaired.skipped).toBeUndefined();
      await expectWhole(world, volume);
    },
  );

  it('where it was: what was noted is not forgotten unless it was made', async () => {
    const world = made.clone();
    const volume = await pendingIn(world);
    const gone = (await placesIn(world)).find((place) => place.volume.id === volume.id && place.column === 0);
    if (gone === undefined || typeof gone.part !== 'number') throw new Error('it has a chunk there');
    await replace(world, gone, undefined);
    const { id, generation } = volume;
    const damage: DamageRow = {
      volume: id,
      generation,
      column: 0,
      part: gone.part,
      kind: 'missing',
      reason: 'CHUNK_MISSING',
    } as DamageRow;
    await noteDamage(world.start().components, volume, [damage]);
    // Its group rows are gone before they are listed.
    const { components } = world.start({ othersDead: true });
    const meanwhile = { isSealed: false };
    const panda = new Proxy(components.panda, {
      get: (inner, name) => {
        if (name !== 'query') return Reflect.get(inner, name).bind?.(inner) ?? Reflect.get(inner, name);
        return async (...args: Parameters<typeof inner.query>) => {
          if (args[0] === groupPartition(id, generation) && !meanwhile.isSealed) {
            meanwhile.isSealed = true;
            await finishSeal(world.start().volumes, volume);
          }
          return inner.query(...args);
        };
      },
    });
    const store = new VolumeStore({ ...components, panda });
    await repairVolume(store, volume.id, newRunId(store.components, 'repair'));
    expect(meanwhile.isSealed).toBe(true);
    expect(await listDamage(store.components)).toEqual([]);
    await expectWhole(world, volume);
  });
});

describe('a seal that is under way while a column is made again', () => {
  it('ends with the directories on the column that was made', async () => {
    const world = made.clone();
    const volume = await pendingIn(world);
    await mark(world, volume.extents[DIRECTORY_COLUMN]?.drive ?? -1, 'draining');
    const { components } = world.start({ othersDead: true });
    let isRepaired = false;
    const drives = afterFirstWrite(world, async () => {
      isRepaired = true;
      const repairer = world.start().volumes;
      await repairVolume(repairer, volume.id, newRunId(repairer.components, 'repair'));
    });
    await finishSeal(new VolumeStore({ ...components, drives }), volume);
    expect(isRepaired).toBe(true);
    expect((await listVolumes(world.panda, 'c0')).some(({ directoriesPending }) => directoriesPending)).toBe(false);
    await expectWhole(world, volume);
  });
});

describe('a look at a volume', () => {
  it('says nothing if the rows that name its groups went meanwhile, and the scrubber looks again', async () => {
    const world = made.clone();
    const volume = await pendingIn(world);
    const { store } = meanwhileSealed(world, 'list', volume);
    expect(await lookAtVolume(store, volume, { read: true })).toBeUndefined();
    const again = made.clone();
    const { store: scrubbed } = meanwhileSealed(again, 'list', await pendingIn(again));
    const report = await scrub(scrubbed, {
      findings: new Findings(),
      away: new Set(),
      volumes: new Set([volume.id]),
      allSinceMs: again.clock.nowMs(),
    });
    expect(report).toMatchObject({ volumes: 1, damage: [] });
  });
});
