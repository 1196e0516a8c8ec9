// Many blocks in little memory: where each row says its record is, as numbers, until the directories are held against
// them, bucket by bucket. A fingerprint of 53 bits stands for record and length: one that fits by chance lets a wrong
// row pass once in a billion, one that does not fit is looked at row by row.
import { BLOCK_TABLE_PAGE } from '../limits/verify.ts';
import type { BlockPlace } from '../panda/rows/block/block-place.ts';
import { halvesOf, IdNumbers } from './id-numbers.ts';

/** 30 bits of the record's random id, 23 of its length. */
export const recordPrint = (recordId: string, bytes: number): number =>
  printOf(Number.parseInt(recordId.slice(0, 8), 16), bytes);

const printOf = (recordHead: number, bytes: number): number => (recordHead >>> 2) * 2 ** 23 + bytes;

/** Of a place, 32 bits; equal for equal places. */
export function placePrint(seq: number, token: number, column: number, offset: number): number {
  const print = mixed(mixed(mixed(0x811c_9dc5, seq), token), column);
  return mixed(print, offset) >>> 0;
}

const mixed = (print: number, number: number): number =>
  Math.imul(Math.imul(print ^ (number >>> 0), 0x0100_0193) ^ Math.floor(number / 2 ** 32), 0x0100_0193);

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

export class BlockTable {
  readonly #pages: TablePage[] = [];
  readonly #buckets = new IdNumbers();
  readonly #homes = new IdNumbers();
  readonly #counts: number[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Ids, by number. */
  buckets(): string[] {
    return Array.from({ length: this.#buckets.size }, (_, number) => this.#buckets.idOf(number));
  }

  add(place: BlockPlace): void {
    const at = this.#size % BLOCK_TABLE_PAGE;
    if (at === 0) this.#pages.push(newPage());
    const page = this.#pages[this.#pages.length - 1] as TablePage;
    const number = this.#buckets.of(place.bucketHigh, place.bucketLow, 0);
    this.#counts[number] = (this.#counts[number] ?? 0) + 1;
    page.buckets[at] = number;
    page.slots[at] = place.slot;
    page.records[at] = printOf(place.recordHead, place.recordBytes);
    page.hints[at] = placePrint(place.seq, place.token, place.column, place.offset);
    page.homes[at] = this.#homes.of(place.volumeHigh, place.volumeLow, place.generation);
    this.#size += 1;
  }

  /** The number of a volume and generation, if a hint names it. */
  homeOf(volume: string, generation: number): number | undefined {
    return this.#homes.find(...halvesOf(volume), generation);
  }

  /** Rows by bucket, in one sort over all of them. */
  byBucket(): (bucket: number) => TableEntry[] {
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
    return (bucket) => {
      const entries: TableEntry[] = [];
      const end = starts[bucket + 1] as number;
      for (let at = starts[bucket] as number; at < end; at++) entries.push(entryAt(order[at] as number));
      return entries;
    };
  }

  #page = (i: number): TablePage => this.#pages[Math.floor(i / BLOCK_TABLE_PAGE)] as TablePage;
}
