// Checks a plan against a snapshot: that it adds up, and that the volumes it names are still what they were. Run on
// every plan before it is carried out, and on every plan file before anything is leased.
import { codecShape } from '../../codec/shape.ts';
import { conflict, invalid } from '../../foundation/errors.ts';
import { SHARED_LANE } from '../../foundation/lane.ts';
import { type FleetView, indexOfVolume, stateOf } from '../facts/fleet.ts';
import { fullestFill } from '../facts/plan-settings.ts';
import type { CompactionPlan, PlannedRun } from './plan.ts';
import { rangesOf, strategyOf } from './selector.ts';

/**
 * - `foreign`   made for another store or cell
 * - `unknown`   names a volume that is not there
 * - `state`     names a volume that is open, hot, leased or in trash
 * - `changed`   a volume was rewritten, or holds more than when the plan was made
 * - `twice`     a volume is in two runs, or twice in one
 * - `overfull`  a run does not fit its destinations
 * - `range`     a run holds a volume that is not its strategy's, or of another codec, capacity, lane or age class
 * - `sums`      the figures do not follow from the volumes
 */
type ProblemKind = 'foreign' | 'unknown' | 'state' | 'changed' | 'twice' | 'overfull' | 'range' | 'sums';

export interface PlanProblem {
  readonly kind: ProblemKind;
  /** One line for a person. */
  readonly message: string;
}

const SLACK = 1e-6;

/**
 * Everything wrong with `plan` as seen from `view`; empty when it can be carried out. Deletes since then are no
 * problem.
 */
export function checkPlan(view: FleetView, plan: CompactionPlan): readonly PlanProblem[] {
  const problems: PlanProblem[] = [];
  const say = (kind: ProblemKind, message: string): void => void problems.push({ kind, message });
  if (view.store !== plan.store || view.cell !== plan.cell) {
    say('foreign', `the plan is for cell ${plan.cell} of store ${plan.store}, not ${view.cell} of ${view.store}`);
    return problems;
  }
  const seen = new Map<string, string>();
  for (const run of plan.runs) {
    for (const volume of run.host === null ? run.sources : [run.host, ...run.sources]) {
      const other = seen.get(volume.volume);
      if (other !== undefined) say('twice', `volume ${volume.volume} is in ${other} and in ${run.name}`);
      seen.set(volume.volume, run.name);
      checkVolume(view, plan, run, volume, say);
    }
    checkRun(plan, run, say);
  }
  checkTotals(plan, say);
  return problems;
}

/**
 * Throws if the plan cannot be carried out on this snapshot: `conflict` PLAN_STALE, `invalid` PLAN_FOREIGN or
 * PLAN_WRONG.
 */
export function requirePlan(view: FleetView, plan: CompactionPlan): void {
  const problems = checkPlan(view, plan);
  const first = problems[0];
  if (first === undefined) return;
  const more = problems.length === 1 ? '' : ` (and ${problems.length - 1} more)`;
  if (first.kind === 'foreign') throw invalid('PLAN_FOREIGN', `plan: ${first.message}`);
  const stale = problems.find(({ kind }) => kind === 'unknown' || kind === 'state' || kind === 'changed');
  if (stale !== undefined) throw conflict('PLAN_STALE', `plan: ${stale.message}${more}`);
  throw invalid('PLAN_WRONG', `plan: ${first.message}${more}`);
}

type Say = (kind: ProblemKind, message: string) => void;
type Planned = { volume: string; generation: number; liveBytes: number; buckets: number };

