// The system's randomness comes out of a pool: nothing of it is given twice, and nobody has another's memory.
import { expect, it } from 'vitest';
import { systemRandomness } from '../../lib/foundation/randomness.ts';

/** Of the pool, and of what comes out of it. */
const POOL_BYTES = 4096;
const POOLED_BYTES = 64;

it('gives as many bytes as are asked for, all of them random, past the end of the pool too', () => {
  const lengths = [1, 7, 16, POOLED_BYTES, POOLED_BYTES + 1, POOL_BYTES + 1, 0];
  for (const length of lengths) expect(systemRandomness.bytes(length)).toHaveLength(length);
  const seen = new Set<string>();
  const rounds = Math.ceil((3 * POOL_BYTES) / 24);
  for (let i = 0; i < rounds; i++) seen.add(Buffer.from(systemRandomness.bytes(24)).toString('hex'));
  expect(seen.size).toBe(rounds);
  const ones = Buffer.concat(Array.from({ length: 2000 }, () => systemRandomness.bytes(8)));
  const share = ones.reduce((sum, byte) => sum + byte.toString(2).replaceAll('0', '').length, 0) / (ones.length * 8);
  expect(share).toBeGreaterThan(0.48);
  expect(share).toBeLessThan(0.52);
});

it('gives memory that is nobody else’s', () => {
  const first = systemRandomness.bytes(16);
  const before = Buffer.from(first).toString('hex');
  const second = systemRandomness.bytes(16);
  second.fill(0);
  systemRandomness.bytes(16);
  expect(Buffer.from(first).toString('hex')).toBe(before);
  expect(first.buffer).not.toBe(second.buffer);
  expect(first.buffer.byteLength).toBe(16);
});
