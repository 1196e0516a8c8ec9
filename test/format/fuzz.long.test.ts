// A million hostile inputs for each structure, from a fresh seed that is printed so that a failure can be replayed with
// FUZZ_SEED.
import { describe, expect, it } from 'vitest';
import { SeededRandomness, systemRandomness } from '../../lib/foundation/randomness.ts';
import { codeOf } from './damage.ts';
import { FUZZ_TARGETS, fuzzInput } from './fuzz.ts';

const RUNS = 1_000_000;
const seed = Number(process.env['FUZZ_SEED'] ?? systemRandomness.below(0xffff_ffff));

describe.each(FUZZ_TARGETS)(`$name, seed ${seed}`, (target) => {
  it(`survives ${RUNS} hostile inputs`, () => {
    const randomness = new SeededRandomness(seed);
    let refused = 0;
    for (let run = 0; run < RUNS; run++) {
      const input = fuzzInput(target, randomness);
      try {
        if (codeOf(() => target.parse(input)) !== undefined) refused++;
      } catch (error) {
        throw new Error(`FUZZ_SEED=${seed}, input ${run} of ${target.name}: ${Buffer.from(input).toString('hex')}`, {
          cause: error,
        });
      }
    }
    expect(refused).toBeGreaterThan(RUNS / 3);
    expect(refused).toBeLessThan(RUNS);
  });
});
