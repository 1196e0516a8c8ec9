// pocketful plan, compact and explain: compaction as its operator sees it.
import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import type { CompactReport } from '../../lib/compaction/do/rounds.ts';
import type { MergePlan } from '../../lib/compaction/plan/merges/merge-plan.ts';
import type { CompactionPlan, PlannedMerges, PlannedRun } from '../../lib/compaction/plan/plan.ts';
import type { RunReport } from '../../lib/compaction/run/reports.ts';
import { invalid } from '../../lib/foundation/errors.ts';
import { reasonLine } from '../../lib/foundation/reason.ts';
import { addCommand, type Run } from './command.ts';
import { answerRepairPlan } from './drives/repair.ts';
import { EXIT } from './exit-codes.ts';
import { type PlanOptions, planRequestOf, withPlanOptions } from './plan-options.ts';
import { Progress } from './show/progress.ts';
import { bytesText, countOf, countText, dollarsText, ratioText, shownName, table } from './show/text.ts';

interface CompactOptions extends PlanOptions {
  readonly untilStable?: boolean;
  readonly plan?: string;
}

/** The rest is in --json. */
const MERGES_SHOWN_MAX = 20;
const PLAN_BYTES_MAX = 256 * 1024 * 1024;

export function addCompaction(program: Command): void {
  addCommand<PlanOptions>(
    program,
    'plan',
    'show what a compaction would do, and why; changes nothing',
    async (run, _args, options) => {
      // Which volumes that are is no choice of a planner: what survives least, as much as there is time for.
      if (options.strategy === 'repair') return answerRepairPlan(run);
      const request = planRequestOf(options);
      const { admin } = await run.open();
      if (request.merge === 'only') {
        const merges = await admin.planMerges(request);
        return run.answer(merges, () => mergesText(merges));
      }
      const plan = await admin.plan(request);
      run.answer(plan, () => planText(plan));
    },
    (command) => withPlanOptions(command, '|repair'),
  );
  addCommand<CompactOptions>(
    program,
    'compact',
    'rewrite what lives in sparse volumes into full ones, and free them',
    compact,
    (command) =>
      withPlanOptions(command)
        .option('--until-stable', 'plan and run again until nothing is gained; what is left goes into an open volume')
        .option('--plan <file>', 'do exactly this plan (from plan --json), or say what has changed'),
  );
  addCommand<PlanOptions>(
    program,
    'explain <volume-or-key>',
    'what a volume, or the volumes of an object, would be done with, and why',
    async (run, [what = ''], options) => {
      const request = planRequestOf(options);
      const facts = await (await run.open()).admin.explain(what, request);
      const lines = facts.map(({ text }) => text);
      run.answer({ lines, facts }, () => lines.map(shownName).join('\n'));
    },
    withPlanOptions,
  );
}

async function compact(run: Run, _args: unknown, options: CompactOptions): Promise<void> {
  if (options.plan !== undefined) refuseBeside(options);
  const request = planRequestOf(options);
  const planJson = options.plan === undefined ? undefined : await planFile(options.plan);
  const { admin } = await run.open();
  const progress = new Progress('compact', run.clock, 'runs');
  try {
    const report = await admin.compact({
      ...request,
      finish: options.finish ?? options.untilStable,
      untilStable: options.untilStable,
      planJson,
      signal: run.interruption.signal,
      onProgress: ({ runs, movedBytes }) => progress.show({ items: runs, bytes: movedBytes }),
    });
    progress.end();
    run.answer(report, () => compactText(report));
    settle(run, report, planJson !== undefined);
  } finally {
    progress.end();
  }
}

/** A plan file says all of it. */
function refuseBeside(options: CompactOptions): void {
  const { strategy, objective, budget, boundaries, threshold, targetOverhead, finish, untilStable } = options;
  const others = [strategy, objective, budget, boundaries, threshold, targetOverhead, finish, untilStable];
  if (others.some((option) => option !== undefined))
    throw invalid('PLAN_OPTIONS', '--plan does exactly what the file says: no other option goes with it');
}

async function planFile(path: string): Promise<string> {
  const bytes = await readFile(path);
  if (bytes.length > PLAN_BYTES_MAX) throw invalid('PLAN_INVALID', `plan: ${path} has ${bytes.length} bytes`);
  return bytes.toString('utf8');
}

function settle(run: Run, { runs, left }: CompactReport, isFile: boolean): void {
  for (const { name, skipped, stalled } of runs) {
    for (const { volume, reason } of skipped) run.say(`pocketful: ${name} left volume ${volume} alone: ${reason.text}`);
    if (stalled === undefined) continue;
    run.say(`pocketful: ${name} has to wait: ${reasonLine(stalled)}`);
    run.exitCode = EXIT.retry;
  }
  for (const { run: name, reason } of left) run.say(`pocketful: ${name} was not begun: ${reason.text}`);
  const isWhole = left.length === 0 && runs.every(({ skipped }) => skipped.length === 0);
  if (isFile && !isWhole && run.exitCode === EXIT.ok) run.exitCode = EXIT.someFailed;
}

