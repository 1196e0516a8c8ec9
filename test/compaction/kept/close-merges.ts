// Merges of few remnants that are alike, or as large as a bound says to the byte; and the same ones with budgets of just what they spend, and less.
import type { FleetState } from '../../../lib/compaction/facts/fleet.ts';
import { type MergeSettings, mergeSettingsFor } from '../../../lib/compaction/facts/merge-settings.ts';
import { planSettingsOf } from '../../../lib/compaction/facts/plan-settings.ts';
import { type RemnantBucket, remnantViewOf } from '../../../lib/compaction/facts/remnants.ts';
import { BUDGET_LINES, type BudgetLine, budgetsOf, spendingOf } from '../../../lib/compaction/plan/budget.ts';
import type { MergePlan, MergeRequest } from '../../../lib/compaction/plan/merges/merge-plan.ts';
import { planMerges } from '../../../lib/compaction/plan/merges/merge-propose.ts';
import { DAY_MS } from '../../../lib/foundation/durations.ts';
import { SeededRandomness } from '../../../lib/foundation/randomness.ts';
import { settingsOf } from '../../../lib/settings/settings.ts';
import { SeededRows } from '../../golden/seeded-rows.ts';
import { volumeName } from '../fleets.ts';

const BUCKET = 1 << 20;

function requestOf(seed: number): { readonly request: MergeRequest; readonly changes: Partial<MergeSettings> } {
  const rows = new SeededRows(new SeededRandomness(47_000 + seed));
  const maybe = rows.sometimes<MergeSettings>(3);
  const changes: Partial<MergeSettings> = {
    rowsPerGibMax: rows.pick([1, 400, 2000, 4000]),
    sourcesMin: 2,
    tierFactor: 2,
    remnantFraction: 0.5,
    blocksPerColumnMin: 0,
    ...maybe('relief', [0.25, 1]),
    ...maybe('remnantFraction', [0.25, 0.125]),
    ...maybe('slotsPerBucketMax', [8, 16]),
    ...maybe('sourcesMin', [3]),
    ...maybe('blockRowsPerRowMax', [4, 8, 9]),
    ...maybe('scanRowsPerWrite', [1, 4, 10]),
    ...maybe('blocksPerColumnMin', [1, 2]),
    ...maybe('blockRowsMax', [3, 6, 12]),
    ...maybe('volumesMax', [1, 2]),
  };
  const states: readonly FleetState[] = ['sealed', 'sealed', 'sealed', 'open', 'leased', 'hot', 'trash'];
  const volumes = rows.list(4, (n) => ({
    id: volumeName(n + 1),
    generation: 1 + rows.below(3),
    state: n < 2 ? ('sealed' as const) : rows.pick(states),
    lane: rows.once(4) ? 1 : 0,
    bucketCount: 4 + rows.below(4),
    ageMs: rows.pick([1, 7, 7]) * DAY_MS + rows.below(2),
  }));
  const sizes = [0, 1, BUCKET / 8, BUCKET / 8, BUCKET / 4, BUCKET / 4, BUCKET / 4 + 1, BUCKET / 2];
  const buckets = rows.list(12 + rows.below(16), (n): RemnantBucket => {
    const liveBytes = rows.pick(sizes);
    return {
      id: volumeName(100 + ((n * 7) % 29)),
      volume: volumeName(1 + rows.below(5)),
      liveBytes,
      usedBytes: rows.pick([liveBytes, 2 * liveBytes, BUCKET]),
      slots: rows.pick([1, 2, 4, 4, 8, 16]),
    };
  });
  const settings = mergeSettingsFor(settingsOf('personal'), { bucketBytes: BUCKET, ...changes });
  const request: MergeRequest = {
    view: remnantViewOf('store', 'c0', volumes, buckets),
    settings,
    codec: rows.pick(['rs-6-3', 'xor-2-1']),
    plan: planSettingsOf({ groupBytes: BUCKET, readBytes: BUCKET / 8, moveBytesPerSecond: BUCKET }),
  };
  return { request, changes };
}

const short = (id: string): string => String(Number.parseInt(id, 16));

const textOf = ({ merges, reason, volumes, emptyBuckets, after, digest }: MergePlan): string =>
  `${reason.code} ${merges.map(({ tier, ageClass, sources }) => `${tier}/${ageClass} ${sources.map(({ bucket }) => short(bucket)).join('+')}`).join(', ') || 'nothing'}` +
  ` of ${volumes.map(({ volume }) => short(volume)).join(' ')}, ${emptyBuckets} empty, ${after.rows} rows left ${digest.slice(0, 12)}`;

function withinBudgets(seed: number, request: MergeRequest, whole: MergePlan): string[] {
  const line = BUDGET_LINES[seed % BUDGET_LINES.length] as BudgetLine;
  const spent = spendingOf(whole.work, whole.dollars)[line];
  const least = line === 'dollars' ? 1e-8 : 1;
  return [spent + least, spent, spent - least, spent / 2].flatMap((budget) =>
    budget > 0
      ? [`  ${line} ${budget}: ${textOf(planMerges({ ...request, budget: budgetsOf({ [line]: budget }) }))}`]
      : [],
  );
}

const CASES = 120;

export function closeMergeLines(): readonly string[] {
  return Array.from({ length: CASES }, (_, seed) => {
    const { request, changes } = requestOf(seed);
    const plan = planMerges(request);
    const { before, blockRows, work } = plan;
    return [
      `${seed} ${JSON.stringify(changes)}: ${before.rows} rows of ${before.liveBytes} bytes: ${plan.reason.text}`,
      `  ${textOf(plan)}; ${blockRows} block rows, ${work.metadataWrites} writes`,
      ...(plan.merges.length > 0 ? withinBudgets(seed, request, plan) : []),
    ];
  }).flat();
}
