// What a run writes into Panda: no block row, and three rows for a bucket that moves; and what it needs: room for one destination.
import { describe, expect, it } from 'vitest';
import { type CompactOptions, compact } from '../../lib/compaction/do/rounds.ts';
import type { VolumeId } from '../../lib/foundation/ids.ts';
import type { Panda, Write } from '../../lib/panda/panda.ts';
import { MemoryStream } from '../../lib/stream/memory-stream.ts';
import { createVolume } from '../../lib/volume/open/create-volume.ts';
import { listVolumes } from '../../lib/volume/rows/read-rows.ts';
import { World } from '../store/harness.ts';
import { expectSound } from '../store/recount.ts';
import { batchesOf, SMALL, sealedWorld } from './acting-world.ts';

/** Transactions of every process of a world, as they come. */
function watched(panda: Panda, seen: (writes: readonly Write[]) => void): void {
  const transact = panda.transact.bind(panda);
  panda.transact = (writes) => {
    seen(writes);
    return transact(writes);
  };
}

const STRATEGIES: Readonly<Record<string, CompactOptions>> = {
  l1: { settings: { strategies: ['l1'], minFill: 0.2, l3UpTo: 0.02, l2UpTo: 0.03 } },
  l2: { settings: { strategies: ['l2'], minFill: 0.2, l3UpTo: 0.09 } },
  l3: { settings: { strategies: ['l3'], minFill: 0.2, l3UpTo: 0.5, l2UpTo: 0.6 } },
};

describe('metadata of a run', () => {
  const prepared = sealedWorld({ volumes: 4, filesEach: 60, deletedEach: (v) => 30 + v, seed: 41 });
  for (const [strategy, options] of Object.entries(STRATEGIES))
    it(`${strategy} writes no block row, and at most three rows for a moved bucket`, async () => {
      const world = (await prepared).world.clone();
      const p = world.start();
      let rows = 0;
      let bucketRows = 0;
      watched(world.panda, (writes) => {
        const tables = writes.map(({ partition }) => partition.split('/')[0]);
        expect(tables).not.toContain('block');
        expect(tables).not.toContain('object');
        const buckets = writes.filter(({ kind, partition }) => kind === 'update' && partition.startsWith('bucket/'));
        if (buckets.length === 0) return;
        bucketRows += buckets.length;
        rows += writes.length;
      });
      const stream = new MemoryStream(world.clock);
      const report = await compact(batchesOf(p, stream), options);
      const moved = report.runs.reduce((sum, { movedBuckets }) => sum + movedBuckets, 0);
      expect(moved).toBeGreaterThan(10);
      expect(report.runs.every((run) => run.strategy === strategy && run.retired > 0)).toBe(true);
      expect(bucketRows).toBe(moved);
      expect(rows).toBeLessThanOrEqual(3 * moved);
    });
});

/** The store with every zone taken but those of one warm volume: empty hot volumes fill the rest. */
async function fullButOne(made: { readonly world: World }): Promise<World> {
  for (let extra = 0; extra < 8; extra++) {
    const base = made.world.clone();
    const zones = Math.max(
      ...(await listVolumes(base.panda, SMALL.cell)).flatMap(({ extents }) => extents.map((e) => e.zone)),
    );
    const settings = { ...SMALL, zonesPerDrive: zones + 1 + extra, trashGraceMs: 86_400_000 };
    const world = new World(base.seed, settings, base.drives, base.panda);
    const { components, volumes } = world.start();
    const used = (await listVolumes(base.panda, SMALL.cell)).flatMap(({ extents }) => extents).length;
    const free = world.drives.length * settings.zonesPerDrive - used;
    for (let left = free; left >= 8; left -= 4) await createVolume(components, volumes.zones, 'hot');
    const probe = world.clone().start();
    const claim = async () => probe.volumes.zones.claim('0000000000000000' as VolumeId, 3).catch(() => undefined);
    const first = await claim();
    if (first === undefined) continue;
    await probe.components.panda.transact(first.writes);
    if ((await claim()) === undefined) return world;
  }
  throw new Error('no number of zones leaves room for exactly one volume');
}

describe('a store where every drive is full but one destination’s worth', () => {
  const prepared = sealedWorld({ volumes: 6, filesEach: 90, bytesMax: 1800, deletedEach: () => 40, seed: 51 });
  for (const strategy of ['l2', 'l3'])
    it(`${strategy} packs more than that, erasing what it has emptied although its grace has not passed`, async () => {
      const { model, world: sparse } = await prepared;
      const world = await fullButOne({ world: sparse });
      const p = world.start();
      const report = await compact(batchesOf(p, new MemoryStream(world.clock)), {
        ...STRATEGIES[strategy],
        untilStable: true,
      });
      expect(report.runs.flatMap(({ stalled }) => stalled ?? [])).toEqual([]);
      expect(report.runs.reduce((sum, { retired }) => sum + retired, 0)).toBeGreaterThanOrEqual(5);
      expect(report.runs.reduce((sum, { movedBytes }) => sum + movedBytes, 0)).toBeGreaterThan(150_000);
      await model.expectIn(p);
      await expectSound(p);
    });
});
