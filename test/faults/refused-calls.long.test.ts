// As refused-first-calls.long.test.ts, every single call.
import { describe, expect, it } from 'vitest';
import { MENDED, refuseCalls } from './refused-calls.ts';
import { USE_CASES } from './use-cases.ts';

describe('a call that is refused is told of', () => {
  for (const [what, useCase] of Object.entries(USE_CASES))
    it(`by ${what}`, async () => {
      expect(await refuseCalls(useCase, Number.POSITIVE_INFINITY)).toEqual(MENDED[what] ?? []);
    });
});
