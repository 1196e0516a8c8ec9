// The overview: what is stored and how safely, what somebody has to see to, the drives, overhead over the days.
import type { DrivesReport, DriveView } from '../../../engine/drives/list-drives.ts';
import type { DriveStatus, Status } from '../../../engine/status/status.ts';
import type { HistoryDay } from '../../../engine/upkeep/history.ts';
import { bytesText, countOf, countText, ratioText } from '../../../foundation/figures.ts';
import { dayChart } from '../charts.ts';
import { type Content, type Html, html, named, when } from '../html.ts';
import { badge, card, meter, type Page, table } from '../layout.ts';
import { type LiveFigures, live, liveFigures } from '../live-figures.ts';
import { runbookHtml, runbookOf } from '../runbook-html.ts';
import type { View, WebCall } from '../view.ts';

export async function overviewPage({ view }: WebCall): Promise<Page> {
  const [status, drives, days] = await Promise.all([view.status.now(), view.drives.now(), view.history.now()]);
  return {
    title: 'Overview',
    place: '/ui',
    lead: html`Store ${named(view.parts.address)}, preset ${status.preset}.`,
    body: html`${await alarms(view, status)}${figures(status)}
<div class="pair">${card('Overhead of sealed volumes, 30 days', overhead(days))}${card('What the next loss would cost', losses(status, drives))}</div>
${card('Drives', driveTable(status, drives))}`,
  };
}

function figures(status: Status): Html {
  const now = liveFigures(status);
  const { sealed } = status.overhead;
  const { redundancy, keeping, worst } = status;
  const needed = keeping?.repair;
  return html`<div class="grid figures">
${figure('Live data', now, 'live', html`${live(now, 'volumes')}, ${bytesText(status.hotBytes)} allocated hot`)}
${figure('Stored in all', now, 'stored', 'bytes on the drives per live byte')}
${figure('Overhead, sealed', now, 'overhead', sealed.allocated === null ? 'nothing is sealed yet' : html`raw bytes per live byte in ${countOf(sealed.volumes, 'volume')}`)}
${figure('Redundancy', now, 'redundancy', html`${countText(redundancy.full)} of ${countOf(redundancy.volumes, 'volume')} complete`, redundancy.full < redundancy.volumes || (worst.drive?.lostVolumes ?? 0) > 0)}
${figure('To be made again', now, 'repair', needed === undefined || needed.columns === 0 ? 'columns; nothing waits for repair' : html`columns, ${bytesText(needed.bytes)} of ${countOf(needed.volumes, 'volume')}`, (needed?.columns ?? 0) > 0)}
${figure('Trash', now, 'trash', html`${countOf(status.trash.blocks, 'block')} wait to be shredded`)}
</div>`;
}

const figure = (name: string, figures_: LiveFigures, which: keyof LiveFigures, hint: Content, isBad = false): Html =>
  html`<dl class="card figure ${isBad ? 'bad' : ''}"><dt>${name}</dt><dd>${live(figures_, which)}</dd><dd class="hint">${hint}</dd></dl>`;

async function alarms(view: View, status: Status): Promise<Html> {
  const now = status.keeping?.alarms ?? [];
  const said = new Set<string>(now.map(({ name }) => name));
  const all = [
    ...now.map(({ name, text }) => ({ name: name as string, text, since: undefined })),
    ...status.alarms
      .filter(({ name }) => !said.has(name))
      .map(({ name, text, sinceMs }) => ({ name, text, since: sinceMs })),
  ];
  const stalled = status.working.stalled.map(
    ({ text }) => html`<section class="card alarm"><h2>${badge('stalled', 'warn')}</h2><p>${text}</p></section>`,
  );
  if (all.length === 0) return html`${stalled}`;
  const document = await view.parts.operations?.();
  return html`${all.map(({ name, text, since }) => {
    const runbook = document === undefined ? undefined : runbookOf(document, name);
    return html`<section class="card alarm"><h2>${badge('alarm', 'bad')} ${name}</h2><p>${text}${since === undefined ? '' : html` <span class="soft">Since ${when(since)}.</span>`}</p>${runbook === undefined ? '' : html`<details><summary>What to do</summary><div class="runbook">${runbookHtml(runbook)}</div></details>`}</section>`;
  })}${stalled}`;
}

