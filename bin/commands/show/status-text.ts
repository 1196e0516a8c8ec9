// The status of a store as people read it.

import type { JournalStatus } from '../../../lib/engine/ship/journal-status.ts';
import type { CareStatus } from '../../../lib/engine/status/alarms.ts';
import type { CompactionStatus } from '../../../lib/engine/status/compaction-status.ts';
import type { OverheadOf, Status } from '../../../lib/engine/status/status.ts';
import type { Redundancy } from '../../../lib/volume/check/redundancy.ts';
import type { Loss, WorstLosses } from '../../../lib/volume/check/worst-loss.ts';
import {
  bytesText,
  countOf,
  countText,
  dollarsText,
  ratioText,
  runbookOf,
  secondsText,
  shownName,
  table,
  timeText,
} from './text.ts';

export function statusText(status: Status): string {
  const overhead = (name: string, of: OverheadOf): string[] => [
    name,
    countText(of.volumes),
    bytesText(of.allocatedBytes),
    bytesText(of.storedBytes),
    ratioText(of.allocated),
    ratioText(of.stored),
  ];
  const { hot, open, sealed, trash } = status.overhead;
  const lines = [
    `store ${status.storeId}, preset ${status.preset}: ${bytesText(status.liveBytes)} live` +
      (status.objects === undefined ? '' : ` in ${countOf(status.objects, 'object')}`) +
      (status.replicationFactor === null ? '' : `, stored ${status.replicationFactor.toFixed(2)} times`),
    '',
    table(
      [
        ['class', 'volumes', 'allocated', 'stored', 'overhead', '(stored)'],
        overhead('hot', hot),
        overhead('open', open),
        overhead('sealed', sealed),
        overhead('trash', trash),
      ],
      [1, 2, 3, 4, 5],
    ),
    '',
    `fill of sealed volumes, in twentieths: ${status.fillHistogram.join(' ')}`,
    `trash: ${countOf(status.trash.blocks, 'block')}, ${bytesText(status.trash.bytes)} wait for GC`,
    '',
    table(
      [
        ['drive', 'state', 'used', 'erasing', 'free', 'path'],
        ...status.drives.map(({ id, state, zones, path }) => [
          String(id),
          state,
          countText(zones.used),
          countText(zones.erasing),
          countText(zones.free),
          path,
        ]),
      ],
      [0, 2, 3, 4],
    ),
  ];
  if (status.compaction !== undefined) lines.push('', ...compactionLines(status.compaction));
  lines.push('', redundancyText(status.redundancy), ...lossLines(status.worst));
  if (status.keeping !== undefined) lines.push(...keepingLines(status.keeping));
  // What it says of now comes before what was measured.
  const said = new Set<string>(status.keeping?.alarms.map(({ name }) => name));
  for (const { name, text, sinceMs } of status.alarms)
    if (!said.has(name)) lines.push('', `ALARM ${name}, since ${timeText(sinceMs)}: ${text} (${runbookOf(name)})`);
  if (status.devices !== undefined) lines.push(...devicesLines(status.devices));
  if (status.journal !== undefined) lines.push(...journalLines(status.journal));
  for (const { text } of status.working.stalled) lines.push('', `stalled: ${text}`);
  return lines.join('\n');
}

function keepingLines({ repair, atRisk, alarms }: CareStatus): string[] {
  const lines: string[] = [];
  if (repair.columns > 0) {
    const speed = repair.isMeasured ? 'at the speed of the last repairs' : 'at an assumed speed';
    lines.push(
      `to be repaired: ${countOf(repair.columns, 'column')} of ${countOf(repair.volumes, 'volume')}, ${bytesText(repair.bytes)}: ${hoursText(repair.estimateMs)} ${speed}`,
    );
  }
  if (atRisk > 0) lines.push(`at risk: ${countOf(atRisk, 'volume')}`);
  for (const { name, text } of alarms) lines.push('', `ALARM ${name}: ${text} (${runbookOf(name)})`);
  return lines;
}

/** Said only where it matters: one disk holds all of it. */
export const devicesLines = ({ drives, devices }: { readonly drives: number; readonly devices: number }): string[] =>
  drives > 1 && devices === 1
    ? [
        `all ${countText(drives)} drives are on one disk, and survive its loss no more than one would: give each its own (--drive PATH)`,
      ]
    : [];

const hoursText = (ms: number): string =>
  ms < 60_000 ? 'less than a minute' : `about ${(ms / 3_600_000).toFixed(1)} h`;

function journalLines(journal: JournalStatus): string[] {
  const { shipped, waiting, copies, way, snapshot, levels, bytes, points, oldestAtMs, damagedRows } = journal;
  const unshipped = shipped === null ? '' : waitingText(waiting, shipped.atMs);
  const sizes = levels.map(({ level, segments, bytes: of }) => `${level}: ${countText(segments)} (${bytesText(of)})`);
  return [
    shipped === null
      ? `journal of the metadata: nothing of it is on the drives${waiting.commits === null ? ' (an ephemeral stage ships none unless told to)' : ' yet'}`
      : `journal of the metadata, on ${countOf(copies, 'drive')}: ${unshipped}; a restore reads ${countOf(way, 'segment')}${snapshot === null ? '' : `, a snapshot of ${timeText(snapshot.atMs)} first`}`,
    ...(levels.length === 0
      ? []
      : [
          `ladder, by level: ${sizes.join(', ')}; ${bytesText(bytes)} with all copies, back to ${timeText(oldestAtMs ?? 0)} in ${countOf(points, 'point')}`,
        ]),
    ...damagedRows.map(
      (row) => `the metadata is damaged: ${shownName(row)} is on the drives as it was before, if at all (doctor)`,
    ),
  ];
}

