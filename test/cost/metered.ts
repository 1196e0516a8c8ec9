// Panda and drives that count what DynamoDB and S3 would bill for the calls that pass through: units by the size of rows, transactions twice,
// requests by their price class.
import { addWork, NO_WORK, type Work } from '../../lib/cost/cost-of.ts';
import { PRICE_BOOK } from '../../lib/cost/price-book.ts';
import type { Drive } from '../../lib/drive/drive.ts';
import { rowBytes } from '../../lib/panda/attributes.ts';
import type { Key, Page, Panda, QueryOptions, ReadOptions, Row, SortRange, Write } from '../../lib/panda/panda.ts';

const { writeUnitBytes, readUnitBytes, transactionFactor } = PRICE_BOOK.dynamo;

export class Meter {
  work: Work = NO_WORK;

  add(more: Partial<Work>): void {
    this.work = addWork(this.work, { ...NO_WORK, ...more });
  }

  /** What was counted since the last take. */
  take(): Work {
    const taken = this.work;
    this.work = NO_WORK;
    return taken;
  }
}

/** DynamoDB: an eventually consistent read uses half the units. */
const EVENTUAL_FACTOR = 0.5;

const unitsOf = (bytes: number, unitBytes: number): number => Math.max(1, Math.ceil(bytes / unitBytes));
const bytesOf = (row: Row | undefined): number => (row === undefined ? 0 : rowBytes(row, row.attributes));

export class MeteredPanda implements Panda {
  readonly #inner: Panda;
  readonly #meter: Meter;

  constructor(inner: Panda, meter: Meter) {
    this.#inner = inner;
    this.#meter = meter;
  }

  get refusesOverlap(): boolean {
    return this.#inner.refusesOverlap;
  }

  get paysByWrite(): boolean {
    return this.#inner.paysByWrite;
  }

  async get(key: Key): Promise<Row | undefined> {
    const row = await this.#inner.get(key);
    this.#read(unitsOf(bytesOf(row), readUnitBytes));
    return row;
  }

  async getMany(keys: readonly Key[], options: ReadOptions = {}): Promise<(Row | undefined)[]> {
    const rows = await this.#inner.getMany(keys, options);
    const factor = options.consistency === 'eventual' ? EVENTUAL_FACTOR : 1;
    for (const row of rows) this.#read(unitsOf(bytesOf(row), readUnitBytes) * factor);
    return rows;
  }

  async query(partition: string, range?: SortRange, options?: QueryOptions): Promise<Page> {
    const page = await this.#inner.query(partition, range, options);
    this.#read(
      unitsOf(
        page.rows.reduce((sum, row) => sum + bytesOf(row), 0),
        readUnitBytes,
      ),
    );
    return page;
  }

  async transact(writes: readonly Write[]): Promise<void> {
    const before = await this.#inner.getMany(writes);
    await this.#inner.transact(writes);
    const after = await this.#inner.getMany(writes);
    const units = writes.map((_, i) => unitsOf(Math.max(bytesOf(before[i]), bytesOf(after[i])), writeUnitBytes));
    // A single write is a plain one; `Work` counts rows of transactions.
    const factor = writes.length === 1 && writes[0]?.kind !== 'check' ? 1 / transactionFactor : 1;
    this.#meter.add({ metadataWrites: units.reduce((sum, unit) => sum + unit, 0) * factor });
  }

  scan(): AsyncIterable<readonly Row[]> {
    return this.#inner.scan();
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  #read(units: number): void {
    this.#meter.add({ metadataReads: units });
  }
}

/** Lists are billed as puts, deletes are free. */
const PUT_CLASS = ['append', 'list', 'zones', 'probe', 'erase'];

export function meteredDrive(drive: Drive, meter: Meter): Drive {
  return new Proxy(drive, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]): unknown => {
        if (PUT_CLASS.includes(String(name))) meter.add({ putRequests: 1 });
        if (name === 'read') meter.add({ getRequests: 1 });
        return value.apply(target, args);
      };
    },
  });
}
