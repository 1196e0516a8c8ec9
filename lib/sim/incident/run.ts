// `sim incident`: the published incident played again. A steady fleet under L1; a roll-out of the Live Coder that seals
// hardly filled volumes; its detection; then several ways of compacting side by side, from the same fleet, on the same
// budgets and seed.

import { UNLIMITED } from '../../compaction/plan/budget.ts';
import { THRESHOLD_SETTINGS, THRESHOLD_START, type ThresholdSettings } from '../../compaction/threshold/law.ts';
import { DAY_MS } from '../../foundation/durations.ts';
import { invalid } from '../../foundation/errors.ts';
import { SeededRandomness } from '../../foundation/randomness.ts';
import { totalOf } from '../fleet/apply-plan.ts';
import { deletesOf } from '../fleet/deletes.ts';
import type { FleetModel } from '../fleet/fleet-model.ts';
import { FleetRun } from '../fleet/fleet-run.ts';
import { histogramOf } from '../fleet/fleet-view.ts';
import { FLEET_SIZE, startFleet } from '../fleet/start-fleet.ts';
import type { Policy, World } from '../fleet/world.ts';
import {
  ARM_TEXT,
  ARMS,
  type Arm,
  CONTROLLER,
  HISTOGRAM_BINS,
  type IncidentResult,
  type IncidentSettings,
  L1_ONLY,
  PLANS,
  type Sample,
  SHIPPED_ARMS,
  STATIC_ARMS,
} from './settings.ts';

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
    const controller = SHIPPED_ARMS.has(arm) ? THRESHOLD_SETTINGS : CONTROLLER;
    const policy = policyOf(arm, settings, stage.baseline, STATIC_ARMS.has(arm) ? undefined : controller);
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
    threshold: SHIPPED_ARMS.has(arm) ? THRESHOLD_START : s.threshold,
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
  histogram: histogramOf(run.model, HISTOGRAM_BINS),
});
