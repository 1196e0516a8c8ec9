// Delete rates measured on a store, look by look: what the planner then uses instead of what it assumed.

import { describe, expect, it } from 'vitest';
import { planNow } from '../../lib/compaction/do/plan-now.ts';
import { type FleetVolume, fleetOf } from '../../lib/compaction/facts/fleet.ts';
import { ASSUMED_RATES, measureRates, readRates } from '../../lib/compaction/facts/measured-rates.ts';
import { collectStatus } from '../../lib/engine/status/collect-status.ts';
import { tune } from '../../lib/engine/upkeep/tune.ts';
import { DAY_MS } from '../../lib/foundation/durations.ts';
import { collectGarbage } from '../../lib/gc/collect-garbage.ts';
import { listBuckets } from '../../lib/volume/rows/read-rows.ts';
import { World } from '../store/harness.ts';
import { deleteFiles, sealedWorld } from './acting-world.ts';
import { CAPACITY, volumeOf } from './fleets.ts';

const fleet = (count: number, live: number, ageDays: number, changes: Partial<FleetVolume> = {}) =>
  fleetOf(
    's',
    'c0',
    Array.from({ length: count }, (_, n) => volumeOf(n + 1, live, { ageMs: ageDays * DAY_MS, ...changes })),
  );

describe('measured delete rates', () => {
  it('are those assumed until a day has passed, then what was counted, class by class', async () => {
    const world = new World(1);
    const { components } = world.start();
    expect(await readRates(components)).toEqual(ASSUMED_RATES);
    await measureRates(components, fleet(50, 0.8, 30));
    expect(await readRates(components)).toEqual(ASSUMED_RATES);
    world.clock.advance(DAY_MS / 2);
    await measureRates(components, fleet(50, 0.1, 30.5));
    expect(await readRates(components)).toEqual(ASSUMED_RATES);
    world.clock.advance(1.5 * DAY_MS);
    await measureRates(components, fleet(50, 0.8 * 0.96, 32));
    const { perDay, daysMeasured } = await readRates(components);
    expect(perDay[2]).toBeCloseTo(0.02, 6);
    expect([perDay[0], perDay[1], perDay[3]]).toEqual([0.005, 0.005, 0.005]);
    expect(daysMeasured).toEqual([0, 0, 2, 0]);
  });

  it('move towards what later looks find, and nothing is counted twice', async () => {
    const world = new World(2);
    const { components } = world.start();
    let live = 0.9;
    const look = (days: number, rate: number) => {
      world.clock.advance(days * DAY_MS);
      live *= 1 - rate * days;
      return measureRates(components, fleet(100, live, 30));
    };
    await look(0, 0);
    await look(1, 0.01);
    expect((await readRates(components)).perDay[2]).toBeCloseTo(0.01, 6);
    for (let day = 0; day < 4; day++) await look(1, 0.05);
    const after = (await readRates(components)).perDay[2] ?? 0;
    expect(after).toBeGreaterThan(0.02);
    expect(after).toBeLessThan(0.05);
    for (let day = 0; day < 30; day++) await look(1, 0.02);
    expect((await readRates(components)).perDay[2]).toBeCloseTo(0.02, 2);
    expect((await readRates(components)).daysMeasured[2]).toBeCloseTo(35, 6);
  });

  it('leave out volumes that were rewritten, and classes of which there is too little', async () => {
    const world = new World(3);
    const { components } = world.start();
    await measureRates(components, fleet(50, 0.9, 30));
    world.clock.advance(2 * DAY_MS);
    await measureRates(components, fleet(50, 0.1, 30, { generation: 2 }));
    expect((await readRates(components)).daysMeasured[2]).toBe(0);
    world.clock.advance(2 * DAY_MS);
    await measureRates(components, fleet(2, 0.05, 30, { generation: 2 }));
    expect((await readRates(components)).perDay).toEqual(ASSUMED_RATES.perDay);
  });

  it('of a million volumes fit a row, and of two looks at once one counts', async () => {
    const world = new World(4);
    const [p, q] = [world.start(), world.start()];
    await Promise.all([
      measureRates(p.components, fleet(3000, 0.9, 30)),
      measureRates(q.components, fleet(3000, 0.9, 30)),
    ]);
    const row = await p.components.panda.get({ partition: `rates/${p.components.settings.cell}`, sort: 'deletes' });
    expect(row?.attributes['v']).toBe(1);
    expect(String(row?.attributes['j']).length).toBeLessThan(64 * 1024);
    world.clock.advance(-3 * DAY_MS);
    await measureRates(p.components, fleet(3000, 0.1, 30));
    expect((await readRates(p.components)).perDay).toEqual(ASSUMED_RATES.perDay);
  });

  it('are what the tuner counts on a store, between one step and the next', async () => {
    const { world, model } = await sealedWorld({ volumes: 4, filesEach: 40, deletedEach: () => 0 });
    const p = world.start();
    const live = async () =>
      (await listBuckets(p.components.panda, p.components.settings.cell)).reduce((sum, b) => sum + b.liveBytes, 0);
    world.clock.advance(8 * DAY_MS);
    await tune(p.components);
    const before = await live();
    await deleteFiles(p, model, [...model.there.keys()].slice(0, 48));
    await collectGarbage(p.components);
    world.clock.advance(10 * DAY_MS);
    await tune(p.components);
    const { perDay, daysMeasured } = await readRates(p.components);
    expect(daysMeasured).toEqual([0, 0, 10, 0]);
    expect(perDay[2]).toBeCloseTo((before - (await live())) / before / 10, 6);
    const status = await collectStatus(p.components);
    expect(status.compaction?.deletes[2]).toMatchObject({ daysMeasured: 10 });
  });

  it('are what plans are made with', async () => {
    const { world } = await sealedWorld({ volumes: 2, filesEach: 20, deletedEach: () => 5 });
    const p = world.start();
    expect((await planNow(p.volumes)).plan.settings.deletesPerDay).toEqual(ASSUMED_RATES.perDay);
    await measureRates(p.components, fleet(50, 0.8, 30, { capacityBytes: CAPACITY }));
    world.clock.advance(DAY_MS);
    await measureRates(p.components, fleet(50, 0.8 * 0.9, 31));
    const { plan } = await planNow(p.volumes);
    expect(plan.settings.deletesPerDay[2]).toBeCloseTo(0.1, 6);
    const asked = await planNow(p.volumes, { settings: { deletesPerDay: [1, 1, 1, 1] } });
    expect(asked.plan.settings.deletesPerDay).toEqual([1, 1, 1, 1]);
  });
});
