// The estimate, on the kinds of bytes people store.
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { looksCompressible } from '../../lib/keys/compressibility.ts';

const randomness = new SeededRandomness(11);
const KIB = 1024;

describe('looksCompressible', () => {
  it.each([1000, 4 * KIB, 64 * KIB, 300 * KIB, 4 * KIB * KIB])(
    'says no to %d random bytes, and to packed ones',
    (bytes) => {
      expect(looksCompressible(randomness.bytes(bytes))).toBe(false);
      const packed = gzipSync(Buffer.from(randomness.bytes(bytes * 2)).toString('base64'));
      expect(looksCompressible(packed.subarray(0, bytes))).toBe(false);
    },
  );

  it.each([1000, 4 * KIB, 64 * KIB, 300 * KIB])('says yes to %d bytes that zstd shortens', (bytes) => {
    const pattern = randomness.bytes(200);
    const samples: Record<string, Uint8Array> = {
      zeros: new Uint8Array(bytes),
      text: Buffer.alloc(bytes, 'it was a dark and stormy night; the rain fell in torrents '),
      base64: Buffer.from(Buffer.from(randomness.bytes(bytes)).toString('base64').slice(0, bytes)),
      'seven bits': randomness.bytes(bytes).map((byte) => byte & 0x7f),
      'a random pattern, repeated': Buffer.alloc(bytes, pattern),
      counters: new Uint8Array(Uint32Array.from({ length: bytes / 4 }, (_, i) => i * 3).buffer),
    };
    for (const [name, sample] of Object.entries(samples)) expect(looksCompressible(sample), name).toBe(true);
  });

  it('keeps no memory of the block before', () => {
    const block = randomness.bytes(8 * KIB);
    looksCompressible(new Uint8Array(8 * KIB));
    for (let i = 0; i < 3; i++) expect(looksCompressible(block)).toBe(false);
  });

  it('answers for every length', () => {
    for (let bytes = 0; bytes < 2100; bytes++) expect(looksCompressible(new Uint8Array(bytes))).toBe(bytes >= 2);
  });
});
