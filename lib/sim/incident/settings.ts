// What the incident is played with, and what comes out of it: its settings, the ways of compacting that are compared,
// the result.
import type { PlanSettings } from '../../compaction/facts/plan-settings.ts';
import { type ThresholdSettings, thresholdSettingsOf } from '../../compaction/threshold/law.ts';
import type { DeletePattern } from '../fleet/deletes.ts';
import type { OutputShape } from '../fleet/live-coder-output.ts';
import type { Relocation } from '../fleet/model-shape.ts';

export interface IncidentSettings {
  readonly seed: number;
  readonly liveVolumes: number;
  readonly pattern: DeletePattern;
  readonly deletesPerDay: number;
  readonly shape: OutputShape;
  /** Under-filled volumes, as a part of those allocated before. */
  readonly size: number;
  /**
   * Bytes compaction may read a day, as a multiple of what L1 uses in the steady state; and the same of metadata
   * writes.
   */
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

export const ARMS = [
  'l1',
  'l1-sparsest',
  'l2-one',
  'l2-many',
  'all',
  'all-static',
  'shipped',
  'shipped-static',
] as const;
export type Arm = (typeof ARMS)[number];

export const ARM_TEXT: Readonly<Record<Arm, string>> = {
  l1: 'L1 only, dense donors first (as published)',
  'l1-sparsest': 'L1 only, sparsest donors first (control)',
  'l2-one': 'L1 + L2, k -> 1, max-fill (as published)',
  'l2-many': 'L1 + L2, k -> m, worth',
  all: 'L1 + L2 + L3, worth',
  'all-static': 'L1 + L2 + L3, threshold fixed',
  shipped: 'as shipped',
  'shipped-static': 'as shipped, threshold fixed',
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
export const L1_ONLY: Partial<PlanSettings> = {
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
  topOffs: 'always',
  unpacked: 'wait',
};
const ALL: Partial<PlanSettings> = {
  l3UpTo: 0.1,
  l2UpTo: 0.5,
  hostOrder: 'densest',
  donorOrder: 'densest',
  granularity: 128,
  tableRunsMax: 4,
  topOffs: 'always',
  unpacked: 'wait',
};

export const PLANS: Readonly<Record<Arm, Partial<PlanSettings>>> = {
  l1: L1_ONLY,
  'l1-sparsest': { ...L1_ONLY, donorOrder: 'sparsest' },
  'l2-one': { ...L1_AND_L2, objective: 'max-fill', destinationsMax: 1 },
  'l2-many': L1_AND_L2,
  all: ALL,
  'all-static': ALL,
  shipped: {},
  'shipped-static': {},
};

/** Those whose threshold the controller does not move: what it does, and what the strategies do, told apart. */
export const STATIC_ARMS: ReadonlySet<Arm> = new Set(['all-static', 'shipped-static']);
/** Those that are what a new store does. */
export const SHIPPED_ARMS: ReadonlySet<Arm> = new Set(['shipped', 'shipped-static']);

export const CONTROLLER: ThresholdSettings = thresholdSettingsOf({ targetOverhead: 1.02, max: 0.5 });
