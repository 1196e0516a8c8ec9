// Panda in memory: for tests, simulations and as the yardstick of the other bodies. Rows are private copies: no caller
// can change what is stored except by a transaction. Transactions that meet are refused as DynamoDB refuses them
// (memory-traffic.ts).
import { assert } from '../foundation/assert.ts';
import { PAGE_BYTES_MAX } from '../limits/panda.ts';
import { attributesBytes, checkKey, lentAttributes } from './attributes.ts';
import { PandaConflict } from './conflict.ts';
import { MemoryTraffic, type Pace } from './memory-traffic.ts';
import type { Attributes, Key, Page, Panda, QueryOptions, Row, SortRange, Write } from './panda.ts';
import { compareUtf8, lowerBound } from './sort-order.ts';
import { checkGetMany, checkQuery, checkTransaction, outcome } from './transaction.ts';

/** One partition: its rows, and their sort keys in order. */
class Partition {
  readonly rows = new Map<string, Attributes>();
  readonly sorted: string[] = [];

  put(sort: string, attributes: Attributes): void {
    if (!this.rows.has(sort)) {
      const last = this.sorted.at(-1);
      if (last === undefined || compareUtf8(last, sort) < 0) this.sorted.push(sort);
      else this.sorted.splice(lowerBound(this.sorted, sort), 0, sort);
    }
    this.rows.set(sort, attributes);
  }

  delete(sort: string): void {
    if (this.rows.delete(sort)) this.sorted.splice(lowerBound(this.sorted, sort), 1);
  }
}

export interface MemoryPandaOptions {
  /** Without one, a transaction is under way until its answer is there, and nothing is throttled. */
  readonly pace?: Pace;
  /** No two transactions ever meet: for whoever puts them in order itself. */
  readonly isSerial?: boolean;
}

export class MemoryPanda implements Panda {
  readonly refusesOverlap: boolean;
  readonly paysByWrite: boolean;
  readonly #partitions = new Map<string, Partition>();
  readonly #traffic: MemoryTraffic;
  #closed = false;

  constructor({ pace, isSerial = false }: MemoryPandaOptions = {}) {
    this.refusesOverlap = !isSerial;
    this.paysByWrite = !isSerial;
    this.#traffic = new MemoryTraffic(pace);
  }

  async get(key: Key): Promise<Row | undefined> {
    this.#assertOpen();
    checkKey(key);
    await this.#traffic.passRead();
    return this.#read(key);
  }

  async getMany(keys: readonly Key[]): Promise<(Row | undefined)[]> {
    this.#assertOpen();
    checkGetMany(keys);
    await this.#traffic.passRead();
    return keys.map((key) => this.#read(key));
  }

  async query(partition: string, range: SortRange = {}, options: QueryOptions = {}): Promise<Page> {
    this.#assertOpen();
    const limit = checkQuery(partition, range, options);
    await this.#traffic.passRead();
    const part = this.#partitions.get(partition);
    return part === undefined ? { rows: [] } : pageOf(partition, part, range, limit);
  }

  async transact(writes: readonly Write[]): Promise<void> {
    this.#assertOpen();
    checkTransaction(writes);
    if (!this.refusesOverlap) return this.#apply(writes);
    const leave = this.#traffic.enter(writes);
    try {
      // Decided at the beginning, so that what the caller changes afterwards changes nothing; answered at the end.
      const refused = this.#refusalOf(writes);
      await this.#traffic.passWrites(writes.length);
      if (refused !== undefined) throw refused;
    } finally {
      leave();
    }
  }

  #refusalOf(writes: readonly Write[]): PandaConflict | undefined {
    try {
      this.#apply(writes);
      return undefined;
    } catch (error) {
      if (error instanceof PandaConflict) return error;
      throw error;
    }
  }

  #apply(writes: readonly Write[]): void {
    const next = outcome(
      writes,
      writes.map((write) => this.#partitions.get(write.partition)?.rows.get(write.sort)),
    );
    for (const [index, write] of writes.entries()) if (write.kind !== 'check') this.#store(write, next[index]);
  }

  async *scan(): AsyncIterable<readonly Row[]> {
    for (const partition of [...this.#partitions.keys()].sort(compareUtf8)) {
      let from: string | undefined = '';
      while (from !== undefined) {
        const page: Page = await this.query(partition, { from });
        if (page.rows.length > 0) yield page.rows;
        from = page.next;
      }
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
  }

  /** All rows by partition and sort key, as they are now: for tests. */
  snapshot(): Row[] {
    const rows: Row[] = [];
    for (const partition of [...this.#partitions.keys()].sort(compareUtf8)) {
      const part = this.#partitions.get(partition) as Partition;
      for (const sort of part.sorted) rows.push(this.#read({ partition, sort }) as Row);
    }
    return rows;
  }

  /** An open, independent copy: what would be left if the process died now. */
  clone(options: MemoryPandaOptions = {}): MemoryPanda {
    const copy = new MemoryPanda({ isSerial: !this.refusesOverlap, ...options });
    for (const [partition, part] of this.#partitions)
      for (const sort of part.sorted) copy.#store({ partition, sort }, part.rows.get(sort));
    return copy;
  }

  #read(key: Key): Row | undefined {
    const attributes = this.#partitions.get(key.partition)?.rows.get(key.sort);
    if (attributes === undefined) return undefined;
    return { partition: key.partition, sort: key.sort, attributes: lentAttributes(attributes) };
  }

  #store(key: Key, attributes: Attributes | undefined): void {
    let part = this.#partitions.get(key.partition);
    if (attributes === undefined) {
      part?.delete(key.sort);
      if (part?.rows.size === 0) this.#partitions.delete(key.partition);
      return;
    }
    if (part === undefined) {
      part = new Partition();
      this.#partitions.set(key.partition, part);
    }
    part.put(key.sort, attributes);
  }

  #assertOpen(): void {
    assert(!this.#closed, 'this Panda is closed');
  }
}

/** Rows are frozen and read far more often than written: each is measured once. */
const sizes = new WeakMap<Attributes, number>();

function sizeOf(attributes: Attributes): number {
  const known = sizes.get(attributes);
  if (known !== undefined) return known;
  const bytes = attributesBytes(attributes);
  sizes.set(attributes, bytes);
  return bytes;
}

function pageOf(partition: string, part: Partition, range: SortRange, limit: number): Page {
  const rows: Row[] = [];
  let bytes = 0;
  for (let at = lowerBound(part.sorted, range.from ?? ''); at < part.sorted.length; at++) {
    const sort = part.sorted[at] as string;
    if (range.to !== undefined && compareUtf8(sort, range.to) > 0) break;
    if (rows.length === limit || bytes >= PAGE_BYTES_MAX) return { rows, next: sort };
    const attributes = part.rows.get(sort) as Attributes;
    bytes += sizeOf(attributes);
    rows.push({ partition, sort, attributes: lentAttributes(attributes) });
  }
  return { rows };
}
