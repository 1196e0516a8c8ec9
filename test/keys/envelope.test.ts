// The envelope: round trips, every single bit of a small record and its wrapped key, and forgeries by somebody who has the keys.
import { createCipheriv } from 'node:crypto';
import { zstdCompressSync } from 'node:zlib';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildRecord, parseRecord, RECORD_TAG_BYTES, recordAad } from '../../lib/format/record.ts';
import { AssertionError } from '../../lib/foundation/assert.ts';
import { newRecordId } from '../../lib/foundation/ids.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import {
  blockIdInPool,
  blockIdOf,
  type ExpectedBlock,
  openBlock,
  openBlockInPool,
  type SealedBlock,
  sealBlock,
  sealBlockInPool,
  unwrapBek,
  WRAPPED_BEK_BYTES,
  wrapBek,
} from '../../lib/keys/envelope.ts';

const MIB = 1024 * 1024;
const kek = { version: 3, key: new SeededRandomness(99).bytes(32) };
const blockCorrupt = expect.objectContaining({ name: 'PocketfulError', kind: 'corrupt', code: 'BLOCK_CORRUPT' });
const kekWrong = expect.objectContaining({ name: 'PocketfulError', kind: 'denied', code: 'KEK_WRONG' });
const random = (seed: number, bytes: number): Uint8Array => new SeededRandomness(seed).bytes(bytes);
const prose = (bytes: number): Uint8Array => Buffer.alloc(bytes, 'the quick brown fox jumps over the lazy dog; ');
const expected = (sealed: SealedBlock, plaintext: Uint8Array): ExpectedBlock => ({
  recordId: sealed.recordId,
  blockId: blockIdOf(plaintext),
});
const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;
const thrownBy = (call: () => unknown): unknown => {
  try {
    call();
  } catch (error) {
    return error;
  }
  return undefined;
};
const flipped = (bytes: Uint8Array, bit: number): Uint8Array => {
  const copy = Uint8Array.from(bytes);
  copy[bit >> 3]! ^= 1 << (bit & 7);
  return copy;
};

