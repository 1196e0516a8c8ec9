// Mutants that no test can notice, by file and name, and why: they are not tried, and are counted apart.

type Equivalent = readonly [name: string, reason: string];

export const EQUIVALENT: Readonly<Record<string, readonly Equivalent[]>> = {};
