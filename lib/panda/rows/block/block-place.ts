// Where a block's row says that its record is, as numbers and without a string: for whoever looks at all rows.
import type { Row } from '../../panda.ts';
import { PACKED_FORM } from '../packing.ts';

/** What has to be read of a row. */
export const BLOCK_PLACE_ATTRIBUTES: ReadonlySet<string> = new Set(['d', 'p', 'r']);

const KEY_DIGITS = 64;
const RECORD_ID_BYTES = 16;
const ID_BYTES = 8;

/** The fields of the row that was read last: one object for all rows. */
export class BlockPlace {
  readonly #cell: Uint8Array;
  isOfCell = false;
  /** An id is two numbers of 32 bits. */
  bucketHigh = 0;
  bucketLow = 0;
  slot = 0;
  /** The first 32 bits. */
  recordHead = 0;
  recordBytes = 0;
  volumeHigh = 0;
  volumeLow = 0;
  generation = 0;
  seq = 0;
  token = 0;
  column = 0;
  offset = 0;
  #bytes: Uint8Array = new Uint8Array();
  #at = 0;

  constructor(cell: string) {
    this.#cell = Buffer.from(cell);
  }

  /** False where the row has to be read as any row is: it is of an older format, damaged or malformed. */
  read({ sort, attributes }: Row): boolean {
    const { d, p, r } = attributes;
    if (!(d instanceof Uint8Array && p instanceof Uint8Array && r instanceof Uint8Array)) return false;
    if (sort.length !== KEY_DIGITS || r.length !== RECORD_ID_BYTES || p.length <= ID_BYTES) return false;
    this.bucketHigh = u32(p, 0);
    this.bucketLow = u32(p, 4);
    this.#bytes = p;
    this.#at = ID_BYTES;
    this.slot = this.#varint();
    if (this.#at !== p.length) return false;
    this.recordHead = u32(r, 0);
    return this.#readFacts(d);
  }

  #readFacts(facts: Uint8Array): boolean {
    this.#bytes = facts;
    this.#at = 1;
    if (facts[0] !== PACKED_FORM) return false;
    const cellBytes = this.#varint();
    this.isOfCell = cellBytes === this.#cell.length;
    for (let i = 0; i < cellBytes && this.isOfCell; i++) this.isOfCell = facts[this.#at + i] === this.#cell[i];
    this.#at += cellBytes;
    this.recordBytes = this.#varint();
    this.#varint(); // of the plaintext
    if (this.#at + ID_BYTES > facts.length) return false;
    this.volumeHigh = u32(facts, this.#at);
    this.volumeLow = u32(facts, this.#at + 4);
    this.#at += ID_BYTES;
    this.generation = this.#varint();
    this.seq = this.#varint();
    this.token = this.#varint();
    this.column = facts[this.#at++] ?? 0;
    this.offset = this.#varint();
    // NaN, where bytes are missing, is no end.
    return this.#at === facts.length;
  }

  #varint(): number {
    const bytes = this.#bytes;
    let byte = bytes[this.#at++] as number;
    if (byte < 0x80) return byte;
    let value = byte & 0x7f;
    for (let factor = 0x80; factor <= 2 ** 49; factor *= 0x80) {
      byte = bytes[this.#at++] as number;
      value += (byte & 0x7f) * factor;
      if (byte >= 0x80) continue;
      if (byte === 0 || !Number.isSafeInteger(value)) break; // a number has one spelling
      return value;
    }
    this.#at = Number.NaN;
    return 0;
  }
}

const u32 = (bytes: Uint8Array, at: number): number =>
  (((bytes[at] as number) << 24) |
    ((bytes[at + 1] as number) << 16) |
    ((bytes[at + 2] as number) << 8) |
    (bytes[at + 3] as number)) >>>
  0;
