// pocketful backup and restore: the metadata of a store in one file, and back.
import type { Command } from 'commander';
import { restoreTo } from '../../../lib/engine/backup/restore.ts';
import { invalid } from '../../../lib/foundation/errors.ts';
import { addCommand, collect } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { Progress } from '../show/progress.ts';
import { bytesText, countOf, countText, shownName, timeText } from '../show/text.ts';
import { fromDrives, type RestoreOptions } from './from-drives.ts';
import { fromStage } from './from-stage.ts';

export function addBackups(program: Command): void {
  addCommand<{ overwrite?: boolean }>(
    program,
    'backup <file>',
    'write all metadata to one file; keys.json is not in it',
    async (run, [file = ''], { overwrite }) => {
      const { admin } = await run.open();
      const progress = new Progress('backup', run.clock, 'rows');
      const report = await admin.backup(file, {
        signal: run.interruption.signal,
        overwrite,
        onProgress: (rows) => progress.show({ items: rows }),
      });
      progress.end();
      run.answer(
        { file, ...report },
        `backed up ${countOf(report.rows, 'row')} (${bytesText(report.bytes)}) to ${file}`,
      );
      run.say(
        'the backup holds no key: keep a copy of keys.json as well, and in another place. The drives hold a journal of the metadata too: with keys.json alone, pocketful restore --from-drives',
      );
    },
    (command) => command.option('--overwrite', 'replace a file that is there'),
  );
  addCommand<RestoreOptions>(
    program,
    'restore [file]',
    'bring the metadata back from its journal on the drives or from a backup, into a store that has none',
    async (run, [file], options) => {
      if (options.from !== undefined) return fromStage(run, file, options);
      if (options.fromDrives) return fromDrives(run, file, options);
      if (options.at !== undefined || options.drive !== undefined)
        throw invalid('RESTORE_OPTIONS', '--at and --drive go with --from-drives, --at with --from');
      if (file === undefined) throw invalid('RESTORE_OPTIONS', 'restore FILE, or restore --from-drives');
      const { rebuild, allDrives, shredLog } = options;
      const progress = new Progress('restore', run.clock, 'rows');
      const dir = run.directory();
      const report = await restoreTo(dir, file, {
        rebuild,
        allDrives,
        shredLog,
        onLost: ({ key, reason }) => run.say(`pocketful: lost ${shownName(key)}: ${reason}`),
        onProgress: (rows) => progress.show({ items: rows }),
      });
      progress.end();
      run.answer(report, `restored ${countOf(report.rows, 'row')} of ${timeText(report.createdAtMs)} into ${dir}`);
      if (!report.keyFile) run.say(`put your copy of keys.json into ${dir}: nothing can be read without it`);
      if (report.newerZones > 0)
        run.say(
          `the drives hold ${countText(report.newerZones)} zones that are newer than the backup: restore with --rebuild to find what moved there`,
        );
      for (const { label, reason } of report.rebuild?.drivesAway ?? [])
        run.say(`${label} is away (${reason}): it takes nothing new until a restore --rebuild that finds it`);
      if ((report.rebuild?.lostObjects ?? 0) > 0) run.exitCode = EXIT.someFailed;
    },
    (command) =>
      command
        .option('--from-drives', 'from the journal on the drives: keys.json is all it needs besides')
        .option('--from <address>', 'from the buckets of aws:STAGE, which are copied')
        .option('--at <time>', 'with --from-drives or --from: as of then, such as 2026-11-29T12:00Z or 90m (ago)')
        .option('--drive <path>', 'with --from-drives: where a drive is, or OLD=NEW; once for each', collect)
        .option('--rebuild', 'find where everything is from the drives themselves')
        .option('--all-drives', 'with --rebuild or --from: not while a drive, or a bucket, is away')
        .option('--shred-log <file>', 'a later backup: what its shred log names is not brought back'),
  );
}
