// pocketful watch: when what was verified last, how far it is, what it takes, and what is damaged.
import type { Command } from 'commander';
import type { VerifierStatus, WatchStatus } from '../../../lib/engine/status/watch-status.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../../lib/foundation/durations.ts';
import { addCommand } from '../command.ts';
import { bytesText, countOf, countText, table, timeText } from '../show/text.ts';

/** Of findings; --json has them all. */
const LINES_MAX = 20;

export function addWatch(program: Command): void {
  addCommand(program, 'watch', 'when what was verified last, and what was found', async (run) => {
    const status = await (await run.open({ withoutKeys: true })).admin.watch();
    run.answer(status, () => watchText(status));
  });
}

function watchText({ verifiers, scrub, damage, findings }: WatchStatus): string {
  const { never, due, missedVolumes } = scrub;
  const lines = [
    table(
      [
        ['verifier', 'last pass', 'looked at', 'read', 'share', 'progress', 'oldest', 'open findings'],
        ...verifiers.map(rowOf),
      ],
      [2, 3, 4, 5, 6, 7],
    ),
    '',
    `scrub: ${countOf(scrub.volumes, 'volume')}, ${bytesText(scrub.bytes)}; never read: ${countText(never.volumes)}, ${bytesText(never.bytes)}; due now: ${countText(due.volumes)}, ${bytesText(due.bytes)}`,
  ];
  if (missedVolumes > 0)
    lines.push(`of ${countOf(missedVolumes, 'volume')} some objects could not be looked at: a drive was away or busy`);
  for (const { verifier, isBehind, periodMs } of verifiers)
    if (isBehind) lines.push(`${verifier} is behind: not everything was looked at within ${ageText(periodMs)}`);
  for (const { verifier, name, code, sinceMs } of findings.slice(0, LINES_MAX))
    lines.push(`${verifier}: ${name}: ${code}, since ${timeText(sinceMs)}`);
  if (findings.length > LINES_MAX) lines.push(`… and ${countText(findings.length - LINES_MAX)} more`);
  const kinds = Object.entries(damage).map(([kind, count]) => `${countText(count)} ${kind}`);
  lines.push(
    kinds.length === 0
      ? 'damaged objects: none is known'
      : `damaged objects: ${kinds.join(', ')} (pocketful doctor lists them)`,
  );
  return lines.join('\n');
}

function rowOf({ verifier, lastPass, progress, oldestAgeMs, openFindings }: VerifierStatus): string[] {
  const oldest = oldestAgeMs === null ? '-' : ageText(oldestAgeMs);
  const done = progress === null ? '-' : `${Math.floor(progress * 100)} %`;
  if (lastPass === null) return [verifier, 'never', '-', '-', '-', done, oldest, countText(openFindings)];
  const share = lastPass.share === null ? '-' : `${(lastPass.share * 100).toFixed(1)} %`;
  return [
    verifier,
    timeText(lastPass.beganAtMs),
    countText(lastPass.looked),
    bytesText(lastPass.bytes),
    share,
    done,
    oldest,
    countText(openFindings),
  ];
}

function ageText(ms: number): string {
  if (ms >= 2 * DAY_MS) return `${Math.floor(ms / DAY_MS)} days`;
  if (ms >= 2 * HOUR_MS) return `${Math.floor(ms / HOUR_MS)} h`;
  return ms >= 2 * MINUTE_MS ? `${Math.floor(ms / MINUTE_MS)} min` : `${Math.floor(ms / 1000)} s`;
}
