// Extents that a repair has replaced, and whoever is told to stop while freeing them: what was begun is ended, the rest is left for the next time.
import { expect, it } from 'vitest';
import { FaultyDrive } from '../../lib/drive/faulty-drive.ts';
import { settingsOf } from '../../lib/settings/settings.ts';
import { freeDiscards } from '../../lib/volume/repair/discards.ts';
import { repairStore } from '../../lib/volume/repair/repair-store.ts';
import { listDiscards } from '../../lib/volume/repair/replaced-extents.ts';
import { VolumeStore } from '../../lib/volume/volume-store.ts';
import { LOOKED_AT, plantedWorld } from '../volume/planted.ts';
import { mark } from './drives.ts';

it('a pass that is told to stop frees no further one', async () => {
  const settings = settingsOf('demo', { ...LOOKED_AT, warmCodec: 'xor-2-1', trashGraceMs: 1000 });
  const world = await plantedWorld(6, settings, 6, { files: 12, bytesMax: 900 });
  const p = world.start({ othersDead: true });
  await p.volumes.open.sealAll('hot');
  for (const drive of [0, 1]) await mark(world, drive, 'draining');
  await repairStore(p.volumes);
  const left = async (): Promise<number> => (await listDiscards(p.volumes)).length;
  const all = await left();
  expect(all).toBeGreaterThan(1);
  world.clock.advance(1000);
  const stop = new AbortController();
  const drives = world.drives.map((inner) => {
    const drive = new FaultyDrive(inner);
    const erase = drive.erase.bind(drive);
    drive.erase = (...args) => {
      stop.abort();
      return erase(...args);
    };
    return drive;
  });
  const store = new VolumeStore({ ...p.components, drives });
  const { signal } = stop;
  expect(await freeDiscards(store, { signal })).toEqual({ freedZones: 1, givenUpZones: 0, kept: [] });
  expect(await left()).toBe(all - 1);
  expect(await freeDiscards(store, { signal })).toEqual({ freedZones: 0, givenUpZones: 0, kept: [] });
  expect(await freeDiscards(store)).toEqual({ freedZones: all - 1, givenUpZones: 0, kept: [] });
  expect(await left()).toBe(0);
});
