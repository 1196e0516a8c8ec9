// What a table of error codes says of each: the kind it has, and one line for a person.

/**
 * What the caller does next:
 * - `invalid`  the input is wrong: change it; the same call will fail again
 * - `missing`  the named thing is not there
 * - `conflict` somebody else changed it first: read again, then decide
 * - `retry`    nothing is wrong with the call: wait and send it again (busy, throttled, stalled, full)
 * - `unknown`  the outcome is not known: read the rows again before doing anything
 * - `corrupt`  bytes are damaged or lost beyond what the code can rebuild
 * - `denied`   a key, a permission or a credential is missing or wrong
 */
export type ErrorKind = 'invalid' | 'missing' | 'conflict' | 'retry' | 'unknown' | 'corrupt' | 'denied';

export type CodeTable = Readonly<Record<string, readonly [kind: ErrorKind | readonly ErrorKind[], meaning: string]>>;
