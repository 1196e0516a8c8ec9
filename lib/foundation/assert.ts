// Assertions: programmer errors, on in production, never caught. Bad input is a PocketfulError instead (errors.ts).

export class AssertionError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'AssertionError';
  }
}

/** A message that is put together is a function where it is asked often: text that nobody reads has its price, too. */
export function assert(condition: unknown, message: string | (() => string)): asserts condition {
  if (!condition) throw new AssertionError(typeof message === 'string' ? message : message());
}

/** The value, asserted to be neither null nor undefined. */
export function present<T>(value: T | null | undefined, message: string): T {
  assert(value !== null && value !== undefined, message);
  return value;
}

/** For the default branch of a switch over a union. */
export function unreachable(value: never): never {
  throw new AssertionError(`unreachable: ${JSON.stringify(value)}`);
}

/** Asserts a safe, non-negative integer: sizes, counts, offsets, sequence numbers. */
export function assertCount(value: number, name: string): void {
  assert(Number.isSafeInteger(value) && value >= 0, () => `${name} must be a non-negative integer, not ${value}`);
}
