// What status says of compaction, from tallies made by hand and from a real store.

import { describe, expect, it } from 'vitest';
import { ASSUMED_RATES } from '../../lib/compaction/facts/measured-rates.ts';
import { thresholdStart } from '../../lib/compaction/threshold/law.ts';
import { type CompactionFacts, compactionStatusOf } from '../../lib/engine/status/compaction-status.ts';
import { addTally, type Counts, readTallies, totalOf } from '../../lib/engine/status/tally.ts';
import { SimulatedClock } from '../../lib/foundation/clock.ts';
import { DAY_MS } from '../../lib/foundation/durations.ts';
import { PRESETS } from '../../lib/settings/settings.ts';
import { temporaryFolder } from '../cli/temporary-folder.ts';
import { World } from '../store/harness.ts';
import { filesOf } from './small-store.ts';
import { makeSparse, withClient } from './sparse-store.ts';

const folder = temporaryFolder();

const facts = (counts: Counts, given: Partial<CompactionFacts> = {}): CompactionFacts => ({
  nowMs: DAY_MS,
  settings: PRESETS.demo,
  volumes: [],
  sealedOverhead: 1.25,
  sealedVolumes: 50,
  state: thresholdStart(0.2),
  operating: {},
  budgetUsed: 0.4,
  rates: ASSUMED_RATES,
  bucketRows: { rows: 96, liveBytes: 3 * 1024 ** 3 },
  queue: { ready: 3, inFlight: 1, oldestAgeMs: 5, dead: 2 },
  days: [{ day: '2026-01-01', counts: { ...totalOf([]), ...counts } }],
  ...given,
});

describe('the status of compaction', () => {
  it('holds write amplification against the least any policy reaches at this overhead', () => {
    const status = compactionStatusOf(facts({ encodedBytes: 1000, 'l2.movedBytes': 1500, 'l3.movedBytes': 880 }));
    expect(status.writeAmplification).toBeCloseTo(3.38, 5);
    expect(status.lambertBound).toBeCloseTo(2.69, 2); // reference: 1.25 needs at least 2.69
    expect(status.optimalityGap).toBeCloseTo(3.38 / 2.6926, 2);
    expect(compactionStatusOf(facts({}, { sealedVolumes: 9 })).lambertBound).toBeNull();
    expect(compactionStatusOf(facts({}, { sealedOverhead: 1 })).optimalityGap).toBeNull();
    expect(compactionStatusOf(facts({})).writeAmplification).toBeNull();
  });

  it('without a hot tier, what was put is what came in', () => {
    const settings = PRESETS.thrifty;
    const status = compactionStatusOf(
      facts({ ingestedBytes: 100, encodedBytes: 5, 'l1.movedBytes': 50 }, { settings }),
    );
    expect(status.writeAmplification).toBeCloseTo(1.5, 5);
  });

  it('says per strategy what it owns, reclaimed, filled and wrote', () => {
    const status = compactionStatusOf(
      facts({
        'l2.runs': 2,
        'l2.reclaimed': 4,
        'l2.metadataWrites': 360,
        'l2.sealed': 3,
        'l2.sealedFillPermille': 2850,
        'l2.nanodollars': 5_000_000,
      }),
    );
    expect(status.ranges).toEqual({ l3: [0, 0.1], l2: [0.1, 0.764], l1: [0.764, 0.764] });
    const low = compactionStatusOf(facts({}, { state: thresholdStart(0.05) })).ranges;
    // Streaming dense volumes beats topping them off, unless dollars decide and rows are dear.
    expect(low.l1[0]).toBe(low.l1[1]);
    const many = { bucketRows: { rows: 200_000, liveBytes: 3 * 1024 ** 3 }, state: thresholdStart(0.05) };
    const dear = compactionStatusOf(facts({}, { ...many, operating: { objective: 'money' } })).ranges;
    expect(dear).toMatchObject({ l2: [0.1, 0.85] });
    expect(dear.l1[1]).toBeCloseTo(0.90725, 9);
    expect(status.strategies.l2).toMatchObject({
      runs: 2,
      reclaimed: 4,
      metadataWritesPerReclaimed: 90,
      destinationFill: 0.95,
      dollars: 0.005,
    });
    expect(status.strategies.l1).toMatchObject({ metadataWritesPerReclaimed: null, destinationFill: null });
    expect(status.queue).toMatchObject({ ready: 3, dead: 2 });
  });

  it('says how many bucket rows there are a live GiB, from how many on they are merged, and how fast data dies', () => {
    const status = compactionStatusOf(
      facts({}, { rates: { perDay: [0.1, 0.02, 0.005, 0.005], daysMeasured: [3, 3.5, 0, 0] } }),
    );
    // Four times the rows of full buckets of 256 KiB.
    expect(status.bucketRows).toEqual({ rows: 96, perGib: 32, perGibMax: 16_384 });
    expect(status.deletes).toEqual([
      { perDay: 0.1, daysMeasured: 3 },
      { perDay: 0.02, daysMeasured: 3.5 },
      { perDay: 0.005, daysMeasured: 0 },
      { perDay: 0.005, daysMeasured: 0 },
    ]);
    const empty = compactionStatusOf(facts({}, { bucketRows: { rows: 0, liveBytes: 0 } }));
    expect(empty.bucketRows.perGib).toBeNull();
  });

  it('of a store that was put to, encoded and compacted', async () => {
    const { dir } = await makeSparse(folder, 'store');
    await withClient(dir, async (client) => {
      const files = filesOf(99, 20);
      const items = [...files].map(([key, body]) => ({
        key,
        body: async function* () {
          yield body;
        },
      }));
      for await (const outcome of client.putAll(items)) if (!outcome.ok) throw outcome.error;
      await client.admin.encode({ all: true });
      await client.admin.compact({ finish: true, untilStable: true });
      const { compaction, replicationFactor } = await client.admin.status();
      expect(replicationFactor).toBeGreaterThan(1.5); // the code's own
      const ran = Object.values(compaction?.strategies ?? {}).filter(({ reclaimed }) => reclaimed > 0);
      expect(ran.length).toBeGreaterThan(0);
      for (const { metadataWritesPerReclaimed } of ran) expect(metadataWritesPerReclaimed).toBeGreaterThan(0);
      expect(compaction?.writeAmplification).toBeGreaterThan(1);
      expect(compaction?.liveCoder.writtenBytes).toBeGreaterThan(0);
      expect(compaction?.queue).toMatchObject({ ready: 0, dead: 0 });
    });
  });
});

describe('tallies', () => {
  it('add up per day, and days are kept apart', async () => {
    const world = new World(3);
    const { components } = world.start();
    expect(world.clock).toBeInstanceOf(SimulatedClock);
    await Promise.all([
      addTally(components, { ingestedBytes: 5 }),
      addTally(components, { ingestedBytes: 7, 'l1.runs': 1 }),
    ]);
    await addTally(components, { ingestedBytes: 0 });
    world.clock.advance(DAY_MS);
    await addTally(components, { ingestedBytes: 1 });
    const days = await readTallies(components, 30);
    expect(days.map(({ counts }) => counts.ingestedBytes).at(-1)).toBe(1);
    expect(days).toHaveLength(2);
    expect(totalOf(days)).toMatchObject({ ingestedBytes: 13, 'l1.runs': 1 });
    expect(await readTallies(components, 1)).toHaveLength(1);
  });
});
