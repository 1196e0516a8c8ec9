// `sim incident`: the published incident played again. A steady fleet under L1; a roll-out of the Live Coder that seals hardly
// filled volumes; its detection; then several ways of compacting side by side, from the same fleet, on the same budgets and seed.

import type { PlanSettings } from '../compaction/facts/plan-settings.ts';
import { UNLIMITED } from '../compaction/plan/budget.ts';
import { type ThresholdSettings, thresholdSettingsOf } from '../compaction/threshold/law.ts';
import { DAY_MS } from '../foundation/durations.ts';
import { invalid } from '../foundation/errors.ts';
import { SeededRandomness } from '../foundation/randomness.ts';
import { totalOf } from './apply-plan.ts';
import { type DeletePattern, deletesOf } from './deletes.ts';
import type { FleetModel, Relocation } from './fleet-model.ts';
import { FleetRun, type Policy, type World } from './fleet-run.ts';
import type { OutputShape } from './live-coder-output.ts';
import { FLEET_SIZE, startFleet } from './start-fleet.ts';

export interface IncidentSettings {
  readonly seed: number;
  readonly liveVolumes: number;
  readonly pattern: DeletePattern;
  readonly deletesPerDay: number;
  readonly shape: OutputShape;
  /** Under-filled volumes, as a part of those allocated before. */
  readonly size: number;
  /** Bytes compaction may read a day, as a multiple of what L1 uses in the steady state; and the same of metadata writes. */
  readonly byteBudget: number;
  readonly metadataBudget: number;
  /** What L2 is sure of; the rest is divided between L1 and L3 as 2 : 1. */
  readonly l2Share: number;
  readonly threshold: number;
  readonly plansPerDay: number;
  readonly burnInDays: number;
  readonly rampDays: number;
  readonly days: number;
  readonly relocation: Relocation;
}

export const INCIDENT: IncidentSettings = Object.freeze({
  seed: 1,
  liveVolumes: 2000,
  pattern: 'uniform',
  deletesPerDay: 0.005,
  shape: 'severe',
  size: 0.3,
  byteBudget: 1.25,
  metadataBudget: 2,
  l2Share: 0.4,
  threshold: 0.25,
  plansPerDay: 2,
  burnInDays: 120,
  rampDays: 42,
  days: 28,
  relocation: 'bucket',
});

export const ARMS = ['l1', 'l1-sparsest', 'l2-one', 'l2-many', 'all', 'all-static'] as const;
export type Arm = (typeof ARMS)[number];

export const ARM_TEXT: Readonly<Record<Arm, string>> = {
  l1: 'L1 only, dense donors first (as published)',
  'l1-sparsest': 'L1 only, sparsest donors first (control)',
  'l2-one': 'L1 + L2, k -> 1, max-fill (as published)',
  'l2-many': 'L1 + L2, k -> m, worth',
  all: 'L1 + L2 + L3, worth',
  'all-static': 'L1 + L2 + L3, threshold fixed',
};

export const HISTOGRAM_BINS = 20;

export interface Sample {
  /** Since detection; negative before. */
  readonly day: number;
  readonly overhead: number;
  readonly threshold: number;
  readonly volumes: number;
  readonly bytes: number;
  readonly metadataWrites: number;
  readonly dollars: number;
  readonly reclaimed: number;
  readonly histogram: readonly number[];
}

export interface ArmResult {
  readonly arm: Arm;
  readonly text: string;
  readonly samples: readonly Sample[];
  readonly day7: number;
  readonly end: number;
  /** Excess over 1 after 7 days, relative to L1 only; and over the overhead before the incident. */
  readonly excessRatio: number;
  readonly excessOverBaselineRatio: number;
  /** Excess removed in 7 days, relative to L1 only; null where L1 removed none. */
  readonly speed: number | null;
  /** First day at or below the overhead before the incident; null: not within the run. */
  readonly daysToBaseline: number | null;
  readonly l1VolumesPerRun: number | null;
}

export interface IncidentResult {
  readonly settings: IncidentSettings;
  readonly baseline: { readonly overhead: number; readonly bytesPerDay: number; readonly metadataPerDay: number };
  readonly detected: { readonly overhead: number; readonly under5Percent: number };
  readonly before: readonly Sample[];
  readonly arms: readonly ArmResult[];
}

