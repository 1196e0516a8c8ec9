// pocketful repair: redundancy made whole again.
import type { Command } from 'commander';
import type { RepairPlan, RepairReport } from '../../../lib/volume/repair/repair-store.ts';
import { addCommand, type Run } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { bytesText, countOf } from '../show/text.ts';
import { type PassChoice, sayLeft, withPassOptions, withProgress } from './budgeted-pass.ts';

export function addRepair(program: Command): void {
  addCommand<PassChoice>(
    program,
    'repair',
    'make again what lay on drives that are lost, being emptied, or damaged',
    (run, _args, options) => (options.plan ? answerRepairPlan(run) : repair(run, options)),
    withPassOptions('replaced'),
  );
}

/** Also what `plan --strategy repair` answers. */
export async function answerRepairPlan(run: Run): Promise<void> {
  const planned = await (await run.open()).admin.planRepair();
  run.answer(planJson(planned), () => planText(planned));
}

/** Volumes by id: their rows are nobody's business. */
const planJson = ({ repairs, open, bytes }: RepairPlan) => ({
  bytes,
  open,
  repairs: repairs.map(({ volume, columns, spare, bytes: its }) => ({ volume: volume.id, spare, bytes: its, columns })),
});

function planText({ repairs, bytes }: RepairPlan): string {
  if (repairs.length === 0) return 'nothing to repair';
  const lines = repairs.map(({ volume, columns, spare }) => {
    const why = columns.map(
      ({ column, how, reason }) => `column ${column} ${how === 'fill' ? 'in place' : 'elsewhere'}, as ${reason.text}`,
    );
    return `volume ${volume.id} (${spare < 0 ? 'lost for now' : `survives ${spare} more`}): ${why.join('; ')}`;
  });
  return [...lines, `${countOf(repairs.length, 'volume')}, at most ${bytesText(bytes)} to write`].join('\n');
}

async function repair(run: Run, choice: PassChoice): Promise<void> {
  const { admin } = await run.open();
  const report = await withProgress(run, 'repair', choice, (options) => admin.repair(options));
  run.answer(reportJson(report), repairText(report));
  for (const { volume, left } of report.lost)
    run.say(
      `pocketful: volume ${volume}: ${countOf(left.length, 'object')} cannot be made again now: ${left[0]?.reason.text}`,
    );
  sayLeft(run, report.left);
  if (report.lost.length > 0) run.exitCode = EXIT.corrupt;
  else if (report.left.length > 0) run.exitCode = EXIT.retry;
}

const reportJson = ({ discards, ...report }: RepairReport) => ({
  ...report,
  discards: { ...discards, kept: discards.kept.length },
});

function repairText({ planned, volumes, columns, objects, writtenBytes, discards }: RepairReport): string {
  const freed = `${countOf(discards.freedZones + discards.givenUpZones, 'zone')} given back`;
  const kept = discards.kept.length === 0 ? '' : `, ${discards.kept.length} kept for their grace`;
  if (planned === 0) return `nothing to repair; ${freed}${kept}`;
  return `made ${countOf(columns, 'column')} of ${countOf(volumes, 'volume')} whole (${countOf(objects, 'object')}, ${bytesText(writtenBytes)}); ${freed}${kept}`;
}
