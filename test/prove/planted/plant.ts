// A bug that is planted to see whether it is found: pieces of `lib`, replaced in a run of the simulation only. Most take away a condition, a second
// look or an order that looks superfluous as long as nothing fails. Where two guards hold the same thing, both are taken away: either alone is no bug.

interface Edit {
  readonly file: string;
  /** Must be there exactly once. */
  readonly find: string;
  readonly replace: string;
}

export interface Plant extends Edit {
  readonly name: string;
  readonly also?: readonly Edit[];
  /** Steps of the protocols that are aimed at in a run for this one; unless told, any. */
  readonly aim?: string;
  /** Unless it is `swarm`. */
  readonly profile?: string;
}

export const editsOf = (plant: Plant): readonly Edit[] => [plant, ...(plant.also ?? [])];