describe('sealBlock and openBlock', () => {
  it('give back any block, in the thread pool or not', () =>
    fc.assert(
      fc.asyncProperty(
        fc.nat({ max: 40_000 }),
        fc.nat({ max: 255 }),
        fc.nat({ max: 1000 }),
        async (bytes, alphabet, seed) => {
          const plaintext = random(seed, bytes).map((byte) => byte % (alphabet + 1));
          const sealed = sealBlock(plaintext, new SeededRandomness(seed), kek);
          const want = expected(sealed, plaintext);
          expect(sealed.kekVersion).toBe(3);
          expect(sealed.wrappedBek.byteLength).toBe(WRAPPED_BEK_BYTES);
          expect(same(openBlock(sealed.record, sealed.wrappedBek, kek.key, want), plaintext)).toBe(true);
          expect(same(await openBlockInPool(sealed.record, sealed.wrappedBek, kek.key, want), plaintext)).toBe(true);
        },
      ),
      { numRuns: 200 },
    ));

  it.each([
    ['prose', prose(4 * MIB)],
    ['random', random(5, 4 * MIB)],
    ['prose of the pool size', prose(256 * 1024)],
  ])('give back a large block of %s, sealed by the pool or without', async (_, plaintext) => {
    const sealed = sealBlock(plaintext, new SeededRandomness(1), kek);
    const pooled = await sealBlockInPool(plaintext, new SeededRandomness(1), kek);
    const again = await sealBlockInPool(plaintext, new SeededRandomness(1), kek);
    expect(same(again.record, pooled.record)).toBe(true);
    expect(await blockIdInPool(plaintext)).toBe(blockIdOf(plaintext));
    const want = expected(sealed, plaintext);
    for (const { record, wrappedBek } of [sealed, pooled]) {
      expect(same(openBlock(record, wrappedBek, kek.key, want), plaintext)).toBe(true);
      expect(same(await openBlockInPool(record, wrappedBek, kek.key, want), plaintext)).toBe(true);
    }
  });

  it('compress what a sample says is worth it, and keep nothing that gains under 3 %', () => {
    const header = (plaintext: Uint8Array) =>
      parseRecord(sealBlock(plaintext, new SeededRandomness(1), kek).record).header;
    for (const bytes of [1000, 20_000, 300_000, 4 * MIB]) {
      expect(header(prose(bytes))).toMatchObject({ compressed: true, plaintextBytes: bytes });
      expect(header(random(7, bytes))).toMatchObject({ compressed: false, bodyBytes: bytes + RECORD_TAG_BYTES });
    }
    const hardlyWorthIt = Buffer.concat([random(7, 9800), Buffer.alloc(200)]);
    expect(header(hardlyWorthIt).compressed).toBe(false);
    expect(header(new Uint8Array()).compressed).toBe(false);
  });

  it('are deterministic given the randomness, and never reuse a key', () => {
    const plaintext = prose(500);
    const seal = (seed: number): SealedBlock => sealBlock(plaintext, new SeededRandomness(seed), kek);
    expect(seal(1)).toEqual(seal(1));
    const randomness = new SeededRandomness(1);
    const [first, second] = [sealBlock(plaintext, randomness, kek), sealBlock(plaintext, randomness, kek)];
    expect(first.recordId).not.toBe(second.recordId);
    expect(unwrapBek(first.wrappedBek, kek.key)).not.toEqual(unwrapBek(second.wrappedBek, kek.key));
  });

  it('leave no plaintext, no hash of it and no key in the record', () => {
    for (const plaintext of [random(3, 5000), prose(5000)]) {
      const sealed = sealBlock(plaintext, new SeededRandomness(1), kek);
      const record = Buffer.from(sealed.record);
      const shown = (bytes: Uint8Array): boolean => record.includes(Buffer.from(bytes));
      const secrets = [unwrapBek(sealed.wrappedBek, kek.key), kek.key, Buffer.from(blockIdOf(plaintext), 'hex')];
      for (const secret of secrets)
        for (let i = 0; i + 8 <= secret.byteLength; i++) expect(shown(secret.subarray(i, i + 8))).toBe(false);
      for (let i = 0; i + 8 <= plaintext.byteLength; i += 3) expect(shown(plaintext.subarray(i, i + 8))).toBe(false);
    }
  });

  it('refuse a block over 4 MiB and keys of another length', () => {
    const randomness = new SeededRandomness(1);
    expect(() => sealBlock(new Uint8Array(4 * MIB + 1), randomness, kek)).toThrow(AssertionError);
    expect(() => sealBlock(new Uint8Array(1), randomness, { version: 1, key: new Uint8Array(16) })).toThrow(
      AssertionError,
    );
  });
});

describe('openBlock', () => {
  const plaintext = prose(60);
  const sealed = sealBlock(plaintext, new SeededRandomness(1), kek);
  const want = expected(sealed, plaintext);
  const open = (record: Uint8Array, wrappedBek = sealed.wrappedBek, key = kek.key, of = want): unknown =>
    thrownBy(() => openBlock(record, wrappedBek, key, of));

  it('finds every flipped bit of the record', () => {
    for (let bit = 0; bit < sealed.record.byteLength * 8; bit++)
      expect(open(flipped(sealed.record, bit)), `bit ${bit}`).toEqual(blockCorrupt);
  });

  it('finds every flipped bit that has a matching checksum', () => {
    const { header, body } = parseRecord(sealed.record);
    for (let bit = 0; bit < body.byteLength * 8; bit++)
      expect(open(buildRecord(header, flipped(body, bit))), `bit ${bit}`).toEqual(blockCorrupt);
    const shorter = { ...header, plaintextBytes: header.plaintextBytes - 1 };
    for (const otherwise of [shorter, { ...header, compressed: !header.compressed }])
      expect(open(buildRecord(otherwise, body))).toEqual(blockCorrupt);
  });

  it('finds every flipped bit of the wrapped key', () => {
    for (let bit = 0; bit < WRAPPED_BEK_BYTES * 8; bit++)
      expect(open(sealed.record, flipped(sealed.wrappedBek, bit)), `bit ${bit}`).toEqual(kekWrong);
  });

  it('finds every truncation, and anything appended', () => {
    for (let bytes = 0; bytes < sealed.record.byteLength; bytes++)
      expect(open(sealed.record.subarray(0, bytes))).toEqual(blockCorrupt);
    expect(open(Buffer.concat([sealed.record, Buffer.alloc(1)]))).toEqual(blockCorrupt);
    for (let bytes = 0; bytes < WRAPPED_BEK_BYTES; bytes += 8)
      expect(open(sealed.record, sealed.wrappedBek.subarray(0, bytes))).toEqual(kekWrong);
  });

  it('refuses another KEK, another wrapped key, another record id and another block id', () => {
    const other = sealBlock(plaintext, new SeededRandomness(2), kek);
    expect(open(sealed.record, sealed.wrappedBek, random(4, 32))).toEqual(kekWrong);
    expect(open(sealed.record, other.wrappedBek)).toEqual(blockCorrupt);
    expect(open(other.record, other.wrappedBek)).toEqual(blockCorrupt);
    expect(open(other.record, other.wrappedBek, kek.key, { ...want, recordId: other.recordId })).toBeUndefined();
    const ofAnother = { ...want, blockId: blockIdOf(prose(61)) };
    expect(open(sealed.record, sealed.wrappedBek, kek.key, ofAnother)).toEqual(blockCorrupt);
  });

  it('refuses a record whose header was put before the body of another', () => {
    const other = sealBlock(prose(60), new SeededRandomness(2), kek);
    const grafted = buildRecord(parseRecord(sealed.record).header, parseRecord(other.record).body);
    expect(open(grafted, other.wrappedBek)).toEqual(blockCorrupt);
  });
});

