// Plans of few volumes that are alike, or as full as a bound says to the byte; and the same ones with budgets of just what they spend, and less.
import { FLEET_STATES, type FleetView, type FleetVolume, fleetOf } from '../../../lib/compaction/facts/fleet.ts';
import { type PlanSettings, planSettingsOf, STRATEGIES } from '../../../lib/compaction/facts/plan-settings.ts';
import { BUDGET_LINES, type Budgets, budgetsOf } from '../../../lib/compaction/plan/budget.ts';
import { explainVolume } from '../../../lib/compaction/plan/explain.ts';
import type { CompactionPlan, PlannedRun } from '../../../lib/compaction/plan/plan.ts';
import { checkPlan } from '../../../lib/compaction/plan/plan-check.ts';
import { planCompaction } from '../../../lib/compaction/plan/planner.ts';
import { DAY_MS } from '../../../lib/foundation/durations.ts';
import { SeededRandomness } from '../../../lib/foundation/randomness.ts';
import { SeededRows } from '../../golden/seeded-rows.ts';
import { volumeName, volumeOf } from '../fleets.ts';

const CAPACITY = 2_000_000;

interface Case {
  readonly view: FleetView;
  readonly changes: Partial<PlanSettings>;
  readonly threshold: number;
}

const settingsFor = (changes: Partial<PlanSettings>): PlanSettings =>
  planSettingsOf({ groupBytes: 500_000, readBytes: 100_000, moveBytesPerSecond: 1_000_000, ...changes });

/** Half of the volumes are just as full as a bound, a tenth one byte fuller; many are like the one before. */
function fleetByLot(rows: SeededRows, bounds: readonly number[]): FleetView {
  const count = 3 + rows.below(12);
  const ages = rows.list(1 + rows.below(2), () => rows.pick([0, 1, 7, 60]) * DAY_MS);
  const isApart = rows.once(3);
  const isMixed = rows.once(3);
  let last: Partial<FleetVolume> = {};
  const volumes = rows.list(count, (n) => {
    const capacityBytes = rows.once(9) ? CAPACITY / 2 : CAPACITY;
    const fill = rows.once(2) ? rows.pick(bounds) : rows.below(101) / 100;
    const liveBytes = Math.min(capacityBytes, Math.floor(fill * capacityBytes) + (rows.once(10) ? 1 : 0));
    const usedBytes = rows.pick([liveBytes, capacityBytes, Math.floor((liveBytes + capacityBytes) / 2)]);
    const made: Partial<FleetVolume> = {
      state: isMixed && rows.once(2) ? rows.pick(FLEET_STATES) : 'sealed',
      codec: isMixed && rows.once(3) ? rows.pick(['rs-6-3', 'xor-2-1', 'single']) : 'rs-6-3',
      lane: isApart && rows.once(3) ? 1 + rows.below(2) : 0,
      generation: 1 + rows.below(2),
      capacityBytes,
      liveBytes,
      usedBytes,
      bucketCount: rows.pick([1, 4, 5, 12, 25]),
      ageMs: rows.pick(ages) + rows.below(2),
      ...(rows.once(4) ? { roomBytes: rows.pick([0, 1, 200_000]) } : {}),
    };
    last = n > 0 && rows.once(3) ? last : made;
    return { ...volumeOf(0, 0, last), id: volumeName(rows.below(4) * 100 + n + 1) };
  });
  return fleetOf('store', 'c0', volumes);
}

