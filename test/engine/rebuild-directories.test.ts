// Directories that a lost Panda has written list more than a rebuild places: what has died since, and what no drive holds
// any more.
import { expect, it } from 'vitest';
import { recover } from '../../lib/engine/upkeep/end-dead-work.ts';
import { DIRECTORY_PACK_NAME } from '../../lib/format/object-names.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { collectGarbage } from '../../lib/gc/collect-garbage.ts';
import type { Extent, VolumeRow } from '../../lib/panda/rows/volume-row.ts';
import { directoryColumns } from '../../lib/volume/rows/directory-room.ts';
import { listVolumes } from '../../lib/volume/rows/read-rows.ts';
import { type Process, TINY, World } from '../store/harness.ts';
import { expectSound } from '../store/recount.ts';
import { expectFiles, putFiles, rebuilt, rowsOf } from './rebuilding.ts';

/** Puts are appended to volumes that get directories. */
const SINGLE_TIER = { ...TINY, hotCodec: 'xor-2-1', warmCodec: 'xor-2-1', openVolumes: 1 } as const;

function aStore(seed: number) {
  const world = new World(seed, SINGLE_TIER);
  return { world, p: world.start(), files: new Map<string, Uint8Array>() };
}

async function onlyVolume({ components: { panda } }: Process): Promise<VolumeRow> {
  const [volume, ...others] = await listVolumes(panda, SINGLE_TIER.cell);
  expect(others).toEqual([]);
  return volume as VolumeRow;
}

/** Objects of one extent whose names say so are gone. */
async function lose({ drives }: World, { drive: id, zone, zoneGeneration }: Extent, isLost: (name: string) => boolean) {
  const drive = drives[id];
  const at = { zone, generation: zoneGeneration };
  const kept = ((await drive?.list(at)) ?? []).filter(({ name }) => !isLost(name));
  const objects = await Promise.all(kept.map(async ({ name }) => ({ name, bytes: await drive?.read(at, name) })));
  await drive?.erase(at);
  for (const { name, bytes } of objects) await drive?.append(at, name, bytes === undefined ? [] : [bytes]);
}

/** Two groups of one bucket, each with something in every column; the second holds `b`. */
async function twoGroups() {
  const { world, p, files } = aStore(21);
  for (const key of ['a', 'b']) {
    files.set(key, new SeededRandomness(key.charCodeAt(0)).bytes(1500));
    await p.frontend.put({ namespace: 'default', key, body: files.get(key) as Uint8Array });
  }
  await p.volumes.open.sealAll('warm');
  const backup = await rowsOf(p);
  const { extents, buckets } = await onlyVolume(p);
  expect(buckets.size).toBe(1);
  return { world, files, backup, extents };
}

const isOfSecond = (name: string): boolean => name.startsWith('2-');

it('slots that only a directory still knows are dead, and nothing is taken to live in them', async () => {
  const { world, files, backup, extents } = await twoGroups();
  for (const extent of extents) await lose(world, extent, isOfSecond);

  const { process: back, report } = await rebuilt(world, backup);
  expect(report.lost.map(({ key }) => key)).toEqual(['b']);
  expect((await onlyVolume(back)).directoriesPending).toBe(false);
  files.delete('b');
  await expectFiles(back, files);
  await expectSound(back);
});

it('slots of a group of which too little is left are dead, until there are directories and afterwards', async () => {
  const { world, files, backup, extents } = await twoGroups();
  // Parity tells what was in it. No column has a directory.
  for (const [column, extent] of extents.entries())
    await lose(world, extent, (name) => name === DIRECTORY_PACK_NAME || (column < 2 && isOfSecond(name)));

  const { process: back, report } = await rebuilt(world, backup);
  expect(report.lost.map(({ key }) => key)).toEqual(['b']);
  files.delete('b');
  await expectSound(back);
  await recover(back.volumes, back.frontend, {});
  expect((await onlyVolume(back)).directoriesPending).toBe(false);
  await expectFiles(back, files);
  await expectSound(back);
});

it('directories are written though a group is gone in which nothing lives any more', async () => {
  const { world, files, backup, extents } = await twoGroups();
  for (const extent of extents)
    await lose(world, extent, (name) => name === DIRECTORY_PACK_NAME || name.startsWith('1-'));

  const { process: back, report } = await rebuilt(world, backup);
  expect(report.lost.map(({ key }) => key)).toEqual(['a']);
  files.delete('a');
  await recover(back.volumes, back.frontend, {});
  expect((await onlyVolume(back)).directoriesPending).toBe(false);
  await expectFiles(back, files);
  await expectSound(back);
});

it('a pack that is longer than the one to be written has room on an extent that is full of strays', async () => {
  const { world, p, files } = aStore(31);
  await putFiles(p, files, 1, 13, 32);
  await p.volumes.open.sealAll('warm');
  const doomed = [...files.keys()].filter((_, i) => i % 3 > 0);
  for await (const outcome of p.frontend.deleteAll(doomed.map((key) => ({ namespace: 'default', key }))))
    expect(outcome).toMatchObject({ ok: true });
  for (const key of doomed) files.delete(key);
  await collectGarbage(p.components);
  world.clock.advance(SINGLE_TIER.deleteGraceMs + 1);
  await collectGarbage(p.components);
  const { extents, codec } = await onlyVolume(p);
  const [without, ...others] = directoryColumns({ codec }).map((column) => extents[column] as Extent);
  await lose(world, without as Extent, (name) => name === DIRECTORY_PACK_NAME);
  const stray = new Uint8Array(SINGLE_TIER.extentBytes);
  for (const { drive, zone, zoneGeneration } of others)
    await world.drives[drive]?.append({ zone, generation: zoneGeneration }, 'left', [stray]);

  const { process: back, report } = await rebuilt(world, await rowsOf(p));
  expect(report.lost).toEqual([]);
  expect((await onlyVolume(back)).directoriesPending).toBe(true);
  await recover(back.volumes, back.frontend, {});
  const { directoriesPending, extentUsedBytes } = await onlyVolume(back);
  expect(directoriesPending).toBe(false);
  expect(Math.max(...extentUsedBytes)).toBe(SINGLE_TIER.extentBytes);
  await expectFiles(back, files);
  await expectSound(back);
});
