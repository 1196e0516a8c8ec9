// Figures as people read them.

const UNITS = ['B', 'KB', 'MB', 'GB', 'TB', 'PB'];

/** 1,000 bytes are 1 KB. */
export function bytesText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? Math.round(value) : value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)} ${UNITS[unit]}`;
}

export const countText = (count: number): string => count.toLocaleString('en-US');
export const countOf = (count: number, one: string, many = `${one}s`): string =>
  `${countText(count)} ${count === 1 ? one : many}`;
export const ratioText = (ratio: number | null): string => (ratio === null ? '-' : ratio.toFixed(3));
/** Small sums with enough digits to see them. */
export const dollarsText = (dollars: number): string =>
  dollars === 0 ? '$0' : dollars >= 0.01 ? `$${dollars.toFixed(2)}` : `$${dollars.toPrecision(2)}`;
export const secondsText = (ms: number): string => `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`;
export const timeText = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;

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
