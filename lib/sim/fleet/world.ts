// What a simulated fleet is led by: its policy, the world around it, and what may go wrong in it.
import type { FleetView } from '../../compaction/facts/fleet.ts';
import type { PlanSettings } from '../../compaction/facts/plan-settings.ts';
import type { Budgets } from '../../compaction/plan/budget.ts';
import type { CompactionPlan } from '../../compaction/plan/plan.ts';
import type { PlanRequest } from '../../compaction/plan/planner.ts';
import type { ThresholdSettings } from '../../compaction/threshold/law.ts';
import type { PriceBook } from '../../cost/price-book.ts';
import type { Deletes } from './deletes.ts';
import type { OutputShape } from './live-coder-output.ts';
import type { Writing } from './streams.ts';

export interface Policy {
  readonly plan: Partial<PlanSettings>;
  readonly threshold: number;
  /** The controller in production, the law as published, or none. */
  readonly controller?: ThresholdSettings | 'naive';
  /** Compaction stops at this overhead, open volumes counted; undefined: it does all the budgets allow. */
  readonly targetOverhead?: number;
  /** Budgets of one day and the whole fleet. */
  readonly budgetsPerDay?: Partial<Budgets>;
  /** How often delete rates by age are measured, in days; undefined: never. */
  readonly ratesEveryDays?: number;
  readonly book?: PriceBook;
  readonly keeper?: Keeper;
}

/**
 * - `own`     packing fills volumes of its own, draining the open volume of the class
 * - `class`   both go to the open volume of the class
 * - `shared`  all to one open volume
 * - `store`   what is written too, as on a store
 */
export type Destinations = 'own' | 'class' | 'shared' | 'store';

/** What the schedules of a store decide, with what they remember: in place of settings, threshold and controller. */
export interface Keeper {
  readonly threshold: number;
  /** What is planned from, at a plan's time. */
  request(view: FleetView): PlanRequest;
  /** A plan was carried out. */
  planned(plan: CompactionPlan): void;
  /** Once a day. */
  tune(view: FleetView, nowMs: number): void;
}

/**
 * - `bucket`  each bucket holds data of one class; survivors of a class go to a volume of its own: no store does that
 * - `lane`    each class has a lane, as a namespace that is kept apart
 */
export type Separated = 'bucket' | 'lane';

export interface World {
  readonly deletes: Deletes;
  readonly stepMs: number;
  /** Every step plans one of so many shards. */
  readonly shards: number;
  readonly writing: Writing;
  /** Where survivors go: `own` unless told. */
  readonly destinations?: Destinations;
  /** Classes are kept apart, where they are known; unless told, nothing is. */
  readonly separated?: Separated;
  /** How often a hint at ingest says the right class; undefined: no hint. */
  readonly hintRight?: number;
}

/** Under-filled volumes the Live Coder seals on top of its normal ones, rising over `rampDays` from `fromDay`. */
export interface Incident {
  readonly shape: OutputShape;
  /** Volumes in all. */
  readonly volumes: number;
  readonly fromDay: number;
  readonly rampDays: number;
}
