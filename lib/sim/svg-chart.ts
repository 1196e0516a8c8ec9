// Charts as SVG text: lines over time, points of one figure against another, and a heat map of fills over time. Colours
// are CSS variables of the page, so one chart serves light and dark.

export interface Line {
  readonly name: string;
  /** Number of its colour, `--c0` … `--c7`. */
  readonly color: number;
  readonly dashed?: boolean;
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface ChartFrame {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  /** A level to compare with. */
  readonly level?: { readonly y: number; readonly name: string };
  readonly fromZero?: boolean;
  readonly dots?: boolean;
  /** Dots only. */
  readonly lineless?: boolean;
  /** A region to compare with. */
  readonly box?: { readonly x: readonly [number, number]; readonly y: readonly [number, number] };
}

const WIDTH = 560;
const HEIGHT = 300;
const BOX = { left: 62, right: 14, top: 14, bottom: 42 };
const TICKS = 5;

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
export const escaped = (text: string): string => text.replace(/[&<>"]/g, (char) => escapes[char] ?? char);

/** Short figures for axes: 1.2k, 3.4M. */
export function shortText(value: number): string {
  const size = Math.abs(value);
  for (const [unit, suffix] of [
    [1e15, 'P'],
    [1e12, 'T'],
    [1e9, 'G'],
    [1e6, 'M'],
    [1e3, 'k'],
  ] as const)
    if (size >= unit) return `${trimmed(value / unit, 2)}${suffix}`;
  return trimmed(value, size < 10 ? 3 : 1);
}

const trimmed = (value: number, digits: number): string => String(Number(value.toFixed(digits)));

/** Round values that span a range. */
export function ticksOf(low: number, high: number): number[] {
  const raw = (high - low) / TICKS;
  if (!(raw > 0)) return [low];
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = ([1, 2, 2.5, 5, 10].find((factor) => factor * power >= raw) ?? 10) * power;
  const out: number[] = [];
  for (let n = Math.ceil(low / step - 1e-9); n * step <= high + step * 1e-9; n++) out.push(n * step);
  return out;
}

export function lineChart(frame: ChartFrame, lines: readonly Line[]): string {
  const all = lines.flatMap(({ points }) => points);
  const xs = rangeOf(all.map(([x]) => x));
  const levels = frame.level === undefined ? [] : [frame.level.y];
  const ys = padded(rangeOf([...all.map(([, y]) => y), ...levels, ...(frame.fromZero ? [0] : [])]), frame.fromZero);
  const x = (value: number): number =>
    BOX.left + ((value - xs.low) / (xs.high - xs.low || 1)) * (WIDTH - BOX.left - BOX.right);
  const y = (value: number): number =>
    HEIGHT - BOX.bottom - ((value - ys.low) / (ys.high - ys.low || 1)) * (HEIGHT - BOX.top - BOX.bottom);
  const parts = [...axes(frame, xs, ys, x, y)];
  if (frame.level !== undefined) {
    const at = y(frame.level.y).toFixed(1);
    parts.push(
      `<line class="level" x1="${BOX.left}" x2="${WIDTH - BOX.right}" y1="${at}" y2="${at}"/>`,
      `<text class="note" x="${WIDTH - BOX.right}" y="${(Number(at) - 4).toFixed(1)}" text-anchor="end">${escaped(frame.level.name)}</text>`,
    );
  }
  if (frame.box !== undefined) {
    const [left = 0, right = 0] = frame.box.x.map(x);
    const [bottom = 0, top = 0] = frame.box.y.map(y);
    parts.push(
      `<rect class="box" x="${left.toFixed(1)}" y="${top.toFixed(1)}" width="${(right - left).toFixed(1)}" height="${(bottom - top).toFixed(1)}"/>`,
    );
  }
  for (const line of lines) parts.push(...drawn(line, frame, x, y));
  return figure(frame.title, parts);
}

function drawn(line: Line, frame: ChartFrame, x: Scale, y: Scale): string[] {
  const parts: string[] = [];
  if (!frame.lineless) {
    const path = line.points.map(([px, py]) => `${x(px).toFixed(1)},${y(py).toFixed(1)}`).join(' ');
    const dash = line.dashed ? ' stroke-dasharray="6 4"' : '';
    const last = line.points.at(-1);
    const told = last === undefined ? line.name : `${line.name}: ${shortText(last[1])} at the end`;
    parts.push(
      `<polyline class="line" style="stroke:var(--c${line.color})"${dash} points="${path}"><title>${escaped(told)}</title></polyline>`,
    );
  }
  if (!frame.dots) return parts;
  return [
    ...parts,
    ...line.points.map(
      ([px, py]) =>
        `<circle style="fill:var(--c${line.color})" cx="${x(px).toFixed(1)}" cy="${y(py).toFixed(1)}" r="3.5"><title>${escaped(line.name)}: ${shortText(px)}, ${shortText(py)}</title></circle>`,
    ),
  ];
}

/** Columns over time, fills from the bottom (empty) to the top (full); the darker the more volumes. */
export function heatMap(title: string, days: readonly number[], columns: readonly (readonly number[])[]): string {
  const bins = columns[0]?.length ?? 0;
  const most = Math.max(1, ...columns.flat());
  const width = (WIDTH - BOX.left - BOX.right) / Math.max(1, columns.length);
  const height = (HEIGHT - BOX.top - BOX.bottom) / Math.max(1, bins);
  const xs = { low: days[0] ?? 0, high: days.at(-1) ?? 1 };
  const x = (value: number): number =>
    BOX.left + width / 2 + ((value - xs.low) / (xs.high - xs.low || 1)) * (WIDTH - BOX.left - BOX.right - width);
  const y = (value: number): number => HEIGHT - BOX.bottom - value * (HEIGHT - BOX.top - BOX.bottom);
  const frame = { title, xLabel: 'days', yLabel: 'fill of a volume' };
  const cells: string[] = [];
  for (const [at, column] of columns.entries())
    for (const [bin, count] of column.entries()) {
      if (count === 0) continue;
      // A logarithm, so that a handful of thin volumes shows beside thousands of full ones.
      const shade = (0.12 + 0.88 * (Math.log1p(count) / Math.log1p(most))).toFixed(2);
      const place = `x="${(BOX.left + at * width).toFixed(1)}" y="${(y((bin + 1) / bins) + 0.5).toFixed(1)}"`;
      const told = `day ${days[at]}, ${Math.round((100 * bin) / bins)} to ${Math.round((100 * (bin + 1)) / bins)} % full: ${count}`;
      cells.push(
        `<rect class="heat" ${place} width="${(width + 0.3).toFixed(1)}" height="${(height - 0.5).toFixed(1)}" fill-opacity="${shade}"><title>${told}</title></rect>`,
      );
    }
  return figure(title, [...axes(frame, xs, { low: 0, high: 1 }, x, y), ...cells]);
}

type Scale = (value: number) => number;

interface Range {
  readonly low: number;
  readonly high: number;
}

const rangeOf = (values: readonly number[]): Range => ({
  low: values.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY),
  high: values.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY),
});

function padded({ low, high }: Range, fromZero = false): Range {
  const pad = (high - low || Math.abs(high) || 1) * 0.06;
  return { low: fromZero ? Math.min(0, low) : low - pad, high: high + pad };
}

function axes(
  frame: ChartFrame,
  xs: Range,
  ys: Range,
  x: (value: number) => number,
  y: (value: number) => number,
): string[] {
  const bottom = HEIGHT - BOX.bottom;
  return [
    ...ticksOf(ys.low, ys.high).map(
      (value) =>
        `<line class="grid" x1="${BOX.left}" x2="${WIDTH - BOX.right}" y1="${y(value).toFixed(1)}" y2="${y(value).toFixed(1)}"/>` +
        `<text class="tick" x="${BOX.left - 7}" y="${(y(value) + 4).toFixed(1)}" text-anchor="end">${shortText(value)}</text>`,
    ),
    ...ticksOf(xs.low, xs.high).map(
      (value) =>
        `<text class="tick" x="${x(value).toFixed(1)}" y="${bottom + 17}" text-anchor="middle">${shortText(value)}</text>`,
    ),
    `<line class="axis" x1="${BOX.left}" x2="${WIDTH - BOX.right}" y1="${bottom}" y2="${bottom}"/>`,
    `<text class="label" x="${(BOX.left + WIDTH - BOX.right) / 2}" y="${HEIGHT - 6}" text-anchor="middle">${escaped(frame.xLabel)}</text>`,
    `<text class="label" transform="translate(13 ${(BOX.top + bottom) / 2}) rotate(-90)" text-anchor="middle">${escaped(frame.yLabel)}</text>`,
  ];
}

const figure = (title: string, parts: readonly string[]): string =>
  `<figure><figcaption>${escaped(title)}</figcaption><svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escaped(title)}">${parts.join('')}</svg></figure>`;
