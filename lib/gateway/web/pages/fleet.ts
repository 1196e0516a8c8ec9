// The fleet's map: each volume a cell, coloured by class and fill; and one volume: what it is, where its columns lie,
// what a plan would do with it.
import type { VolumeStatus } from '../../../engine/status/status.ts';
import { missing } from '../../../foundation/errors.ts';
import { bytesText, countOf, countText } from '../../../foundation/figures.ts';
import { WEB_CELLS_MAX } from '../../../limits/web.ts';
import { type Content, type Html, html, link, named, when } from '../html.ts';
import { badge, card, type Page, table } from '../layout.ts';
import type { WebCall } from '../view.ts';

const KINDS = ['all', 'hot', 'warm', 'open', 'sealed', 'draining', 'trash'] as const;
type Kind = (typeof KINDS)[number];

const isOf = (kind: Kind, { class: cls, state }: VolumeStatus): boolean =>
  kind === 'all' || kind === cls || kind === state || (kind === 'trash' && isLeaving({ state }));

const isLeaving = ({ state }: Pick<VolumeStatus, 'state'>): boolean => state === 'trash' || state === 'erasing';

export async function fleetPage({ view, query }: WebCall): Promise<Page> {
  const { volumes } = await view.status.now();
  const kind = KINDS.find((one) => one === query.get('kind')) ?? 'all';
  const chosen = volumes
    .filter((volume) => isOf(kind, volume))
    .sort(
      (a, b) =>
        Number(isLeaving(a)) - Number(isLeaving(b)) || a.fillPermille - b.fillPermille || (a.id < b.id ? -1 : 1),
    );
  const pages = Math.max(1, Math.ceil(chosen.length / WEB_CELLS_MAX));
  const page = Math.min(pages, Math.max(1, Number(/^\d{1,6}$/.exec(query.get('page') ?? '')?.[0] ?? 1)));
  const shown = chosen.slice((page - 1) * WEB_CELLS_MAX, page * WEB_CELLS_MAX);
  return {
    title: 'Fleet',
    place: '/ui/fleet',
    lead: 'Every volume is a cell, the emptiest first: how much of it lives, in percent. A cell leads to its drives and its plan.',
    body: html`<ul class="choices">${KINDS.map((one) => html`<li><a href="${link('/ui/fleet', { kind: one })}"${one === kind ? html` aria-current="true"` : ''}>${one} ${countText(volumes.filter((volume) => isOf(one, volume)).length)}</a></li>`)}</ul>
${card(
  `${countOf(chosen.length, 'volume')}${pages > 1 ? `, page ${page} of ${pages}` : ''}`,
  html`${LEGEND}${shown.length === 0 ? html`<p class="none">None.</p>` : html`<ul class="map">${shown.map(cell)}</ul>`}${turns(kind, page, pages)}`,
)}`,
  };
}

const LEGEND = html`<ul class="keys" aria-label="What the colours mean">
<li><span class="cell hot f3" aria-hidden="true"></span>hot, filled by puts</li>
<li><span class="cell warm f3" aria-hidden="true"></span>warm, erasure-coded</li>
<li><span class="cell warm f0" aria-hidden="true"></span>emptier to <span class="cell warm f6" aria-hidden="true"></span>fuller</li>
<li><span class="cell warm f1 open" aria-hidden="true"></span>open</li>
<li><span class="cell leaving" aria-hidden="true"></span>in trash</li></ul>`;

const SHADES = 7;

function cell({ id, class: cls, state, fillPermille }: VolumeStatus): Html {
  const shade = Math.min(SHADES - 1, Math.floor((fillPermille * SHADES) / 1000));
  const look = isLeaving({ state }) ? 'leaving' : `${cls} f${shade}${state === 'open' ? ' open' : ''}`;
  const percent = Math.round(fillPermille / 10);
  return html`<li><a class="cell ${look}" href="${link('/ui/volume', { id })}" title="${id}" aria-label="Volume ${id}: ${cls}, ${state}, ${percent} % full">${percent}</a></li>`;
}

const turns = (kind: Kind, page: number, pages: number): Html =>
  pages === 1
    ? html``
    : html`<p class="row apart"><span>${page > 1 ? html`<a class="button" href="${link('/ui/fleet', { kind, page: page - 1 })}">Emptier</a>` : ''}</span><span>${page < pages ? html`<a class="button" href="${link('/ui/fleet', { kind, page: page + 1 })}">Fuller</a>` : ''}</span></p>`;

export async function volumePage({ view, query }: WebCall): Promise<Page> {
  const id = query.get('id') ?? '';
  if (!/^[0-9a-f]{16}$/.test(id)) throw missing('VOLUME_UNKNOWN', 'a volume has an id of 16 hexadecimal digits');
  const [volume, lines] = await Promise.all([view.parts.admin.volume(id), view.parts.admin.explain(id)]);
  const facts: readonly (readonly [string, Content])[] = [
    ['State', html`${badge(volume.state, 'calm')} ${volume.class}, ${volume.codec}`],
    [
      'Live',
      `${bytesText(volume.liveBytes)} of ${bytesText(volume.capacityBytes)} in ${countOf(volume.buckets, 'bucket')}`,
    ],
    ['Survives', survives(volume.spare, volume.spareOf)],
    ['Generation', `${volume.generation}, repaired ${countOf(volume.revision, 'time')}`],
    ['Begun', when(volume.createdAtMs)],
    ['Sealed', volume.sealedAtMs === undefined ? 'not yet' : when(volume.sealedAtMs)],
    ['Owned by', volume.run ?? 'nobody'],
    ...(volume.lane === undefined ? [] : [['Kept apart', `lane ${volume.lane}`] as const]),
  ];
  return {
    title: `Volume ${id}`,
    place: '/ui/fleet',
    body: html`<div class="pair">${card('What it is', html`<dl class="facts">${facts.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`)}
${card('What a plan made now would do with it', html`<ul class="lines">${lines.map(({ text }) => html`<li>${named(text)}</li>`)}</ul>`)}</div>
${card(
  'Its columns',
  table(
    'Columns of this volume',
    [
      { name: 'Column' },
      { name: 'Drive', isNumber: true },
      { name: 'Place' },
      { name: 'Zone', isNumber: true },
      { name: 'Stored', isNumber: true },
      { name: 'State' },
    ],
    volume.columns.map(({ column, isData, drive, label, driveState, zone, usedBytes, damaged }) => [
      `${isData ? 'data' : 'parity'} ${column}`,
      drive,
      named(label),
      countText(zone),
      bytesText(usedBytes),
      damaged > 0
        ? badge(`${countText(damaged)} damaged`, 'bad')
        : driveState === 'active'
          ? badge('ok', 'good')
          : badge(`drive ${driveState}`, driveState === 'lost' ? 'bad' : 'warn'),
    ]),
  ),
)}`,
  };
}

function survives(spare: number, of: number): Content {
  if (spare < 0) return badge('cannot be read as a whole', 'bad');
  const text = `the loss of any ${countOf(spare, 'column')}`;
  return spare >= of ? text : html`${text} ${badge(`instead of ${of}`, 'warn')}`;
}