function planText(plan: CompactionPlan): string {
  const lines = [
    `${countOf(plan.runs.length, 'run')}, threshold ${plan.threshold}, objective ${plan.settings.objective}, prices of ${plan.prices.date}`,
    `sealed overhead (capacity / live bytes) ${ratioText(plan.before.overhead)} -> ${ratioText(plan.after.overhead)}, ` +
      `${countText(plan.before.volumes)} -> ${countOf(plan.after.volumes, 'volume')}`,
  ];
  if (plan.merges !== null) lines.push('', ...mergeLines(plan.merges));
  for (const run of plan.runs) lines.push('', ...runLines(run));
  const verdicts = Object.entries(plan.legend)
    .map(([letter, text]) => ({ text, count: plan.verdicts.split(letter).length - 1 }))
    .filter(({ count }) => count > 0);
  lines.push('', ...verdicts.map(({ text, count }) => `${countText(count).padStart(7)}  ${text}`));
  return lines.join('\n');
}

/** What comes before the runs. */
function mergeLines({
  buckets,
  reason,
  blockRows,
  bytesRead,
  metadataWrites,
  dollars,
  ...rows
}: PlannedMerges): string[] {
  if (buckets.length === 0) return [`merges: none, ${reason.text}`];
  return [
    `merges, before these runs: ${reason.text}`,
    `  bucket rows ${countText(rows.rowsBefore)} -> ${countText(rows.rowsAfter)}, per live GiB ${ratioText(rows.rowsPerGibBefore)} -> ` +
      `${ratioText(rows.rowsPerGibAfter)}; ${countText(blockRows)} block rows, reads ${bytesText(bytesRead)}, ` +
      `${countText(metadataWrites)} metadata rows, ${dollarsText(dollars)}`,
    ...buckets.slice(0, MERGES_SHOWN_MAX).map((merge) => `  ${merge.reason.text}`),
    ...(buckets.length > MERGES_SHOWN_MAX ? [`  and ${countText(buckets.length - MERGES_SHOWN_MAX)} more`] : []),
  ];
}

function mergesText(plan: MergePlan): string {
  const lines = [
    plan.reason.text,
    `bucket rows ${countText(plan.before.rows)} -> ${countText(plan.after.rows)}, per live GiB ` +
      `${ratioText(plan.before.rowsPerGib)} -> ${ratioText(plan.after.rowsPerGib)}; ${countText(plan.blockRows)} block rows, ` +
      `reads ${bytesText(plan.work.bytesRead)}, ${countText(plan.work.metadataWrites)} metadata rows, ${dollarsText(plan.dollars)}`,
  ];
  for (const merge of plan.merges) lines.push(`  ${merge.reason.text}`);
  return lines.join('\n');
}

const runLines = (run: PlannedRun): string[] => [
  `${run.name}${run.lane === undefined ? '' : ` (lane ${run.lane})`}: ${run.reason.text}`,
  `  ${countOf(run.sources.length, 'source')}${run.host === null ? '' : ` and host ${run.host.volume}`}: ` +
    `reads ${bytesText(run.work.bytesRead)}, writes ${bytesText(run.work.bytesWritten)}, ` +
    `${countText(run.work.metadataWrites)} metadata rows, ${dollarsText(run.dollars)}; saves ${dollarsText(run.savedDollars)}`,
  ...(run.better === null ? [] : [`  but ${run.better.text}`]),
];

/** What each strategy did and cost. Shown by the demonstration, too. */
export function strategyRows(runs: readonly RunReport[]): string[][] {
  const strategies = [...new Set(runs.map(({ strategy }) => strategy))].sort();
  return strategies.map((strategy) => {
    const own = runs.filter((run) => run.strategy === strategy);
    const sum = (of: (run: RunReport) => number): number => own.reduce((total, run) => total + of(run), 0);
    return [
      strategy,
      countText(own.length),
      countText(sum((run) => run.retired)),
      bytesText(sum((run) => run.movedBytes + run.hostBytes)),
      countText(sum((run) => run.metadataWrites)),
      dollarsText(sum((run) => run.dollars)),
    ];
  });
}

function compactText(report: CompactReport): string {
  const { runs, before, after, freed, resumed } = report;
  const lines = runs.length === 0 ? ['nothing to compact'] : [];
  if (resumed > 0) lines.push(`went on with ${countOf(resumed, 'run')} that was cut off`);
  if (runs.length > 0)
    lines.push(
      table(
        [['strategy', 'runs', 'reclaimed', 'moved', 'metadata rows', 'cost'], ...strategyRows(runs)],
        [1, 2, 3, 4, 5],
      ),
    );
  lines.push(
    `sealed overhead (capacity / live bytes) ${ratioText(before.allocatedOverhead)} -> ${ratioText(after.allocatedOverhead)}, ` +
      `${countText(before.volumes)} -> ${countOf(after.volumes, 'volume')}; freed ${countOf(freed.freedZones, 'zone')}`,
  );
  return lines.join('\n');
}
