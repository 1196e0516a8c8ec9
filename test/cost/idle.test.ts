// The bill of an idle stage: what its parts cost by hand, what the presets cost, and that the functions read as little as the bill says.
import { describe, expect, it } from 'vitest';
import { drainPass } from '../../lib/compaction/do/drainer.ts';
import { planRuns } from '../../lib/compaction/do/plan-runs.ts';
import { type IdleStage, idleDollarsPerMonth } from '../../lib/cost/idle.ts';
import { PRICE_BOOK } from '../../lib/cost/price-book.ts';
import { shipStageSnapshot } from '../../lib/engine/journal/stage-batch.ts';
import { verifyStageJournal } from '../../lib/engine/journal/verify-stage-journal.ts';
import type { ShelfAt } from '../../lib/engine/ship/store-journal.ts';
import { plannedPasses } from '../../lib/engine/upkeep/stage-repair.ts';
import { encodeStage, sampleStage, sweepStage, watchStage } from '../../lib/engine/upkeep/stage-tasks.ts';
import { tuneStage } from '../../lib/engine/upkeep/stage-tune.ts';
import { keksAttributes, keksKey } from '../../lib/engine/wire/keks-row.ts';
import { IDLE_READS, idleStageOf } from '../../lib/infra/stacks/idle-stage.ts';
import { parseStageSettings } from '../../lib/infra/stage-settings.ts';
import type { Write } from '../../lib/panda/panda.ts';
import { unshippedPartitions } from '../../lib/panda/rows/journal-rows.ts';
import { storeAttributes, storeKey } from '../../lib/panda/rows/store-row.ts';
import { PRESETS } from '../../lib/settings/settings.ts';
import { MemoryStream } from '../../lib/stream/memory-stream.ts';
import type { Components } from '../../lib/volume/rows/components.ts';
import { mendVolumeLists } from '../../lib/volume/rows/volume-lists.ts';
import { VolumeStore } from '../../lib/volume/volume-store.ts';
import { KEKS } from '../functions/journal-stage.ts';
import { MemoryShelf } from '../journal/memory-shelf.ts';
import { World } from '../store/harness.ts';
import { Meter, MeteredPanda, meteredDrive } from './metered.ts';

const IDLE_DOLLARS_MAX = 4.5;

