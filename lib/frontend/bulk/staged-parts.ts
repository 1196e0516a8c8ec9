// Bytes of a bulk put on their way to the process that gathers them: a stage's function takes 4 MiB a request, and one
// group is far more. A part is sealed like a block, under a key of its own that is wrapped with the current KEK, and
// lies on a shelf until it is gathered or has expired. It is no part of the store: no row names it, and nothing in it
// is acknowledged.
//
//   KEK version (4 bytes, little-endian), wrapped key (40), record
//
// Who staged a part alone knows its name: the random id of the record, and a hash of namespace and bytes.
import type { Shelf } from '../../drive/shelf.ts';
import { assert } from '../../foundation/assert.ts';
import { corrupt, invalid } from '../../foundation/errors.ts';
import type { BlockId, RecordId } from '../../foundation/ids.ts';
import type { Randomness } from '../../foundation/randomness.ts';
import {
  blockIdInPool,
  openBlockInPool,
  ownBlockId,
  RECORD_ID_BYTES,
  sealBlockInPool,
  WRAPPED_BEK_BYTES,
} from '../../keys/envelope.ts';
import { STAGED_PARTS_HELD_MAX } from '../../limits/stage.ts';
import type { KekRing } from '../kek-ring.ts';

export interface StagedPart {
  /** As `stage` answered. */
  readonly part: string;
  readonly bytes: number;
}

/** Shelves have epochs; parts have none. */
const EPOCH = 0;
const VERSION_BYTES = 4;
const HEAD_BYTES = VERSION_BYTES + WRAPPED_BEK_BYTES;
const NAME_DIGITS = 2 * RECORD_ID_BYTES;

export class StagedParts {
  readonly #shelf: Shelf;
  readonly #keks: KekRing;
  readonly #randomness: Randomness;

  constructor(shelf: Shelf, keks: KekRing, randomness: Randomness) {
    this.#shelf = shelf;
    this.#keks = keks;
    this.#randomness = randomness;
  }

  /** At most a block's worth of bytes; the answer is how to ask for them. */
  async stage(namespace: string, bytes: Uint8Array): Promise<string> {
    const kek = await this.#keks.current();
    const [{ recordId, record, wrappedBek, kekVersion }, blockId] = await Promise.all([
      sealBlockInPool(bytes, this.#randomness, kek),
      blockIdInPool(bytes),
    ]);
    const version = Buffer.alloc(VERSION_BYTES);
    version.writeUInt32LE(kekVersion);
    await this.#shelf.put(EPOCH, recordId, [version, wrappedBek, record]);
    return `${recordId}${ownBlockId(namespace, blockId)}`;
  }

  /** Their bytes, one after the other. */
  bytesOf(namespace: string, parts: readonly StagedPart[]): StagedBytes {
    return new StagedBytes(parts, (part) => this.#open(namespace, part));
  }

  remove(parts: readonly StagedPart[]): Promise<void> {
    return this.#shelf.remove(
      EPOCH,
      parts.map(({ part }) => part.slice(0, NAME_DIGITS)),
    );
  }

  /** Throws `missing` CHUNK_MISSING once it has expired or was gathered, `corrupt` BLOCK_CORRUPT. */
  async #open(namespace: string, { part, bytes }: StagedPart): Promise<Uint8Array> {
    const recordId = part.slice(0, NAME_DIGITS) as RecordId;
    const stored = Buffer.from(await this.#shelf.read(EPOCH, recordId));
    if (stored.byteLength < HEAD_BYTES) throw corrupt('BLOCK_CORRUPT', `part ${recordId} is cut off`);
    const wrappedBek = stored.subarray(VERSION_BYTES, HEAD_BYTES);
    const kek = await this.#keks.key(stored.readUInt32LE());
    const plaintext = await openBlockInPool(stored.subarray(HEAD_BYTES), wrappedBek, kek, {
      recordId,
      blockId: part.slice(NAME_DIGITS) as BlockId,
      owners: [namespace],
    });
    if (plaintext.byteLength !== bytes)
      throw invalid('REQUEST_INVALID', `part ${recordId} has ${plaintext.byteLength} bytes, not ${bytes}`);
    return plaintext;
  }
}

/** Reads ranges of all parts together; ranges are asked for in about their order. */
export class StagedBytes {
  readonly sizeBytes: number;
  readonly #parts: readonly StagedPart[];
  readonly #starts: readonly number[];
  readonly #open: (part: StagedPart) => Promise<Uint8Array>;
  /** The latest that were asked for. */
  readonly #held = new Map<number, Promise<Uint8Array>>();

  constructor(parts: readonly StagedPart[], open: (part: StagedPart) => Promise<Uint8Array>) {
    let at = 0;
    this.#starts = parts.map(({ bytes }) => {
      at += bytes;
      return at - bytes;
    });
    this.sizeBytes = at;
    this.#parts = parts;
    this.#open = open;
  }

  async *range(offset: number, length: number): AsyncGenerator<Uint8Array> {
    const end = offset + length;
    assert(end <= this.sizeBytes, 'a range of staged bytes ends where they end');
    for (const [i, start] of this.#starts.entries()) {
      const { bytes } = this.#parts[i] as StagedPart;
      if (start + bytes <= offset || start >= end) continue;
      const opened = await this.#part(i);
      yield opened.subarray(Math.max(0, offset - start), Math.min(bytes, end - start));
    }
  }

  /** Reads one ahead. */
  #part(index: number): Promise<Uint8Array> {
    for (const i of [index + 1, index]) {
      const part = this.#parts[i];
      if (part === undefined) continue;
      const opened = this.#held.get(i) ?? this.#open(part);
      opened.catch(() => {});
      this.#held.delete(i);
      this.#held.set(i, opened);
    }
    for (const oldest of [...this.#held.keys()].slice(0, Math.max(0, this.#held.size - STAGED_PARTS_HELD_MAX)))
      this.#held.delete(oldest);
    return this.#held.get(index) as Promise<Uint8Array>;
  }
}
