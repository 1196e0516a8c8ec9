// Any Panda whose eventually consistent reads are as bad as they may be: each row as it was at any time since it was first written.
import type { Randomness } from '../../lib/foundation/randomness.ts';
import type { Key, Page, Panda, QueryOptions, ReadOptions, Row, SortRange, Write } from '../../lib/panda/panda.ts';

const nameOf = (key: Key): string => `${key.partition}|${key.sort}`;

export class StalePanda implements Panda {
  /** Rows that were not the newest, handed out so far. */
  staleReads = 0;
  readonly #inner: Panda;
  readonly #randomness: Randomness;
  /** What each row was before each of the transactions that wrote it. */
  readonly #before = new Map<string, (Row | undefined)[]>();

  constructor(inner: Panda, randomness: Randomness) {
    this.#inner = inner;
    this.#randomness = randomness;
  }

  get refusesOverlap(): boolean {
    return this.#inner.refusesOverlap;
  }

  get paysByWrite(): boolean {
    return this.#inner.paysByWrite;
  }

  get(key: Key): Promise<Row | undefined> {
    return this.#inner.get(key);
  }

  async getMany(keys: readonly Key[], options?: ReadOptions): Promise<(Row | undefined)[]> {
    const rows = await this.#inner.getMany(keys, options);
    return options?.consistency === 'eventual' ? rows.map((row, i) => this.#stale(keys[i] as Key, row)) : rows;
  }

  query(partition: string, range?: SortRange, options?: QueryOptions): Promise<Page> {
    return this.#inner.query(partition, range, options);
  }

  async transact(writes: readonly Write[]): Promise<void> {
    const rows = await this.#inner.getMany(writes);
    await this.#inner.transact(writes);
    for (const [i, write] of writes.entries()) {
      const name = nameOf(write);
      const before = this.#before.get(name) ?? [];
      if (write.kind !== 'check') this.#before.set(name, [...before, rows[i]]);
    }
  }

  scan(): AsyncIterable<readonly Row[]> {
    return this.#inner.scan();
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  #stale(key: Key, row: Row | undefined): Row | undefined {
    const before = this.#before.get(nameOf(key)) ?? [];
    const at = this.#randomness.below(before.length + 1);
    if (at === before.length) return row;
    this.staleReads += 1;
    return before[at];
  }
}
