// Groups in the kernel's memory: the same parity, rebuilt in place, memory pooled, bounded and given back.
import { describe, expect, it } from 'vitest';
import { CODEC_NAMES, parityBytes } from '../../lib/codec/codec.ts';
import { codecOf } from '../../lib/codec/codecs.ts';
import { arenaOf } from '../../lib/codec/column-arena.ts';
import { allocateColumns, createColumnPool } from '../../lib/codec/group-memory.ts';
import { isKind } from '../../lib/foundation/errors.ts';
import { CODED_WINDOW_BYTES } from '../../lib/limits/bytes.ts';
import { randomColumns, sameBytes } from './reference.ts';

const MIB = 1024 * 1024;

const inPieces = (column: Uint8Array, bytes: number): Uint8Array[] =>
  Array.from({ length: Math.ceil(column.length / bytes) }, (_, i) => column.subarray(i * bytes, (i + 1) * bytes));

describe.each(CODEC_NAMES)('%s', (name) => {
  const codec = codecOf(name);
  const lengths = Array.from({ length: codec.dataColumns }, (_, i) => 70_001 - 997 * i);

  it('encodes what was placed, over the rests of an earlier group', () => {
    for (const seed of [1, 2]) {
      using group = allocateColumns(codec, 70_001 + 30_000 * seed);
      for (const column of group.data) column.fill(0xee);
      const data = randomColumns(codec.dataColumns, lengths, seed);
      for (const [i, bytes] of data.entries()) group.data[i]?.set(bytes);
      const parity = group.encode(lengths);
      const expected = codec.encode(data);
      expect(parity).toHaveLength(codec.parityColumns);
      parity.forEach((column, i) => {
        expect(sameBytes(column, expected[i] as Uint8Array)).toBe(true);
        expect(arenaOf(column)).toBe(arenaOf(group.data[0] as Uint8Array));
      });
    }
  });

  it('rebuilds lost columns where they were', () => {
    using group = allocateColumns(codec, 70_001);
    const data = randomColumns(codec.dataColumns, lengths, 3);
    for (const [i, bytes] of data.entries()) group.data[i]?.set(bytes);
    const parity = group.encode(lengths).map((column) => column.slice());
    const total = codec.dataColumns + codec.parityColumns;
    const lost = [0, total - 1].slice(0, Math.min(2, codec.parityColumns));
    if (codec.dataColumns > 1) for (const column of lost) (group.data[column] ?? group.parity.at(-1))?.fill(0x55);
    group.reconstruct(lengths, lost);
    data.forEach((bytes, i) => {
      expect(sameBytes((group.data[i] as Uint8Array).subarray(0, bytes.length), bytes)).toBe(true);
    });
    parity.forEach((bytes, i) => {
      expect(sameBytes((group.parity[i] as Uint8Array).subarray(0, bytes.length), bytes)).toBe(true);
    });
  });

  it('codes columns that lie in pieces, of any length, a window after the other', () => {
    const pool = createColumnPool();
    for (const seed of [4, 5]) {
      const longest = seed === 4 ? 200_003 : 3 * CODED_WINDOW_BYTES;
      const data = randomColumns(
        codec.dataColumns,
        Array.from({ length: codec.dataColumns }, (_, i) => (i === 1 ? 0 : longest - 30_001 * (i % 4))),
        seed,
      );
      const pieces = data.map((column, i) => inPieces(column, 1 + 9973 * (i + 1)));
      using coded = pool.parityOf(codec, pieces);
      const parity = coded.parity.map((column) => new Uint8Array(Buffer.concat(column)));
      const expected = codec.encode(data);
      expect(parity.map(({ length }) => length)).toEqual(expected.map(({ length }) => length));
      for (const [i, column] of parity.entries()) expect(sameBytes(column, expected[i] as Uint8Array)).toBe(true);
    }
    expect(pool.usage().usedBytes).toBe(0);
    // Less than the data columns would take; copies take nothing.
    expect(pool.usage().idleBytes).toBeLessThan(
      codec.dataColumns === 1 ? 1 : (codec.parityColumns + 3) * 230_000 + MIB,
    );
  });

  it('columns do not overlap, and have the size asked for', () => {
    using group = allocateColumns(codec, 1000);
    expect(group.data.map((column) => column.length)).toEqual(Array(codec.dataColumns).fill(1000));
    expect(group.parity.map((column) => column.length)).toEqual(Array(codec.parityColumns).fill(parityBytes(1000)));
    if (codec.dataColumns === 1) return;
    const columns = [...group.data, ...group.parity].sort((a, b) => a.byteOffset - b.byteOffset);
    for (const [i, column] of columns.entries()) {
      const next = columns[i + 1];
      if (next) expect(column.byteOffset + parityBytes(1000)).toBeLessThanOrEqual(next.byteOffset);
    }
  });
});

describe('the pool', () => {
  const codec = codecOf('rs-6-3');

  it('is bounded: more groups than fit wait', () => {
    const pool = createColumnPool({ bytesMax: 32 * MIB, idleBytesMax: 32 * MIB });
    const first = pool.allocate(codec, MIB);
    const second = pool.allocate(codec, MIB);
    let thrown: unknown;
    try {
      for (;;) pool.allocate(codec, MIB);
    } catch (error) {
      thrown = error;
    }
    expect(isKind(thrown, 'retry') && thrown.code).toBe('CODEC_MEMORY_FULL');
    expect(pool.usage().usedBytes).toBeLessThanOrEqual(32 * MIB);
    first.release();
    second.release();
    pool.allocate(codec, MIB).release();
  });

  it('reuses memory, and releasing twice is releasing once', () => {
    const pool = createColumnPool({ bytesMax: 64 * MIB, idleBytesMax: 64 * MIB });
    const group = pool.allocate(codec, MIB);
    const buffer = group.data[0]?.buffer;
    const { usedBytes } = pool.usage();
    group.release();
    group.release();
    expect(pool.usage()).toEqual({ usedBytes: 0, idleBytes: usedBytes });
    expect(pool.allocate(codec, MIB - 1000).data[0]?.buffer).toBe(buffer);
    expect(() => group.encode([0, 0, 0, 0, 0, 0])).toThrow('released');
  });

  it('grows with the groups: what is a little too small is no second one beside the next', () => {
    const pool = createColumnPool({ bytesMax: 64 * MIB, idleBytesMax: 64 * MIB });
    const small = pool.allocate(codec, MIB);
    const before = small.data[0]?.buffer;
    small.release();
    using group = pool.allocate(codec, 1.5 * MIB);
    expect(pool.usage().idleBytes).toBe(0);
    // Memory that has grown is another buffer, and the one it was is empty.
    expect([before?.byteLength, group.data[5]?.length]).toEqual([0, 1.5 * MIB]);
    const lengths = group.data.map((column, i) => column.fill(i + 1).length);
    const data = group.data.map((column) => column.slice());
    const parity = group.encode(lengths);
    expect(parity.map((column) => Buffer.from(column))).toEqual(
      codec.encode(data).map((column) => Buffer.from(column)),
    );
  });

  it('lets idle memory go when other sizes need the room, or when it is too much', () => {
    const pool = createColumnPool({ bytesMax: 32 * MIB, idleBytesMax: 16 * MIB });
    pool.allocate(codec, 2 * MIB).release();
    expect(pool.usage()).toEqual({ usedBytes: 0, idleBytes: 0 });
    pool.allocate(codec, MIB).release();
    expect(pool.usage().idleBytes).toBeGreaterThan(0);
    const large = pool.allocate(codec, 2.5 * MIB);
    expect(pool.usage().idleBytes).toBe(0);
    large.release();
  });
});
