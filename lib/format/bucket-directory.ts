// The directory of one bucket, written at seal on m+1 columns: slot -> where its record is. Fixed-size entries, so that
// a reader finds a slot without parsing the rest. It is an index, never the truth: the chunks' own directories and
// Panda's group rows hold the same facts. It lies in its volume's directory pack; before there were packs, in an object
// of its own.
import { assert } from '../foundation/assert.ts';
import { corrupt } from '../foundation/errors.ts';
import {
  type BucketId,
  bucketId,
  bytesOf,
  hexOf,
  type StoreId,
  storeId,
  type VolumeId,
  volumeId,
} from '../foundation/ids.ts';
import { CODE_COLUMNS_MAX } from '../limits/bytes.ts';
import { SLOT_MAX } from './group-directory.ts';
import { RECORD_BYTES_MAX, RECORD_BYTES_MIN } from './record.ts';
import {
  assertWithin,
  CRC_BYTES,
  crcOf,
  isZero,
  readU64,
  U32_MAX,
  U40_MAX,
  unknownVersion,
  viewOf,
  writeU64,
} from './wire.ts';

const MAGIC = 0x4442_4650; // 'PFBD'
const VERSION = 1;
const HEADER_BYTES = 64;
const TOKEN_BYTES = 12;
const ENTRY_BYTES = 16;
const FLAG_PRESENT = 1;

/** Bytes of a directory whose slots, from the first to the last, were written by so many groups. */
export const bucketDirectoryBytes = (slots: number, groups: number): number =>
  HEADER_BYTES + groups * TOKEN_BYTES + slots * ENTRY_BYTES + CRC_BYTES;

export const BUCKET_DIRECTORY_BYTES_MIN = bucketDirectoryBytes(0, 0);

export interface SlotLocation {
  readonly sequence: number;
  readonly token: number;
  readonly column: number;
  /** From the start of the column's payload. */
  readonly offset: number;
  /** Record bytes, header included. */
  readonly length: number;
}

export interface BucketDirectoryContent {
  readonly storeId: StoreId;
  readonly volumeId: VolumeId;
  readonly generation: number;
  readonly bucket: BucketId;
  /** Slots and their places, in any order; a Map will do. */
  readonly entries: Iterable<readonly [slot: number, location: SlotLocation]>;
}

export type BucketDirectoryIdentity = Partial<
  Pick<BucketDirectoryContent, 'storeId' | 'volumeId' | 'generation' | 'bucket'>
>;

/** A parsed directory: 16 bytes a slot in memory too, since readers cache many. */
export class BucketDirectory implements BucketDirectoryContent {
  readonly storeId: StoreId;
  readonly volumeId: VolumeId;
  readonly generation: number;
  readonly bucket: BucketId;
  readonly firstSlot: number;
  /** Slots between the first and the last one that is present, both included. */
  readonly slotCount: number;
  readonly #tokens: ReadonlyMap<number, number>;
  readonly #table: Buffer;

  constructor(
    identity: Required<BucketDirectoryIdentity>,
    firstSlot: number,
    tokens: ReadonlyMap<number, number>,
    table: Buffer,
  ) {
    this.storeId = identity.storeId;
    this.volumeId = identity.volumeId;
    this.generation = identity.generation;
    this.bucket = identity.bucket;
    this.firstSlot = firstSlot;
    this.slotCount = table.length / ENTRY_BYTES;
    this.#tokens = tokens;
    this.#table = table;
  }

  /** For sizing a cache. */
  get memoryBytes(): number {
    return this.#table.length + this.#tokens.size * 32 + 256;
  }

  /** Sequence and token of every group that holds one of its slots. */
  get groups(): Iterable<readonly [sequence: number, token: number]> {
    return this.#tokens;
  }

