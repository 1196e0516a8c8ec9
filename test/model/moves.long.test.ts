// The model of moves and flips with larger casts, and each condition left out: alone, or with the one that backs it.
import { describe, expect, it } from 'vitest';
import { MOVES_BACKED_BY, MOVES_REDUNDANT, MOVES_SHOWN_BY, type MovesCondition } from './moves-protocol.ts';
import { searchMoves } from './moves-search.ts';

/** What is seen first without each condition (and the one that backs it), and the last step to it. */
const SEEN: Readonly<Partial<Record<MovesCondition, readonly [violation: string, last: string]>>> = {
  'move: my token still holds': ['b is not in the directories of D', 'A move'],
  'move: the source is still my run’s': ['b is listed by [H,D] and is in [dddddddddddddddd]', 'A move'],
  'retire: the bucket set is empty': ['b is in a volume that is trash', 'C retire S'],
  'flip: still my run': ['zone 3 of H belongs to 1111111111111111', 'B flip'],
  'arrive: the host is at the new generation': ['b cannot be read', 'X flip'],
  'arrive: the source is still my run’s': ['b is listed by [H,D] and is in [6666666666666666]', 'B arrive'],
  'drop: nothing lives in the bucket': ['b is gone', 'A drop'],
};

describe('the model of moves and flips', () => {
  for (const cast of ['BCF', 'ABC', 'BXC', 'ABCF', 'BCKF'])
    it(`reaches no bad state: ${cast}`, () => {
      const found = searchMoves(cast);
      process.stdout.write(`${cast}: ${found.states} states\n`);
      expect(found.trace).toEqual([]);
      expect(found.violation).toBeUndefined();
    });

  for (const [condition, cast] of Object.entries(MOVES_SHOWN_BY) as [MovesCondition, string][])
    it(`needs “${condition}”`, () => {
      const backed = MOVES_BACKED_BY[condition];
      const found = searchMoves(cast, new Set(backed === undefined ? [condition] : [condition, backed]));
      process.stdout.write(`${condition}: ${found.violation}\n  ${found.trace.join(', ')}\n`);
      expect([found.violation, found.trace.at(-1)]).toEqual(SEEN[condition]);
    });

  for (const condition of Object.keys(MOVES_REDUNDANT) as MovesCondition[])
    it(`has “${condition}” on purpose`, () => {
      for (const cast of ['ACF', 'BCF', 'ACK'])
        expect(searchMoves(cast, new Set([condition])).violation).toBeUndefined();
    });
});
