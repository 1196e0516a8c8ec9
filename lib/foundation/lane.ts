// Lanes: what is kept apart from the rest, so that what dies together lies together. A volume is of one lane for good,
// and nothing moves from one into another.

/** Volumes with the same number share what is put, moved and merged. */
export type Lane = number;

/** Of all that nobody keeps apart. */
export const SHARED_LANE: Lane = 0;

/** By lane in ascending order, each with its members in the order given. */
export function byLane<T>(all: Iterable<T>, laneOf: (one: T) => Lane): readonly (readonly [Lane, readonly T[]])[] {
  return [...Map.groupBy(all, laneOf)].sort(([a], [b]) => a - b);
}
