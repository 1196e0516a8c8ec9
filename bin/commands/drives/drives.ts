// pocketful drives: which drives a store has, and what is said of them: added, emptied, lost, back, forgotten.
import type { Command } from 'commander';
import { homePath } from '../../../lib/client/home-path.ts';
import type { DrivesReport, DriveView } from '../../../lib/engine/drives/list-drives.ts';
import { invalid } from '../../../lib/foundation/errors.ts';
import type { DriveState } from '../../../lib/panda/rows/drives/drive-row.ts';
import { addCommand, type Run } from '../command.ts';
import { lossLines } from '../show/status-text.ts';
import { bytesText, countOf, countText, table, timeText } from '../show/text.ts';
import { addBalance } from './balance.ts';

interface DomainOption {
  readonly domain?: string;
}

const withDomain = (command: Command): Command =>
  command.option('--domain <name>', 'what fails together with them: a disk, a machine');

export function addDrivesCommands(program: Command): void {
  const drives = program.command('drives').description('the drives of a store: lost, replaced, emptied, added');
  addCommand(
    drives,
    'list',
    'every drive, its state, and what is on it (also without a word)',
    async (run) => {
      const report = await (await run.open()).admin.drives();
      run.answer(report, () => drivesText(report));
    },
    undefined,
    { isDefault: true },
  );
  addCommand<DomainOption>(
    drives,
    'add <path...>',
    'make empty directories drives of the store',
    async (run, paths, { domain }) => {
      const added = await (await run.open()).admin.addDrives(paths.map(homePath), { domain });
      run.answer({ added }, added.map(({ drive, label }) => `drive ${drive}: ${label}`).join('\n'));
    },
    withDomain,
  );
  state(drives, 'drain <drive>', 'draining', 'empty a drive: what is on it is moved by pocketful repair');
  state(drives, 'lost <drive>', 'lost', 'give a drive up: what was on it is made again by pocketful repair');
  state(drives, 'return <drive>', 'active', 'a drive that was lost or was to be emptied is in use again');
  state(
    drives,
    'forget <drive>',
    'retired',
    'an emptied or lost drive with nothing on it any more; its number is not used again',
  );
  addCommand<DomainOption>(
    drives,
    'replace <drive> <path>',
    'add a drive, and give another up for it: emptied if it still answers, lost if not',
    async (run, [number = '', path = ''], { domain }) => {
      const { admin } = await run.open();
      const { added, old } = await admin.replaceDrive(driveNumber(number), homePath(path), { domain });
      const { drive, state } = old;
      run.answer(
        { added, drive, state },
        `drive ${added[0]?.drive} is there for drive ${drive}, which is ${state}: run pocketful repair`,
      );
    },
    withDomain,
  );
  addBalance(drives);
  addCommand(
    drives,
    'domain <drive> <name>',
    'say what a drive fails together with',
    async (run, [number = '', domain = '']) => {
      const row = await (await run.open()).admin.changeDrive(driveNumber(number), { domain });
      run.answer(row, `drive ${row.drive} is of domain ${row.domain}`);
    },
  );
}

function state(drives: Command, usage: string, to: DriveState, description: string): void {
  addCommand(drives, usage, description, async (run: Run, [number = '']) => {
    const row = await (await run.open()).admin.changeDrive(driveNumber(number), { state: to });
    const next = to === 'draining' || to === 'lost' ? ': run pocketful repair' : '';
    run.answer(row, `drive ${row.drive} is ${row.state}${next}`);
  });
}

function driveNumber(text: string): number {
  if (!/^\d{1,5}$/.test(text))
    throw invalid('DRIVE_UNKNOWN', `"${text}" is no number of a drive: see pocketful drives list`);
  return Number(text);
}

function drivesText({ drives, columnsToMove, bytesToMove, worst }: DrivesReport): string {
  const rows = table(
    [['drive', 'state', 'domain', 'answers', 'columns', 'used', 'damaged', 'since', 'where'], ...drives.map(line)],
    [0, 4, 5, 6],
  );
  const lines = [rows];
  if (columnsToMove > 0)
    lines.push(
      `${countOf(columnsToMove, 'column')} (${bytesText(bytesToMove)}) to be made again elsewhere: run pocketful repair`,
    );
  for (const { drive, state, why } of drives)
    if (why !== undefined) lines.push(`drive ${drive}${state === 'active' ? ' is away' : ''}: ${why}`);
  lines.push(...lossLines(worst));
  return lines.join('\n');
}

const line = ({ drive, state, domain, fault, columns, usedBytes, damaged, sinceMs, awaySinceMs, label }: DriveView) => [
  String(drive),
  awaySinceMs === undefined ? state : `${state}, away`,
  domain ?? '-',
  state === 'retired' ? '-' : (fault ?? 'yes'),
  countText(columns),
  bytesText(usedBytes),
  countText(damaged),
  sinceMs === undefined ? '-' : timeText(awaySinceMs ?? sinceMs),
  label,
];
