// pocketful deploy: a stage in the caller's AWS account. Checks and what it will cost come first; nothing is touched
// without --yes.
import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import type { KnownStage } from '../../../lib/client/aws/aws-deployments.ts';
import { parseLoad } from '../../../lib/cost/load.ts';
import { invalid, isPocketfulError } from '../../../lib/foundation/errors.ts';
import { given } from '../../../lib/foundation/given.ts';
import { contextAfter, contextOf } from '../../../lib/infra/stage-context.ts';
import { parseStageSettings, type StageSettings } from '../../../lib/infra/stage-settings.ts';
import { LIVE_CODERS_MAX } from '../../../lib/limits/stage.ts';
import { contradictionOf } from '../../../lib/settings/contradiction.ts';
import { sharesOf } from '../../../lib/settings/execution-shares.ts';
import { addCommand, collect, countArgument, type Run } from '../command.ts';
import { requireRepository } from '../project.ts';
import { table } from '../show/text.ts';
import { runCdk } from './deploy-cdk.ts';
import { costSheetOf, monthSheetOf } from './deploy-costs.ts';

interface DeployOptions {
  readonly preset?: string;
  readonly drives?: number;
  readonly settings?: string;
  readonly ephemeral?: boolean;
  readonly budgetUsd?: number;
  readonly events?: boolean;
  readonly tracing?: boolean;
  readonly context?: readonly string[];
  readonly load?: string;
  readonly yes?: boolean;
}

export function addDeploy(program: Command): void {
  addCommand<DeployOptions>(
    program,
    'deploy <stage>',
    'deploy a stage to AWS, or a change to one: checks, cost sheet, then cdk deploy',
    deploy,
    (command) =>
      command
        .option('--preset <name>', 'demo, personal, thrifty or cell (default: that of the stage, or personal)')
        .option(
          '--drives <count>',
          'so many S3 buckets (default: those there are, or one more than the codec needs)',
          countArgument,
        )
        .option('--settings <file>', 'JSON file with settings that differ from the preset')
        .option('--ephemeral', 'pocketful destroy deletes the data as well')
        .option('--budget-usd <dollars>', 'mail to alarmEmail before a month costs more', Number)
        .option('--events', 'EventBridge hears of every put and delete')
        .option('--tracing', 'X-Ray keeps traces of functions and compaction')
        .option('--context <name=value>', 'any other context of the CDK app, such as workerMemoryMiB=3538', collect)
        .option(
          '--load <load>',
          'what a month of it would cost, such as puts=1M,size=64KiB,keep=12mo,gets=200k,percall=64; without --yes only that',
        )
        .option('-y, --yes', 'yes, deploy it'),
  );
}

async function deploy(run: Run, [stage = '']: readonly string[], options: DeployOptions): Promise<void> {
  requireRepository('deploy runs the CDK');
  const load = options.load === undefined ? undefined : parseLoad(options.load);
  const isPricing = load !== undefined && !options.yes;
  const { known, concurrency } = await lookAtAccount(run, stage, isPricing);
  // What protects a stage would keep CloudFormation from taking a first deployment back that fails.
  const found = { concurrency, protection: known !== undefined };
  const asked = { ...found, ...(await askedFor(options)), stage };
  const wanted = parseStageSettings(contextAfter(known, asked));
  refuseContradiction(wanted, known);
  const sheet = costSheetOf(wanted);
  run.say(
    `${known === undefined ? 'a new stage' : 'the stage'} ${stage}: ${wanted.store.preset}, ${wanted.drives} drives, ${wanted.store.hotCodec} -> ${wanted.store.warmCodec}`,
  );
  run.say(sharesLine(wanted));
  run.say(table([['', '$'], ...sheet.map(({ what, dollars }) => [what, dollars.toFixed(4)])], [1]));
  const month = load && monthSheetOf(wanted, load);
  if (month !== undefined) {
    run.say(`a month of ${options.load}, once the first are deleted:`);
    run.say(table([['', '$'], ...month.map(({ item, dollars }) => [item, dollars.toFixed(2)])], [1]));
  }
  const priced = { cost: sheet, ...(month === undefined ? {} : { load, month }) };
  if (isPricing) return run.answer({ stage, deployed: false, ...priced }, '');
  if (!options.yes) throw invalid('NOT_CONFIRMED', 'nothing was deployed yet: say --yes');
  await deployStacks(run, wanted, known !== undefined);
  run.answer(
    { stage, address: `aws:${stage}`, drives: wanted.drives, settings: wanted.store, deployed: true, ...priced },
    `deployed ${stage}: use it as --store aws:${stage}`,
  );
}

