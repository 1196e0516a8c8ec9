// Pocket Watch: when each verifier looked at what, how far it is, and what was found.

import type { VerifierStatus } from '../../../engine/status/watch-status.ts';
import { DAY_MS, HOUR_MS } from '../../../foundation/durations.ts';
import { bytesText, countOf, countText } from '../../../foundation/figures.ts';
import { WEB_LINES_MAX } from '../../../limits/web.ts';
import { VERIFIERS } from '../../../verify/verifier-row.ts';
import type { GatewayAnswer } from '../../exchange.ts';
import { type Content, html, when } from '../html.ts';
import { badge, card, form, meter, type Page, table } from '../layout.ts';
import type { View, WebCall } from '../view.ts';

export async function watchPage({ view }: WebCall): Promise<Page> {
  const { verifiers, scrub, damage, findings } = await view.parts.admin.watch();
  const kinds = Object.entries(damage);
  return {
    title: 'Pocket Watch',
    place: '/ui/watch',
    lead: 'Everything that is stored is read again and again: its bytes, its rows, what clients would get, the trash before it is erased, the journal.',
    body: html`${card(
      'Verifiers',
      html`${table(
        'Verifiers',
        [
          { name: 'Verifier' },
          { name: 'Progress' },
          { name: 'Last pass' },
          { name: 'Looked at', isNumber: true },
          { name: 'Read', isNumber: true },
          { name: 'Oldest look', isNumber: true },
          { name: 'Found', isNumber: true },
        ],
        verifiers.map(rowOf),
      )}<div class="row apart"><p class="soft">${countOf(scrub.volumes, 'volume')}, ${bytesText(scrub.bytes)}; never read: ${countText(scrub.never.volumes)}; due now: ${countText(scrub.due.volumes)}, ${bytesText(scrub.due.bytes)}.${scrub.missedVolumes === 0 ? '' : html` Of ${countOf(scrub.missedVolumes, 'volume')} some objects could not be looked at.`}</p>${form(view, '/ui/watch/verify', html`<button>Look at what is due now</button>`)}</div>`,
    )}
<div class="pair">${card('Damaged objects', kinds.length === 0 ? html`<p>${badge('none known', 'good')}</p>` : html`<ul class="lines">${kinds.map(([kind, count]) => html`<li>${badge(countText(count), 'bad')} ${kind}</li>`)}</ul>`)}
${card(
  'Findings',
  findings.length === 0
    ? html`<p>${badge('none open', 'good')}</p>`
    : table(
        'Open findings',
        [{ name: 'Found' }, { name: 'What' }, { name: 'By' }, { name: 'Since' }],
        findings
          .slice(0, WEB_LINES_MAX)
          .map(({ name, code, verifier, sinceMs }) => [html`<code>${name}</code>`, code, verifier, when(sinceMs)]),
      ),
)}</div>`,
  };
}

function rowOf({
  verifier,
  lastPass,
  progress,
  oldestAgeMs,
  isBehind,
  periodMs,
  openFindings,
}: VerifierStatus): Content[] {
  const percent = progress === null ? undefined : Math.floor(progress * 100);
  return [
    html`${verifier} ${isBehind ? badge('behind', 'bad') : ''}`,
    percent === undefined
      ? '–'
      : html`${meter(progress ?? 0, `${verifier}: ${percent} % within ${ageText(periodMs)}`, isBehind ? 'late' : '')}<span class="soft">${percent} % of ${ageText(periodMs)}</span>`,
    lastPass === null ? 'never' : when(lastPass.beganAtMs),
    lastPass === null ? '–' : countText(lastPass.looked),
    lastPass === null ? '–' : bytesText(lastPass.bytes),
    oldestAgeMs === null ? '–' : ageText(oldestAgeMs),
    openFindings === 0 ? '0' : badge(countText(openFindings), 'bad'),
  ];
}

function ageText(ms: number): string {
  if (ms >= 2 * DAY_MS) return `${Math.floor(ms / DAY_MS)} days`;
  return ms >= 2 * HOUR_MS ? `${Math.floor(ms / HOUR_MS)} h` : `${Math.floor(ms / 60_000)} min`;
}

export function verifyNow(view: View): GatewayAnswer {
  const isBegun = view.job.start('Verification', async ({ signal, tell }) => {
    tell(`${countOf(VERIFIERS.length, 'verifier')} look at what is due`);
    await view.parts.admin.verify({ signal });
    return 'done; what was found is below';
  });
  return isBegun
    ? view.goTo('/ui/watch', true, 'The verifiers look at what is due.')
    : view.goTo('/ui/watch', false, 'Something else is under way: try again when it has ended.');
}
