// The planner of merges: which bucket remnants become one bucket, if any. Lazy: nothing before there are too many rows
// per live GiB, and then only what saves rows at a bearable price in block rows, the cheapest first. Pure: a snapshot
// in, a frozen plan out.
import { createHash } from 'node:crypto';
import { NO_WORK, type Work } from '../../../cost/cost-of.ts';
import type { Reason } from '../../../foundation/reason.ts';
import { FLEET_STATES, type FleetState } from '../../facts/fleet.ts';
import type { RemnantView } from '../../facts/remnants.ts';
import { deepFreeze, roundDollars, roundRatio } from '../plan.ts';
import { mergeCandidates } from './merge-candidates.ts';
import { MergeChoice } from './merge-choice.ts';
import type { MergePlan, MergeRequest, PlannedMerge, RemnantFigures } from './merge-plan.ts';
import { dollarsOfMerges } from './merge-work.ts';

const GIB = 1024 ** 3;
/** Volumes whose rows count: what is merged lies in an open one at first. */
const COUNTED: ReadonlySet<number> = new Set(
  ['open', 'sealed', 'leased'].map((name) => FLEET_STATES.indexOf(name as FleetState)),
);

/** The same view under the same settings gives the same plan. */
export function planMerges(request: MergeRequest): MergePlan {
  const { view, settings } = request;
  const before = figuresOf(view);
  if (before.rowsPerGib <= settings.rowsPerGibMax)
    return planOf(request, before, NO_WORK, [], {
      code: 'ROWS_WITHIN_BOUND',
      text: `${rate(before)} are within the bound of ${Math.round(settings.rowsPerGibMax)}`,
    });
  const target = Math.floor((settings.relief * settings.rowsPerGibMax * before.liveBytes) / GIB);
  const found = mergeCandidates(view, settings);
  const chosen = new MergeChoice(request, before.rows - target);
  for (const merge of found) if (!chosen.isEnough) chosen.offer(merge);
  const over = `${rate(before)} are over the bound of ${Math.round(settings.rowsPerGibMax)}`;
  return planOf(request, before, chosen.work, ...chosen.outcome(over, found.length));
}

function figuresOf(view: RemnantView): RemnantFigures {
  let rows = 0;
  let liveBytes = 0;
  for (let i = 0; i < view.count; i++) {
    if (!COUNTED.has(view.state[view.volume[i] as number] as number)) continue;
    rows += 1;
    liveBytes += view.liveBytes[i] as number;
  }
  return figures(rows, liveBytes);
}

const figures = (rows: number, liveBytes: number): RemnantFigures => ({
  rows,
  liveBytes,
  rowsPerGib: liveBytes > 0 ? roundRatio(rows / (liveBytes / GIB)) : 0,
});

const rate = ({ rowsPerGib, rows }: RemnantFigures): string =>
  `${Math.round(rowsPerGib)} rows per live GiB (${rows} buckets)`;

function planOf(
  request: MergeRequest,
  before: RemnantFigures,
  work: Work,
  merges: readonly PlannedMerge[],
  reason: Reason,
): MergePlan {
  const { view } = request;
  const names = new Set(merges.flatMap(({ sources }) => sources.map(({ volume }) => volume)));
  const volumes = view.volumes.flatMap((volume, i) =>
    names.has(volume)
      ? [{ volume, generation: view.generation[i] as number, buckets: view.bucketCount[i] as number }]
      : [],
  );
  let emptyBuckets = 0;
  for (let i = 0; i < view.count; i++)
    if (view.liveBytes[i] === 0 && names.has(view.volumes[view.volume[i] as number] as string)) emptyBuckets += 1;
  const saved = merges.reduce((sum, merge) => sum + merge.rowsSaved, 0) + emptyBuckets;
  const body = {
    store: view.store,
    cell: view.cell,
    before,
    after: figures(before.rows - saved, before.liveBytes),
    merges,
    emptyBuckets,
    volumes,
    blockRows: merges.reduce((sum, merge) => sum + merge.blocks, 0),
    work,
    dollars: roundDollars(dollarsOfMerges(request, work)),
    reason,
  };
  const digest = createHash('sha256').update(JSON.stringify(body)).digest('hex');
  return deepFreeze({ ...body, digest });
}
