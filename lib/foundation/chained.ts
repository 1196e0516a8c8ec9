// Sources put together.

/** A source of which the first values were looked at already. */
export async function* chained<T>(head: Iterable<T>, rest: AsyncIterable<T> | Iterable<T> = []): AsyncGenerator<T> {
  yield* head;
  yield* rest;
}

/** Each value of what comes some at a time. */
export async function* inTurn<T>(parts: AsyncIterable<readonly T[]>): AsyncGenerator<T> {
  for await (const part of parts) for (const value of part) yield value;
}
