// pocketful dlq: the drain messages that failed too often, looked at, put back, or thrown away.
import type { Command } from 'commander';
import { invalid } from '../../lib/foundation/errors.ts';
import { addCommand } from './command.ts';
import { countOf, table } from './show/text.ts';

export function addDeadLetters(program: Command): void {
  const dlq = program.command('dlq').description('drain messages that failed too often');
  addCommand(dlq, 'list', 'the dead letters, and whether they still matter', async (run) => {
    const letters = await (await run.open()).admin.deadLetters();
    run.answer({ letters }, () =>
      letters.length === 0
        ? 'no dead letters'
        : table([
            ['id', 'receives', 'bucket', 'volume', 'state'],
            ...letters.map(({ id, receives, message, isCurrent }) => [
              id,
              String(receives),
              message?.bucket ?? '-',
              message?.source ?? '-',
              message === undefined ? 'no message of ours' : isCurrent ? 'still to be drained' : 'done since',
            ]),
          ]),
    );
  });
  addCommand(dlq, 'redrive [ids...]', 'put dead letters (all, or these) back into the queue', async (run, ids) => {
    const redriven = await (await run.open()).admin.redriveDeadLetters(ids.length === 0 ? undefined : ids);
    run.answer({ redriven }, `put ${countOf(redriven, 'dead letter')} back`);
  });
  addCommand<{ yes?: boolean }>(
    dlq,
    'drop <ids...>',
    'throw dead letters away; what is still to be drained is sent again',
    async (run, ids, { yes }) => {
      if (!yes)
        throw invalid('NOT_CONFIRMED', `${countOf(ids.length, 'dead letter')} would be gone for good: say --yes`);
      const dropped = await (await run.open()).admin.dropDeadLetters(ids);
      run.answer({ dropped }, `dropped ${countOf(dropped, 'dead letter')}`);
    },
    (command) => command.option('-y, --yes', 'yes, throw them away'),
  );
}
