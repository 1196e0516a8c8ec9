// Ranges that are near each other become one request.

export interface Span<T> {
  readonly offset: number;
  readonly length: number;
  readonly items: readonly T[];
}

/** Ascending, disjoint spans that cover all of `spans`; neighbours at most `gapBytesMax` apart are joined. */
export function coalesce<T>(spans: readonly Span<T>[], gapBytesMax: number): Span<T>[] {
  const joined: { offset: number; length: number; items: T[] }[] = [];
  for (const { offset, length, items } of [...spans].sort((a, b) => a.offset - b.offset)) {
    const last = joined.at(-1);
    if (last !== undefined && offset - (last.offset + last.length) <= gapBytesMax) {
      last.length = Math.max(last.length, offset + length - last.offset);
      last.items.push(...items);
    } else joined.push({ offset, length, items: [...items] });
  }
  return joined;
}
