// Every transaction of every use-case, with its answer lost.
import { describe, expect, it } from 'vitest';
import { loseEveryAnswer } from './lost-answers.ts';
import { USE_CASES } from './use-cases.ts';

/** What is sent again though it was done: writes that change nothing more the second time, and have no row that tells. */
const SENT_AGAIN: Record<string, readonly string[]> = {
  GC: ['delete block', 'update removed'],
  'encode, with the hot volumes freed': ['delete group'],
  'what is deleted, restored, and deleted for good': ['delete block', 'update block', 'update removed, delete block'],
  'an L1 run, with the donor and the old extents freed': ['update volume'],
  'a process that goes on with a dead one’s top-off': ['update volume'],
  'a merge of bucket remnants, with the sources freed': ['update volume'],
  'a merge beside deletes, puts of its blocks, and GC': [
    'delete block',
    'update block',
    'update removed',
    'update volume',
  ],
  'a process that goes on with a dead one’s merge': ['update volume'],
};

describe('an answer that is lost changes nothing', () => {
  for (const [what, scenario] of Object.entries(USE_CASES))
    it(`of ${what}`, async () => {
      expect(await loseEveryAnswer(scenario)).toEqual(SENT_AGAIN[what] ?? []);
    });
});
