// Transactions of every use-case, refused as if somebody else had been quicker.
import { describe, expect, it } from 'vitest';
import { meetConflicts } from './conflicts.ts';
import { USE_CASES } from './use-cases.ts';

/** Of each use-case. */
const TRANSACTIONS_MAX = 25;

const RUN = ['CONDITION_FAILED', 'RUN_HELD'];
/** What is given up, and begun anew by whoever asked; all else begins anew itself. */
const GIVEN_UP: Readonly<Record<string, readonly string[]>> = {
  'an L2 run, with the sources freed': RUN,
  'an L3 run, with the sources freed': RUN,
  'an L1 run, with the donor and the old extents freed': RUN,
  'a merge of bucket remnants, with the sources freed': RUN,
  'a merge beside deletes, puts of its blocks, and GC': RUN,
  GC: ['CONDITION_FAILED'],
  'what is set of the whole store: operating settings, the threshold, the format': ['CONDITION_FAILED'],
  'puts, one after the other: small, long, overwriting and known objects': ['UPLOAD_ABANDONED'],
  'an upload in parts, one that is given up, and a copy': ['GUARD_FAILED', 'OBJECT_CHANGED', 'UPLOAD_ABANDONED'],
};

describe('a condition that does not hold', () => {
  for (const [what, useCase] of Object.entries(USE_CASES)) {
    // These fail if they find nothing to go on with.
    if (what.startsWith('a process that goes on')) continue;
    it(`of ${what}`, async () => {
      expect(await meetConflicts(useCase, TRANSACTIONS_MAX)).toEqual(GIVEN_UP[what] ?? []);
    });
  }
});
