// The two directories: round trips, canonical bytes, and every inconsistency that a right checksum does not exclude.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  BucketDirectory,
  encodeBucketDirectory,
  parseBucketDirectory,
  type SlotLocation,
} from '../../lib/format/bucket-directory.ts';
import { encodeGroupDirectory, type GroupEntry, parseGroupDirectory } from '../../lib/format/group-directory.ts';
import { layOut } from '../../lib/format/placement.ts';
import { RECORD_BYTES_MAX } from '../../lib/format/record.ts';
import { bucketId, hexOf, newBucketId, newRecordId, storeId, volumeId } from '../../lib/foundation/ids.ts';
import { SeededRandomness, shuffled } from '../../lib/foundation/randomness.ts';
import { codeOf, withCrcAt, withU32 } from './damage.ts';
import { BUCKET_A, BUCKET_B, sampleBucketDirectory, sampleGroup, withParity } from './samples.ts';

const CODEC = 'rs-6-3';

/** A group of random records of up to four buckets, laid out over six columns. */
function randomGroup(seed: number, records: number): { entries: GroupEntry[]; columnBytes: number[] } {
  const randomness = new SeededRandomness(seed);
  const buckets = Array.from({ length: 4 }, () => ({
    bucket: newBucketId(randomness),
    move: randomness.below(2 ** 32),
  }));
  const lengths = Array.from({ length: records }, () => ({ length: 48 + randomness.below(5000) }));
  const layout = layOut(lengths, 6, [0, 0, 0, 0, 0, 0]);
  const entries = lengths.map(({ length }, i) => ({
    ...(buckets[randomness.below(4)] as (typeof buckets)[number]),
    slot: 65_535 - i,
    recordId: newRecordId(randomness),
    column: layout.column[i] as number,
    offset: layout.offset[i] as number,
    length,
  }));
  return { entries, columnBytes: withParity(CODEC, layout.columnBytes) };
}

const bySlot = (a: GroupEntry, b: GroupEntry): number =>
  a.bucket < b.bucket ? -1 : a.bucket > b.bucket ? 1 : a.slot - b.slot;

describe('group directory', () => {
  it('round-trips, and its bytes do not depend on the order of the entries', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 60 }), (seed, records) => {
        const { entries, columnBytes } = randomGroup(seed, records);
        const bytes = encodeGroupDirectory(entries);
        expect(parseGroupDirectory(bytes, { codec: CODEC, columnBytes })).toEqual([...entries].sort(bySlot));
        const reordered = encodeGroupDirectory(shuffled(entries, new SeededRandomness(seed)));
        expect(hexOf(reordered)).toBe(hexOf(bytes));
      }),
    );
  });

  it('may be empty', () => {
    const bytes = encodeGroupDirectory([]);
    expect(parseGroupDirectory(bytes, { codec: 'single', columnBytes: [48] })).toEqual([]);
  });

  const { entries } = sampleGroup();
  const [first, second, third] = entries as [GroupEntry, GroupEntry, GroupEntry];
  const header = { codec: 'xor-2-1', columnBytes: withParity('xor-2-1', [100, 109]) } as const;
  const parsed = (changed: readonly GroupEntry[]): string | undefined =>
    codeOf(() => parseGroupDirectory(encodeGroupDirectory(changed), header));

  it('accepts the sample (the refusals below differ in one thing)', () => {
    expect(parsed(entries)).toBeUndefined();
  });

  it.each<[string, GroupEntry[]]>([
    ['a record beyond its column', [first, second, { ...third, offset: 1 }]],
    ['a record in a parity column', [first, second, { ...third, column: 2 }]],
    ['a record in no column', [first, second, { ...third, column: 200 }]],
    ['overlapping records', [first, { ...second, offset: first.length - 1 }, third]],
    ['a record within another', [{ ...first, length: 100 }, second, third]],
    ['a record shorter than any', [{ ...first, length: 47 }, second, third]],
    ['an offset near 2^32', [first, second, { ...third, offset: 0xffff_ffff }]],
  ])('refuses %s', (_, changed) => {
    expect(parsed(changed)).toBe('DIRECTORY_MALFORMED');
  });

  it('refuses a record longer than any, though its column has room', () => {
    const columnBytes = withParity('xor-2-1', [100, 2 * RECORD_BYTES_MAX]);
    const at = (length: number): string | undefined =>
      codeOf(() =>
        parseGroupDirectory(withU32(encodeGroupDirectory([third]), 20 + 25, length), { codec: 'xor-2-1', columnBytes }),
      );
    expect(at(RECORD_BYTES_MAX)).toBeUndefined();
    expect(at(RECORD_BYTES_MAX + 1)).toBe('DIRECTORY_MALFORMED');
  });

  it('refuses duplicates, disorder and wrong counts', () => {
    const bytes = encodeGroupDirectory(entries);
    const refused = (changed: Uint8Array): string | undefined => codeOf(() => parseGroupDirectory(changed, header));
    const slotAt = (i: number): number => 4 + 16 + 29 * i + 16;
    expect(refused(withU32(bytes, slotAt(1), 5))).toBe('DIRECTORY_MALFORMED'); // the slot before it again
    expect(refused(withU32(bytes, slotAt(1), 4))).toBe('DIRECTORY_MALFORMED'); // descending
    expect(refused(withU32(bytes, slotAt(1), 65_536))).toBe('DIRECTORY_MALFORMED');
    expect(refused(withU32(bytes, 0, 1))).toBe('DIRECTORY_MALFORMED'); // bytes left over
    expect(refused(withU32(bytes, 0, 3))).toBe('DIRECTORY_MALFORMED'); // a bucket too many
    expect(refused(withU32(bytes, 16, 1))).toBe('DIRECTORY_MALFORMED'); // a record too few
    expect(refused(withU32(bytes, 0, 0xffff_ffff))).toBe('DIRECTORY_MALFORMED');
    expect(refused(withU32(bytes, 16, 0xffff_ffff))).toBe('DIRECTORY_MALFORMED');
    expect(refused(withU32(bytes, 16, 0))).toBe('DIRECTORY_MALFORMED');
    const bare = withU32(encodeGroupDirectory([first]).subarray(0, 20), 16, 0);
    expect(refused(bare)).toBe('DIRECTORY_MALFORMED'); // a bucket without records
    const twice = Buffer.from(bytes);
    Buffer.from(BUCKET_A, 'hex').copy(twice, bytes.length - 29 - 16);
    expect(refused(twice)).toBe('DIRECTORY_MALFORMED'); // a bucket again
  });

  it('asserts one move number for each bucket and each slot once', () => {
    expect(() => encodeGroupDirectory([first, { ...second, move: 1 }])).toThrow(/two move numbers/);
    expect(() => encodeGroupDirectory([first, { ...second, slot: 5 }])).toThrow(/twice/);
    expect(() => encodeGroupDirectory([{ ...first, slot: 65_536 }])).toThrow(/slot/);
  });
});

