// Merges of bucket remnants, every interleaving with those who touch the same rows, over the pure steps the store itself runs.
import { describe, expect, it } from 'vitest';
import {
  CASTS,
  MERGE_BACKED_BY,
  MERGE_CONDITIONS,
  MERGE_REDUNDANT,
  type MergeCondition,
  SHOWN_BY,
} from './merge-protocol.ts';
import { searchMerge } from './merge-search.ts';

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
      expect(found.violation).toBeDefined();
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
