// Calls of every use-case, failing by a mistake of a program: nothing that is written for errors of the store may take it for one.
import { describe, expect, it } from 'vitest';
import { makeMistakes } from './refused-calls.ts';
import { USE_CASES } from './use-cases.ts';

/** Of each use-case. */
const CALLS_MAX = 12;

/** Where it comes out in another way than as it is. */
const KEPT: Readonly<Record<string, readonly string[]>> = {};

describe('a mistake comes to light', () => {
  for (const [what, useCase] of Object.entries(USE_CASES))
    it(`in ${what}`, async () => {
      expect(await makeMistakes(useCase, CALLS_MAX)).toEqual(KEPT[what] ?? []);
    });
});
