// pocketful destroy: takes a stage down. An ephemeral one leaves nothing; of a durable one the data stays, under no
// stack. What there is of a stage that never became whole goes, unless it holds something.
import type { Command } from 'commander';
import type { KnownStage } from '../../../lib/client/aws/aws-deployments.ts';
import { invalid } from '../../../lib/foundation/errors.ts';
import { contextOf, type StageContext } from '../../../lib/infra/stage-context.ts';
import { parseStageSettings } from '../../../lib/infra/stage-settings.ts';
import { addCommand, type Run } from '../command.ts';
import { requireRepository } from '../project.ts';
import { runCdk } from './deploy-cdk.ts';

export function addDestroy(program: Command): void {
  addCommand<{ yes?: boolean }>(
    program,
    'destroy <stage>',
    'take a stage down: an ephemeral one with all its data, a durable one without',
    destroy,
    (command) => command.option('-y, --yes', 'yes, destroy it'),
  );
}

async function destroy(run: Run, [stage = '']: readonly string[], { yes }: { yes?: boolean }): Promise<void> {
  requireRepository('destroy runs the CDK');
  // The AWS SDK takes longer to load than other commands take.
  const { findDeployed } = await import('../../../lib/client/aws/aws-deployments.ts');
  const { AwsStacks, AwsStageData } = await import('../../../lib/client/aws/aws-stacks.ts');
  const { cellIn, stacksOf, takeDown } = await import('../../../lib/client/aws/stage-stacks.ts');
  const known = await findDeployed(stage);
  const stacks = new AwsStacks();
  const data = new AwsStageData();
  try {
    const found = await stacksOf(stacks, stage);
    if (known !== undefined || found.length > 0) run.say(whatGoes(stage, known));
    if (!yes && found.length > 0) throw invalid('NOT_CONFIRMED', 'nothing was destroyed yet: say --yes');
    const context = contextFor(stage, known, cellIn(found, stage));
    const { isDataKept } = await takeDown(stage, {
      stacks,
      data,
      isWhole: known !== undefined,
      deleteStacks: () => runCdk(['destroy', '--all', '--force'], context, run.interruption.signal),
    });
    const dataKept = isDataKept && known?.isEphemeral !== true;
    run.answer({ stage, dataKept }, `destroyed ${stage}${dataKept ? '; its data is still there' : ''}`);
  } finally {
    stacks.close();
    data.close();
  }
}

function whatGoes(stage: string, known: KnownStage | undefined): string {
  if (known === undefined)
    return `stage ${stage} is not whole: its stacks go, and its buckets, table and key if they are empty`;
  const things = `its ${known.drives} buckets, its table and its key`;
  return known.isEphemeral
    ? `stage ${stage} is ephemeral: ${things} are deleted for good`
    : `stage ${stage} is durable: ${things} stay and go on costing; only what works on them goes`;
}

/** Of a stage that is not whole only the names of its stacks are known, and only they matter. */
function contextFor(stage: string, known: KnownStage | undefined, cell: string | undefined): StageContext {
  if (known === undefined)
    return contextOf(parseStageSettings({ stage, settings: cell === undefined ? {} : { cell } }));
  const { settings, drives, isEphemeral: ephemeral } = known;
  return contextOf(parseStageSettings({ stage, settings: JSON.stringify(settings), drives, ephemeral }));
}
