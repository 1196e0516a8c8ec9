// pocketful doctor --durability: what a model says of how long volumes live, with what it assumes beside it.
import { type Command, InvalidArgumentError } from 'commander';
import { SeededRandomness } from '../../../lib/foundation/randomness.ts';
import { ASSUMED, type Assumptions, codeOf, durabilitySheet, ratesOf } from '../../../lib/verify/durability/model.ts';
import { tryOut } from '../../../lib/verify/durability/trial.ts';
import { countArgument, numberArgument, type Run } from '../command.ts';
import { countText, table } from '../show/text.ts';

export interface DurabilityOptions {
  readonly durability?: boolean;
  readonly driveFailures?: number;
  readonly repairHours?: number;
  readonly scrubDays?: number;
  readonly seed?: number;
}

/** Lives of each row that are drawn by chance. */
const TRIAL_COUNT = 1000;

export const withDurability = (command: Command): Command =>
  command
    .option('--durability', 'how long volumes live by a model, for every code, and look at nothing')
    .option('--drive-failures <percent>', 'of the drives, in a year (default: 2)', numberArgument)
    .option('--repair-hours <hours>', 'until a lost column is whole again (default: 48)', aboveZero)
    .option('--scrub-days <days>', 'until everything was read once (default: 14)', aboveZero)
    .option('--seed <number>', 'of the lives that are drawn by chance (default: 1)', countArgument);

function aboveZero(text: string): number {
  const value = numberArgument(text);
  if (value <= 0) throw new InvalidArgumentError('a number above 0 is needed.');
  return value;
}

export function durability(run: Run, options: DurabilityOptions): void {
  const { driveFailures, repairHours, scrubDays, seed = 1 } = options;
  const assumptions: Assumptions = {
    ...ASSUMED,
    ...(driveFailures === undefined ? {} : { driveFailuresPerYear: driveFailures / 100 }),
    ...(repairHours === undefined ? {} : { repairHours }),
    ...(scrubDays === undefined ? {} : { scrubDays }),
  };
  const rates = ratesOf(assumptions);
  const rows = durabilitySheet(assumptions).map((row) => {
    const { codec, columnsPerDomain } = row;
    const random = new SeededRandomness(seed);
    const { trials, faster, modelYears, trialYears, standardError } = tryOut(
      codeOf(codec),
      rates,
      { columnsPerDomain },
      { trials: TRIAL_COUNT, random },
    );
    return { ...row, check: { trials, faster, modelYears, trialYears, standardError } };
  });
  run.answer({ isPromise: false, assumptions, seed, rows }, () => textOf(assumptions, seed, rows));
}

type Row = ReturnType<typeof durabilitySheet>[number] & {
  readonly check: { readonly modelYears: number; readonly trialYears: number; readonly standardError: number };
};

function textOf(assumed: Assumptions, seed: number, rows: readonly Row[]): string {
  const percent = (part: number): string => `${Number((part * 100).toPrecision(3))} %`;
  const lines = rows.map(({ codec, layout, columnsPerDomain, meanYearsToLoss, lossPerVolumeYear, check }) => [
    codec,
    `${layout} (${columnsPerDomain})`,
    meanYearsToLoss >= 1e6 ? meanYearsToLoss.toExponential(1) : countText(Math.round(meanYearsToLoss)),
    lossPerVolumeYear.toExponential(1),
    (check.trialYears / check.modelYears).toFixed(2),
    (check.standardError / check.modelYears).toFixed(2),
  ]);
  return [
    'A model, not a promise: it knows nothing of bugs, mistakes, fire, or disks of one bad batch.',
    `Assumed: ${percent(assumed.driveFailuresPerYear)} of the drives fail in a year, something rots in ${percent(assumed.rotPerYear)} of the columns, ${percent(assumed.domainFailuresPerYear)} of the domains fail with all on them;`,
    `a lost column is whole again after ${assumed.repairHours} h, rot is found within ${assumed.scrubDays} days; each by itself, at random.`,
    '',
    table(
      [['code', 'domains (columns in each)', 'years to loss', 'loss a year', 'tried / model', '+-'], ...lines],
      [2, 3, 4, 5],
    ),
    '',
    `tried / model: ${countText(TRIAL_COUNT)} lives drawn by chance (seed ${seed}), with failures so frequent that they end, against the model at the same rates.`,
  ].join('\n');
}