/** L1 owns everything: the ranges of the others are as good as empty. */
const L1_ONLY: Partial<PlanSettings> = {
  strategies: ['l1'],
  minFill: 0.001,
  l3UpTo: 0.0001,
  l2UpTo: 0.0002,
  hostOrder: 'densest',
  donorOrder: 'densest',
  candidatesMax: 2,
  granularity: 8,
};
/** Without L3 as many sources as a run may have: what is thinner than minFill / K is nobody's. */
const L1_AND_L2: Partial<PlanSettings> = {
  strategies: ['l1', 'l2'],
  sourcesMax: 32,
  l3UpTo: 0.9 / 32,
  l2UpTo: 0.5,
  hostOrder: 'densest',
  donorOrder: 'densest',
  granularity: 128,
  tableRunsMax: 4,
};
const ALL: Partial<PlanSettings> = {
  l3UpTo: 0.1,
  l2UpTo: 0.5,
  hostOrder: 'densest',
  donorOrder: 'densest',
  granularity: 128,
  tableRunsMax: 4,
};

const PLANS: Readonly<Record<Arm, Partial<PlanSettings>>> = {
  l1: L1_ONLY,
  'l1-sparsest': { ...L1_ONLY, donorOrder: 'sparsest' },
  'l2-one': { ...L1_AND_L2, objective: 'max-fill', destinationsMax: 1 },
  'l2-many': L1_AND_L2,
  all: ALL,
  'all-static': ALL,
};

const CONTROLLER: ThresholdSettings = thresholdSettingsOf({ targetOverhead: 1.02, max: 0.5 });

/** The fleet before the incident and at its detection: shared by runs that differ in budgets and arms only. */
export interface Stage {
  readonly model: FleetModel;
  readonly baseline: IncidentResult['baseline'];
  readonly before: readonly Sample[];
  readonly day: number;
}

export type OnProgress = (part: number, what: string) => void;

const worldOf = (s: IncidentSettings): World => ({
  deletes: deletesOf(s.pattern, s.deletesPerDay),
  stepMs: DAY_MS / s.plansPerDay,
  shards: 1,
  writing: { mergeBelow: s.relocation === 'blob' ? 1 : 0.5 },
});

/** Burns the fleet in under L1 and plays the roll-out. */
export function stageIncident(s: IncidentSettings, onProgress: OnProgress = () => {}): Stage {
  const world = worldOf(s);
  const size = { ...FLEET_SIZE, seed: s.seed, liveVolumes: s.liveVolumes, relocation: s.relocation };
  const burn = new FleetRun(startFleet(size, world.deletes, 1.145), world, { plan: L1_ONLY, threshold: s.threshold });
  const span = s.burnInDays + s.rampDays;
  const countFrom = s.burnInDays * 0.75;
  let overheads = 0;
  let days = 0;
  while (burn.day < s.burnInDays - 1e-9) {
    const wasCounting = burn.day >= countFrom;
    burn.step();
    if (!wasCounting && burn.day >= countFrom) burn.startCounting();
    if (!wasCounting) continue;
    overheads += burn.model.overhead;
    days += 1 / s.plansPerDay;
    onProgress(burn.day / span, 'burn-in');
  }
  const baseline = {
    overhead: overheads / (days * s.plansPerDay),
    bytesPerDay: totalOf(burn.moved, 'bytes') / days,
    metadataPerDay: totalOf(burn.moved, 'metadataWrites') / days,
  };
  if (!(baseline.bytesPerDay > 0 && baseline.metadataPerDay > 0))
    throw invalid(
      'SIM_INVALID',
      'L1 moved nothing before the incident: the fleet is too small or too young to compare with',
    );
  const { day } = burn;
  burn.model.sealOpen(burn.nowMs);
  const run = new FleetRun(burn.model, world, policyOf('l1', s, baseline, undefined), day);
  run.begin({ shape: s.shape, volumes: s.size * burn.model.allocatedVolumes, fromDay: day, rampDays: s.rampDays });
  const before: Sample[] = [];
  while (run.day < day + s.rampDays - 1e-9) {
    stepDay(run, s);
    before.push(sampleOf(run, run.day - day - s.rampDays));
    onProgress(run.day / span, 'roll-out');
  }
  run.model.sealOpen(run.nowMs);
  return { model: run.model, baseline, before, day: run.day };
}

export function runIncident(
  settings: IncidentSettings,
  arms: readonly Arm[] = ARMS,
  stage: Stage = stageIncident(settings),
  onProgress: OnProgress = () => {},
): IncidentResult {
  const runs = arms.map((arm, at) => {
    const policy = policyOf(arm, settings, stage.baseline, arm === 'all-static' ? undefined : CONTROLLER);
    const model = stage.model.copy(new SeededRandomness(settings.seed + 1000));
    const run = new FleetRun(model, worldOf(settings), policy, stage.day);
    const samples = [sampleOf(run, 0)];
    for (let day = 1; day <= settings.days; day++) {
      stepDay(run, settings);
      samples.push(sampleOf(run, day));
      onProgress((at + day / settings.days) / arms.length, ARM_TEXT[arm]);
    }
    return { arm, samples, l1: run.moved.l1 };
  });
  const control = runs.find(({ arm }) => arm === 'l1')?.samples;
  const { overhead } = stage.baseline;
  const first = runs[0]?.samples[0];
  const thin = first === undefined ? 0 : (first.histogram[0] as number) / first.volumes;
  return {
    settings,
    baseline: stage.baseline,
    detected: { overhead: first?.overhead ?? Number.NaN, under5Percent: thin },
    before: stage.before,
    arms: runs.map(({ arm, samples, l1 }) => ({
      arm,
      text: ARM_TEXT[arm],
      samples,
      ...compared(samples, control ?? samples, overhead),
      l1VolumesPerRun: l1.runs === 0 ? null : l1.reclaimed / l1.runs,
    })),
  };
}

