// Policies against each other at equal bytes. A store may follow one policy for some of the time and another for the
// rest, so whatever lies on a line between two policies can be had: the lower hull of their points is the least
// overhead that any of them, or a mixture, holds for so many bytes moved.

export interface Point {
  /** What was moved, in any unit. */
  readonly moved: number;
  readonly overhead: number;
}

/** From the fewest bytes to the least overhead; nothing on it is beaten. */
export function lowerHull(points: readonly Point[]): Point[] {
  const sorted = [...points].sort((a, b) => a.moved - b.moved || a.overhead - b.overhead);
  const hull: Point[] = [];
  for (const point of sorted) {
    const last = hull.at(-1);
    if (last !== undefined && point.overhead >= last.overhead) continue;
    while (hull.length >= 2 && isAbove(hull.at(-2) as Point, hull.at(-1) as Point, point)) hull.pop();
    hull.push(point);
  }
  return hull;
}

/** Whether the middle one lies above the line between the others. */
const isAbove = (a: Point, middle: Point, b: Point): boolean =>
  (middle.overhead - a.overhead) * (b.moved - a.moved) >= (b.overhead - a.overhead) * (middle.moved - a.moved);

/** The least overhead for these bytes; Infinity where every policy moves more. */
export function overheadAt(hull: readonly Point[], moved: number): number {
  const at = hull.findLastIndex((point) => point.moved <= moved);
  const left = hull[at];
  const right = hull[at + 1];
  if (left === undefined) return Number.POSITIVE_INFINITY;
  if (right === undefined) return left.overhead;
  const part = (moved - left.moved) / (right.moved - left.moved);
  return left.overhead + part * (right.overhead - left.overhead);
}

/** How many times the overhead that the others hold for the same bytes; below 1: less than any of them. */
export const overheadAgainst = (others: readonly Point[], { moved, overhead }: Point): number =>
  overhead / overheadAt(lowerHull(others), moved);
