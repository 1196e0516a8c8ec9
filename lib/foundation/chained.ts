// A source of which the first values were looked at already.
export async function* chained<T>(head: Iterable<T>, rest: AsyncIterable<T> | Iterable<T> = []): AsyncGenerator<T> {
  yield* head;
  yield* rest;
}
