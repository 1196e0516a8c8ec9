// Charts as SVG: overhead over the days, how full sealed volumes are with what each strategy would take. Colours are
// classes of the page's style.
import { ratioText } from '../../foundation/figures.ts';
import { type Content, type Html, html } from './html.ts';

const WIDTH = 720;
const HEIGHT = 220;
const BOX = { left: 46, right: 24, top: 14, bottom: 30 };
const INNER = { width: WIDTH - BOX.left - BOX.right, height: HEIGHT - BOX.top - BOX.bottom };
const DAY_LETTERS = 5;

export interface DayPoint {
  /** YYYY-MM-DD. */
  readonly day: string;
  readonly value: number | null;
}

/** A line over the days, broken where nobody measured. */
export function dayChart(label: string, points: readonly DayPoint[]): Html {
  const values = points.flatMap(({ value }) => (value === null ? [] : [value]));
  if (values.length === 0)
    return html`<p class="none">Nothing was measured yet: upkeep does so every hour, and keeps a figure for each day.</p>`;
  const low = Math.floor(Math.min(1, ...values) * 10) / 10;
  const high = Math.max(low + 0.2, Math.ceil(Math.max(...values) * 10) / 10);
  const x = (i: number): number => BOX.left + (points.length === 1 ? 0.5 : i / (points.length - 1)) * INNER.width;
  const y = (value: number): number => BOX.top + (1 - (value - low) / (high - low)) * INNER.height;
  const ticks = [low, (low + high) / 2, high];
  const runs = runsOf(points);
  const every = Math.max(1, Math.ceil(points.length / 6));
  return html`<svg class="chart" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${label}: ${spoken(points)}">
${ticks.map((value) => html`<line class="grid" x1="${BOX.left}" x2="${WIDTH - BOX.right}" y1="${y(value).toFixed(1)}" y2="${y(value).toFixed(1)}"/><text class="tick" x="${BOX.left - 8}" y="${(y(value) + 4).toFixed(1)}" text-anchor="end">${value.toFixed(2)}</text>`)}
${points.map(({ day }, i) => (i % every === 0 ? html`<text class="tick" x="${x(i).toFixed(1)}" y="${HEIGHT - 8}" text-anchor="middle">${day.slice(-DAY_LETTERS)}</text>` : ''))}
${runs.map((run) => runSvg(run, x, y))}
</svg>`;
}

interface Run {
  readonly from: number;
  readonly values: readonly number[];
}

function runsOf(points: readonly DayPoint[]): Run[] {
  const runs: { from: number; values: number[] }[] = [];
  for (const [i, { value }] of points.entries()) {
    if (value === null) continue;
    if (i > 0 && points[i - 1]?.value !== null) runs.at(-1)?.values.push(value);
    else runs.push({ from: i, values: [value] });
  }
  return runs;
}

function runSvg({ from, values }: Run, x: (i: number) => number, y: (value: number) => number): Html {
  const line = values.map((value, i) => `${x(from + i).toFixed(1)},${y(value).toFixed(1)}`);
  const bottom = HEIGHT - BOX.bottom;
  const area = [`${x(from).toFixed(1)},${bottom}`, ...line, `${x(from + values.length - 1).toFixed(1)},${bottom}`];
  const last = line.at(-1)?.split(',') ?? [];
  return html`<polygon class="area" points="${area.join(' ')}"/><polyline class="line" points="${line.join(' ')}"/><circle class="dot" cx="${last[0]}" cy="${last[1]}" r="4"/>`;
}

const spoken = (points: readonly DayPoint[]): string =>
  points
    .filter(({ value }) => value !== null)
    .map(({ day, value }) => `${day} ${ratioText(value)}`)
    .join(', ');

export interface FillRange {
  readonly name: string;
  /** Above, up to and including. */
  readonly fills: readonly [number, number];
}

/** Volumes by twentieths of their fill, over bands of what each strategy owns. */
export function fillChart(bins: readonly number[], ranges: readonly FillRange[]): Html {
  const most = Math.max(1, ...bins);
  const width = INNER.width / bins.length;
  const x = (fill: number): number => BOX.left + fill * INNER.width;
  const bottom = HEIGHT - BOX.bottom;
  const said = bins.flatMap((count, i) => (count === 0 ? [] : [`${i * 5} to ${i * 5 + 5} %: ${count}`])).join(', ');
  const bars: Content[] = bins.map((count, i) => {
    if (count === 0) return '';
    const height = Math.max(3, (count / most) * (INNER.height - 34));
    const left = BOX.left + i * width;
    return html`<rect class="bar" x="${(left + 2).toFixed(1)}" y="${(bottom - height).toFixed(1)}" width="${(width - 4).toFixed(1)}" height="${height.toFixed(1)}" rx="2"/><text class="count" x="${(left + width / 2).toFixed(1)}" y="${(bottom - height - 5).toFixed(1)}" text-anchor="middle">${count}</text>`;
  });
  return html`<svg class="chart" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="Sealed volumes by their fill: ${said || 'none'}">
${ranges.map(({ name, fills: [from, to] }, i) => html`<rect class="band band${i}" x="${x(from).toFixed(1)}" y="${BOX.top}" width="${(x(to) - x(from)).toFixed(1)}" height="${INNER.height}"/><text class="bandname" x="${((x(from) + x(to)) / 2).toFixed(1)}" y="${BOX.top + 15}" text-anchor="middle">${name}</text>`)}
${bars}
<line class="axis" x1="${BOX.left}" x2="${WIDTH - BOX.right}" y1="${bottom}" y2="${bottom}"/>
${[0, 0.25, 0.5, 0.75, 1].map((fill) => html`<text class="tick" x="${x(fill).toFixed(1)}" y="${HEIGHT - 8}" text-anchor="middle">${fill * 100} %</text>`)}
</svg>`;
}
