// Why a plan does with a volume what it does: one line per fact, for `explain` and the preview.
import { DAY_MS } from '../../foundation/durations.ts';
import { missing } from '../../foundation/errors.ts';
import { SHARED_LANE } from '../../foundation/lane.ts';
import type { Reason } from '../../foundation/reason.ts';
import { codecAt, type FleetView, fillOf, indexOfVolume, stateOf } from '../facts/fleet.ts';
import { type CompactionPlan, LEGEND, type PlannedRun } from './plan.ts';
import { VERDICT_NAMES, VERDICTS, verdictReason } from './selector.ts';

/** Throws `missing` VOLUME_UNKNOWN. `plan` must have been made from `view`. */
export function explainVolume(view: FleetView, plan: CompactionPlan, volume: string): Reason[] {
  const i = indexOfVolume(view, volume);
  if (i < 0) throw missing('VOLUME_UNKNOWN', `no volume ${volume} in cell ${view.cell}`);
  const days = ((view.ageMs[i] as number) / DAY_MS).toFixed(1);
  const lane = view.lane[i] === SHARED_LANE ? '' : `, lane ${view.lane[i]}`;
  const lines: Reason[] = [
    {
      code: 'VOLUME_STATE',
      text: `volume ${volume}: ${stateOf(view, i)}, ${codecAt(view, i)}, generation ${view.generation[i]}${lane}`,
    },
    {
      code: 'VOLUME_FILL',
      text: `fill ${fillOf(view, i).toFixed(3)}: ${view.liveBytes[i]} of ${view.capacityBytes[i]} bytes live, in ${view.bucketCount[i]} buckets`,
    },
    { code: 'VOLUME_AGE', text: `age class ${view.ageClass[i]}: written ${days} days ago` },
  ];
  const letter = plan.verdicts[i] ?? '';
  const verdict = VERDICT_NAMES.find((name) => VERDICTS[name].letter === letter);
  if (verdict !== undefined) lines.push({ code: verdictReason(verdict), text: `verdict ${LEGEND[letter]}` });
  const run = runOf(plan, volume);
  if (run === undefined) return lines;
  const isHost = run.host?.volume === volume;
  lines.push({
    code: isHost ? 'RUN_HOST' : 'RUN_SOURCE',
    text: `${isHost ? 'host' : 'source'} of ${run.name}, which ${run.reason.text}`,
  });
  if (run.better !== null) lines.push({ code: run.better.code, text: `but ${run.better.text}` });
  return lines;
}

/** The run of a plan that names this volume. */
const runOf = (plan: CompactionPlan, volume: string): PlannedRun | undefined =>
  plan.runs.find((run) => run.host?.volume === volume || run.sources.some((source) => source.volume === volume));