describe('openBlock, given a forgery by somebody who has the keys', () => {
  const bek = random(8, 32);
  const wrappedBek = wrapBek(bek, kek.key);
  const recordId = newRecordId(new SeededRandomness(9));

  function forged(content: Uint8Array, plaintextBytes: number): Uint8Array {
    const header = { recordId, compressed: true, plaintextBytes, bodyBytes: content.byteLength + RECORD_TAG_BYTES };
    const cipher = createCipheriv('aes-256-gcm', bek, Buffer.alloc(12));
    cipher.setAAD(recordAad(header));
    return buildRecord(header, Buffer.concat([cipher.update(content), cipher.final(), cipher.getAuthTag()]));
  }
  const open = async (record: Uint8Array, block: Uint8Array = new Uint8Array()): Promise<unknown[]> => {
    const want = { recordId, blockId: blockIdOf(block) };
    const pooled = await openBlockInPool(record, wrappedBek, kek.key, want).catch((error) => error);
    return [thrownBy(() => openBlock(record, wrappedBek, kek.key, want)), pooled];
  };

  it('stops a zstd bomb at the declared length', async () => {
    const bomb = zstdCompressSync(Buffer.alloc(512 * MIB)); // about 16 KiB
    for (const declared of [bomb.byteLength, 300_000, 4 * MIB]) {
      const before = process.memoryUsage();
      for (const error of await open(forged(bomb, declared))) expect(error).toEqual(blockCorrupt);
      const after = process.memoryUsage();
      const grownBytes = after.rss - before.rss;
      expect(grownBytes).toBeLessThan(64 * MIB);
    }
  });

  it('refuses less plaintext than declared, and bytes that are no zstd frame', async () => {
    for (const error of await open(forged(zstdCompressSync(prose(100)), 101), prose(100)))
      expect(error).toEqual(blockCorrupt);
    for (const error of await open(forged(random(2, 50), 100))) expect(error).toEqual(blockCorrupt);
    for (const error of await open(forged(zstdCompressSync(prose(300_000)), 300_001)))
      expect(error).toEqual(blockCorrupt);
  });
});

describe('wrapBek', () => {
  it('is RFC 3394 (its test vector of 256 bits under 256 bits)', () => {
    const key = Buffer.from('000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F', 'hex');
    const data = Buffer.from('00112233445566778899AABBCCDDEEFF000102030405060708090A0B0C0D0E0F', 'hex');
    const wrapped = '28C9F404C4B810F4CBCCB35CFB87F8263F5786E2D80ED326CBC7F0E71A99F43BFB988B9B7A02DD21';
    expect(Buffer.from(wrapBek(data, key)).toString('hex').toUpperCase()).toBe(wrapped);
    expect(same(unwrapBek(Buffer.from(wrapped, 'hex'), key), data)).toBe(true);
  });
});
