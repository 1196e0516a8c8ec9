// pocketful restore DIR --from aws:STAGE: a store on this machine out of a stage's buckets.
import { parseAddress } from '../../../lib/client/face.ts';
import { restoreFromStage } from '../../../lib/engine/journal/restore-from-stage.ts';
import { invalid } from '../../../lib/foundation/errors.ts';
import type { Run } from '../command.ts';
import { Progress } from '../show/progress.ts';
import { bytesText, countOf, shownName } from '../show/text.ts';
import { answerFromDrives, type RestoreOptions, timeOf } from './from-drives.ts';

export async function fromStage(run: Run, into: string | undefined, options: RestoreOptions): Promise<void> {
  const from = parseAddress(options.from ?? '');
  if (from.engine !== 'aws') throw invalid('RESTORE_OPTIONS', '--from takes aws:STAGE');
  if (options.fromDrives || options.rebuild || options.shredLog !== undefined || options.drive)
    throw invalid('RESTORE_OPTIONS', 'of the other options only --at and --all-drives go with --from');
  const to = into === undefined ? run.directory() : directoryIn(into);
  const { openStageBuckets } = await import('../../../lib/client/aws/aws-buckets.ts');
  const source = await openStageBuckets(from.stage, run.clock);
  const progress = new Progress('restore', run.clock, 'objects');
  try {
    const report = await restoreFromStage(to, source, {
      atMs: options.at === undefined ? undefined : timeOf(options.at, run.clock.nowMs()),
      allDrives: options.allDrives,
      onLost: ({ key, reason }) => run.say(`pocketful: lost ${shownName(key)}: ${reason}`),
      onCopied: ({ objects, bytes }) => progress.show({ items: objects, bytes }),
    });
    progress.end();
    const { objects, bytes } = report.copied;
    run.say(`copied ${countOf(objects, 'object')} (${bytesText(bytes)}) from the buckets of ${from.stage}`);
    const { bucketsAway, ...rest } = report;
    const why = bucketsAway.map(({ label, error }) => ({ label, code: error.code, message: error.message }));
    for (const { label, message } of why)
      run.say(`${shownName(label)} does not answer (${message}): its drive is missing, until pocketful drives replace`);
    answerFromDrives(run, to, rest, { bucketsAway: why });
  } finally {
    source.close();
  }
}

function directoryIn(address: string): string {
  const parsed = parseAddress(address.startsWith('file:') ? address : `file:${address}`);
  if (parsed.engine !== 'file') throw invalid('RESTORE_OPTIONS', 'a restore is into file:DIR');
  return parsed.dir;
}
