// pocketful destroy: takes a stage down. An ephemeral one leaves nothing; of a durable one the data stays, under no
// stack.
import type { Command } from 'commander';
import { invalid, missing } from '../../../lib/foundation/errors.ts';
import { contextOf } from '../../../lib/infra/stage-context.ts';
import { parseStageSettings } from '../../../lib/infra/stage-settings.ts';
import { addCommand } from '../command.ts';
import { requireRepository } from '../project.ts';
import { runCdk } from './deploy-cdk.ts';

export function addDestroy(program: Command): void {
  addCommand<{ yes?: boolean }>(
    program,
    'destroy <stage>',
    'take a stage down: an ephemeral one with all its data, a durable one without',
    async (run, [stage = ''], { yes }) => {
      requireRepository('destroy runs the CDK');
      // The AWS SDK takes longer to load than other commands take.
      const { allowDeletion, findDeployed } = await import('../../../lib/client/aws/aws-deployments.ts');
      const known = await findDeployed(stage);
      if (known === undefined) throw missing('STAGE_MISSING', `there is no stage ${stage} in this account and region`);
      const { isEphemeral, settings, drives } = known;
      run.say(
        isEphemeral
          ? `stage ${stage} is ephemeral: its ${drives} buckets, its table and its key are deleted for good`
          : `stage ${stage} is durable: its ${drives} buckets, its table and its key stay and go on costing; only what works on them goes`,
      );
      if (!yes) throw invalid('NOT_CONFIRMED', 'nothing was destroyed yet: say --yes');
      if (!isEphemeral) await allowDeletion(stage, settings.cell);
      const context = parseStageSettings({ stage, settings: JSON.stringify(settings), drives, ephemeral: isEphemeral });
      await runCdk(['destroy', '--all', '--force'], contextOf(context), run.interruption.signal);
      run.answer(
        { stage, dataKept: !isEphemeral },
        `destroyed ${stage}${isEphemeral ? '' : '; its data is still there'}`,
      );
    },
    (command) => command.option('-y, --yes', 'yes, destroy it'),
  );
}
