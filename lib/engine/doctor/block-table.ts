// What doctor knows of every block at once: about 85 bytes each, where objects and strings would take ten times that.
// Bytes lie in pieces, so that growing copies none of them; an index by hash says where. An entry is a view, made
// when asked for.
import { assert } from '../../foundation/assert.ts';
import type { BlockId, BucketId, ObjectVersion } from '../../foundation/ids.ts';

export interface BlockFacts {
  /** The version it names, until the object is found that has it. */
  readonly named: ObjectVersion | undefined;
  /** What it adds to the live bytes of its bucket. */
  readonly bucket: BucketId;
  readonly slot: number;
  readonly recordBytes: number;
  /** References the row has, less those found: 0 at the end. */
  readonly refs: number;
  readonly isTrash: boolean;
}

const PIECE_ENTRIES = 1 << 14;
const ID_BYTES = 32;
const VERSION_BYTES = 12;
/** In an entry, behind its id: a version, three numbers as rows may have them, the number of a bucket, flags. */
const AT = { named: 32, slot: 44, recordBytes: 52, refs: 60, bucket: 68, flags: 72 };
const ENTRY_BYTES = 73;
const FLAG = { trash: 1, trashRow: 2, named: 4, gone: 8 };

export class BlockEntry {
  readonly #bytes: Buffer;
  readonly #at: number;
  readonly bucket: BucketId;

  constructor(bytes: Buffer, at: number, buckets: readonly BucketId[]) {
    this.#bytes = bytes;
    this.#at = at;
    this.bucket = buckets[bytes.readUInt32LE(at + AT.bucket)] as BucketId;
  }

  get id(): BlockId {
    return this.#bytes.toString('hex', this.#at, this.#at + ID_BYTES) as BlockId;
  }
  get slot(): number {
    return this.#bytes.readDoubleLE(this.#at + AT.slot);
  }
  get recordBytes(): number {
    return this.#bytes.readDoubleLE(this.#at + AT.recordBytes);
  }
  get refs(): number {
    return this.#bytes.readDoubleLE(this.#at + AT.refs);
  }
  set refs(refs: number) {
    this.#bytes.writeDoubleLE(refs, this.#at + AT.refs);
  }
  get named(): ObjectVersion | undefined {
    const at = this.#at + AT.named;
    return this.#has(FLAG.named) ? (this.#bytes.toString('hex', at, at + VERSION_BYTES) as ObjectVersion) : undefined;
  }
  get isTrash(): boolean {
    return this.#has(FLAG.trash);
  }
  get hasTrashRow(): boolean {
    return this.#has(FLAG.trashRow);
  }
  get isGone(): boolean {
    return this.#has(FLAG.gone);
  }

  /** The object that it names is found. */
  giveName(): void {
    this.#change(this.#flags & ~FLAG.named);
  }
  foundTrashRow(): void {
    this.#change(this.#flags | FLAG.trashRow);
  }
  leaveOut(): void {
    this.#change(this.#flags | FLAG.gone);
  }

  get #flags(): number {
    return this.#bytes.readUInt8(this.#at + AT.flags);
  }
  #has(flag: number): boolean {
    return (this.#flags & flag) !== 0;
  }
  #change(flags: number): void {
    this.#bytes.writeUInt8(flags, this.#at + AT.flags);
  }
}

export class BlockTable {
  readonly #pieces: Buffer[] = [];
  readonly #buckets: BucketId[] = [];
  readonly #bucketNumbers = new Map<BucketId, number>();
  /** By hash, open addressing: the number of an entry and 1, or 0. Never more than half full. */
  #index = new Uint32Array(1 << 10);
  #entries = 0;

  /** Each id once. */
  add(id: BlockId, facts: BlockFacts): void {
    if (2 * (this.#entries + 1) > this.#index.length) this.#grow();
    const number = this.#entries++;
    if (number % PIECE_ENTRIES === 0) this.#pieces.push(Buffer.alloc(PIECE_ENTRIES * ENTRY_BYTES));
    const { bytes, at } = this.#placeOf(number);
    assert(bytes.write(id, at, ID_BYTES, 'hex') === ID_BYTES, 'a block id has 32 bytes');
    if (facts.named !== undefined) bytes.write(facts.named, at + AT.named, VERSION_BYTES, 'hex');
    bytes.writeDoubleLE(facts.slot, at + AT.slot);
    bytes.writeDoubleLE(facts.recordBytes, at + AT.recordBytes);
    bytes.writeUInt32LE(this.#bucketNumber(facts.bucket), at + AT.bucket);
    bytes.writeDoubleLE(facts.refs, at + AT.refs);
    bytes.writeUInt8((facts.isTrash ? FLAG.trash : 0) | (facts.named === undefined ? 0 : FLAG.named), at + AT.flags);
    this.#note(number);
  }

  get(id: BlockId | undefined): BlockEntry | undefined {
    if (id === undefined) return undefined;
    const wanted = Buffer.from(id, 'hex');
    for (let i = hashOf(wanted, 0) % this.#index.length; ; i = (i + 1) % this.#index.length) {
      const number = this.#index[i] as number;
      if (number === 0) return undefined;
      const { bytes, at } = this.#placeOf(number - 1);
      if (bytes.compare(wanted, 0, ID_BYTES, at, at + ID_BYTES) !== 0) continue;
      const entry = new BlockEntry(bytes, at, this.#buckets);
      return entry.isGone ? undefined : entry;
    }
  }

  /** But for those that were left out. */
  *[Symbol.iterator](): Generator<BlockEntry> {
    for (let number = 0; number < this.#entries; number++) {
      const { bytes, at } = this.#placeOf(number);
      const entry = new BlockEntry(bytes, at, this.#buckets);
      if (!entry.isGone) yield entry;
    }
  }

  get size(): number {
    let size = 0;
    for (const _ of this) size += 1;
    return size;
  }

  #placeOf(number: number): { readonly bytes: Buffer; readonly at: number } {
    const bytes = this.#pieces[Math.floor(number / PIECE_ENTRIES)] as Buffer;
    return { bytes, at: (number % PIECE_ENTRIES) * ENTRY_BYTES };
  }

  #bucketNumber(bucket: BucketId): number {
    let number = this.#bucketNumbers.get(bucket);
    if (number === undefined) {
      number = this.#buckets.push(bucket) - 1;
      this.#bucketNumbers.set(bucket, number);
    }
    return number;
  }

  #note(number: number): void {
    const { bytes, at } = this.#placeOf(number);
    let i = hashOf(bytes, at) % this.#index.length;
    while (this.#index[i] !== 0) i = (i + 1) % this.#index.length;
    this.#index[i] = number + 1;
  }

  #grow(): void {
    this.#index = new Uint32Array(2 * this.#index.length);
    for (let number = 0; number < this.#entries; number++) this.#note(number);
  }
}

/** Ids are hashes: any of their bytes will do. */
const hashOf = (bytes: Buffer, at: number): number =>
  (bytes.readUInt32LE(at) ^ bytes.readUInt32LE(at + ID_BYTES - 4)) >>> 0;
