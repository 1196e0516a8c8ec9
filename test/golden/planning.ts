// What planners make of seeded fleets and remnants, and what a check says of plans with one wrong figure.
import { FLEET_STATES, type FleetView, fleetOf } from '../../lib/compaction/facts/fleet.ts';
import { type MergeSettings, mergeSettingsFor } from '../../lib/compaction/facts/merge-settings.ts';
import { type PlanSettings, planSettingsOf, STRATEGIES } from '../../lib/compaction/facts/plan-settings.ts';
import { remnantViewOf } from '../../lib/compaction/facts/remnants.ts';
import { type Budgets, budgetsOf } from '../../lib/compaction/plan/budget.ts';
import { explainVolume } from '../../lib/compaction/plan/explain.ts';
import type { MergeBudget, MergePlan } from '../../lib/compaction/plan/merges/merge-plan.ts';
import { planMerges } from '../../lib/compaction/plan/merges/merge-propose.ts';
import type { CompactionPlan, PlannedRun } from '../../lib/compaction/plan/plan.ts';
import { checkPlan } from '../../lib/compaction/plan/plan-check.ts';
import { planCompaction } from '../../lib/compaction/plan/planner.ts';
import { DAY_MS } from '../../lib/foundation/durations.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { settingsOf } from '../../lib/settings/settings.ts';
import { CAPACITY, volumeName, volumeOf } from '../compaction/fleets.ts';
import { uniform } from '../compaction/packing-oracle.ts';

/** What a planner may be told that changes what it does, a value each that is not the usual one. */
const UNUSUAL: readonly Partial<PlanSettings>[] = [
  {},
  { objective: 'max-fill' },
  { objective: 'money' },
  { objective: 'money', storageClass: 'glacier-ir', billing: 'stored', deletesPerDay: [0.02, 0.01, 0.004, 0.0001] },
  { topOffs: 'always' },
  { topOffs: 'always', hostOrder: 'densest', donorOrder: 'densest' },
  { unpacked: 'wait', drainOrder: 'sparsest' },
  { unpacked: 'wait', finish: true },
  { finish: true, topOffs: 'always' },
  { l3UpTo: 0.3, l2UpTo: 0.6, l1UpTo: 0.8, topOffs: 'always' },
  { sourcesMax: 4, destinationsMax: 2, minFill: 0.4, granularity: 32 },
  { candidatesMax: 12, tableRunsMax: 1, drainBatchMax: 3 },
  { tableRunsMax: 0, runsMax: 3 },
  { bucketsPerVolumeMax: 40, topOffs: 'always' },
  { minAgeMs: 9 * DAY_MS, targetOverhead: 1.3 },
  { reserve: 0.05, readBytes: 1 << 20, groupBytes: 1 << 24 },
];

export function seededFleet(random: SeededRandomness, count: number): FleetView {
  const pick = <T>(of: readonly T[]): T => of[random.below(of.length)] as T;
  const volumes = Array.from({ length: count }, (_, n) => {
    const capacityBytes = random.below(12) === 0 ? CAPACITY / 2 : CAPACITY;
    const fill = random.below(3) === 0 ? uniform(random, 0, 0.12) : uniform(random, 0.05, 1);
    const liveBytes = random.below(20) === 0 ? 0 : Math.round(fill * capacityBytes);
    return volumeOf(n + 1, fill, {
      state: random.below(8) === 0 ? pick(FLEET_STATES) : 'sealed',
      codec: random.below(6) === 0 ? 'lrc-12-2-2' : 'rs-6-3',
      generation: 1 + random.below(3),
      capacityBytes,
      liveBytes,
      usedBytes: Math.round(uniform(random, liveBytes, capacityBytes)),
      bucketCount: 1 + random.below(30),
      ageMs: Math.round(uniform(random, 0, random.below(2) === 0 ? 10 : 120) * DAY_MS),
      ...(random.below(4) === 0 ? { roomBytes: Math.round(uniform(random, 0, capacityBytes - liveBytes)) } : {}),
    });
  });
  return fleetOf('store', 'c0', volumes);
}

interface PlanCase {
  readonly name: string;
  readonly view: FleetView;
  readonly plan: CompactionPlan;
}

