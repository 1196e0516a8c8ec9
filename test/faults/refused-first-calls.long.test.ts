// Calls of Panda of every use-case, refused.
import { describe, expect, it } from 'vitest';
import { MENDED, refuseCalls } from './refused-calls.ts';
import { USE_CASES } from './use-cases.ts';

/** Of each use-case; all of them are tried in refused-calls.long.test.ts. */
const CALLS_MAX = 40;

describe('a call that is refused is told of', () => {
  for (const [what, useCase] of Object.entries(USE_CASES))
    it(`by ${what}`, async () => {
      expect(await refuseCalls(useCase, CALLS_MAX)).toEqual(MENDED[what] ?? []);
    });
});
