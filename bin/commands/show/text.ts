// Figures as people read them, names and tables in a terminal.

export {
  bytesText,
  countOf,
  countText,
  dollarsText,
  ratioText,
  secondsText,
  timeText,
} from '../../../lib/foundation/figures.ts';

/** Columns padded to the widest; numbers (as told by `right`) to the right. */
export function table(rows: readonly (readonly string[])[], right: readonly number[] = []): string {
  const widths: number[] = [];
  for (const row of rows) for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => (right.includes(i) ? cell.padStart(widths[i] as number) : cell.padEnd(widths[i] as number)))
      .join('  ')
      .trimEnd();
  return rows.map(line).join('\n');
}

/** A name in a line for people: no control characters that a terminal would act on. */
export const shownName = (name: string): string => name.replace(/\p{Cc}/gu, '\ufffd');

/** What to do about an alarm. */
export const runbookOf = (alarm: string): string => `docs/operations.md#${alarm}`;
