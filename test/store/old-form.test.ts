// Volumes sealed before there were directory packs are read, compacted, rebuilt and freed as ever; both kinds lie side by side.
import { describe, expect, it } from 'vitest';
import { type CompactOptions, compact } from '../../lib/compaction/do/rounds.ts';
import { encodeHot } from '../../lib/live-coder/encode-hot.ts';
import type { Row } from '../../lib/panda/panda.ts';
import { listVolumes } from '../../lib/volume/rows/read-rows.ts';
import { freeTrash } from '../../lib/volume/runs/free.ts';
import { batchesOf, filesOf, putFiles, sealedWorld } from '../compaction/acting-world.ts';
import { rebuiltPanda } from '../engine/rebuilding.ts';
import { World } from './harness.ts';
import { objectsNamed, toOldForm } from './old-form.ts';
import { expectSound } from './recount.ts';
import { expectUndamaged } from './undamaged.ts';

const L2: CompactOptions = { settings: { strategies: ['l2'], minFill: 0.1, l3UpTo: 0.01, finish: true } };
const L1: CompactOptions = { settings: { strategies: ['l1'], minFill: 0.02, l3UpTo: 0.002, l2UpTo: 0.003 } };

async function oldStore(deletedEach: (volume: number) => number = () => 20) {
  const made = await sealedWorld({ volumes: 3, filesEach: 40, deletedEach });
  expect(await toOldForm(made.world)).toBeGreaterThan(0);
  expect(await objectsNamed(made.world, 'dirs')).toBe(0);
  expect(await objectsNamed(made.world, 'dir-')).toBeGreaterThan(6);
  return made;
}

describe('a store of before directory packs', () => {
  it('is read, and beside volumes of now', async () => {
    const { world, model, p } = await oldStore();
    await model.expectIn(world.start());
    await putFiles(p, model, filesOf(99, 20, 900));
    await p.volumes.open.sealAll('hot');
    await encodeHot(p.volumes, { force: true, flush: true });
    await p.volumes.open.sealAll('warm');
    expect(await objectsNamed(world, 'dirs')).toBe(2);
    await expectUndamaged(world.start());
    await model.expectIn(world.start());
  });

  it.each<[string, CompactOptions, (volume: number) => number]>([
    ['l2', L2, () => 20],
    ['l1', L1, (volume) => (volume === 0 ? 8 : 24)],
  ])('is compacted by %s into volumes of now, and what was left is freed', async (_, options, deletedEach) => {
    const { world, model, p } = await oldStore(deletedEach);
    const before = await objectsNamed(world, 'dir-');
    const { runs } = await compact(batchesOf(p), options);
    expect(runs.reduce((sum, { retired }) => sum + retired, 0)).toBeGreaterThan(0);
    await p.volumes.open.sealAll('warm');
    await model.expectIn(world.start());
    await expectUndamaged(world.start());
    const { kept } = await freeTrash(world.start().volumes, { ignoreGrace: true });
    expect(kept).toEqual([]);
    expect(await objectsNamed(world, 'dirs')).toBeGreaterThan(0);
    expect(await objectsNamed(world, 'dir-')).toBeLessThan(before);
    await model.expectIn(world.start());
    await expectSound(world.start());
  });

  it('is rebuilt from its drives; no directory is written a second time', async () => {
    for (const isOld of [true, false]) {
      const { world, model, p } = isOld
        ? await oldStore()
        : await sealedWorld({ volumes: 3, filesEach: 40, deletedEach: () => 20 });
      const backup: Row[] = [];
      for await (const page of p.components.panda.scan()) backup.push(...page);
      const { panda, report } = await rebuiltPanda(world, backup);
      expect(report).toMatchObject({ lost: [], damagedChunks: [] });
      const next = new World(world.seed, world.settings, world.drives, panda);
      const sealed = (await listVolumes(panda, world.settings.cell)).filter(({ class: cls }) => cls === 'warm');
      expect(sealed.length).toBe(3);
      expect(sealed.filter(({ directoriesPending }) => directoriesPending)).toEqual([]);
      await model.expectIn(next.start());
      await expectSound(next.start());
      await expectUndamaged(next.start());
    }
  });
});
