// pocketful drives balance: columns from the fullest drives to the emptiest.
import type { Command } from 'commander';
import type { BalancePlan, Spread } from '../../../lib/volume/repair/balance-plan.ts';
import { addCommand, type Run } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { bytesText, countOf } from '../show/text.ts';
import { type PassChoice, sayLeft, withPassOptions, withProgress } from './budgeted-pass.ts';

export function addBalance(drives: Command): void {
  addCommand<PassChoice>(
    drives,
    'balance',
    'move columns from the fullest drives to the emptiest, such as new ones',
    (run, _args, options) => (options.plan ? answerPlan(run) : balance(run, options)),
    withPassOptions('moved away'),
  );
}

async function answerPlan(run: Run): Promise<void> {
  const plan = await (await run.open()).admin.planBalance();
  run.answer(plan, () => planText(plan));
}

function planText({ moves, bytes, before, after }: BalancePlan): string {
  if (moves.length === 0) return `the drives are even: ${spreadText(before)}`;
  const lines = moves.map(
    ({ volume, column, from, to, bytes: its }) =>
      `volume ${volume}: column ${column} (${bytesText(its)}) from drive ${from} to drive ${to}`,
  );
  const sum = `${countOf(moves.length, 'column')}, ${bytesText(bytes)} to write`;
  return [...lines, `${sum}; now ${spreadText(before)}; then ${spreadText(after)}`].join('\n');
}

const spreadText = ({ fullestBytes, emptiestBytes, meanBytes }: Spread): string =>
  `${bytesText(emptiestBytes)} to ${bytesText(fullestBytes)} a drive, ${bytesText(meanBytes)} on average`;

async function balance(run: Run, choice: PassChoice): Promise<void> {
  const { admin } = await run.open();
  const { discards, ...report } = await withProgress(run, 'balance', choice, (options) => admin.balance(options));
  const { freedZones, givenUpZones, kept } = discards;
  run.answer(
    { ...report, discards: { freedZones, givenUpZones, kept: kept.length } },
    `moved ${countOf(report.moved, 'column')} of ${report.planned}, ${bytesText(report.writtenBytes)}; ${spreadText(report.after)}`,
  );
  sayLeft(run, report.left);
  if (report.left.length > 0) run.exitCode = EXIT.retry;
}
