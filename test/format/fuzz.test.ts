// Hostile bytes: every flipped bit, every cut, noise, and damage behind right checksums. Nothing but a PocketfulError is
// thrown, nothing hangs, and nothing is allocated on the word of a length.
import { describe, expect, it } from 'vitest';
import { encodeGroupDirectory, parseGroupDirectory } from '../../lib/format/group-directory.ts';
import { hexOf } from '../../lib/foundation/ids.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { codeOf, flipped, withU32 } from './damage.ts';
import { FUZZ_TARGETS, fuzzInput } from './fuzz.ts';
import { sampleGroup } from './samples.ts';

const RUNS = 20_000;

describe.each(FUZZ_TARGETS)('$name', (target) => {
  it('is valid to begin with', () => {
    expect(codeOf(() => target.parse(target.valid))).toBeUndefined();
  });

  it('with any one bit flipped is found damaged, or (unsealed structures) throws nothing else', () => {
    for (let bit = 0; bit < target.valid.length * 8; bit++) {
      const code = codeOf(() => target.parse(flipped(target.valid, bit)));
      if (target.sealed) expect(code, `bit ${bit}`).toMatch(/_(MALFORMED|CHECKSUM)$/);
    }
  });

  it('with any two neighbouring bytes changed is found damaged', () => {
    for (let at = 0; at + 1 < target.valid.length; at++) {
      const damaged = flipped(flipped(target.valid, at * 8 + (at % 8)), at * 8 + 8 + ((at * 5) % 8));
      const code = codeOf(() => target.parse(damaged));
      if (target.sealed) expect(code, `byte ${at}`).toMatch(/_(MALFORMED|CHECKSUM)$/);
    }
  });

  it('cut at any length is found cut, or (a header alone) needs no more', () => {
    for (let length = 0; length < target.valid.length; length++) {
      const code = codeOf(() => target.parse(target.valid.subarray(0, length)));
      const enough = target.name === 'record header' && length >= 32;
      expect(code === undefined, `cut to ${length} bytes`).toBe(enough);
    }
  });

  it(`survives ${RUNS} hostile inputs`, () => {
    const randomness = new SeededRandomness(20_261);
    let refused = 0;
    for (let run = 0; run < RUNS; run++) {
      const input = fuzzInput(target, randomness);
      const before = hexOf(input);
      if (codeOf(() => target.parse(input)) !== undefined) refused++;
      if (run % 100 === 0) expect(hexOf(input)).toBe(before);
    }
    // Both happen, or the inputs are not what they are meant to be.
    expect(refused).toBeGreaterThan(RUNS / 3);
    expect(refused).toBeLessThan(RUNS);
  });

  it('allocates nothing on the word of a length', () => {
    const before = process.memoryUsage();
    for (let at = 0; at + 4 <= target.valid.length; at++) {
      const huge = withU32(target.valid, at, 0xffff_fff0);
      target.forge(huge);
      codeOf(() => target.parse(huge));
    }
    const after = process.memoryUsage();
    expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(32 * 1024 * 1024);
    expect(after.heapUsed - before.heapUsed).toBeLessThan(64 * 1024 * 1024);
  });
});

describe('group directory, which the chunk seals', () => {
  it('never names a place outside its column, whatever bit is flipped', () => {
    const columnBytes = [100, 109, 128];
    const bytes = encodeGroupDirectory(sampleGroup().entries);
    let accepted = 0;
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      codeOf(() => {
        for (const entry of parseGroupDirectory(flipped(bytes, bit), { codec: 'xor-2-1', columnBytes })) {
          expect(entry.column).toBeLessThan(2);
          expect(entry.offset + entry.length).toBeLessThanOrEqual(columnBytes[entry.column] as number);
          accepted++;
        }
      });
    }
    expect(accepted).toBeGreaterThan(0);
  });
});
