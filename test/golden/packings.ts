// What is packed into fewer volumes, by table, quickly and by swaps, of seeded fills; and plans by the hundred, of settings by lot, a digest each.
import { FLEET_STATES } from '../../lib/compaction/facts/fleet.ts';
import { type PlanSettings, planSettingsOf, STRATEGIES } from '../../lib/compaction/facts/plan-settings.ts';
import { type Budgets, budgetsOf } from '../../lib/compaction/plan/budget.ts';
import { packQuickly } from '../../lib/compaction/plan/l2-quick.ts';
import { improveBySwaps } from '../../lib/compaction/plan/l2-swaps.ts';
import {
  type CellScore,
  maxFillScore,
  type Packing,
  PackTable,
  worthScore,
} from '../../lib/compaction/plan/l2-table.ts';
import type { PlannedRun } from '../../lib/compaction/plan/plan.ts';
import { checkPlan } from '../../lib/compaction/plan/plan-check.ts';
import { planCompaction } from '../../lib/compaction/plan/planner.ts';
import { DAY_MS } from '../../lib/foundation/durations.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { CAPACITY } from '../compaction/fleets.ts';
import { seededFleet } from './planning.ts';
import { SeededRows, textOf } from './seeded-rows.ts';

const SCORES: Readonly<Record<string, CellScore>> = {
  fill: maxFillScore,
  worth: worthScore(0.3),
  // Cells that are refused, and many that are worth the same.
  even: (sources, destinations) => (sources - destinations < 2 ? -Infinity : sources - destinations),
};

const packingText = (packing: Packing | undefined): string =>
  packing === undefined
    ? 'none'
    : `${packing.chosen.join(' ')} into ${packing.destinations}, ${packing.packed} ${packing.score}`;

export function packingLines(): string[] {
  const lines: string[] = [];
  for (let seed = 1; seed <= 30; seed++) {
    const rows = new SeededRows(new SeededRandomness(seed));
    const count = 2 + rows.below(14);
    // Some of them exact parts of a volume: sums that are just full, and ties.
    const fills = Float64Array.from(
      rows.list(count + 2, () => (rows.once(3) ? rows.pick([0.25, 0.5, 0.125, 1]) : rows.below(1000) / 1000)),
    ).sort();
    const shape = {
      candidatesMax: count + 2,
      sourcesMax: 2 + rows.below(6),
      destinationsMax: 1 + rows.below(3),
      granularity: rows.pick([8, 16, 33]),
      exact: rows.once(2),
    };
    const table = new PackTable(shape);
    const budget = 3 + rows.below(8);
    const admits = { all: () => true, even: (chosen: readonly number[], m: number) => chosen.length * m <= budget };
    lines.push(`${seed} ${textOf(shape)} ${[...fills.subarray(0, count)].join(' ')}`);
    for (const [name, score] of Object.entries(SCORES))
      for (const [which, admit] of Object.entries(admits))
        lines.push(
          `  ${name} ${which}: ${packingText(table.pack(fills, count, score, admit))}; quickly ${packingText(packQuickly(fills, count, shape, score, admit))}`,
        );
    const chosen = rows
      .list(count, (i) => i)
      .filter(() => rows.once(2))
      .slice(0, 5);
    lines.push(
      `  ${chosen} swapped: ${[1, 2, 3].map((m) => improveBySwaps(fills, count, chosen, m).join(' ')).join(', ')}`,
    );
  }
  return lines;
}

/** Each setting is unusual in one of three plans. */
function settingsBy(rows: SeededRows): Partial<PlanSettings> {
  const maybe = rows.sometimes<PlanSettings>(3);
  // Few sources go with little fill: no volume may be nobody's.
  const shapes = [{ sourcesMax: 4, minFill: 0.4 }, { sourcesMax: 3, minFill: 0.3 }, { minFill: 0.5 }];
  return {
    ...(rows.once(3) ? rows.pick(shapes) : {}),
    ...maybe('objective', ['max-fill', 'worth', 'money']),
    ...maybe('topOffs', ['always']),
    ...maybe('hostOrder', ['densest']),
    ...maybe('donorOrder', ['densest']),
    ...maybe('unpacked', ['wait']),
    ...maybe('drainOrder', ['sparsest']),
    ...maybe('finish', [true]),
    ...maybe('destinationsMax', [1, 2]),
    ...maybe('granularity', [16, 48]),
    ...maybe('candidatesMax', [4, 9]),
    ...maybe('tableRunsMax', [0, 1]),
    ...maybe('runsMax', [1, 2, 4]),
    ...maybe('drainBatchMax', [1, 2]),
    ...maybe('bucketsPerVolumeMax', [25, 45]),
    ...maybe('minAgeMs', [DAY_MS, 9 * DAY_MS]),
    ...maybe('targetOverhead', [1.2, 1.4]),
    ...maybe('reserve', [0.03]),
    ...maybe('billing', ['stored']),
    ...maybe('strategies', [STRATEGIES.slice(0, 2), STRATEGIES.slice(1), STRATEGIES.slice(0, 1)]),
  };
}

const MANY = 240;

export const manyPlanLines = (): string[] => [...plansByLot(), ...finishedPlans()];

/** Of few volumes, where a run to finish may free less than is due for its threshold. */
function finishedPlans(): string[] {
  return Array.from({ length: 12 }, (_, at) => {
    const random = new SeededRandomness(50_056 + at);
    const threshold = [0.4, 0.6, 0.8][random.below(3)] as number;
    const view = seededFleet(random, 3 + random.below(14));
    const objective = (['worth', 'money', 'max-fill'] as const)[at % 3] as PlanSettings['objective'];
    const unpacked = at % 2 === 1 ? { unpacked: 'wait' as const } : {};
    const plan = planCompaction({
      view,
      settings: planSettingsOf({ finish: true, objective, ...unpacked }),
      threshold,
      budgets: budgetsOf({}),
    });
    return `finished ${at} ${objective} ${threshold}: ${plan.runs.map(runText).join(', ')}; ${plan.digest.slice(0, 16)}`;
  });
}

const runText = ({ name, sources, newVolumes }: PlannedRun): string => `${name} ${sources.length}>${newVolumes}`;

function plansByLot(): string[] {
  return Array.from({ length: MANY }, (_, at) => {
    const random = new SeededRandomness(9000 + at);
    const rows = new SeededRows(random);
    const changes = settingsBy(rows);
    const budgets: Partial<Budgets> = rows.pick([
      {},
      {},
      { bytesRead: (1 + rows.below(5)) * CAPACITY },
      { bytesWritten: (1 + rows.below(5)) * CAPACITY },
      { metadataWrites: 60 + rows.below(400) },
      { requests: 200 + rows.below(2500) },
      { computeMs: 5000 + rows.below(60_000) },
      { dollars: 0.001 * (1 + rows.below(20)) },
    ]);
    const threshold = rows.pick([0.05, 0.1, 0.25, 0.4, 0.6]);
    const view = seededFleet(random, 3 + rows.below(24));
    const plan = planCompaction({ view, settings: planSettingsOf(changes), threshold, budgets: budgetsOf(budgets) });
    const states = FLEET_STATES.map((_state, i) => view.state.filter((one) => one === i).length);
    const runs = plan.runs.map(runText);
    return `${at} ${JSON.stringify({ ...changes, ...budgets, threshold })} of ${states}: ${runs.join(', ')}; ${checkPlan(view, plan).length} ${plan.digest.slice(0, 16)}`;
  });
}
