// pocketful restore --from-drives: the metadata out of its journal on the drives.
import { resolve } from 'node:path';
import { homePath } from '../../../lib/client/home-path.ts';
import { MARKER } from '../../../lib/drive/directory-marker.ts';
import type { DrivePlace } from '../../../lib/engine/journal/found-drives.ts';
import { type FromDrivesReport, restoreFromDrives } from '../../../lib/engine/journal/restore-from-drives.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../../lib/foundation/durations.ts';
import { invalid } from '../../../lib/foundation/errors.ts';
import type { Run } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { Progress } from '../show/progress.ts';
import { bytesText, countOf, shownName, timeText } from '../show/text.ts';

export interface RestoreOptions {
  readonly rebuild?: boolean;
  readonly allDrives?: boolean;
  readonly shredLog?: string;
  readonly fromDrives?: boolean;
  readonly at?: string;
  readonly drive?: readonly string[];
  readonly from?: string;
}

export async function fromDrives(run: Run, dir: string | undefined, options: RestoreOptions): Promise<void> {
  if (options.rebuild || options.allDrives || options.shredLog !== undefined)
    throw invalid('RESTORE_OPTIONS', '--rebuild, --all-drives and --shred-log go with a backup');
  const progress = new Progress('restore', run.clock, 'rows');
  const into = dir === undefined ? run.directory() : homePath(dir);
  const report = await restoreFromDrives(into, {
    atMs: options.at === undefined ? undefined : timeOf(options.at, run.clock.nowMs()),
    drives: (options.drive ?? []).map(placeOf),
    onLost: ({ key, reason }) => run.say(`pocketful: lost ${shownName(key)}: ${reason}`),
    onProgress: (rows) => progress.show({ items: rows }),
  });
  progress.end();
  answerFromDrives(run, into, report);
}

/** `more`: of the answer. */
export function answerFromDrives(run: Run, into: string, report: FromDrivesReport, more: object = {}): void {
  const { unshipped, ...rest } = report;
  const why = unshipped === undefined ? {} : { unshipped: { code: unshipped.code, message: unshipped.message } };
  run.answer(
    { ...rest, ...why, ...more },
    `restored ${countOf(report.rows, 'row')} of ${timeText(report.atMs)} into ${into}, from ${countOf(report.segments, 'segment')} (${bytesText(report.bytes)}) on ${countOf(report.drivesFound, 'drive')}`,
  );
  sayMore(run, report);
  if ((report.rebuild?.lostObjects ?? 0) > 0) run.exitCode = EXIT.someFailed;
}

function sayMore(run: Run, report: FromDrivesReport): void {
  const { notDrives, mayBeOlder, drivesMissing, newerZones, newerVolumes, damagedSegments, rebuild, unshipped } =
    report;
  for (const path of notDrives) run.say(`${shownName(path)} is no drive (its file ${MARKER} is missing): passed over`);
  if (drivesMissing.length > 0) run.say(`not found: ${drivesMissing.map(shownName).join(', ')}`);
  if (mayBeOlder)
    run.say(
      'with so many missing the newest state may be on them: if any can be brought back, move the new panda.sqlite away and restore again, before anything is written',
    );
  if (damagedSegments > 0) run.say(`${countOf(damagedSegments, 'segment')} could not be read on any drive`);
  if (newerZones + newerVolumes > 0)
    run.say(
      `not brought back: what was stored, or deleted, after ${timeText(report.atMs)}. The drives hold chunks of that in ${countOf(newerZones, 'new zone')} and ${countOf(newerVolumes, 'open volume')}; their names were in the metadata only`,
    );
  if (rebuild !== undefined)
    run.say(
      `something was moved after that time: the drives were scanned, ${countOf(rebuild.objects, 'object')} found, ${countOf(rebuild.lostObjects, 'object')} lost`,
    );
  if (unshipped !== undefined) run.say(`pocketful: not on the drives yet: ${unshipped.message} (${unshipped.code})`);
}

/** PATH, or OLD=NEW. */
function placeOf(text: string): DrivePlace {
  const [from, path] = text.split('=');
  return path === undefined ? { path: resolve(homePath(text)) } : { from, path: resolve(homePath(path)) };
}

const UNITS_MS: Readonly<Record<string, number>> = { s: SECOND_MS, m: MINUTE_MS, h: HOUR_MS, d: DAY_MS };

/** Throws `invalid` TIME_INVALID. */
export function timeOf(text: string, nowMs: number): number {
  const [, digits = '', unit = ''] = /^(\d+(?:\.\d+)?)([smhd])$/.exec(text) ?? [];
  if (digits !== '') return nowMs - Number(digits) * (UNITS_MS[unit] ?? 0);
  const parsed = /^\d{4}-/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(parsed))
    throw invalid('TIME_INVALID', `"${text}" is no time: 2026-11-29T12:00Z, or 90m for an hour and a half ago`);
  return parsed;
}