function overhead(days: readonly HistoryDay[]): Html {
  const points = days.map(({ day, overhead: value }) => ({ day, value }));
  const measured = days.filter(({ overhead: value }) => value !== null);
  return html`${dayChart('Raw bytes per live byte of sealed volumes', points)}
${
  measured.length === 0
    ? ''
    : html`<details><summary>As a table</summary>${table(
        'Overhead by day',
        [
          { name: 'Day' },
          { name: 'Overhead', isNumber: true },
          { name: 'In a week', isNumber: true },
          { name: 'Put', isNumber: true },
          { name: 'Reclaimed', isNumber: true },
        ],
        days.map((day) => [
          day.day,
          ratioText(day.overhead),
          day.overheadWeekChange === null ? '-' : day.overheadWeekChange.toFixed(3),
          bytesText(day.ingestedBytes),
          countText(day.reclaimedVolumes),
        ]),
      )}</details>`
}`;
}

function losses({ redundancy, devices }: Status, { worst, columnsToMove, bytesToMove }: DrivesReport): Html {
  const lines: Content[] = [];
  if (redundancy.volumes === 0) lines.push(html`<li>No volume holds anything yet.</li>`);
  for (const one of redundancy.reduced)
    lines.push(
      html`<li>${countOf(one.volumes, 'volume')} can lose ${countOf(one.spare, 'more column')} instead of ${one.of}.</li>`,
    );
  if (redundancy.lost > 0)
    lines.push(html`<li>${badge('lost', 'bad')} ${countOf(redundancy.lost, 'volume')} cannot be read as a whole.</li>`);
  for (const [kind, loss] of [
    ['drive', worst.drive],
    ['domain', worst.domain],
  ] as const) {
    if (loss === null) continue;
    lines.push(
      loss.lostVolumes > 0
        ? html`<li>${badge('at risk', 'bad')} Without ${kind} ${named(loss.of)}, ${countOf(loss.lostVolumes, 'volume')} could not be read.</li>`
        : html`<li>${badge('safe', 'good')} Without ${kind} ${named(loss.of)}, everything is still read${loss.reducedVolumes === 0 ? '.' : html`: ${countOf(loss.reducedVolumes, 'volume')} by the code, with ${countOf(loss.spareLeft ?? 0, 'more column')} to spare.`}</li>`,
    );
  }
  if (columnsToMove > 0)
    lines.push(
      html`<li>${countOf(columnsToMove, 'column')} (${bytesText(bytesToMove)}) still lie on drives that are given up.</li>`,
    );
  if (devices !== undefined && devices.drives > 1 && devices.devices === 1)
    lines.push(
      html`<li>${badge('one disk', 'warn')} All ${countText(devices.drives)} drives are on one disk, and survive its loss no more than one would.</li>`,
    );
  return html`<ul class="lines">${lines}</ul>`;
}

function driveTable(status: Status, { drives }: DrivesReport): Html {
  const zonesOf = new Map(status.drives.map((drive) => [drive.id, drive]));
  return table(
    'Drives',
    [
      { name: 'Drive' },
      { name: 'Place' },
      { name: 'State' },
      { name: 'Zones' },
      { name: 'Used', isNumber: true },
      { name: 'Columns', isNumber: true },
      { name: 'Damaged', isNumber: true },
    ],
    drives.map((drive) => [
      drive.drive,
      html`${named(drive.label)}${drive.domain === undefined ? '' : html` <span class="soft">${named(drive.domain)}</span>`}${drive.why === undefined ? '' : html`<br><span class="soft">${named(drive.why)}</span>`}`,
      driveBadge(drive),
      zonesMeter(zonesOf.get(drive.drive)),
      bytesText(drive.usedBytes),
      countText(drive.columns),
      drive.damaged === 0 ? '0' : badge(countText(drive.damaged), 'bad'),
    ]),
  );
}

function driveBadge({ state, fault }: DriveView): Html {
  if (state === 'lost') return badge('lost', 'bad');
  if (state === 'retired') return badge('retired', 'calm');
  if (fault !== undefined)
    return badge(
      fault
        .replace(/^DRIVE_/, '')
        .replaceAll('_', ' ')
        .toLowerCase(),
      'bad',
    );
  return state === 'draining' ? badge('draining', 'warn') : badge('ok', 'good');
}

function zonesMeter(drive: DriveStatus | undefined): Content {
  if (drive === undefined) return '–';
  const { used, erasing, free } = drive.zones;
  const all = used + erasing + free;
  return meter(
    all === 0 ? 0 : (used + erasing) / all,
    `${countText(used)} of ${countText(all)} zones used, ${countText(erasing)} being erased`,
  );
}
