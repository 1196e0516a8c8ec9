// The directory pack: what is packed is found again, from the head alone; and nothing that contradicts itself is believed.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeBucketDirectory, parseBucketDirectory, type SlotLocation } from '../../lib/format/bucket-directory.ts';
import {
  encodeDirectoryPack,
  PACK_HEADER_BYTES,
  packedBytes,
  parsePackHeader,
  parsePackIndex,
} from '../../lib/format/directory-pack.ts';
import { bucketId, hexOf } from '../../lib/foundation/ids.ts';
import { codeOf, withCrcAt } from './damage.ts';
import { BUCKET_A, BUCKET_B, sampleDirectoryPack, samplePackOwner } from './samples.ts';

const location = fc.record<SlotLocation>({
  sequence: fc.integer({ min: 1, max: 5 }),
  token: fc.constant(7),
  column: fc.integer({ min: 0, max: 15 }),
  offset: fc.integer({ min: 0, max: 2 ** 40 - 1 }),
  length: fc.integer({ min: 48, max: 4_194_368 }),
});
const buckets = fc.dictionary(
  fc.stringMatching(/^[0-9a-f]{16}$/),
  fc.dictionary(fc.integer({ min: 0, max: 300 }).map(String), location, { maxKeys: 8 }),
  { maxKeys: 6, noNullPrototype: true },
);

describe('a directory pack', () => {
  it('gives back every directory, in one encoding, and is never longer than was reckoned', () => {
    fc.assert(
      fc.property(buckets, (drawn) => {
        const given = Object.entries(drawn).map(([id, slots]) => ({
          bucket: bucketId(id),
          entries: Object.entries(slots).map(([slot, place]) => [Number(slot), place] as const),
        }));
        const encoded = given.map(
          ({ bucket, entries }) => [bucket, encodeBucketDirectory({ ...samplePackOwner, bucket, entries })] as const,
        );
        const bytes = Buffer.concat(encodeDirectoryPack(samplePackOwner, encoded));
        expect(hexOf(Buffer.concat(encodeDirectoryPack(samplePackOwner, encoded.toReversed())))).toBe(hexOf(bytes));
        const header = parsePackHeader(bytes.subarray(0, PACK_HEADER_BYTES), samplePackOwner);
        expect(header.totalBytes).toBe(bytes.length);
        const index = parsePackIndex(header, bytes.subarray(0, header.headBytes));
        expect(index.map(({ bucket }) => bucket)).toEqual(given.map(({ bucket }) => bucket).toSorted());
        for (const { bucket, offset, length } of index) {
          const parsed = parseBucketDirectory(bytes.subarray(offset, offset + length), { ...samplePackOwner, bucket });
          const expected = given.find((one) => one.bucket === bucket)?.entries ?? [];
          expect(new Map(parsed.entries)).toEqual(new Map(expected));
        }
        const reckoned = given.map(({ entries }) => {
          const slots = entries.map(([slot]) => slot);
          const span = slots.length === 0 ? 0 : Math.max(...slots) + 1 - Math.min(...slots);
          return packedBytes(span, new Set(entries.map(([, { sequence }]) => sequence)).size);
        });
        expect(bytes.length).toBe(reckoned.reduce((sum, one) => sum + one, PACK_HEADER_BYTES));
      }),
      { numRuns: 300 },
    );
  });

  it('says whose it is', () => {
    const pack = sampleDirectoryPack();
    expect(codeOf(() => parsePackHeader(pack, samplePackOwner))).toBeUndefined();
    for (const [field, value] of [
      ['storeId', 'ff'.repeat(16)],
      ['volumeId', 'ff'.repeat(8)],
      ['generation', 3],
    ] as const)
      expect(codeOf(() => parsePackHeader(pack, { [field]: value }))).toBe('DIRECTORY_FOREIGN');
  });

  it('asserts each bucket once', () => {
    const directory = encodeBucketDirectory({ ...samplePackOwner, bucket: BUCKET_A, entries: [] });
    const twice = [BUCKET_A, BUCKET_A].map((bucket) => [bucket, directory] as const);
    expect(() => encodeDirectoryPack(samplePackOwner, twice)).toThrow(/twice/);
  });
});

/** As a forger would: the checksums of index and header are right. */
function forged(change: (view: Buffer) => void): string | undefined {
  const view = Buffer.from(sampleDirectoryPack());
  change(view);
  view.writeUInt32LE(withCrcAt(view.subarray(64, 96), 32).readUInt32LE(32), 48);
  const bytes = withCrcAt(view, 60);
  return codeOf(() => parsePackIndex(parsePackHeader(bytes), bytes));
}

describe('a forged directory pack', () => {
  it('is accepted when nothing else is wrong', () => {
    expect(forged(() => {})).toBeUndefined();
  });

  it.each<[string, (view: Buffer) => void]>([
    ['no magic', (v) => v.writeUInt8(0, 0)],
    ['unused bytes after the version', (v) => v.writeUInt8(1, 7)],
    ['unused bytes at the end of the header', (v) => v.writeUInt8(1, 59)],
    ['a generation of 2^53', (v) => v.writeUInt32LE(0x20_0000, 36)],
    ['four billion buckets', (v) => v.writeUInt32LE(0xffff_ffff, 40)],
    ['more buckets than bytes', (v) => v.writeUInt32LE(65_536, 40)],
    ['buckets left out', (v) => v.writeUInt32LE(0, 40)],
    ['a pack longer than its directories', (v) => v.writeUInt32LE(v.readUInt32LE(44) + 1, 44)],
    ['a pack shorter than its directories', (v) => v.writeUInt32LE(v.readUInt32LE(44) - 1, 44)],
    ['a bucket twice', (v) => v.copy(v, 80, 64, 72)],
    ['buckets in descending order', (v) => v.writeUInt8(0xff, 64)],
    ['directories that overlap', (v) => v.writeUInt32LE(v.readUInt32LE(88) - 1, 88)],
    ['a gap between directories', (v) => v.writeUInt32LE(v.readUInt32LE(88) + 1, 88)],
    ['a directory in the index', (v) => v.writeUInt32LE(64, 72)],
    ['a directory beyond the end', (v) => v.writeUInt32LE(0xffff_fff0, 92)],
    ['a directory shorter than any', (v) => v.writeUInt32LE(67, 92)],
  ])('with %s is refused', (_, change) => {
    expect(forged(change)).toBe('DIRECTORY_MALFORMED');
  });

  it('of a version to come is named as one, and a damaged version byte as damage', () => {
    expect(forged((v) => v.writeUInt8(2, 4))).toBe('DIRECTORY_VERSION');
    const damaged = Buffer.from(sampleDirectoryPack());
    damaged[4] = 2;
    expect(codeOf(() => parsePackHeader(damaged))).toBe('DIRECTORY_MALFORMED');
  });

  it('whose index is cut is refused', () => {
    const pack = sampleDirectoryPack();
    const header = parsePackHeader(pack);
    for (let length = 0; length < header.headBytes; length++)
      expect(codeOf(() => parsePackIndex(header, pack.subarray(0, length)))).toBe('DIRECTORY_MALFORMED');
    expect(parsePackIndex(header, pack.subarray(0, header.headBytes)).at(-1)?.bucket).toBe(BUCKET_B);
  });
});