function checkVolume(view: FleetView, plan: CompactionPlan, run: PlannedRun, planned: Planned, say: Say): void {
  const at = indexOfVolume(view, planned.volume);
  if (at < 0) {
    say('unknown', `volume ${planned.volume} of ${run.name} is not there any more`);
    return;
  }
  const state = stateOf(view, at);
  if (state !== 'sealed') say('state', `volume ${planned.volume} of ${run.name} is ${state}, not sealed and free`);
  const generation = view.generation[at] as number;
  const live = view.liveBytes[at] as number;
  const buckets = view.bucketCount[at] as number;
  if (generation !== planned.generation)
    say('changed', `volume ${planned.volume} is at generation ${generation}, planned at ${planned.generation}`);
  else if (live > planned.liveBytes)
    say('changed', `volume ${planned.volume} holds ${live} live bytes, planned with ${planned.liveBytes}`);
  else if (buckets > planned.buckets)
    say('changed', `volume ${planned.volume} holds ${buckets} buckets, planned with ${planned.buckets}`);
  const capacity = view.capacityBytes[at] as number;
  if (capacity !== run.capacityBytes || view.codec[at] !== codecShape(run.codec).wire)
    say('range', `volume ${planned.volume} of ${run.name} has another codec or capacity than the run`);
  if (view.lane[at] !== (run.lane ?? SHARED_LANE))
    say('range', `volume ${planned.volume} of ${run.name} is of lane ${view.lane[at]}, the run of another`);
  const owner = strategyOf(planned.liveBytes / run.capacityBytes, rangesOf(plan.settings, plan.threshold));
  if (owner !== run.strategy)
    say('range', `volume ${planned.volume} belongs to ${owner ?? 'no strategy'}, not ${run.strategy}`);
}

function checkRun(plan: CompactionPlan, run: PlannedRun, say: Say): void {
  const room = run.capacityBytes * fullestFill(plan.settings);
  const moved = run.sources.reduce((sum, source) => sum + source.takeBytes, 0);
  const buckets = run.sources.reduce((sum, source) => sum + source.takeBuckets, 0);
  const all = run.sources.length;
  const partial = run.sources.filter((s) => s.takeBytes < s.liveBytes || s.takeBuckets < s.buckets);
  if (run.sources.some((s) => s.takeBytes > s.liveBytes || s.takeBuckets > s.buckets))
    say('sums', `${run.name} takes more out of a volume than is in it`);
  if (partial.length > (run.strategy === 'l1' ? 1 : 0) || (partial.length === 1 && partial[0] !== run.sources[all - 1]))
    say('sums', `${run.name} leaves bytes behind in a source that it would free`);
  if (run.freedVolumes !== all - partial.length) say('sums', `${run.name} frees ${run.freedVolumes} of ${all} sources`);
  if ((run.host !== null) !== (run.strategy === 'l1')) say('range', `${run.name}: only l1 has a host`);
  const held = run.host?.liveBytes ?? 0;
  const volumes = run.host === null ? run.newVolumes : 1;
  if (held + moved > volumes * room * (1 + SLACK) + SLACK * run.capacityBytes)
    say('overfull', `${run.name}: ${held + moved} bytes do not fit ${volumes} volumes`);
  const most = plan.settings.bucketsPerVolumeMax;
  if ((run.host?.buckets ?? 0) + buckets > volumes * most * (1 + SLACK) + SLACK * most && moved > 0)
    say('overfull', `${run.name}: ${buckets} buckets do not fit ${volumes} volumes of ${most}`);
  if (run.work.bytesRead !== held + moved) say('sums', `${run.name} reads ${run.work.bytesRead}, not ${held + moved}`);
}

function checkTotals(plan: CompactionPlan, say: Say): void {
  const capacity = plan.runs.reduce(
    (sum, run) => sum - (run.freedVolumes - run.newVolumes) * run.capacityBytes,
    plan.before.capacityBytes,
  );
  const largest = plan.runs.reduce((most, run) => Math.max(most, run.capacityBytes), 1);
  // newVolumes of L3 is rounded to six digits.
  if (Math.abs(capacity - plan.after.capacityBytes) > 1 + plan.runs.length * largest * SLACK)
    say('sums', `the runs leave ${Math.round(capacity)} bytes of volumes, the plan says ${plan.after.capacityBytes}`);
  if (plan.after.liveBytes !== plan.before.liveBytes) say('sums', 'the plan does not conserve live bytes');
  for (const strategy of ['l1', 'l2', 'l3'] as const) {
    const read = plan.runs.reduce((sum, run) => sum + (run.strategy === strategy ? run.work.bytesRead : 0), 0);
    if (Math.abs(read - plan.spent[strategy].bytesRead) > 1)
      say('sums', `${strategy} reads ${read} bytes, the plan says ${plan.spent[strategy].bytesRead}`);
  }
}
