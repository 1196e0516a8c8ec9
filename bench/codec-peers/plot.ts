// The SVG plot of `npm run bench -- codec`: one row of bars per case, one bar per contender. Static text, no script.
import { CODES, FRAGMENTS, type Measurement } from './cases.ts';

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

export function plotSvg(measured: readonly Measurement[], machine: string): string {
  const contenders = [...new Set(measured.map((m) => m.contender))];
  const fastest = Math.max(1, ...measured.map((m) => m.bestGBs));
  const parts: string[] = [];
  let y = 44;
  for (const { name: code } of CODES) {
    for (const operation of ['encode', 'lose-1', 'worst']) {
      for (const fragmentBytes of FRAGMENTS) {
        const bars = measured
          .filter((m) => m.code === code && m.operation === operation && m.fragmentBytes === fragmentBytes)
          .sort((a, b) => b.bestGBs - a.bestGBs);
        if (bars.length === 0) continue;
        parts.push(text(8, y, `${code}, ${operation}, ${fragmentBytes >> 10} KiB`, 'bold'));
        for (const bar of bars) {
          y += BAR_HEIGHT;
          const width = (bar.bestGBs / fastest) * (WIDTH - LABEL_WIDTH - 60);
          const colour = COLOURS[contenders.indexOf(bar.contender) % COLOURS.length];
          parts.push(text(20, y, bar.contender));
          parts.push(
            `<rect x="${LABEL_WIDTH}" y="${y - 10}" width="${width.toFixed(1)}" height="11" fill="${colour}"/>`,
          );
          parts.push(text(LABEL_WIDTH + width + 4, y, bar.bestGBs.toFixed(1)));
        }
        y += GAP;
      }
    }
  }
  const head = `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${y}" font-family="sans-serif" font-size="11">`;
  const title = text(8, 18, `Erasure coding, one thread, best GB/s of columns read. ${machine}`, 'bold');
  return `${head}\n<rect width="100%" height="100%" fill="white"/>\n${title}\n${parts.join('\n')}\n</svg>\n`;
}

const text = (x: number, y: number, content: string, weight = 'normal'): string =>
  `<text x="${x.toFixed(1)}" y="${y}" font-weight="${weight}">${escaped(content)}</text>`;

const escaped = (content: string): string =>
  content.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
