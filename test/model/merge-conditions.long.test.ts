// Merges of bucket remnants, every interleaving with those who touch the same rows, over the pure steps the store itself runs.
import { describe, expect, it } from 'vitest';
import {
  BOTH_COMPARED,
  CASTS,
  MERGE_BACKED_BY,
  MERGE_CONDITIONS,
  MERGE_REDUNDANT,
  type MergeCondition,
  SHOWN_BY,
} from './merge-protocol.ts';
import { searchMerge } from './merge-search.ts';

/** What is seen first without each condition (and the one that backs it), and the last step to it. */
const SEEN: Readonly<Partial<Record<MergeCondition, readonly [violation: string, last: string]>>> = {
  'index: the token still holds': ['the block is in C, where its slot is dead', 'R settle'],
  // A bucket that counts fewer than no live bytes: its row cannot be read any more.
  'index: the block is in the slot it was copied from': [
    'row "aaaaaaaaaaaaaaaa" of bucket/c0/10: attribute l is not a count',
    'm index',
  ],
  'index: the block is live': ['the block is trash in C, A has a trash row', 'M index'],
  'delete: the block is in the slot that was read': ['the block is trash in C, A has a trash row', 'U delete'],
  'put back: the block is in the slot that was read': ['the block is live in C, C has a trash row', 'u put back'],
  'renew: the block is in the slot that was read': [
    'row "aaaaaaaaaaaaaaaa" of bucket/c0/10: attribute l is not a count',
    'u renew',
  ],
  'renew: the block is in the state that was read': ['the block is trash in fresh, A has a trash row', 'u renew'],
  'settle: the token still holds': ['the slot in c is live, and no block names it', 'M settle'],
  'drop: nothing lives in the bucket': ['the block is in A, which has no row', 'M drop'],
  'drop: the bucket is where it was': ['A is listed by [eeeeeeeeeeeeeeee] and is in []', 'M drop'],
  'retire: the bucket set is empty': ['S was retired with A in it', 'M retire'],
  'gc: the block is still in trash': ['1 references are held, the block has no row', 'G gc'],
  [BOTH_COMPARED]: ['the slot in C is live, and no block names it', 'R settle'],
};

describe('the merge model', () => {
  for (const [who, cast] of Object.entries(CASTS))
    it(`reaches no bad state with ${who}`, { timeout: 60_000 }, () => {
      const found = searchMerge(cast);
      expect(found.trace).toEqual([]);
      expect(found.violation).toBeUndefined();
      expect(found.states).toBeGreaterThan(400);
    });

  for (const [condition, who] of Object.entries(SHOWN_BY) as [MergeCondition, keyof typeof CASTS][]) {
    const backed = MERGE_BACKED_BY[condition];
    it(`needs “${condition}”${backed === undefined ? '' : ` or “${backed}”`}`, { timeout: 60_000 }, () => {
      const found = searchMerge(CASTS[who], new Set(backed === undefined ? [condition] : [condition, backed]));
      expect([found.violation, found.trace.at(-1)]).toEqual(SEEN[condition]);
      expect(found.trace.length).toBeGreaterThan(2);
    });
  }

  it('has every condition shown, backed or said to be redundant', () => {
    const conditions = Object.keys(MERGE_CONDITIONS) as MergeCondition[];
    const isAccounted = (c: MergeCondition): boolean =>
      c in SHOWN_BY || c in MERGE_REDUNDANT || (MERGE_BACKED_BY[c] as MergeCondition) in SHOWN_BY;
    expect(conditions.filter((condition) => !isAccounted(condition))).toEqual([]);
  });
});
