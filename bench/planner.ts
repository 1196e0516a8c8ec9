// Planning: the packing table by itself, plans of a million volumes, what `worth` frees against `max-fill`, and the
// one-off recovery of the synthetic incident fleet. The figures that do not hang on the clock are assertions in
// test/compaction, too.
import { OBJECTIVES, planSettingsOf } from '../lib/compaction/facts/plan-settings.ts';
import { maxFillScore, PackTable, worthScore } from '../lib/compaction/plan/l2-table.ts';
import { planCompaction } from '../lib/compaction/plan/planner.ts';
import { holePrice } from '../lib/compaction/plan/worth.ts';
import { SeededRandomness } from '../lib/foundation/randomness.ts';
import { runRecovery } from '../lib/sim/limits.ts';
import { largeFleet, shapedFills } from '../test/compaction/fleets.ts';
import { campaign, uniformFills } from '../test/compaction/packing-oracle.ts';
import { type Benches, type Figure, machine, median } from './bench.ts';

const THRESHOLD = 0.1;
const GOAL_MS = 1500;

export const benches: Benches = {
  'planner-pack': async () => ({ bench: 'planner-pack', machine: machine(), figures: benchPacking() }),
  'planner-million': async () => ({ bench: 'planner-million', machine: machine(), figures: benchMillion() }),
  'planner-worth': async () => ({ bench: 'planner-worth', machine: machine(), figures: benchWorth() }),
  'planner-recovery': async () => ({ bench: 'planner-recovery', machine: machine(), figures: benchRecovery() }),
};

function benchPacking(): Figure[] {
  const figures: Figure[] = [];
  for (const destinationsMax of [1, 9]) {
    const table = new PackTable({ candidatesMax: 120, sourcesMax: 10, destinationsMax, granularity: 256, exact: true });
    for (const [low, high] of [
      [0.1, 0.7],
      [0.5, 0.9],
    ] as const) {
      const times: number[] = [];
      for (let seed = 1; seed <= 60; seed++) {
        const fills = uniformFills(new SeededRandomness(seed), 120, low, high);
        const start = performance.now();
        table.pack(fills, 120, worthScore(holePrice(THRESHOLD)));
        if (seed > 9) times.push(performance.now() - start);
      }
      const value = median(times);
      const name = `pack n=120 K=10 g=1/256 m<=${destinationsMax}, fills ${low}..${high}, median`;
      figures.push({ name, value, unit: 'ms', ratio: value / 10 });
    }
  }
  return figures;
}

function benchMillion(): Figure[] {
  const view = largeFleet(shapedFills(new SeededRandomness(5), 'incident', 1_000_000), 4);
  const figures: Figure[] = [];
  for (const objective of OBJECTIVES) {
    const settings = planSettingsOf({ objective });
    const times: { ms: number; processorMs: number }[] = [];
    for (let round = 0; round < 6; round++) {
      const start = performance.now();
      const used = process.cpuUsage();
      planCompaction({ view, settings, threshold: THRESHOLD });
      const { user, system } = process.cpuUsage(used);
      if (round > 0) times.push({ ms: performance.now() - start, processorMs: (user + system) / 1000 });
    }
    const name = `1,000,000 volumes, all strategies, ${objective}, median`;
    const value = median(times.map(({ processorMs }) => processorMs));
    // A planner waits for nobody: on a machine that does other work, too, the clock measures that work.
    figures.push({ name: `${name}, processor time`, value, unit: 'ms', ratio: value / GOAL_MS });
    figures.push({ name: `${name}, by the clock`, value: median(times.map(({ ms }) => ms)), unit: 'ms' });
  }
  const peak = process.resourceUsage().maxRSS / 1024;
  figures.push({ name: 'peak resident set, the fleet included', value: peak, unit: 'MiB', ratio: peak / 1024 });
  return figures;
}

function benchWorth(): Figure[] {
  const goals = [
    { low: 0.1, high: 0.7, goal: 0.55 },
    { low: 0.02, high: 0.5, goal: 0.5 },
    { low: 0.1, high: 0.4, goal: 0.25 },
  ];
  return goals.flatMap(({ low, high, goal }) => {
    const score = worthScore(holePrice(0.25));
    const by = {
      published: { score: maxFillScore, destinationsMax: 1, exact: false },
      exact: { score: maxFillScore, destinationsMax: 1, exact: true },
      worth: { score, destinationsMax: 9, exact: true },
    };
    const sums = { published: [0, 0, 0], exact: [0, 0, 0], worth: [0, 0, 0] };
    for (let seed = 1; seed <= 20; seed++) {
      const fills = uniformFills(new SeededRandomness(seed * 7919), 400, low, high);
      for (const name of ['published', 'exact', 'worth'] as const) {
        const { reclaimed, moved, destinations } = campaign(fills, by[name], 20);
        const sum = sums[name];
        sums[name] = [sum[0]! + reclaimed, sum[1]! + moved, sum[2]! + destinations];
      }
    }
    const perByte = (name: keyof typeof sums): number => (sums[name][0] ?? 0) / (sums[name][1] ?? 1);
    const more = perByte('worth') / perByte('published') - 1;
    const fills = `fills ${low}..${high}`;
    return [
      {
        name: `worth over max-fill as published, ${fills}`,
        value: 100 * more,
        unit: '% more volumes',
        ratio: more / goal,
      },
      {
        name: `worth over max-fill with exact sums, ${fills}`,
        value: 100 * (perByte('worth') / perByte('exact') - 1),
        unit: '% more volumes',
      },
      { name: `mean destination fill, ${fills}`, value: sums.worth[1]! / sums.worth[2]!, unit: '' },
    ];
  });
}

function benchRecovery(): Figure[] {
  const goals = [0.94, 9.3];
  return runRecovery([1.25, 1.1], 5).flatMap(({ target, moved, movedOfEmptied, least }, at) => {
    const unit = '% of live bytes';
    const name = `overhead 1.56 to ${target}, moved as shipped`;
    return [
      { name: `${name}, volumes never filled`, value: 100 * moved, unit, ratio: (100 * moved) / (goals[at] as number) },
      { name: `${name}, volumes emptied by deletes`, value: 100 * movedOfEmptied, unit },
      { name: `least possible (whole volumes, sparsest first) to ${target}`, value: 100 * least, unit },
    ];
  });
}
