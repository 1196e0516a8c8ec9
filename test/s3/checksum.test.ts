// The checksums of S3 by their check values, and those of uploads in parts against the whole.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ALGORITHMS,
  type Algorithm,
  checkedType,
  checkedValue,
  hasherOf,
  sumOfParts,
} from '../../lib/s3/body/checksum.ts';

async function sumOf(algorithm: Algorithm, ...pieces: Uint8Array[]): Promise<string> {
  const hasher = await hasherOf(algorithm);
  for (const piece of pieces) hasher.update(piece);
  return Buffer.from(hasher.digest()).toString('base64');
}

const hex = (base64: string): string => Buffer.from(base64, 'base64').toString('hex');

describe('checksums', () => {
  it.each([
    ['CRC32', 'cbf43926'],
    ['CRC32C', 'e3069283'],
    ['CRC64NVME', 'ae8b14860a799888'],
    ['SHA1', 'f7c3bc1d808e04732adf679965ccc34ca7ae3441'],
    ['SHA256', '15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225'],
  ] as const)('of %s are those of the standard', async (algorithm, sum) => {
    expect(hex(await sumOf(algorithm, Buffer.from('123456789')))).toBe(sum);
    expect(hex(await sumOf(algorithm, Buffer.from('1234'), Buffer.from('56789')))).toBe(sum);
  });

  it.each(['CRC32', 'CRC32C', 'CRC64NVME'] as const)('of parts make that of the whole: %s', async (algorithm) => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 3000 }), { minLength: 1, maxLength: 5 }), async (parts) => {
        const sums = await Promise.all(
          parts.map(async (part) => ({ value: await sumOf(algorithm, part), bytes: part.length })),
        );
        expect(await sumOfParts(algorithm, 'FULL_OBJECT', sums)).toBe(await sumOf(algorithm, ...parts));
      }),
      { numRuns: 60, seed: 5 },
    );
  });

  it('composite ones are of the checksums, and say of how many', async () => {
    const sums = [{ value: await sumOf('SHA256', Buffer.from('a')), bytes: 1 }];
    const whole = await sumOf('SHA256', Buffer.from(sums[0]?.value ?? '', 'base64'));
    expect(await sumOfParts('SHA256', 'COMPOSITE', sums)).toBe(`${whole}-1`);
  });

  it('are refused when they are not as long as they are', () => {
    for (const algorithm of ALGORITHMS)
      for (const value of ['', 'AAAA', 'not base64!', 'A'.repeat(1000)])
        expect(() => checkedValue(algorithm, value), `${algorithm} ${value}`).toThrow(
          expect.objectContaining({ code: 'InvalidRequest' }),
        );
  });

  it('have the types that S3 gives them', () => {
    expect([checkedType('CRC32', undefined), checkedType('CRC64NVME', undefined)]).toEqual([
      'COMPOSITE',
      'FULL_OBJECT',
    ]);
    expect(checkedType('CRC32C', 'FULL_OBJECT')).toBe('FULL_OBJECT');
    for (const [algorithm, type] of [
      ['SHA1', 'FULL_OBJECT'],
      ['CRC64NVME', 'COMPOSITE'],
      ['CRC32', 'x'],
    ] as const)
      expect(() => checkedType(algorithm, type)).toThrow(expect.objectContaining({ code: 'InvalidRequest' }));
  });
});
