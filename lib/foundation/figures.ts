// Figures as people read them, in a terminal and on a page.

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
