// A read that had to rebuild a record leaves a damage row for each column that failed it, once; drives that are away leave none.
import { expect, it } from 'vitest';
import { driveUnavailable } from '../../lib/drive/errors.ts';
import { listDamage } from '../../lib/volume/rows/damage.ts';
import type { World } from '../store/harness.ts';
import { flipped, type PlantedPlace, placesIn, plantedWorld, replace, SMALL_RS } from './planted.ts';

async function readAll(world: World): Promise<void> {
  const { frontend } = world.start();
  for (const { key } of (await frontend.list({ namespace: 'default' })).objects)
    await frontend.read('default', key, 1e6);
}

it('leaves damage rows of what it had to do without', async () => {
  const world = await plantedWorld(401, SMALL_RS, 9);
  await readAll(world);
  expect(await listDamage(world.start().components)).toEqual([]);
  const data = (await placesIn(world)).filter(
    ({ volume, column, part }) => volume.class === 'warm' && column < 6 && typeof part === 'number',
  );
  const [gone, flip] = data as [PlantedPlace, PlantedPlace];
  await replace(world, gone, undefined);
  const bytes = flipped(flip.bytes, 256 + 40, 2);
  await replace(world, flip, bytes);
  await readAll(world);
  const damage = await listDamage(world.start().components);
  expect(damage).toHaveLength(2);
  const at = ({ volume, column, part }: PlantedPlace) => ({ volume: volume.id, column, part });
  expect(damage).toContainEqual(expect.objectContaining({ ...at(gone), kind: 'missing' }));
  expect(damage).toContainEqual(expect.objectContaining({ ...at(flip), kind: 'wrong' }));
  await readAll(world);
  expect(await listDamage(world.start().components)).toEqual(damage);
});

it('says nothing of a drive that is away, and reads on where nothing can be noted', async () => {
  const world = await plantedWorld(402, SMALL_RS, 9);
  const p = world.start();
  const drive = p.components.drives[3] as { read: unknown };
  drive.read = () => Promise.reject(driveUnavailable('drive-3', 'away'));
  await readAll(world);
  expect(await listDamage(p.components)).toEqual([]);
  delete (drive as { read?: unknown }).read;
});