interface Account {
  readonly known: KnownStage | undefined;
  readonly concurrency: number | undefined;
}

/** What a load costs can be asked before there is an account. */
async function lookAtAccount(run: Run, stage: string, isPricing: boolean): Promise<Account> {
  // The AWS SDK takes longer to load than other commands take.
  const { findDeployed, measuredConcurrency, requireBootstrap } = await import(
    '../../../lib/client/aws/aws-deployments.ts'
  );
  try {
    const known = await findDeployed(stage);
    const concurrency = await measuredConcurrency();
    if (!isPricing) await requireBootstrap();
    return { known, concurrency };
  } catch (error) {
    if (!isPricing || !isPocketfulError(error)) throw error;
    run.say(`no account could be asked (${error.message}): this is what a new stage costs`);
    return { known: undefined, concurrency: undefined };
  }
}

async function deployStacks(run: Run, wanted: StageSettings, isWhole: boolean): Promise<void> {
  const { AwsStacks, AwsStageData } = await import('../../../lib/client/aws/aws-stacks.ts');
  const { makeWay, protectStage } = await import('../../../lib/client/aws/stage-stacks.ts');
  const stacks = new AwsStacks();
  const data = new AwsStageData();
  try {
    if (!isWhole) await makeWay(stacks, wanted.stage);
    await runCdk(['deploy', '--all', '--require-approval', 'never'], contextOf(wanted), run.interruption.signal);
    if (!wanted.ephemeral) await protectStage(stacks, data, wanted.stage);
  } finally {
    stacks.close();
    data.close();
  }
}

function sharesLine({ concurrency }: StageSettings): string {
  const { compactors, encoders } = sharesOf(concurrency);
  const rest = 'the others are for requests';
  return concurrency === undefined
    ? 'how many functions may run at once here is not known: sized for ten'
    : `${concurrency} functions may run at once here: ${compactors} compactors, ${encoders} encoders called for, ${LIVE_CODERS_MAX} Live Coders; ${rest}`;
}

async function askedFor(options: DeployOptions): Promise<Record<string, unknown>> {
  const { preset, drives, settings: file, ephemeral, context = [], ...flags } = options;
  const pairs = context.map((pair) => {
    const [name = '', ...rest] = pair.split('=');
    if (rest.length === 0) throw invalid('STAGE_INVALID', `--context ${pair}: it is NAME=VALUE`);
    return [name, rest.join('=')] as const;
  });
  const settings = file === undefined ? undefined : await readFile(file, 'utf8');
  return {
    ...(ephemeral === true ? { ephemeral: true } : {}),
    // Another preset is one without the changes to the one before.
    ...(preset === undefined ? {} : { preset, settings: '{}' }),
    ...(settings === undefined ? {} : { settings }),
    ...(drives === undefined ? {} : { drives }),
    ...given({ budgetUsd: flags.budgetUsd, events: flags.events, tracing: flags.tracing }),
    ...Object.fromEntries(pairs),
  };
}

/** Throws `invalid` STAGE_CONTRADICTS before CloudFormation is asked. */
function refuseContradiction(wanted: StageSettings, known: KnownStage | undefined): void {
  if (known === undefined) return;
  const shape = { settings: known.settings, driveCount: known.drives };
  const why = contradictionOf(shape, { settings: wanted.store, driveCount: wanted.drives });
  if (why !== undefined) throw invalid('STAGE_CONTRADICTS', `stage ${wanted.stage}: ${why}`);
}
