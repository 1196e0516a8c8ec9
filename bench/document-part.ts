// The part of a document that a bench owns: what stands between two comments there.
import { readFileSync, writeFileSync } from 'node:fs';

const END = '<!-- end of the bench -->';

/** Replaces what `npm run bench -- NAME` wrote into the document before. */
export function writePart(path: string, bench: string, part: string): void {
  const text = readFileSync(path, 'utf8');
  const begin = `<!-- npm run bench -- ${bench} -->`;
  const from = text.indexOf(begin);
  const to = text.indexOf(END, from);
  if (from < 0 || to < from) throw new Error(`${path} has no part for the bench ${bench}`);
  writeFileSync(path, `${text.slice(0, from + begin.length)}\n\n${part}\n\n${text.slice(to)}`);
}

/** A table of Markdown, its columns as wide as their widest cell. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, at) => Math.max(title.length, ...rows.map((cells) => (cells[at] ?? '').length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, at) => cell.padEnd(widths[at] as number)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}