function compared(samples: readonly Sample[], control: readonly Sample[], baseline: number) {
  const at = (of: readonly Sample[], day: number): number => (of[Math.min(day, of.length - 1)] as Sample).overhead;
  const day7 = at(samples, 7);
  const removed = at(samples, 0) - day7;
  const controlRemoved = at(control, 0) - at(control, 7);
  return {
    day7,
    end: (samples.at(-1) as Sample).overhead,
    excessRatio: (day7 - 1) / (at(control, 7) - 1),
    excessOverBaselineRatio: (day7 - baseline) / (at(control, 7) - baseline),
    // A control that moved by less than a ten-thousandth has no speed to be compared with.
    speed: controlRemoved > 1e-4 ? removed / controlRemoved : null,
    daysToBaseline: samples.find(({ overhead }) => overhead <= baseline)?.day ?? null,
  };
}

function policyOf(
  arm: Arm,
  s: IncidentSettings,
  baseline: IncidentResult['baseline'],
  controller: ThresholdSettings | undefined,
): Policy {
  const rest = 1 - s.l2Share;
  return {
    plan: PLANS[arm],
    threshold: s.threshold,
    budgetsPerDay: {
      ...UNLIMITED,
      bytesRead: baseline.bytesPerDay * s.byteBudget,
      metadataWrites: baseline.metadataPerDay * s.metadataBudget,
      shares: { l1: (rest * 2) / 3, l2: s.l2Share, l3: 1 - s.l2Share - (rest * 2) / 3 },
    },
    ...(controller === undefined ? {} : { controller }),
  };
}

function stepDay(run: FleetRun, s: IncidentSettings): void {
  for (let n = 0; n < s.plansPerDay; n++) run.step();
}

const sampleOf = (run: FleetRun, day: number): Sample => ({
  day: Math.round(day),
  overhead: run.model.overhead,
  threshold: run.control.threshold,
  volumes: run.model.allocatedVolumes,
  bytes: totalOf(run.moved, 'bytes'),
  metadataWrites: totalOf(run.moved, 'metadataWrites'),
  dollars: totalOf(run.moved, 'dollars'),
  reclaimed: totalOf(run.moved, 'reclaimed'),
  histogram: run.model.histogram(HISTOGRAM_BINS),
});

/** Where in the published bands a setting falls: 30 to 50 % lower excess after a week; two to three times faster. */
export const isLower = ({ excessRatio }: MapPoint): boolean => excessRatio >= 0.5 && excessRatio <= 0.7;
export const isQuicker = ({ speed }: MapPoint): boolean => speed !== null && speed >= 2 && speed <= 3;

export interface MapPoint {
  readonly arm: Arm;
  readonly size: number;
  readonly byteBudget: number;
  readonly l2Share: number;
  readonly excessRatio: number;
  readonly excessOverBaselineRatio: number;
  readonly speed: number | null;
}

const MAP_SIZES: readonly number[] = [0.1, 0.3, 0.5, 0.8, 1, 1.2, 1.4];
const MAP_BUDGETS: readonly number[] = [1, 1.25, 1.5, 1.75, 2, 2.25];
const MAP_SHARES: readonly number[] = [0.05, 0.3, 0.8];

/** The region of settings: L1 + L2, k -> 1 as published and k -> m, against L1 only after a week. */
export function mapIncident(s: IncidentSettings, onProgress: OnProgress = () => {}): MapPoint[] {
  return MAP_SIZES.flatMap((size, at) => {
    return MAP_BUDGETS.flatMap((byteBudget, b) => {
      // L1 has the same budgets during the roll-out as afterwards.
      const stage = stageIncident({ ...s, size, byteBudget });
      onProgress((at + b / MAP_BUDGETS.length) / MAP_SIZES.length, `map, incident of ${size}`);
      return MAP_SHARES.flatMap((l2Share) => {
        const { arms } = runIncident({ ...s, size, byteBudget, l2Share, days: 7 }, ['l1', 'l2-one', 'l2-many'], stage);
        return arms.slice(1).map(({ arm, excessRatio, excessOverBaselineRatio, speed }) => {
          return { arm, size, byteBudget, l2Share, excessRatio, excessOverBaselineRatio, speed };
        });
      });
    });
  });
}
