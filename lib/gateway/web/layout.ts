// The frame of every page: its head, the ways to the other pages, what was just done and what is under way.
import { type Content, type Html, html, named, visible } from './html.ts';
import type { Notice, View } from './view.ts';

export interface Page {
  readonly title: string;
  /** Which way to other pages is the one to here. */
  readonly place?: Place | undefined;
  readonly lead?: Content;
  readonly body: Content;
  readonly status?: number;
}

const PLACES = [
  ['Overview', '/ui'],
  ['Fleet', '/ui/fleet'],
  ['Compaction', '/ui/plan'],
  ['Objects', '/ui/objects'],
  ['Trash', '/ui/trash'],
  ['Watch', '/ui/watch'],
  ['Access', '/ui/access'],
] as const;
export type Place = (typeof PLACES)[number][1];

export const LOGO =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#0a5fd3"/><path d="M8 10h16v8a8 8 0 0 1-16 0z" fill="none" stroke="#fff" stroke-width="2.4" stroke-linejoin="round"/><path d="M8 14.4h16" stroke="#fff" stroke-width="2.4"/></svg>';

export function pageHtml(page: Page, view: View | undefined, notice?: Notice): string {
  const { title, place, lead, body } = page;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${visible(title)} · Pocketful</title>
<link rel="stylesheet" href="/ui/style.css"><link rel="icon" href="/ui/icon.svg" type="image/svg+xml">
<script src="/ui/live.js" defer></script>
</head>
<body>
<a class="skip" href="#main">Skip to content</a>
<header class="top">
<div class="wide">
<a class="brand" href="/ui"><img src="/ui/icon.svg" alt="" width="28" height="28"><span>Pocketful</span></a>
${view === undefined ? '' : navigation(view, place)}
</div>
</header>
<main id="main" class="wide" tabindex="-1">
${view?.job.state === undefined ? html`<p class="job" role="status" data-live="job" hidden></p>` : html`<p class="job" role="status" data-live="job">${view.job.state.text}</p>`}
${notice === undefined ? '' : html`<p class="notice ${notice.isGood ? 'good' : 'bad'}" role="status">${notice.text}</p>`}
<h1>${named(title)}</h1>
${lead === undefined ? '' : html`<p class="lead">${lead}</p>`}
${body}
</main>
${view === undefined ? '' : html`<footer class="wide"><span>${named(view.parts.address)} · times in UTC</span><span class="beat" data-beat>figures as of when this page was loaded</span></footer>`}
</body>
</html>
`.text;
}

const navigation = (_: View, place: Place | undefined): Html =>
  html`<nav aria-label="Pages"><ul>${PLACES.map(
    ([name, href]) => html`<li><a href="${href}"${href === place ? html` aria-current="page"` : ''}>${name}</a></li>`,
  )}</ul></nav>`;

/** A form that acts: with what shows that it is ours. */
export const form = (view: View, action: string, content: Content, name = 'act'): Html =>
  html`<form method="post" action="${action}" class="${name}"><input type="hidden" name="form" value="${view.guard.formToken}">${content}</form>`;

export const hidden = (name: string, value: string): Html =>
  html`<input type="hidden" name="${name}" value="${value}">`;

export interface Column {
  readonly name: string;
  readonly isNumber?: boolean;
}

/** A table that scrolls by itself where it is too wide; without rows, what is said instead. */
export function table(
  caption: string,
  columns: readonly Column[],
  rows: readonly (readonly Content[])[],
  none = 'None.',
): Html {
  if (rows.length === 0) return html`<p class="none">${none}</p>`;
  const cell = (content: Content, at: number): Html => {
    const kind = columns[at]?.isNumber ? html` class="number"` : '';
    return at === 0 ? html`<th scope="row"${kind}>${content}</th>` : html`<td${kind}>${content}</td>`;
  };
  return html`<div class="scroll" role="region" aria-label="${caption}" tabindex="0"><table>
<caption class="unseen">${caption}</caption>
<thead><tr>${columns.map(({ name, isNumber }) => html`<th scope="col"${isNumber ? html` class="number"` : ''}>${name}</th>`)}</tr></thead>
<tbody>${rows.map((row) => html`<tr>${row.map(cell)}</tr>`)}</tbody>
</table></div>`;
}

export const card = (title: Content, body: Content, kind = ''): Html =>
  html`<section class="card ${kind}"><h2>${title}</h2>${body}</section>`;

export const badge = (text: string, kind: 'good' | 'warn' | 'bad' | 'calm'): Html =>
  html`<span class="badge ${kind}">${text}</span>`;

/** A bar that says how much of something it is. */
export const meter = (part: number, label: string, kind = ''): Html => {
  const width = Math.max(0, Math.min(100, part * 100));
  return html`<svg class="meter ${kind}" viewBox="0 0 100 6" preserveAspectRatio="none" role="img" aria-label="${label}"><rect class="track" width="100" height="6"/><rect class="part" width="${width.toFixed(1)}" height="6"/></svg>`;
};