function planCases(): readonly PlanCase[] {
  return UNUSUAL.flatMap((changes, at) =>
    [60, 25, 40].map((count, turn): PlanCase => {
      const random = new SeededRandomness(1000 + at * 3 + turn);
      const view = seededFleet(random, turn === 2 && changes.finish ? 14 : count);
      const threshold = [0.1, 0.25, changes.finish || at % 2 === 0 ? 0.6 : 0.1][turn] as number;
      const budgets: Partial<Budgets> =
        turn === 0
          ? {}
          : turn === 2
            ? { bytesRead: (1.5 + (at % 4)) * CAPACITY }
            : [
                { bytesRead: 9 * CAPACITY },
                { metadataWrites: 900 },
                { requests: 2500, computeMs: 60_000 },
                { dollars: 0.01 },
              ][at % 4]!;
      const strategies = turn === 1 && at % 5 === 4 ? STRATEGIES.filter((_, i) => i !== at % 3) : STRATEGIES;
      const settings = planSettingsOf({ strategies: [...strategies], ...changes });
      const plan = planCompaction({ view, settings, threshold, budgets: budgetsOf(budgets) });
      return { name: `${at}${'abc'[turn]} ${JSON.stringify({ ...changes, ...budgets, threshold })}`, view, plan };
    }),
  );
}

const short = (volume: string): string => String(Number.parseInt(volume, 16));

function runLine({ name, codec, ageClass, host, sources, newVolumes, reason, better }: PlannedRun): string {
  const from = sources.map((source) =>
    source.takeBytes === source.liveBytes
      ? short(source.volume)
      : `${short(source.volume)}(${source.takeBytes}/${source.takeBuckets})`,
  );
  const to = host === null ? `${newVolumes} new` : `${short(host.volume)}`;
  const why = better === null ? reason.code : `${reason.code}, but ${better.code}`;
  return `  ${name} ${codec} ${ageClass}: ${from.join(' ')} into ${to}: ${why}`;
}

/** A plan's digest is of all that is in it: texts, costs and dollars, too. */
export function planLines(): readonly string[] {
  return planCases().flatMap(({ name, view, plan }) => [
    name,
    `  ${plan.verdicts} ${JSON.stringify(plan.before)} ${JSON.stringify(plan.after)} used ${plan.budgetUsed} saved ${plan.savedDollars}`,
    ...plan.runs.map(runLine),
    `  ${checkPlan(view, plan).length} problems, ${plan.digest}`,
  ]);
}

/** Every figure of a plan and of what it was made from, one more and one less: what a check says to it. */
export function problemLines(): readonly string[] {
  const view = seededFleet(new SeededRandomness(77), 60);
  const settings = planSettingsOf({ topOffs: 'always', drainBatchMax: 2 });
  const whole = planCompaction({ view, settings, threshold: 0.1 });
  const lines: string[] = [];
  const say = (name: string, at: FleetView, plan: CompactionPlan): void => {
    const problems = checkPlan(at, plan).map(({ kind, message }) => `${kind}: ${message}`);
    lines.push(`${name}: ${problems.join(' | ') || 'nothing'}`);
  };
  const firsts = STRATEGIES.flatMap((strategy) => whole.runs.find((run) => run.strategy === strategy) ?? []);
  for (const run of firsts)
    for (const [path, value] of numbersOf(run, [])) {
      for (const by of [-1, 1]) {
        const changed = structuredClone(run);
        setAt(changed, path, value + by);
        const runs = whole.runs.map((one) => (one === run ? changed : one));
        say(`${run.name} ${path.join('.')} ${by}`, view, { ...whole, runs });
      }
    }
  const named = firsts.flatMap(({ host, sources }) => [...(host === null ? [] : [host]), ...sources.slice(0, 1)]);
  const columns = ['generation', 'codec', 'state', 'liveBytes', 'capacityBytes', 'bucketCount'] as const;
  for (const { volume } of named)
    for (const column of columns)
      for (const by of [-1, 1]) {
        const i = view.ids.indexOf(volume);
        const other = view[column].slice();
        other[i] = (other[i] as number) + by;
        if (column === 'state' && FLEET_STATES[other[i] as number] === undefined) continue;
        say(`${short(volume)} ${column} ${by}`, { ...view, [column]: other }, whole);
      }
  say('another store', { ...view, store: 'other' }, whole);
  say('another cell', { ...view, cell: 'c1' }, whole);
  say('a run twice', view, { ...whole, runs: [...whole.runs, whole.runs[0] as PlannedRun] });
  say('no run', view, { ...whole, runs: [] });
  say('lost bytes', view, { ...whole, after: { ...whole.after, liveBytes: whole.after.liveBytes - 1 } });
  const explained = [...named.map(({ volume }) => volume), ...view.ids.slice(0, 6)];
  for (const volume of explained)
    for (const { code, text } of explainVolume(view, whole, volume))
      lines.push(`explain ${short(volume)} ${code}: ${text}`);
  return lines;
}

