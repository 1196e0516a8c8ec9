// Chunks: round trip of headers of every codec, whole-object verification, names.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CODEC_NAMES } from '../../lib/codec/codec.ts';
import { codecShape } from '../../lib/codec/shape.ts';
import {
  bucketDirectoryName,
  CHUNK_HEADER_BYTES,
  type ChunkHeader,
  checkChunk,
  chunkBytes,
  chunkName,
  encodeChunkHeader,
  parseBucketDirectoryName,
  parseChunkHeader,
  parseChunkName,
} from '../../lib/format/chunk.ts';
import { parseGroupDirectory } from '../../lib/format/group-directory.ts';
import { hexOf, newAppendId, newStoreId, newVolumeId, storeId, volumeId } from '../../lib/foundation/ids.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { codeOf, withCrcAt, withU32 } from './damage.ts';
import { BUCKET_A, chunkHeaderOf, sampleChunk, sampleGroup, withParity } from './samples.ts';

const u32 = fc.nat(0xffff_ffff);
const count = fc.nat(Number.MAX_SAFE_INTEGER);

const headers: fc.Arbitrary<ChunkHeader> = fc
  .record({
    codec: fc.constantFrom(...CODEC_NAMES),
    seed: fc.nat(),
    generation: count,
    token: count,
    sequence: u32,
    move: fc.boolean(),
    directoryBytes: u32,
    directoryCrc: u32,
    // A multiple of 64 below 2^32, so that the padded parity still fits its field.
    lengths: fc.array(fc.nat(0xffff_ff00), { minLength: 12, maxLength: 12 }),
    crcs: fc.array(u32, { minLength: 16, maxLength: 16 }),
    which: fc.nat(),
  })
  .map(({ codec, seed, lengths, crcs, which, move, ...rest }) => {
    const randomness = new SeededRandomness(seed);
    const { dataColumns } = codecShape(codec);
    const data = lengths.slice(0, dataColumns).map((bytes, i) => (i > 0 && bytes % 5 === 0 ? 0 : bytes));
    data[0] = Math.max(1, data[0] as number);
    const columnBytes = withParity(codec, data);
    const stored = columnBytes.map((bytes, i) => (bytes > 0 ? i : -1)).filter((i) => i >= 0);
    return {
      ...rest,
      storeId: newStoreId(randomness),
      volumeId: newVolumeId(randomness),
      appendId: newAppendId(randomness),
      kind: move ? 'move' : 'append',
      codec,
      column: stored[which % stored.length] as number,
      columnBytes,
      columnCrcs: crcs.slice(0, columnBytes.length),
    };
  });

describe('chunk header', () => {
  it('round-trips over all codecs', () => {
    fc.assert(
      fc.property(headers, (header) => {
        const bytes = encodeChunkHeader(header);
        expect(bytes.byteLength).toBe(CHUNK_HEADER_BYTES);
        expect(parseChunkHeader(bytes)).toEqual(header);
        expect(parseChunkHeader(Buffer.concat([bytes, Buffer.alloc(9)]))).toEqual(header);
      }),
      { numRuns: 300 },
    );
  });

  const forged = (change: (view: Buffer) => void): string | undefined => {
    const view = Buffer.from(
      encodeChunkHeader(chunkHeaderOf('rs-6-3', withParity('rs-6-3', [100, 90, 0, 70, 60, 128]), 5)),
    );
    change(view);
    return codeOf(() => parseChunkHeader(withCrcAt(view, 252)));
  };

  it('accepts its own header when the checksum is recomputed (the forgeries below differ in one thing)', () => {
    expect(forged(() => {})).toBeUndefined();
  });

  it.each<[string, (view: Buffer) => void]>([
    ['no magic', (v) => v.writeUInt8(0, 0)],
    ['an unknown kind', (v) => v.writeUInt8(3, 5)],
    ['kind 0', (v) => v.writeUInt8(0, 5)],
    ['an unknown codec', (v) => v.writeUInt8(99, 6)],
    ['another codec with other columns', (v) => v.writeUInt8(4, 6)],
    ['a column beyond the last', (v) => v.writeUInt8(9, 7)],
    ['an empty column', (v) => v.writeUInt8(2, 7)],
    ['a count of columns that is not the codec’s', (v) => v.writeUInt8(8, 76)],
    ['parity shorter than the longest column', (v) => v.writeUInt32LE(64, 80 + 4 * 6)],
    ['parity longer than the longest column', (v) => v.writeUInt32LE(192, 80 + 4 * 8)],
    ['a length beyond the last column', (v) => v.writeUInt32LE(1, 80 + 4 * 9)],
    ['a checksum beyond the last column', (v) => v.writeUInt32LE(1, 144 + 4 * 9)],
    ['reserved bytes that are not zero', (v) => v.writeUInt8(1, 251)],
    ['unused bytes beside the column count', (v) => v.writeUInt8(1, 77)],
    ['a generation of 2^53', (v) => v.writeUInt32LE(0x20_0000, 52)],
    ['a token of 2^53', (v) => v.writeUInt32LE(0x20_0000, 60)],
  ])('refuses %s though its checksum is right', (_, change) => {
    expect(forged(change)).toBe('CHUNK_MALFORMED');
  });

  it('refuses a version it does not know, and takes a damaged version byte for damage', () => {
    expect(forged((v) => v.writeUInt8(2, 4))).toBe('CHUNK_VERSION');
    expect(forged((v) => v.writeUInt8(0, 4))).toBe('CHUNK_VERSION');
    const damaged = Buffer.from(sampleChunk(0));
    damaged[4] = 2;
    expect(codeOf(() => parseChunkHeader(damaged))).toBe('CHUNK_MALFORMED');
    damaged.set(withCrcAt(damaged.subarray(0, 252), 252), 0);
    expect(() => parseChunkHeader(damaged)).toThrow(/format version 2.*newer release/);
  });

  it('asserts that a writer means what it says', () => {
    const header = chunkHeaderOf('xor-2-1', withParity('xor-2-1', [100, 64]), 0);
    expect(() => encodeChunkHeader({ ...header, columnBytes: [100, 64, 100] })).toThrow(/parity is not as long/);
    expect(() => encodeChunkHeader({ ...header, columnBytes: [100, 64] })).toThrow(/for 3 columns/);
    expect(() => encodeChunkHeader({ ...header, column: 3 })).toThrow(/column 3 of 3/);
    expect(() => encodeChunkHeader({ ...header, column: 1, columnBytes: [100, 0, 128] })).toThrow(/not stored/);
    expect(() => encodeChunkHeader({ ...header, token: 2 ** 53 })).toThrow(/64-bit count/);
    expect(() => encodeChunkHeader({ ...header, sequence: 2 ** 32 })).toThrow(/sequence/);
  });
});

