// One value of a source that is read step by step, as where two are walked in one order.

/** Undefined at its end. */
export async function nextOf<T>(source: AsyncIterator<T>): Promise<T | undefined> {
  const { value, done } = await source.next();
  return done ? undefined : value;
}
