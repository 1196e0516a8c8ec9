import { describe, expect, it } from 'vitest';
import { DAY_MS } from '../../lib/foundation/durations.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { ChurnClock, deletesOf, deletesOfTrace } from '../../lib/sim/fleet/deletes.ts';
import { FleetModel } from '../../lib/sim/fleet/fleet-model.ts';
import { FleetRun } from '../../lib/sim/fleet/fleet-run.ts';
import { drawFill } from '../../lib/sim/fleet/live-coder-output.ts';
import { FLEET_SIZE, startFleet } from '../../lib/sim/fleet/start-fleet.ts';
import { Stream } from '../../lib/sim/fleet/streams.ts';
import type { Policy, World } from '../../lib/sim/fleet/world.ts';

const DELETES = deletesOf('80/20', 0.02);

function world(changes: Partial<World> = {}): World {
  return { deletes: DELETES, stepMs: DAY_MS / 4, shards: 1, writing: { mergeBelow: 0.5 }, ...changes };
}

function policyOf(changes: Partial<Policy> = {}): Policy {
  return {
    plan: { l3UpTo: 0.09, l2UpTo: 0.6, topOffs: 'always', tableRunsMax: 0, candidatesMax: 30, granularity: 16 },
    threshold: 0.2,
    ...changes,
  };
}

function led(seed: number, days: number, relocation: 'bucket' | 'blob' = 'bucket', shards = 1): FleetRun {
  const size = { ...FLEET_SIZE, seed, liveVolumes: 60, unitsPerVolume: 64, unitsPerBucket: 4, relocation };
  const run = new FleetRun(startFleet(size, DELETES, 1.25), world({ shards }), policyOf());
  run.begin({ shape: 'severe', volumes: 20, fromDay: 2, rampDays: 5 });
  while (run.day < days) run.step();
  return run;
}

/** Adds everything up again from the buckets. */
function recount(model: FleetModel) {
  const byClass = new Float64Array(model.shape.classes);
  let volumes = 0;
  for (let volume = 0; volume < model.slots; volume++) {
    const buckets = model.bucketsOf(volume);
    let units = 0;
    for (const bucket of buckets) {
      expect(model.volumeOf(bucket)).toBe(volume);
      units += model.unitsIn(bucket);
      for (let c = 0; c < byClass.length; c++) byClass[c] = (byClass[c] as number) + model.unitsOfClass(bucket, c);
    }
    expect(model.liveBytes[volume]).toBe(units * model.shape.unitBytes);
    expect(model.usedBytes[volume]).toBeLessThanOrEqual(model.capacityBytes);
    expect(model.liveBytes[volume]).toBeLessThanOrEqual(model.usedBytes[volume] as number);
    expect(model.buckets[volume]).toBe(buckets.filter((bucket) => model.unitsIn(bucket) > 0).length);
    if (model.state[volume] !== 4) volumes++;
  }
  return { byClass: [...byClass], volumes };
}

describe('the simulated fleet', () => {
  it.each([
    ['bucket', 1],
    ['blob', 1],
    ['bucket', 5],
  ] as const)(
    'keeps count of every unit through churn, incident and all three strategies (%s, %i shards)',
    (relocation, shards) => {
      const run = led(11, 40, relocation, shards);
      const { byClass, volumes } = recount(run.model);
      expect(byClass).toEqual([...run.model.liveUnits]);
      expect(volumes).toBe(run.model.allocatedVolumes);
      for (const strategy of ['l1', 'l2', 'l3'] as const) expect(run.moved[strategy].runs).toBeGreaterThan(0);
    },
  );

  it('is the same for the same seed and another one for another', () => {
    const print = (seed: number): string => {
      const { model, moved, control } = led(seed, 15);
      return JSON.stringify([[...model.liveBytes], moved, control]);
    };
    expect(print(3)).toBe(print(3));
    expect(print(3)).not.toBe(print(4));
  });

  it('is led on alike from a copy, and leaves the original alone', () => {
    const size = { ...FLEET_SIZE, liveVolumes: 40 };
    const model = startFleet(size, DELETES, 1.2);
    const before = model.liveBytes.slice();
    const end = [1, 2].map(() => {
      const run = new FleetRun(model.copy(new SeededRandomness(5)), world(), policyOf());
      while (run.day < 10) run.step();
      return [...run.model.liveBytes];
    });
    expect(end[0]).toEqual(end[1]);
    expect(model.liveBytes).toEqual(before);
  });

  it('keeps live data constant while deletes and writes are in balance', () => {
    const run = led(7, 0);
    const before = [...run.model.liveUnits];
    while (run.day < 30) run.step();
    for (const [c, units] of run.model.liveUnits.entries())
      expect(Math.abs(units - (before[c] as number))).toBeLessThan(3);
  });

  it('starts at the overhead asked for', () => {
    for (const overhead of [1.1, 1.3, 1.8]) {
      const model = startFleet({ ...FLEET_SIZE, liveVolumes: 400 }, deletesOf('uniform', 0.01), overhead);
      expect(model.overhead).toBeCloseTo(overhead, 1);
    }
  });
});

