// One simulated fleet led through time, step by step: data comes and goes, the production planner plans a shard, the
// plan is carried out, figures are taken. Everything random comes from the seed; nothing looks at a clock.

import { deleteRatesOf } from '../../compaction/facts/delete-rates.ts';
import { AGE_CLASSES, type FleetView } from '../../compaction/facts/fleet.ts';
import { type PlanSettings, planSettingsOf } from '../../compaction/facts/plan-settings.ts';
import { type Budgets, budgetsOf } from '../../compaction/plan/budget.ts';
import type { CompactionPlan, PlannedRun } from '../../compaction/plan/plan.ts';
import { planCompaction } from '../../compaction/plan/planner.ts';
import { stepNaively, stepThreshold, type ThresholdState, thresholdStart } from '../../compaction/threshold/law.ts';
import { DAY_MS } from '../../foundation/durations.ts';
import { SHARED_LANE } from '../../foundation/lane.ts';
import { applyPlan, type MovedBy, nothingMoved } from './apply-plan.ts';
import { ChurnClock, type Deletes } from './deletes.ts';
import type { FleetModel } from './fleet-model.ts';
import { drawFill, uniform01 } from './live-coder-output.ts';
import { Stream } from './streams.ts';
import type { Incident, Policy, World } from './world.ts';

export class FleetRun {
  readonly model: FleetModel;
  readonly world: World;
  readonly policy: Policy;
  day: number;
  ingestedBytes = 0;
  moved: MovedBy = nothingMoved();
  /** Mean of the scarcest budget's use over the plans of the last day. */
  budgetUsed = 0;
  control: ThresholdState;
  #churn: ChurnClock;
  readonly #fresh: readonly Stream[];
  readonly #streams: readonly Stream[];
  #settings: PlanSettings;
  readonly #budgets: Budgets;
  #rates: { view: FleetView; day: number } | undefined;
  #steps = 0;
  #usedInDay: number[] = [];
  #measured: number[] = [];
  #incident: { incident: Incident; owed: number } | undefined;

