// Many blocks in little memory: where each row says its record is, as numbers, until the directories are held against
// them, bucket by bucket. A fingerprint of 53 bits stands for record and length: one that fits by chance lets a wrong
// row pass once in a billion, one that does not fit is looked at row by row.
import { BLOCK_TABLE_PAGE } from '../limits/verify.ts';
import type { BlockRow } from '../panda/rows/block-row.ts';

/** 30 bits of the record's random id, 23 of its length. */
export const recordPrint = (recordId: string, bytes: number): number =>
  (Number.parseInt(recordId.slice(0, 8), 16) >>> 2) * 2 ** 23 + bytes;

/** Of a place, 32 bits; equal for equal places. */
export const placePrint = (...numbers: readonly number[]): number => {
  let print = 0x811c_9dc5;
  for (const number of numbers) {
    print = Math.imul(print ^ (number >>> 0), 0x0100_0193);
    print = Math.imul(print ^ Math.floor(number / 2 ** 32), 0x0100_0193);
  }
  return print >>> 0;
};

interface TablePage {
  readonly buckets: Uint32Array;
  readonly slots: Uint16Array;
  readonly records: Float64Array;
  readonly hints: Uint32Array;
  readonly homes: Uint32Array;
}

const newPage = (): TablePage => ({
  buckets: new Uint32Array(BLOCK_TABLE_PAGE),
  slots: new Uint16Array(BLOCK_TABLE_PAGE),
  records: new Float64Array(BLOCK_TABLE_PAGE),
  hints: new Uint32Array(BLOCK_TABLE_PAGE),
  homes: new Uint32Array(BLOCK_TABLE_PAGE),
});

/** One row as it was put in. */
export interface TableEntry {
  readonly slot: number;
  readonly record: number;
  /** Of the hint's sequence, token, column and offset. */
  readonly hint: number;
  /** Number (in this table) of the volume and generation the hint names. */
  readonly home: number;
}

/** Numbers names in the order they come. */
class Numbers {
  readonly names: string[] = [];
  readonly #of = new Map<string, number>();

  of(name: string): number {
    const known = this.#of.get(name);
    if (known !== undefined) return known;
    this.#of.set(name, this.names.length);
    return this.names.push(name) - 1;
  }

  find(name: string): number | undefined {
    return this.#of.get(name);
  }
}

export class BlockTable {
  readonly #pages: TablePage[] = [];
  readonly #buckets = new Numbers();
  readonly #homes = new Numbers();
  readonly #counts: number[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get buckets(): readonly string[] {
    return this.#buckets.names;
  }

  add({ bucket, slot, recordId, recordBytes, hint }: BlockRow): void {
    const at = this.#size % BLOCK_TABLE_PAGE;
    if (at === 0) this.#pages.push(newPage());
    const page = this.#pages.at(-1) as TablePage;
    const number = this.#buckets.of(bucket);
    this.#counts[number] = (this.#counts[number] ?? 0) + 1;
    page.buckets[at] = number;
    page.slots[at] = slot;
    page.records[at] = recordPrint(recordId, recordBytes);
    page.hints[at] = placePrint(hint.seq, hint.token, hint.column, hint.offset);
    page.homes[at] = this.#homes.of(`${hint.volume}/${hint.generation}`);
    this.#size += 1;
  }

  /** The number of a volume and generation, if a hint names it. */
  homeOf(volume: string, generation: number): number | undefined {
    return this.#homes.find(`${volume}/${generation}`);
  }

  /** Rows by bucket, in one sort over all of them. */
  byBucket(): (bucket: number) => Generator<TableEntry> {
    const starts = new Uint32Array(this.#counts.length + 1);
    for (const [i, count] of this.#counts.entries()) starts[i + 1] = (starts[i] as number) + count;
    const next = starts.slice();
    const order = new Uint32Array(this.#size);
    for (let i = 0; i < this.#size; i++) {
      const bucket = this.#page(i).buckets[i % BLOCK_TABLE_PAGE] as number;
      const at = next[bucket] as number;
      next[bucket] = at + 1;
      order[at] = i;
    }
    const entryAt = (i: number): TableEntry => {
      const page = this.#page(i);
      const at = i % BLOCK_TABLE_PAGE;
      return {
        slot: page.slots[at] as number,
        record: page.records[at] as number,
        hint: page.hints[at] as number,
        home: page.homes[at] as number,
      };
    };
    return function* (bucket) {
      for (let at = starts[bucket] as number; at < (starts[bucket + 1] as number); at++)
        yield entryAt(order[at] as number);
    };
  }

  #page = (i: number): TablePage => this.#pages[Math.floor(i / BLOCK_TABLE_PAGE)] as TablePage;
}
