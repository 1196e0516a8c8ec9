// The merge model with larger casts; and each condition left out by itself in every small one: those that another one backs, and those
// said to be redundant, break nothing, the others are shown to be needed by a printed trace.
import { describe, expect, it } from 'vitest';
import {
  BOTH_COMPARED,
  CASTS,
  type Cast,
  MERGE_BACKED_BY,
  MERGE_CONDITIONS,
  MERGE_REDUNDANT,
  type MergeCondition,
} from './merge-protocol.ts';
import { searchMerge } from './merge-search.ts';

const LARGE: readonly Cast[] = [
  { actors: ['M', 'R', 'U', 'G'], U: '-+-+' },
  { actors: ['M', 'T', 'R', 'V', 'G', 'U'], U: '-' },
  { actors: ['M', 'R', 'U', 'u', 'G'], U: '-', u: '!', late: true },
  { actors: ['M', 'm', 'T', 'U', 'R'], U: '-+' },
  { actors: ['M', 'T', 'V', 'F', 'U', 'R'], U: '-+' },
];

describe('the merge model', () => {
  for (const cast of LARGE)
    it(`reaches no bad state: ${JSON.stringify(cast)}`, () => {
      const found = searchMerge(cast);
      process.stdout.write(`${found.states} states\n`);
      expect(found.trace).toEqual([]);
      expect(found.violation).toBeUndefined();
    });

  for (const condition of [...Object.keys(MERGE_CONDITIONS), BOTH_COMPARED] as MergeCondition[])
    it(`without “${condition}”`, () => {
      const off = new Set([condition]);
      const broken = Object.values(CASTS)
        .values()
        .map((cast) => searchMerge(cast, off))
        .find(({ violation }) => violation);
      process.stdout.write(`${condition}: ${broken?.violation ?? 'nothing'}\n  ${broken?.trace.join(', ') ?? ''}\n`);
      const isCovered = condition in MERGE_REDUNDANT || MERGE_BACKED_BY[condition] !== undefined;
      expect(broken !== undefined).toBe(!isCovered);
    });
});
