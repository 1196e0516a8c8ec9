// A text as a QR code: for a terminal, and as an image for paper.
import { encodeQR } from 'qr';

/** Light modules around the code: without them it is not found. */
const QUIET_MODULES = 4;
const BLACK_ON_WHITE = '\u001b[30;107m';
const PLAIN = '\u001b[0m';

type Modules = readonly (readonly boolean[])[];

const modulesOf = (text: string): Modules => encodeQR(text, 'raw', { ecc: 'medium', border: QUIET_MODULES });

/** Two rows of modules a line, in colors of its own: a terminal's may be light or dark. */
export function qrOnTerminal(text: string): string {
  const rows = modulesOf(text);
  const lines: string[] = [];
  for (let y = 0; y < rows.length; y += 2) {
    const [upper = [], lower = []] = [rows[y], rows[y + 1]];
    const blocks = upper.map((isDark, x) => (isDark ? (lower[x] ? '█' : '▀') : lower[x] ? '▄' : ' '));
    lines.push(`${BLACK_ON_WHITE}${blocks.join('')}${PLAIN}`);
  }
  return lines.join('\n');
}

/** As an SVG element, a unit a module. */
export function qrAsSvg(text: string): string {
  const rows = modulesOf(text);
  const side = rows.length;
  const path = rows.flatMap((row, y) => row.flatMap((isDark, x) => (isDark ? [`M${x} ${y}h1v1h-1z`] : [])));
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${side} ${side}" shape-rendering="crispEdges"><rect width="${side}" height="${side}" fill="#fff"/><path d="${path.join('')}"/></svg>`;
}
