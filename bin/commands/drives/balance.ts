// pocketful drives balance: columns from the fullest drives to the emptiest.
import type { Command } from 'commander';
import { reasonLine } from '../../../lib/foundation/reason.ts';
import type { BalancePlan, Spread } from '../../../lib/volume/repair/balance-plan.ts';
import { addCommand, type Run } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { amountOf } from '../plan-options.ts';
import { Progress } from '../show/progress.ts';
import { bytesText, countOf } from '../show/text.ts';

interface BalanceChoice {
  readonly plan?: boolean;
  readonly maxBytes?: number;
  readonly now?: boolean;
}

export function addBalance(drives: Command): void {
  addCommand<BalanceChoice>(
    drives,
    'balance',
    'move columns from the fullest drives to the emptiest, such as new ones',
    (run, _args, options) => (options.plan ? answerPlan(run) : balance(run, options)),
    (command) =>
      command
        .option('--plan', 'say what would be done, and do nothing')
        .option('--max-bytes <bytes>', 'stop once so much is written (such as 20GB)', (text) => amountOf(text, text))
        .option('--now', 'erase what was moved away without waiting for its grace'),
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

async function balance(run: Run, { maxBytes, now }: BalanceChoice): Promise<void> {
  const { admin } = await run.open();
  const progress = new Progress('balance', run.clock);
  let done = 0;
  let total = 0;
  const { discards, ...report } = await admin.balance({
    bytesMax: maxBytes,
    ignoreGrace: now,
    signal: run.interruption.signal,
    onPlan: ({ bytes }) => {
      total = bytes;
    },
    onBytes: (bytes) => {
      done += bytes;
      progress.show({ bytes: done }, { bytes: total });
    },
  });
  progress.end();
  const { freedZones, givenUpZones, kept } = discards;
  run.answer(
    { ...report, discards: { freedZones, givenUpZones, kept: kept.length } },
    `moved ${countOf(report.moved, 'column')} of ${report.planned}, ${bytesText(report.writtenBytes)}; ${spreadText(report.after)}`,
  );
  for (const { volume, reason } of report.left)
    run.say(`pocketful: volume ${volume} is left for now: ${reasonLine(reason)}`);
  if (report.left.length > 0) run.exitCode = EXIT.retry;
}
