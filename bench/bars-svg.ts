// Bars in groups as an SVG: static text, no script.
const WIDTH = 900;
const LABEL_WIDTH = 250;
const BAR_HEIGHT = 14;
const GAP = 26;
const COLOURS = [
  '#1b6ca8',
  '#74a9cf',
  '#bdbdbd',
  '#d95f0e',
  '#fe9929',
  '#fec44f',
  '#7b3294',
  '#c2a5cf',
  '#008837',
  '#a6dba0',
  '#666666',
  '#e7298a',
  '#a6761d',
  '#8dd3c7',
];

export interface Bar {
  readonly name: string;
  readonly value: number;
}
export interface BarGroup {
  readonly title: string;
  readonly bars: readonly Bar[];
}

/** Bars of one name have one colour; the longest of all is as long as there is room. */
export function barsSvg(title: string, groups: readonly BarGroup[], digits = 1): string {
  const names = [...new Set(groups.flatMap(({ bars }) => bars.map(({ name }) => name)))];
  const longest = Math.max(1, ...groups.flatMap(({ bars }) => bars.map(({ value }) => value)));
  const parts: string[] = [];
  let y = 44;
  for (const group of groups) {
    if (group.bars.length === 0) continue;
    parts.push(text(8, y, group.title, 'bold'));
    for (const { name, value } of group.bars) {
      y += BAR_HEIGHT;
      const width = (value / longest) * (WIDTH - LABEL_WIDTH - 60);
      const colour = COLOURS[names.indexOf(name) % COLOURS.length];
      parts.push(text(20, y, name));
      parts.push(`<rect x="${LABEL_WIDTH}" y="${y - 10}" width="${width.toFixed(1)}" height="11" fill="${colour}"/>`);
      parts.push(text(LABEL_WIDTH + width + 4, y, value.toFixed(digits)));
    }
    y += GAP;
  }
  const head = `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${y}" font-family="sans-serif" font-size="11">`;
  return `${head}\n<rect width="100%" height="100%" fill="white"/>\n${text(8, 18, title, 'bold')}\n${parts.join('\n')}\n</svg>\n`;
}

const text = (x: number, y: number, content: string, weight = 'normal'): string =>
  `<text x="${x.toFixed(1)}" y="${y}" font-weight="${weight}">${escaped(content)}</text>`;

const escaped = (content: string): string => content.replace(/[&<>]/g, (sign) => `&#${sign.charCodeAt(0)};`);