  constructor(model: FleetModel, world: World, policy: Policy, startDay = 0) {
    this.model = model;
    this.world = world;
    this.policy = policy;
    this.day = startDay;
    this.control = thresholdStart(policy.threshold);
    const units = model.liveUnits.reduce((sum, more) => sum + more, 0);
    this.#churn = new ChurnClock(world.deletes, units);
    this.#streams = Array.from(
      { length: Math.max(AGE_CLASSES, world.deletes.classes.length) },
      (_, at) => new Stream(model, false, world.separated === 'lane' ? at : SHARED_LANE),
    );
    this.#fresh =
      world.separated === 'lane'
        ? this.#streams
        : world.destinations === 'store'
          ? this.#streams.slice(0, 1)
          : (world.hintRight === undefined ? [0] : world.deletes.classes).map(() => new Stream(model));
    const rates = Array.from({ length: AGE_CLASSES }, () => world.deletes.perDay);
    this.#settings = planSettingsOf({
      deletesPerDay: rates,
      // Rows per blob are a price, not a list that a volume could be full of.
      ...(model.shape.relocation === 'blob' ? { bucketsPerVolumeMax: Number.MAX_SAFE_INTEGER } : {}),
      ...policy.plan,
    });
    this.#budgets = budgetsOf(scaled(policy.budgetsPerDay ?? {}, world.stepMs / DAY_MS));
  }

  get nowMs(): number {
    return Math.round(this.day * DAY_MS);
  }

  get mergedBytes(): number {
    return this.#streams.reduce((sum, stream) => sum + stream.mergedBytes, 0);
  }

  /** Nothing has moved, been written or been merged yet: figures start here. */
  startCounting(): void {
    this.ingestedBytes = 0;
    this.moved = nothingMoved();
    for (const stream of this.#streams) stream.mergedBytes = 0;
  }

  begin(incident: Incident): void {
    this.#incident = { incident, owed: 0 };
  }

  /** From now on data comes and goes like this, in proportion to what lives now. The classes stay what they are. */
  change(deletes: Deletes): void {
    this.#churn = new ChurnClock(deletes, this.model.totalLiveBytes / this.model.shape.unitBytes);
  }

  /** At once: this part of a class dies, wherever it is. */
  deleteAtOnce(cls: number, part: number): void {
    const units = Math.round((this.model.liveUnits[cls] as number) * part);
    for (let n = 0; n < units; n++) this.#deleteOne(cls);
  }

  step(deleteFactor = 1): void {
    const from = this.day;
    // Counted, not summed up: sums of fractions drift.
    this.#steps++;
    this.day = from + this.world.stepMs / DAY_MS;
    this.#live(from, deleteFactor);
    this.#misfill(from);
    this.#compact();
    if (Math.floor(this.day + 1e-9) > Math.floor(from + 1e-9)) this.#endDay();
  }

  #live(from: number, deleteFactor: number): void {
    const { model } = this;
    const { written, deleted } = this.#churn.between(from, this.day, deleteFactor);
    for (const [c, units] of deleted.entries()) {
      for (let n = 0; n < units; n++) this.#deleteOne(c);
    }
    // In turns, a bucket's worth at a time and class by share: one volume holds what was written at one time.
    const left = [...written];
    const all = left.reduce((sum, units) => sum + units, 0);
    this.ingestedBytes += all * model.shape.unitBytes;
    for (let n = all; n > 0; n--) {
      let at = Math.floor(uniform01(model.random) * n);
      let c = 0;
      while (at >= (left[c] as number)) at -= left[c++] as number;
      left[c] = (left[c] as number) - 1;
      this.#freshFor(c).ingest(c, 1, this.nowMs);
    }
  }

  #deleteOne(cls: number): void {
    const { model } = this;
    const volume = model.deleteAny(cls);
    // An empty sealed volume is retired without moving anything.
    if (volume >= 0 && model.liveBytes[volume] === 0 && model.isSealed(volume)) model.free(volume);
  }

  #freshFor(cls: number): Stream {
    const { hintRight, separated } = this.world;
    if (separated === 'lane') return this.#fresh[cls] as Stream;
    if (hintRight === undefined) return this.#fresh[0] as Stream;
    const isRight = uniform01(this.model.random) < hintRight;
    return this.#fresh[isRight ? cls : (cls + 1) % this.#fresh.length] as Stream;
  }

  #misfill(from: number): void {
    if (this.#incident === undefined) return;
    const { incident } = this.#incident;
    const done = (day: number): number => Math.min(1, Math.max(0, (day - incident.fromDay) / incident.rampDays)) ** 2;
    this.#incident.owed += incident.volumes * (done(this.day) - done(from));
    for (; this.#incident.owed >= 1; this.#incident.owed--) this.#sealThin(drawFill(incident.shape, this.model.random));
  }

  /**
   * A volume that holds little although it is sealed: its data comes out of what was written, so that live data stays
   * constant.
   */
  #sealThin(fill: number): void {
    const { model } = this;
    const { unitsPerVolume, unitsPerBucket, unitBytes } = model.shape;
    const volume = model.openVolume(this.nowMs);
    for (let left = Math.max(1, Math.round(fill * unitsPerVolume)); left > 0; ) {
      const bucket = model.newBucket(volume);
      for (let n = Math.min(left, unitsPerBucket); n > 0; n--, left--) {
        const cls = this.#anyClass();
        model.add(bucket, cls, 1);
        const emptied = model.deleteAny(cls);
        if (emptied !== volume && model.liveBytes[emptied] === 0 && model.isSealed(emptied)) model.free(emptied);
        this.ingestedBytes += unitBytes;
      }
    }
    model.seal(volume, this.nowMs);
    if (model.liveBytes[volume] === 0) model.free(volume);
  }

  #anyClass(): number {
    let at = uniform01(this.model.random);
    for (const [c, { writeShare }] of this.world.deletes.classes.entries()) {
      if (at < writeShare) return c;
      at -= writeShare;
    }
    return 0;
  }

  #compact(): void {
    const { model, policy, world } = this;
    const shard = this.#steps % world.shards;
    const view = model.view(this.nowMs, shard, world.shards);
    if (policy.keeper !== undefined) {
      const plan = planCompaction(policy.keeper.request(view));
      this.#carryOut(plan);
      policy.keeper.planned(plan);
      return;
    }
    this.#measureRates();
    const settings = policy.targetOverhead === undefined ? this.#settings : this.#towards(policy.targetOverhead);
    if (settings === undefined) return;
    const plan = planCompaction({
      view,
      settings,
      threshold: this.control.threshold,
      budgets: this.#budgets,
      ...(policy.book === undefined ? {} : { book: policy.book }),
    });
    this.#usedInDay.push(plan.budgetUsed);
    this.#carryOut(plan);
  }

  #carryOut(plan: CompactionPlan): void {
    const { model, world } = this;
    const { destinations = 'own' } = world;
    const isShared = destinations === 'shared' || destinations === 'store';
    const streamOf = ({ ageClass, lane = SHARED_LANE }: PlannedRun, bucket: number): Stream => {
      if (world.separated === 'lane') return this.#streams[lane] as Stream;
      return this.#streams[world.separated === 'bucket' ? this.#classOf(bucket) : isShared ? 0 : ageClass] as Stream;
    };
    applyPlan(plan, {
      model,
      nowMs: this.nowMs,
      streamOf,
      packsIntoOwn: destinations === 'own',
      fillsUp: destinations === 'store',
      writing: world.writing,
      moved: this.moved,
    });
  }

  /** Of most of what lives in it. */
  #classOf(bucket: number): number {
    const classes = this.world.deletes.classes.map((_, c) => this.model.unitsOfClass(bucket, c));
    return classes.indexOf(Math.max(...classes));
  }

  /** The planner knows sealed volumes; open ones take their part of the target. Undefined: it is reached. */
  #towards(target: number): PlanSettings | undefined {
    const { model } = this;
    if (model.overhead <= target) return undefined;
    const total = model.totalLiveBytes;
    const sealedCapacity = target * total - model.openVolumes * model.capacityBytes;
    let openLive = 0;
    for (let i = 0; i < model.slots; i++) if (model.state[i] === 0) openLive += model.liveBytes[i] as number;
    return { ...this.#settings, targetOverhead: Math.max(1, sealedCapacity / (total - openLive)) };
  }

  #measureRates(): void {
    const every = this.policy.ratesEveryDays;
    if (every === undefined || (this.#rates !== undefined && this.day - this.#rates.day < every)) return;
    const view = frozenCopy(this.model.view(this.nowMs));
    if (this.#rates !== undefined) {
      const elapsedMs = (this.day - this.#rates.day) * DAY_MS;
      const before = this.#settings.deletesPerDay;
      const seen = deleteRatesOf(this.#rates.view, view, elapsedMs, before);
      // Smoothed: one snapshot's rates are noisy.
      const deletesPerDay = seen.map((rate, at) => 0.9 * (before[at] as number) + 0.1 * rate);
      this.#settings = { ...this.#settings, deletesPerDay };
    }
    this.#rates = { view, day: this.day };
  }

  #endDay(): void {
    const { controller, keeper } = this.policy;
    if (keeper !== undefined) {
      keeper.tune(this.model.view(this.nowMs), this.nowMs);
      return;
    }
    const used = this.#usedInDay;
    this.budgetUsed = used.length === 0 ? 0 : used.reduce((sum, part) => sum + part, 0) / used.length;
    this.#usedInDay = [];
    const { overhead } = this.model;
    this.#measured.push(overhead);
    if (controller === undefined) return;
    if (controller === 'naive') {
      const [before = overhead, now = overhead] = this.#measured.slice(-2);
      this.control = { ...this.control, threshold: stepNaively(this.control.threshold, now > before, 0.01, 1) };
      return;
    }
    // What the controller hears is as old as its delay.
    const heard = this.#measured[Math.max(0, this.#measured.length - 1 - Math.round(controller.delayDays))] ?? overhead;
    const input = {
      nowMs: this.nowMs,
      overhead: heard,
      budgetUsed: this.budgetUsed,
      sealedVolumes: this.model.allocatedVolumes,
    };
    this.control = stepThreshold(this.control, input, controller).state;
  }
}

const scaled = (perDay: Partial<Budgets>, days: number): Partial<Budgets> =>
  Object.fromEntries(
    Object.entries(perDay).map(([line, value]) => [line, typeof value === 'number' ? value * days : value]),
  );

const frozenCopy = (view: FleetView): FleetView => ({
  ...view,
  generation: view.generation.slice(),
  state: view.state.slice(),
  liveBytes: view.liveBytes.slice(),
});