describe('a whole chunk', () => {
  it('gives back its column and its directory', () => {
    const { payloads, entries } = sampleGroup();
    for (const column of [0, 1, 2]) {
      const chunk = sampleChunk(column);
      const { header, payload, directory } = checkChunk(chunk);
      expect(chunkBytes(header)).toBe(chunk.byteLength);
      expect(hexOf(payload)).toBe(hexOf(payloads[column] as Uint8Array));
      const listed = column === 2 ? entries : entries.filter((entry) => entry.column === column);
      expect(parseGroupDirectory(directory, header)).toEqual(listed);
    }
  });

  it('is refused when it is cut, lengthened, or its payload or directory is damaged', () => {
    const chunk = sampleChunk(0);
    expect(() => checkChunk(Buffer.concat([chunk, Buffer.alloc(1)]))).toThrow(/ bytes stored, .* declared/);
    expect(codeOf(() => checkChunk(chunk.subarray(0, chunk.length - 1)))).toBe('CHUNK_MALFORMED');
    const payload = Buffer.from(chunk);
    payload.writeUInt8(payload.readUInt8(300) ^ 0x80, 300);
    expect(() => checkChunk(payload)).toThrow(/column 0/);
    const directory = Buffer.from(chunk);
    directory.writeUInt8(directory.readUInt8(chunk.length - 1) ^ 1, chunk.length - 1);
    expect(() => checkChunk(directory)).toThrow(/directory/);
  });

  it('declaring 4 GiB is refused by its length, without allocating', () => {
    const chunk = sampleChunk(2);
    const huge = withCrcAt(withU32(chunk, 68, 0xffff_ffff).subarray(0, 252), 252);
    expect(codeOf(() => checkChunk(Buffer.concat([huge, chunk.subarray(256)])))).toBe('CHUNK_MALFORMED');
  });

  it('of another store, volume, generation, group or column is foreign, by name', () => {
    const chunk = sampleChunk(1);
    const mine = parseChunkHeader(chunk);
    expect(checkChunk(chunk, mine).header).toEqual(mine);
    const others = {
      storeId: storeId('ff'.repeat(16)),
      volumeId: volumeId('ff'.repeat(8)),
      generation: 3,
      sequence: 42,
      token: 8,
      column: 0,
    };
    for (const [field, value] of Object.entries(others)) {
      expect(codeOf(() => checkChunk(chunk, { ...mine, [field]: value }))).toBe('CHUNK_FOREIGN');
      expect(() => checkChunk(chunk, { [field]: value })).toThrow(new RegExp(`has ${field} .*, expected ${value}`));
    }
  });
});

describe('names of objects', () => {
  it('have one spelling each', () => {
    expect(chunkName(41, 7)).toBe('41-7');
    expect(bucketDirectoryName(BUCKET_A)).toBe('dir-b000000000000001');
    fc.assert(
      fc.property(u32, count, (sequence, token) => {
        expect(parseChunkName(chunkName(sequence, token))).toEqual({ sequence, token });
      }),
    );
    expect(parseBucketDirectoryName(bucketDirectoryName(BUCKET_A))).toBe(BUCKET_A);
  });

  it.each([
    '',
    '-',
    '1-',
    '-1',
    '01-1',
    '1-01',
    '1-1-1',
    '1-1 ',
    '+1-1',
    '1.0-1',
    '4294967296-1',
    '1-9007199254740992',
    '1-99999999999999999',
    'dir-b000000000000001',
  ])('refuses %j as the name of a chunk', (name) => {
    expect(parseChunkName(name)).toBeUndefined();
  });

  it.each([
    '',
    'dir-',
    'dir-b00000000000000',
    'dir-b0000000000000011',
    'dir-B000000000000001',
    'dir-b00000000000000g',
    'xdir-b000000000000001',
    '41-7',
  ])('refuses %j as the name of a bucket directory', (name) => {
    expect(parseBucketDirectoryName(name)).toBeUndefined();
  });
});