describe('an idle stage', () => {
  it('costs what its parts cost', () => {
    const stage: IdleStage = {
      keys: 1,
      customMetrics: 5,
      alarmMetrics: 12,
      polledQueues: 1,
      calls: [
        {
          everyMinutes: 60,
          memoryMiB: 512,
          ms: 2000,
          metadataReads: 100,
          metadataWrites: 1,
          queueRequests: 2,
          stateTransitions: 4,
          metricRequests: 1,
          logBytes: 2000,
        },
      ],
    };
    const cost = idleDollarsPerMonth(stage, PRICE_BOOK);
    expect(cost.keys).toBe(1);
    expect(cost.alarms).toBeCloseTo(1.2, 9);
    expect(cost.metrics).toBeCloseTo(1.5 + 720 * 1e-5, 9);
    expect(cost.queues).toBeCloseTo((15 * 43_200 + 1440) * 0.4e-6, 9);
    expect(cost.compute).toBeCloseTo(720 * 0.0000133334 + 720 * 0.2e-6, 6);
    expect(cost.transitions).toBeCloseTo(2880 * 25e-6, 9);
    expect(cost.metadata).toBeCloseTo(72_000 * 0.125e-6 + 720 * 0.625e-6, 9);
    expect(cost.logs).toBeCloseTo(720 * 2000 * 0.5e-9, 12);
    const { total, ...parts } = cost;
    expect(Object.values(parts).reduce((sum, part) => sum + part, 0)).toBeCloseTo(total, 12);
  });

  it.each(['personal', 'thrifty', 'cell'])('costs at most $4.50 a month under %s', (preset) => {
    const { total } = idleDollarsPerMonth(idleStageOf(parseStageSettings({ preset })), PRICE_BOOK);
    expect(total).toBeGreaterThan(3);
    expect(total).toBeLessThanOrEqual(IDLE_DOLLARS_MAX);
  });

  it('costs only what stands there when nothing is scheduled', () => {
    const stage = idleStageOf(parseStageSettings({ schedules: 'false' }));
    expect(idleDollarsPerMonth(stage, PRICE_BOOK)).toMatchObject({ compute: 0, transitions: 0, metadata: 0, logs: 0 });
  });

  it('reads no more rows than the bill says, and no object', async () => {
    const meter = new Meter();
    const { components } = new World(1, PRESETS.personal, 10).start();
    const drives = components.drives.map((drive) => meteredDrive(drive, meter));
    const written: string[] = [];
    const noted = new Proxy(components.panda, {
      get: (panda, name) => {
        if (name === 'transact')
          return (writes: readonly Write[]) => {
            written.push(...writes.map(({ partition }) => partition));
            return panda.transact(writes);
          };
        const value = Reflect.get(panda, name);
        return typeof value === 'function' ? value.bind(panda) : value;
      },
    });
    const store = new VolumeStore({ ...components, panda: new MeteredPanda(noted, meter), drives });
    const signal = new AbortController().signal;
    await mendVolumeLists(store.components); // once in the life of a store
    meter.take();
    written.length = 0;
    const tasks: Readonly<Record<keyof typeof IDLE_READS, () => Promise<unknown>>> = {
      gc: async () => {
        await sweepStage(store, { signal });
      },
      encoder: () =>
        encodeStage(store, {
          signal,
          stream: new MemoryStream(components.clock),
          metrics: { put: async () => undefined },
        }),
      sampler: () => sampleStage(store, 30_000),
      tuner: () => tuneStage(store.components, { put: async () => undefined }),
      compaction: async () => [await plannedPasses(store), await planRuns(store, 100, {})],
      journal: async () => {
        const shelfAt = await shippedJournal(components);
        await verifyStageJournal(store, shelfAt, { signal });
      },
      drainer: async () => [
        await watchStage(store, signal),
        await drainPass(store, new MemoryStream(components.clock), { signal }),
      ],
    };
    for (const [part, task] of Object.entries(tasks)) {
      await task();
      // The journal ships nothing of it: an idle stage does not pay for one.
      const { cell } = components.settings;
      const unshipped = [...unshippedPartitions(cell), `daily/${cell}`, `rates/${cell}`]; // the last two once a day
      expect(
        written.filter((partition) => !unshipped.includes(partition)),
        part,
      ).toEqual([]);
      const { metadataReads, metadataWrites, putRequests, getRequests } = meter.take();
      const billed = IDLE_READS[part as keyof typeof IDLE_READS];
      expect(metadataReads + 3, part).toBeLessThanOrEqual(billed);
      expect(metadataReads, part).toBeGreaterThan(billed / 2);
      expect(metadataWrites, part).toBeLessThanOrEqual(1);
      expect(putRequests + getRequests, part).toBe(0);
    }
  });
});

/** A first snapshot in buckets of its own, as each stage has one that ships at all. */
async function shippedJournal(components: Components): Promise<ShelfAt> {
  const { panda, settings, storeId } = components;
  const shelves = new Map(Array.from({ length: 10 }, (_, i) => [`bucket-${i}`, new MemoryShelf(`bucket-${i}`)]));
  const row = { storeId, settings, drives: [...shelves.keys()], createdAtMs: 0 };
  await panda.transact([
    { kind: 'put', ...storeKey, attributes: storeAttributes(row) },
    { kind: 'put', ...keksKey, attributes: keksAttributes({ revision: 1, keks: KEKS }) },
  ]);
  const shelfAt = (bucket: string): MemoryShelf => shelves.get(bucket) as MemoryShelf;
  await shipStageSnapshot(components, shelfAt);
  return shelfAt;
}
