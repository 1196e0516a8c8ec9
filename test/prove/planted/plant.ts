// A bug that is planted to see whether it is found: one piece of a file of `lib`, replaced in a run of the simulation only. Most take away a
// condition, a second look or an order that looks superfluous as long as nothing fails.

export interface Plant {
  readonly name: string;
  readonly file: string;
  /** Must be there exactly once. */
  readonly find: string;
  readonly replace: string;
}