function numbersOf(value: object, path: readonly string[]): readonly (readonly [readonly string[], number])[] {
  return Object.entries(value).flatMap(([key, inner]) => {
    const here = [...path, key];
    if (typeof inner === 'number') return [[here, inner] as const];
    // Of the sources the first and the last.
    const isMiddle = path.at(-1) === 'sources' && key !== '0' && key !== String(Object.keys(value).length - 1);
    return typeof inner === 'object' && inner !== null && !isMiddle ? numbersOf(inner, here) : [];
  });
}

function setAt(value: object, path: readonly string[], number: number): void {
  const [key = '', ...rest] = path;
  const inner = value as Record<string, object | number>;
  if (rest.length === 0) inner[key] = number;
  else setAt(inner[key] as object, rest, number);
}

const MERGE_CASES: readonly (Partial<MergeSettings> & { budget?: Partial<MergeBudget>; live?: number })[] = [
  {},
  { rowsPerGibMax: 200, live: 0.1 },
  { rowsPerGibMax: 200, relief: 0.3 },
  { rowsPerGibMax: 60, tierFactor: 2, sourcesMin: 2 },
  { rowsPerGibMax: 60, slotsPerBucketMax: 90, sourcesMin: 5 },
  { rowsPerGibMax: 60, bucketBytes: 1 << 22 },
  { rowsPerGibMax: 60, blockRowsMax: 1500 },
  { rowsPerGibMax: 60, volumesMax: 5 },
  { rowsPerGibMax: 60, blockRowsPerRowMax: 12 },
  { rowsPerGibMax: 60, blockRowsPerRowMax: 20, scanRowsPerWrite: 1 },
  { rowsPerGibMax: 60, blocksPerColumnMin: 4000 },
  { rowsPerGibMax: 60, budget: { metadataWrites: 3000 } },
  { rowsPerGibMax: 60, budget: { dollars: 0.00001 } },
  { rowsPerGibMax: 60, remnantFraction: 0.5, sourcesMin: 60 },
];

function mergePlanOf(at: number): MergePlan {
  const { budget, live = 1, ...changes } = MERGE_CASES[at] ?? {};
  const random = new SeededRandomness(500 + at);
  const states = ['sealed', 'sealed', 'sealed', 'sealed', 'sealed', 'open', 'hot', 'leased', 'trash'] as const;
  const volumes = Array.from({ length: 12 }, (_, n) => ({
    id: volumeName(n + 1),
    generation: 1 + random.below(4),
    state: states[random.below(states.length)]!,
    bucketCount: 30 + random.below(9),
    ageMs: Math.round(uniform(random, -1, 80) * DAY_MS),
  }));
  const buckets = Array.from({ length: 240 }, (_, n) => {
    const usedBytes = 1 + random.below(8 << 20);
    const liveBytes = random.below(15) === 0 ? 0 : Math.floor(usedBytes * live * uniform(random, 0, 1) ** 3);
    return {
      id: volumeName(9000 - n),
      volume: volumeName(1 + random.below(13)),
      liveBytes,
      usedBytes,
      slots: random.below(90),
    };
  });
  const settings = mergeSettingsFor(settingsOf('personal'), {
    bucketBytes: 8 << 20,
    blocksPerColumnMin: 0,
    ...changes,
  });
  const unlimited: MergeBudget = budgetsOf({});
  return planMerges({
    view: remnantViewOf('store', 'c0', volumes, buckets),
    settings,
    codec: 'rs-6-3',
    plan: planSettingsOf(),
    ...(budget === undefined ? {} : { budget: { ...unlimited, ...budget } }),
  });
}

export function mergeLines(): readonly string[] {
  return MERGE_CASES.flatMap((changes, at) => {
    const { merges, reason, digest, volumes, ...figures } = mergePlanOf(at);
    return [
      `${at} ${JSON.stringify(changes)}: ${reason.code}: ${reason.text}`,
      `  ${JSON.stringify(figures)} of ${volumes.map(({ volume }) => short(volume)).join(' ')}`,
      ...merges.map(
        (one) => `  tier ${one.tier} age ${one.ageClass}: ${one.sources.map(({ bucket }) => short(bucket)).join(' ')}`,
      ),
      `  whole: ${digest}`,
    ];
  });
}