  find(slot: number): SlotLocation | undefined {
    const at = (slot - this.firstSlot) * ENTRY_BYTES;
    if (!Number.isInteger(slot) || at < 0 || at >= this.#table.length) return undefined;
    if (this.#table.readUInt16LE(at + 14) !== FLAG_PRESENT) return undefined;
    const sequence = this.#table.readUInt32LE(at + 10);
    return {
      sequence,
      token: this.#tokens.get(sequence) as number,
      column: this.#table.readUInt8(at),
      offset: this.#table.readUIntLE(at + 1, 5),
      length: this.#table.readUInt32LE(at + 6),
    };
  }

  /** The slots present, ascending. */
  get entries(): Iterable<readonly [slot: number, location: SlotLocation]> {
    return this.#present();
  }

  *#present(): Generator<readonly [number, SlotLocation]> {
    for (let slot = this.firstSlot; slot < this.firstSlot + this.slotCount; slot++) {
      const location = this.find(slot);
      if (location !== undefined) yield [slot, location];
    }
  }
}

export function encodeBucketDirectory(directory: BucketDirectoryContent): Uint8Array {
  const entries = [...directory.entries].sort(([a], [b]) => a - b);
  const firstSlot = entries[0]?.[0] ?? 0;
  const lastSlot = entries.at(-1)?.[0] ?? -1;
  assertWithin(firstSlot, SLOT_MAX, 'slot');
  assertWithin(lastSlot + 1, SLOT_MAX + 1, 'slot');
  const slotCount = lastSlot + 1 - firstSlot;
  const tokens = tokensOf(entries);
  const tableAt = HEADER_BYTES + tokens.length * TOKEN_BYTES;
  const view = Buffer.alloc(tableAt + slotCount * ENTRY_BYTES + CRC_BYTES);
  view.writeUInt32LE(MAGIC, 0);
  view.writeUInt8(VERSION, 4);
  view.set(bytesOf(directory.storeId), 8);
  view.set(bytesOf(directory.volumeId), 24);
  view.set(bytesOf(directory.bucket), 32);
  writeU64(view, directory.generation, 40);
  view.writeUInt32LE(firstSlot, 48);
  view.writeUInt32LE(slotCount, 52);
  view.writeUInt32LE(tokens.length, 56);
  for (const [i, [sequence, token]] of tokens.entries()) {
    view.writeUInt32LE(sequence, HEADER_BYTES + i * TOKEN_BYTES);
    writeU64(view, token, HEADER_BYTES + i * TOKEN_BYTES + 4);
  }
  for (const [slot, location] of entries) writeEntry(view, location, tableAt + (slot - firstSlot) * ENTRY_BYTES);
  view.writeUInt32LE(crcOf(view.subarray(0, view.length - CRC_BYTES)), view.length - CRC_BYTES);
  return view;
}

/** Parses and verifies a directory; `corrupt` DIRECTORY_FOREIGN if it is not the one expected. */
export function parseBucketDirectory(bytes: Uint8Array, expected: BucketDirectoryIdentity = {}): BucketDirectory {
  const view = soundView(bytes);
  const generation = readU64(view, 40);
  if (generation === undefined) throw malformed('generation out of range');
  const identity = {
    storeId: storeId(hexOf(view.subarray(8, 24))),
    volumeId: volumeId(hexOf(view.subarray(24, 32))),
    generation,
    bucket: bucketId(hexOf(view.subarray(32, 40))),
  };
  for (const field of ['storeId', 'volumeId', 'generation', 'bucket'] as const) {
    if (expected[field] !== undefined && identity[field] !== expected[field])
      throw corrupt(
        'DIRECTORY_FOREIGN',
        `bucket directory has ${field} ${identity[field]}, expected ${expected[field]}`,
      );
  }
  if (!isZero(view, 5, 8) || !isZero(view, 60, HEADER_BYTES)) throw malformed('unused bytes are not zero');
  const firstSlot = view.readUInt32LE(48);
  const slotCount = view.readUInt32LE(52);
  const tokenCount = view.readUInt32LE(56);
  if (firstSlot + slotCount > SLOT_MAX + 1) throw malformed(`${slotCount} slots from ${firstSlot}`);
  const tableAt = HEADER_BYTES + tokenCount * TOKEN_BYTES;
  const declared = tableAt + slotCount * ENTRY_BYTES + CRC_BYTES;
  if (view.length !== declared) throw malformed(`${view.length} bytes stored, ${declared} declared`);
  const tokens = readTokens(view, tokenCount);
  const table = Buffer.from(view.subarray(tableAt, view.length - CRC_BYTES));
  checkTable(table, tokens);
  return new BucketDirectory(identity, firstSlot, tokens, table);
}

/** Magic, checksum (the last four bytes) and version are where they are in every version. */
function soundView(bytes: Uint8Array): Buffer {
  const view = viewOf(bytes);
  if (view.length < HEADER_BYTES + CRC_BYTES) throw malformed(`only ${view.length} bytes`);
  if (view.readUInt32LE(0) !== MAGIC) throw malformed('it does not begin as a bucket directory does');
  if (crcOf(view.subarray(0, view.length - CRC_BYTES)) !== view.readUInt32LE(view.length - CRC_BYTES))
    throw malformed('its checksum does not match');
  const version = view.readUInt8(4);
  if (version !== VERSION) throw unknownVersion('DIRECTORY_VERSION', 'bucket directory', version, VERSION);
  return view;
}

function tokensOf(entries: readonly (readonly [number, SlotLocation])[]): [sequence: number, token: number][] {
  const tokens = new Map<number, number>();
  for (const [i, [slot, { sequence, token }]] of entries.entries()) {
    assert(slot !== entries[i - 1]?.[0], `slot ${slot} is there twice`);
    assert((tokens.get(sequence) ?? token) === token, `sequence ${sequence} has two tokens`);
    tokens.set(sequence, token);
  }
  return [...tokens].sort(([a], [b]) => a - b);
}

function readTokens(view: Buffer, count: number): Map<number, number> {
  const tokens = new Map<number, number>();
  for (let i = 0, previous = -1; i < count; i++) {
    const sequence = view.readUInt32LE(HEADER_BYTES + i * TOKEN_BYTES);
    const token = readU64(view, HEADER_BYTES + i * TOKEN_BYTES + 4);
    if (sequence <= previous) throw malformed('its sequences are not in ascending order');
    if (token === undefined) throw malformed(`the token of sequence ${sequence} is out of range`);
    previous = sequence;
    tokens.set(sequence, token);
  }
  return tokens;
}

function writeEntry(view: Buffer, location: SlotLocation, at: number): void {
  assertWithin(location.column, CODE_COLUMNS_MAX - 1, 'column');
  assertWithin(location.offset, U40_MAX, 'offset');
  assertWithin(location.length, RECORD_BYTES_MAX, 'length');
  assertWithin(location.sequence, U32_MAX, 'sequence');
  view.writeUInt8(location.column, at);
  view.writeUIntLE(location.offset, at + 1, 5);
  view.writeUInt32LE(location.length, at + 6);
  view.writeUInt32LE(location.sequence, at + 10);
  view.writeUInt16LE(FLAG_PRESENT, at + 14);
}

function checkTable(table: Buffer, tokens: ReadonlyMap<number, number>): void {
  const used = new Set<number>();
  let flags = FLAG_PRESENT;
  for (let at = 0; at < table.length; at += ENTRY_BYTES) {
    flags = table.readUInt16LE(at + 14);
    if (at === 0 && flags === 0) throw malformed('it is not trimmed to its first slot');
    if (flags === 0) {
      if (!isZero(table, at, at + ENTRY_BYTES)) throw malformed('an absent slot has a place');
      continue;
    }
    if (flags !== FLAG_PRESENT) throw malformed(`unknown flags ${flags}`);
    const length = table.readUInt32LE(at + 6);
    const sequence = table.readUInt32LE(at + 10);
    if (table.readUInt8(at) >= CODE_COLUMNS_MAX) throw malformed(`column ${table.readUInt8(at)}`);
    if (length < RECORD_BYTES_MIN || length > RECORD_BYTES_MAX) throw malformed(`a record of ${length} bytes`);
    if (!tokens.has(sequence)) throw malformed(`sequence ${sequence} has no token`);
    used.add(sequence);
  }
  if (flags === 0) throw malformed('it is not trimmed to its last slot');
  if (used.size !== tokens.size) throw malformed('it lists a sequence that no slot uses');
}

const malformed = (why: string) => corrupt('DIRECTORY_MALFORMED', `bucket directory is malformed: ${why}`);
