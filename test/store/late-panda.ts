// A Panda that holds plain writes back: their answer is lost, and they are done when a test says so.
import { unknownOutcome } from '../../lib/foundation/errors.ts';
import type { Key, Page, Panda, QueryOptions, ReadOptions, Row, SortRange, Write } from '../../lib/panda/panda.ts';

/** Plain writes of some rows get no answer; they are done when told. */
export class LatePanda implements Panda {
  readonly refusesOverlap = true;
  readonly paysByWrite = true;
  readonly sent: (readonly Write[])[] = [];
  /** Nothing is answered any more. */
  isDead = false;
  readonly #inner: Panda;
  readonly #isLate: (write: Write) => boolean;
  readonly #held: (readonly Write[])[] = [];

  constructor(inner: Panda, isLate: (write: Write) => boolean) {
    this.#inner = inner;
    this.#isLate = isLate;
  }

  async transact(writes: readonly Write[]): Promise<void> {
    this.sent.push(writes);
    if (this.isDead) return new Promise(() => {});
    if (writes.length > 1 || !this.#isLate(writes[0] as Write)) return this.#inner.transact(writes);
    this.#held.push(writes);
    throw unknownOutcome('PANDA_UNKNOWN', 'the answer was lost');
  }

  /** How many of them took effect. */
  async land(): Promise<number> {
    let done = 0;
    for (const writes of this.#held.splice(0))
      await this.#inner.transact(writes).then(
        () => {
          done += 1;
        },
        () => {},
      );
    return done;
  }

  get = (key: Key): Promise<Row | undefined> => this.#inner.get(key);
  getMany = (keys: readonly Key[], options?: ReadOptions): Promise<(Row | undefined)[]> =>
    this.#inner.getMany(keys, options);
  query = (partition: string, range?: SortRange, options?: QueryOptions): Promise<Page> =>
    this.#inner.query(partition, range, options);
  scan = (): AsyncIterable<readonly Row[]> => this.#inner.scan();
  async close(): Promise<void> {}
}