function caseOf(seed: number): Case {
  const rows = new SeededRows(new SeededRandomness(31_000 + seed));
  const maybe = rows.sometimes<PlanSettings>(4);
  const isDense = seed % 3 === 0;
  const changes: Partial<PlanSettings> = {
    ...(rows.once(3) ? { sourcesMax: 3, minFill: 0.3 } : rows.once(2) ? { minFill: 0.5 } : {}),
    ...maybe('objective', ['max-fill', 'money']),
    ...(rows.once(2) ? { topOffs: 'always' as const } : {}),
    ...maybe('hostOrder', ['densest']),
    ...maybe('donorOrder', ['densest']),
    ...maybe('unpacked', ['wait']),
    ...maybe('drainOrder', ['sparsest']),
    ...maybe('finish', [true]),
    ...maybe('destinationsMax', [1, 2]),
    ...maybe('granularity', [16]),
    ...maybe('candidatesMax', [3, 5]),
    ...maybe('tableRunsMax', [0, 1]),
    ...maybe('runsMax', [1, 2]),
    ...maybe('drainBatchMax', [1, 2]),
    ...maybe('bucketsPerVolumeMax', [12, 25]),
    ...maybe('minAgeMs', [DAY_MS, 7 * DAY_MS]),
    ...maybe('targetOverhead', [1.5, 2]),
    ...maybe('reserve', [0, 0.1]),
    ...maybe('billing', ['stored']),
    ...maybe('storageClass', ['glacier-ir']),
    ...maybe('deletesPerDay', [[0.1, 0.03, 0.01, 0]]),
    ...maybe('horizonMs', [30 * DAY_MS]),
    // What neither packs nor streams is topped off.
    ...(isDense ? { minFill: 0.3, l2UpTo: 0.3, minAgeMs: 0, topOffs: 'always' as const } : {}),
    ...maybe('strategies', [STRATEGIES.slice(0, 2), STRATEGIES.slice(1), STRATEGIES.slice(2), ['l1', 'l3']]),
  };
  const threshold = rows.pick(isDense ? [0.05, 0.1] : [0.05, 0.1, 0.25, 0.5]);
  const { l3UpTo, l2UpTo, l1UpTo, reserve } = planSettingsOf(changes);
  const top = (1 - threshold) * (1 - reserve);
  return { view: fleetByLot(rows, [0, l3UpTo, l2UpTo, l1UpTo, top, 0.25, 0.45, 0.5, 0.86]), changes, threshold };
}

const short = (volume: string): string => String(Number.parseInt(volume, 16));

function runText({ name, lane, ageClass, host, sources, newVolumes, freedBytes, better }: PlannedRun): string {
  const from = sources.map(({ volume, takeBytes, liveBytes }) =>
    takeBytes === liveBytes ? short(volume) : `${short(volume)}(${takeBytes})`,
  );
  const to = host === null ? newVolumes : short(host.volume);
  return `${name} ${lane ?? 0}/${ageClass} ${from.join('+')}>${to} frees ${freedBytes}${better === null ? '' : ` ${better.code}`}`;
}

const planText = (plan: CompactionPlan): string =>
  `${plan.verdicts} used ${plan.budgetUsed}: ${plan.runs.map(runText).join(', ') || 'nothing'} ${plan.digest.slice(0, 12)}`;

/** Exactly what it spends, one less, and half of it, or what its largest run needs: of one line, another for every case. */
function withinBudgets(seed: number, { view, changes, threshold }: Case, whole: CompactionPlan): string[] {
  const line = BUDGET_LINES[seed % BUDGET_LINES.length] as (typeof BUDGET_LINES)[number];
  const spent = STRATEGIES.reduce((sum, strategy) => sum + whole.spent[strategy][line], 0);
  const largest = Math.max(...whole.runs.map((run) => (line === 'dollars' ? run.dollars : run.work.bytesRead)));
  const least = line === 'dollars' ? 1e-9 : 1;
  const all = [spent, spent - least, line === 'bytesRead' ? largest / 0.4 : spent / 2];
  return all.flatMap((budget) => {
    if (!(budget > 0)) return [];
    const shares = seed % 2 === 0 ? {} : { shares: { l1: 0.25, l2: 0.25, l3: 0.5 } };
    const budgets: Partial<Budgets> = { [line]: budget, ...shares };
    const plan = planCompaction({ view, settings: settingsFor(changes), threshold, budgets: budgetsOf(budgets) });
    return [`  ${line} ${budget}: ${planText(plan)}`];
  });
}

const CASES = 100;

export function closePlanLines(): readonly string[] {
  return Array.from({ length: CASES }, (_, seed) => {
    const one = caseOf(seed);
    const { view, changes, threshold } = one;
    const plan = planCompaction({ view, settings: settingsFor(changes), threshold });
    const volumes = view.ids.map((id, i) => `${short(id)}:${view.liveBytes[i]}`);
    const host = plan.runs.find((run) => run.host !== null)?.host?.volume;
    const of = host ?? (view.ids[seed % view.count] as string);
    const why = explainVolume(view, plan, of).map(({ code, text }) => `${code} ${text}`);
    return [
      `${seed} ${JSON.stringify({ ...changes, threshold })} of ${volumes.join(' ')}`,
      `  ${planText(plan)}`,
      `  ${checkPlan(view, plan).length} problems; ${short(of)}: ${why.join('; ')}`,
      ...(plan.runs.length > 0 ? withinBudgets(seed, one, plan) : []),
    ];
  }).flat();
}