const locations = fc.record({
  sequence: fc.nat(40),
  column: fc.nat(15),
  offset: fc.nat(0xff_ffff_ffff),
  length: fc.integer({ min: 48, max: RECORD_BYTES_MAX }),
});
/** A token follows from the sequence: an append has one. */
const tokenOf = (sequence: number): number => sequence * 0x1_0000_0001;
const directories = fc.array(fc.tuple(fc.nat(65_535), locations), { maxLength: 50 }).map((pairs) => ({
  ...sampleBucketDirectory,
  entries: new Map<number, SlotLocation>(
    pairs.map(([slot, location]) => [slot, { ...location, token: tokenOf(location.sequence) }]),
  ),
}));

describe('bucket directory', () => {
  it('round-trips, finds every slot and no other, and encodes the same again', () => {
    fc.assert(
      fc.property(directories, fc.nat(65_540), (directory, other) => {
        const bytes = encodeBucketDirectory(directory);
        const parsed = parseBucketDirectory(bytes, directory);
        expect(new Map(parsed.entries)).toEqual(directory.entries);
        for (const slot of directory.entries.keys()) expect(parsed.find(slot)).toEqual(directory.entries.get(slot));
        expect(parsed.find(other)).toEqual(directory.entries.get(other));
        expect(hexOf(encodeBucketDirectory(parsed))).toBe(hexOf(bytes));
      }),
    );
  });

  it('has 16 bytes for each slot of the range, 12 for each group, 68 besides', () => {
    const bytes = encodeBucketDirectory(sampleBucketDirectory);
    expect(bytes.byteLength).toBe(68 + 5 * 16 + 2 * 12);
    const parsed = parseBucketDirectory(bytes);
    expect(parsed).toBeInstanceOf(BucketDirectory);
    expect([parsed.firstSlot, parsed.slotCount]).toEqual([5, 5]);
    expect([parsed.find(4), parsed.find(7), parsed.find(10), parsed.find(-1), parsed.find(5.5)]).toEqual(
      Array(5).fill(undefined),
    );
  });

  it('may be empty', () => {
    const parsed = parseBucketDirectory(encodeBucketDirectory({ ...sampleBucketDirectory, entries: [] }));
    expect([...parsed.entries]).toEqual([]);
    expect(parsed.find(0)).toBeUndefined();
  });

  it('does not change when the bytes it came from do', () => {
    const bytes = encodeBucketDirectory(sampleBucketDirectory);
    const parsed = parseBucketDirectory(bytes);
    bytes.fill(0);
    expect(new Map(parsed.entries)).toEqual(sampleBucketDirectory.entries);
  });

  it('of another store, volume, generation or bucket is foreign, by name', () => {
    const bytes = encodeBucketDirectory(sampleBucketDirectory);
    const others = {
      storeId: storeId('ff'.repeat(16)),
      volumeId: volumeId('ff'.repeat(8)),
      generation: 1,
      bucket: bucketId('ff'.repeat(8)),
    };
    for (const [field, value] of Object.entries(others)) {
      expect(codeOf(() => parseBucketDirectory(bytes, { [field]: value }))).toBe('DIRECTORY_FOREIGN');
      expect(() => parseBucketDirectory(bytes, { [field]: value })).toThrow(`has ${field} `);
    }
  });

  const TABLE_AT = 64 + 2 * 12;
  const forged = (change: (view: Buffer) => void): string | undefined => {
    const view = Buffer.from(encodeBucketDirectory(sampleBucketDirectory));
    change(view);
    return codeOf(() => parseBucketDirectory(withCrcAt(view, view.length - 4)));
  };

  it('is accepted when its checksum is recomputed (the forgeries below differ in one thing)', () => {
    expect(forged(() => {})).toBeUndefined();
  });

  it.each<[string, (view: Buffer) => void]>([
    ['no magic', (v) => v.writeUInt8(0, 0)],
    ['unused bytes after the version', (v) => v.writeUInt8(1, 5)],
    ['unused bytes at the end of the header', (v) => v.writeUInt8(1, 60)],
    ['a generation of 2^53', (v) => v.writeUInt32LE(0x20_0000, 44)],
    ['slots beyond 65,535', (v) => v.writeUInt32LE(65_532, 48)],
    ['more slots than bytes', (v) => v.writeUInt32LE(6, 52)],
    ['four billion slots', (v) => v.writeUInt32LE(0xffff_ffff, 52)],
    ['four billion tokens', (v) => v.writeUInt32LE(0xffff_ffff, 56)],
    ['a sequence twice', (v) => v.writeUInt32LE(41, 64 + 12) && v.writeUInt32LE(41, TABLE_AT + 4 * 16 + 10)],
    ['a token of 2^53', (v) => v.writeUInt32LE(0x20_0000, 64 + 8)],
    ['a sequence without a token', (v) => v.writeUInt32LE(43, TABLE_AT + 4 * 16 + 10)],
    ['a token no slot uses', (v) => v.writeUInt32LE(41, TABLE_AT + 4 * 16 + 10)],
    ['a first slot that is absent', (v) => v.fill(0, TABLE_AT, TABLE_AT + 16)],
    [
      'a last slot that is absent',
      (v) => v.fill(0, TABLE_AT + 64, TABLE_AT + 80).writeUInt32LE(44, TABLE_AT + 16 + 10),
    ],
    ['an absent slot with a place', (v) => v.writeUInt8(1, TABLE_AT + 2 * 16)],
    ['unknown flags', (v) => v.writeUInt16LE(3, TABLE_AT + 14)],
    ['column 16', (v) => v.writeUInt8(16, TABLE_AT)],
    ['a record shorter than any', (v) => v.writeUInt32LE(47, TABLE_AT + 6)],
    ['a record longer than any', (v) => v.writeUInt32LE(RECORD_BYTES_MAX + 1, TABLE_AT + 6)],
  ])('refuses %s though its checksum is right', (_, change) => {
    expect(forged(change)).toBe('DIRECTORY_MALFORMED');
  });

  it('refuses a version it does not know, and takes a damaged version byte for damage', () => {
    expect(forged((v) => v.writeUInt8(2, 4))).toBe('DIRECTORY_VERSION');
    const damaged = Buffer.from(encodeBucketDirectory(sampleBucketDirectory));
    damaged[4] = 2;
    expect(codeOf(() => parseBucketDirectory(damaged))).toBe('DIRECTORY_MALFORMED');
  });

  it('asserts one token for each sequence and each slot once', () => {
    const at = sampleBucketDirectory.entries as Map<number, SlotLocation>;
    const five = at.get(5) as SlotLocation;
    const encoded = (entries: [number, SlotLocation][]) => () =>
      encodeBucketDirectory({ ...sampleBucketDirectory, entries });
    expect(
      encoded([
        [5, five],
        [6, { ...five, token: 1 }],
      ]),
    ).toThrow(/two tokens/);
    expect(
      encoded([
        [5, five],
        [5, five],
      ]),
    ).toThrow(/twice/);
    expect(encoded([[65_536, five]])).toThrow(/slot/);
    expect(encoded([[5, { ...five, column: 16 }]])).toThrow(/column/);
  });

  it('of a bucket of 65,536 slots takes 1 MiB on the drive and in memory', () => {
    const entries = Array.from({ length: 65_536 }, (_, slot): [number, SlotLocation] => [
      slot,
      { sequence: slot >> 8, token: slot >> 8, column: slot % 12, offset: slot * 64, length: 64 },
    ]);
    const bytes = encodeBucketDirectory({ ...sampleBucketDirectory, bucket: BUCKET_B, entries });
    expect(bytes.byteLength).toBe(68 + 65_536 * 16 + 256 * 12);
    const parsed = parseBucketDirectory(bytes);
    expect(parsed.find(65_535)).toEqual(entries[65_535]?.[1]);
    expect(parsed.memoryBytes).toBeLessThan(1.1 * 1024 * 1024);
  });
});
