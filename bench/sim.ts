// The simulator: a million volumes for 28 days by the hour, three strategies, and how the cost of a step grows with the
// fleet.
import { HOUR_MS } from '../lib/foundation/durations.ts';
import { deletesOf } from '../lib/sim/fleet/deletes.ts';
import { FleetRun } from '../lib/sim/fleet/fleet-run.ts';
import { FLEET_SIZE, startFleet } from '../lib/sim/fleet/start-fleet.ts';
import { type Benches, type Figure, machine, peakRssDuring } from './bench.ts';

const DAYS = 28;
const GOAL_SECONDS = 60;
const GOAL_BYTES = 2 * 1024 ** 3;

export const benches: Benches = {
  'sim-million': async () => ({ bench: 'sim-million', machine: machine(), figures: await benchMillion(1_000_000) }),
  'sim-linear': async () => ({ bench: 'sim-linear', machine: machine(), figures: benchLinear() }),
};

function fleetRun(volumes: number): FleetRun {
  const deletes = deletesOf('uniform', 0.005);
  const overhead = 1.15;
  const size = { ...FLEET_SIZE, liveVolumes: Math.round(volumes / overhead), unitsPerVolume: 64, unitsPerBucket: 16 };
  return new FleetRun(
    startFleet(size, deletes, overhead),
    { deletes, stepMs: HOUR_MS, shards: 24, writing: { mergeBelow: 0.5 } },
    { plan: { l2UpTo: 0.6, donorOrder: 'sparsest', tableRunsMax: 4 }, threshold: 0.25 },
  );
}

function lead(run: FleetRun, days: number): void {
  for (let hour = 0; hour < days * 24; hour++) run.step();
}

async function benchMillion(volumes: number): Promise<Figure[]> {
  const start = process.cpuUsage();
  const startMs = performance.now();
  const { result, peakRssBytes } = await peakRssDuring(async () => {
    const run = fleetRun(volumes);
    run.begin({ shape: 'severe', volumes: volumes * 0.02, fromDay: 0, rampDays: DAYS });
    lead(run, DAYS);
    return run;
  });
  const wall = (performance.now() - startMs) / 1000;
  const used = process.cpuUsage(start);
  const cpu = (used.user + used.system) / 1e6;
  const runs = result.moved.l1.runs + result.moved.l2.runs + result.moved.l3.runs;
  return [
    {
      name: `${volumes} volumes, ${DAYS} days by the hour, processor time`,
      value: cpu,
      unit: 's',
      ratio: cpu / GOAL_SECONDS,
    },
    { name: 'the same by the wall clock', value: wall, unit: 's', ratio: wall / GOAL_SECONDS },
    { name: 'peak resident set', value: peakRssBytes / 1024 ** 2, unit: 'MiB', ratio: peakRssBytes / GOAL_BYTES },
    { name: 'runs carried out (L1, L2, L3)', value: runs, unit: '' },
    { name: 'overhead at the end', value: result.model.overhead, unit: '' },
  ];
}

function benchLinear(): Figure[] {
  return [30_000, 100_000, 300_000].map((volumes) => {
    const run = fleetRun(volumes);
    lead(run, 1);
    const start = process.cpuUsage();
    lead(run, 2);
    const used = process.cpuUsage(start);
    const value = (used.user + used.system) / 48 / (volumes / 1000);
    return { name: `step of ${volumes} volumes, per thousand volumes`, value, unit: 'µs' };
  });
}
