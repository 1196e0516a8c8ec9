// Why a plan does with a volume what it does: one line per fact, for `explain` and the preview.
import { DAY_MS } from '../../foundation/durations.ts';
import { missing } from '../../foundation/errors.ts';
import { codecAt, type FleetView, fillOf, indexOfVolume, stateOf } from '../facts/fleet.ts';
import { type CompactionPlan, LEGEND, type PlannedRun } from './plan.ts';

/** Throws `missing` VOLUME_UNKNOWN. `plan` must have been made from `view`. */
export function explainVolume(view: FleetView, plan: CompactionPlan, volume: string): string[] {
  const i = indexOfVolume(view, volume);
  if (i < 0) throw missing('VOLUME_UNKNOWN', `no volume ${volume} in cell ${view.cell}`);
  const days = ((view.ageMs[i] as number) / DAY_MS).toFixed(1);
  const lines = [
    `volume ${volume}: ${stateOf(view, i)}, ${codecAt(view, i)}, generation ${view.generation[i]}`,
    `fill ${fillOf(view, i).toFixed(3)}: ${view.liveBytes[i]} of ${view.capacityBytes[i]} bytes live, in ${view.bucketCount[i]} buckets`,
    `age class ${view.ageClass[i]}: written ${days} days ago`,
    `verdict ${LEGEND[plan.verdicts[i] ?? ''] ?? 'unknown'}`,
  ];
  const run = runOf(plan, volume);
  if (run === undefined) return lines;
  lines.push(`${run.host?.volume === volume ? 'host' : 'source'} of ${run.name}, which ${run.reason.text}`);
  if (run.better !== null) lines.push(`but ${run.better.text}`);
  return lines;
}

/** The run of a plan that names this volume. */
const runOf = (plan: CompactionPlan, volume: string): PlannedRun | undefined =>
  plan.runs.find((run) => run.host?.volume === volume || run.sources.some((source) => source.volume === volume));