/** Of a stage nobody knows how many changes are in its stream. */
function waitingText({ commits, ageMs }: JournalStatus['waiting'], shippedAtMs: number): string {
  if (commits === null)
    return `up to ${timeText(shippedAtMs)}${ageMs === null ? '' : `, what came last was ${secondsText(ageMs)} late`}`;
  return ageMs === null ? 'all of it is' : `${countOf(commits, 'commit')} not yet, for ${secondsText(ageMs)}`;
}

/** What the next loss could cost: the worst drive, and the worst domain where it costs more. */
export function lossLines({ drive, domain }: WorstLosses): string[] {
  const lines: string[] = [];
  if (drive !== null) lines.push(`without drive ${drive.of}: ${lossText(drive)}`);
  if (domain !== null) lines.push(`without domain ${domain.of}: ${lossText(domain)}`);
  return lines;
}

function lossText({ lostVolumes, reducedVolumes, spareLeft }: Loss): string {
  const parts: string[] = [];
  if (lostVolumes > 0) parts.push(`${countOf(lostVolumes, 'volume')} could not be read`);
  if (reducedVolumes > 0) {
    const then =
      spareLeft === 0
        ? 'none of whose columns may go then'
        : `that survive the loss of ${countOf(spareLeft ?? 0, 'more column')}`;
    parts.push(`${countOf(reducedVolumes, 'volume')} would be read by the code, ${then}`);
  }
  return parts.join(', ');
}

/** How many volumes could lose how many more columns. */
export function redundancyText({ volumes, full, reduced, lost }: Redundancy): string {
  if (volumes === 0) return 'redundancy: no volume holds anything yet';
  const parts = [`${countText(full)} of ${countOf(volumes, 'volume')} complete`];
  for (const one of reduced)
    parts.push(
      `${countOf(one.volumes, 'volume')} can lose ${countOf(one.spare, 'more column')} instead of ${countText(one.of)}`,
    );
  if (lost > 0) parts.push(`${countOf(lost, 'volume')} cannot be read as a whole`);
  return `redundancy: ${parts.join(', ')}`;
}

function operatingLine(operating: CompactionStatus['operating']): string[] {
  const set = Object.entries(operating).map(([name, value]) => `${name}=${value ?? 'none'}`);
  return set.length === 0 ? [] : [`set by an operator: ${set.join(' ')}`];
}

function compactionLines(compaction: CompactionStatus): string[] {
  const { ranges, strategies, queue, liveCoder } = compaction;
  const percent = (fraction: number): string => `${(fraction * 100).toFixed(0)}`;
  const rows = (['l1', 'l2', 'l3', 'merge'] as const).map((name) => {
    const of = strategies[name];
    const range = name === 'merge' ? '-' : `${percent(ranges[name][0])} .. ${percent(ranges[name][1])} %`;
    return [
      name,
      range,
      countText(of.runs),
      countText(of.reclaimed),
      bytesText(of.movedBytes),
      ratioText(of.destinationFill),
      of.metadataWritesPerReclaimed === null ? '-' : countText(Math.round(of.metadataWritesPerReclaimed)),
      dollarsText(of.dollars),
    ];
  });
  return [
    `compaction in ${compaction.days} days: threshold ${ratioText(compaction.threshold)} (least dead part worth a run), the last one used ${percent(compaction.budgetUsed)} % of its budgets`,
    ...operatingLine(compaction.operating),
    table(
      [['strategy', 'owns fills', 'runs', 'reclaimed', 'moved', 'dest. fill', 'rows each', 'on AWS'], ...rows],
      [1, 2, 3, 4, 5, 6, 7],
    ),
    queue === null
      ? 'queue: cannot be read now'
      : `queue: ${countOf(queue.ready, 'message')} wait, ${countText(queue.inFlight)} are worked on, the oldest ${secondsText(queue.oldestAgeMs)}; ${countOf(queue.dead, 'dead letter')}`,
    `Live Coder: wrote ${bytesText(liveCoder.writtenBytes)} in ${bytesText(liveCoder.storedBytes)}, sealed volumes ${ratioText(liveCoder.fill)} full`,
    `bucket rows: ${bucketRowsText(compaction)}`,
    `dies a day, by when it was written: ${deletesText(compaction)}`,
    `write amplification ${ratioText(compaction.writeAmplification)}, at least ${ratioText(compaction.lambertBound)} at this overhead for any policy: gap ${ratioText(compaction.optimalityGap)}`,
  ];
}

function bucketRowsText({ bucketRows: { rows, perGib, perGibMax } }: CompactionStatus): string {
  const rate = perGib === null ? '' : `, ${countText(Math.round(perGib))} a live GiB`;
  return `${countText(rows)}${rate}; remnants are merged from ${countText(Math.round(perGibMax))}`;
}

const AGES = ['within a day', 'a week', 'two months', 'earlier'];

const deletesText = ({ deletes }: CompactionStatus): string =>
  deletes
    .map(({ perDay, daysMeasured }, age) => {
      const measured = daysMeasured === 0 ? 'assumed' : `${daysMeasured.toFixed(0)} days measured`;
      return `${AGES[age]} ${(perDay * 100).toFixed(2)} % (${measured})`;
    })
    .join(', ');