describe('deletes', () => {
  it('carries fractions of a unit on', () => {
    const clock = new ChurnClock(deletesOf('uniform', 0.01), 130);
    let written = 0;
    for (let step = 0; step < 1000; step++) written += clock.between(step / 10, (step + 1) / 10).written[0] as number;
    expect(written).toBe(130);
  });

  it('follows a trace, and refuses a broken one by its line', () => {
    const clock = new ChurnClock(deletesOfTrace('t', 'day,written,deleted\n0,0.1,0\n2,0,0.2\n'), 100);
    expect(clock.between(0, 1)).toEqual({ written: [10], deleted: [0] });
    expect(clock.between(3, 4)).toEqual({ written: [0], deleted: [20] });
    expect(() => deletesOfTrace('t', '0,1,1\n0,1,1')).toThrow('t:2');
    expect(() => deletesOfTrace('t', '0,1')).toThrow('t:1');
    expect(() => deletesOfTrace('t', '0,x,1')).toThrow('t:1');
    expect(() => deletesOfTrace('t', '\n')).toThrow('no days');
    expect(() => deletesOfTrace('t', '0,1,0')).toThrowError(
      expect.objectContaining({ kind: 'invalid', code: 'TRACE_INVALID' }),
    );
  });

  it('has classes whose shares are wholes', () => {
    for (const pattern of ['uniform', '80/20', '90/10', 'age'] as const) {
      const { classes } = deletesOf(pattern, 0.01);
      expect(classes.reduce((sum, { writeShare }) => sum + writeShare, 0)).toBeCloseTo(1, 12);
      expect(classes.reduce((sum, { liveShare }) => sum + liveShare, 0)).toBeCloseTo(1, 12);
    }
  });
});

it('draws the severe shape: half of the volumes under 5 % live', () => {
  const random = new SeededRandomness(2);
  const fills = Array.from({ length: 4000 }, () => drawFill('severe', random));
  expect(fills.filter((fill) => fill < 0.05).length / fills.length).toBeCloseTo(0.5, 1);
  expect(Math.max(...fills)).toBeLessThan(0.7);
});

it('a stream that keeps buckets whole leaves the volume open that is nearly full, for what fits, until another is as full', () => {
  const model = new FleetModel(
    {
      ...{ codec: 'rs-6-3', unitsPerVolume: 10, unitsPerBucket: 6, unitBytes: 100, blobBytes: 100 },
      ...{ classes: 1, relocation: 'bucket', slots: 8 },
    },
    new SeededRandomness(1),
  );
  const stream = new Stream(model, true);
  const source = model.openVolume(0);
  const bucketOf = (units: number): number => {
    const bucket = model.newBucket(source);
    model.add(bucket, 0, units);
    model.unlink(source, (one) => one === bucket);
    return bucket;
  };
  const placed = (units: number): number => {
    const bucket = bucketOf(units);
    stream.move(bucket, { mergeBelow: 0 }, 0);
    return model.volumeOf(bucket);
  };
  const first = placed(6);
  const second = placed(6);
  expect(second).not.toBe(first);
  expect(model.isSealed(first)).toBe(false);
  // There are four units of room in both: the one that was left behind is filled first.
  expect(placed(3)).toBe(first);
  expect(placed(3)).toBe(second);
  const third = placed(2);
  expect(third).not.toBe(second);
  expect([first, second, third].map((volume) => model.isSealed(volume))).toEqual([true, false, false]);
});
