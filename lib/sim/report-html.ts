// The report of a simulation: one HTML page with its style and charts inside, for light and dark, that asks the network
// for nothing.
import { escaped, type Line } from './svg-chart.ts';

export interface ReportPage {
  readonly title: string;
  /** What was simulated, in a sentence or two. */
  readonly lead: string;
  readonly legend?: readonly Pick<Line, 'name' | 'color' | 'dashed'>[];
  readonly charts: readonly string[];
  readonly tables: readonly ReportTable[];
  /** The settings, so that the page says how to get it again. */
  readonly settings: Readonly<Record<string, unknown>>;
}

export interface ReportTable {
  readonly title: string;
  readonly rows: readonly (readonly string[])[];
}

const STYLE = `
:root{color-scheme:light dark;--bg:#fff;--fg:#1c1e21;--soft:#5b6470;--line:#d9dde2;--card:#f7f8fa;--heat:#0b62b5;
--c0:#c23b22;--c1:#d98200;--c2:#8250c4;--c3:#0b76c9;--c4:#0a8754;--c5:#5d6b78;--c6:#b0307e;--c7:#6a7a00}
@media (prefers-color-scheme:dark){:root{--bg:#14171a;--fg:#e7eaee;--soft:#9aa5b1;--line:#343a41;--card:#1c2024;--heat:#5fb4ff;
--c0:#ff7b61;--c1:#ffb347;--c2:#bd97f5;--c3:#5fb4ff;--c4:#4fd39a;--c5:#a3b0bc;--c6:#f28ac6;--c7:#c3d64f}}
*{box-sizing:border-box}body{margin:0 auto;max-width:1220px;padding:28px 20px 48px;background:var(--bg);color:var(--fg);font:15px/1.5 system-ui,sans-serif}
h1{font-size:26px;margin:0 0 6px}h2{font-size:18px;margin:30px 0 8px}p{margin:0 0 14px;color:var(--soft);max-width:78ch}
.legend{display:flex;flex-wrap:wrap;gap:6px 20px;padding:10px 0;margin:0;list-style:none;position:sticky;top:0;background:var(--bg);border-bottom:1px solid var(--line)}
.legend svg{width:26px;height:8px;margin-right:7px;vertical-align:middle}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,440px),1fr));gap:16px;margin:16px 0}
figure{margin:0;padding:12px 12px 6px;background:var(--card);border:1px solid var(--line);border-radius:8px}figcaption{font-weight:600;margin-bottom:6px}
figure svg{width:100%;height:auto;display:block}.line{fill:none;stroke-width:2.2;stroke-linejoin:round}
.grid{stroke:var(--line)}.axis{stroke:var(--soft)}.level{stroke:var(--soft);stroke-dasharray:2 3}.heat{fill:var(--heat)}.box{fill:none;stroke:var(--soft);stroke-dasharray:4 3}
text{fill:var(--soft);font:12px system-ui,sans-serif}.note{font-style:italic}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{padding:6px 10px;border-bottom:1px solid var(--line);text-align:right;white-space:nowrap}th:first-child,td:first-child{text-align:left}th{color:var(--soft);font-weight:600}
code{font:13px ui-monospace,monospace}pre{padding:12px;background:var(--card);border:1px solid var(--line);border-radius:8px;overflow-x:auto}`;

export function reportHtml(page: ReportPage): string {
  const legend = (page.legend ?? []).map(
    ({ name, color, dashed }) =>
      `<li><svg viewBox="0 0 26 8" aria-hidden="true"><line x1="0" x2="26" y1="4" y2="4" stroke-width="3" style="stroke:var(--c${color})"${dashed ? ' stroke-dasharray="6 4"' : ''}/></svg>${escaped(name)}</li>`,
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(page.title)}</title><style>${STYLE}</style></head><body>
<h1>${escaped(page.title)}</h1><p>${escaped(page.lead)}</p>
${legend.length === 0 ? '' : `<ul class="legend">${legend.join('')}</ul>`}
<div class="charts">${page.charts.join('\n')}</div>
${page.tables.map(tableHtml).join('\n')}
<h2>Settings</h2><pre><code>${escaped(JSON.stringify(page.settings, null, 2))}</code></pre>
</body></html>
`;
}

function tableHtml({ title, rows }: ReportTable): string {
  const [head = [], ...body] = rows;
  const cells = (row: readonly string[], tag: string): string =>
    `<tr>${row.map((cell) => `<${tag}>${escaped(cell)}</${tag}>`).join('')}</tr>`;
  return `<h2>${escaped(title)}</h2><div class="scroll"><table><thead>${cells(head, 'th')}</thead><tbody>${body.map((row) => cells(row, 'td')).join('')}</tbody></table></div>`;
}
