// The model of moves and flips with larger casts, and each condition left out: alone, or with the one that backs it.
import { describe, expect, it } from 'vitest';
import { MOVES_BACKED_BY, MOVES_REDUNDANT, MOVES_SHOWN_BY, type MovesCondition } from './moves-protocol.ts';
import { searchMoves } from './moves-search.ts';

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
      expect(found.violation).toBeDefined();
    });

  for (const condition of Object.keys(MOVES_REDUNDANT) as MovesCondition[])
    it(`has “${condition}” on purpose`, () => {
      for (const cast of ['ACF', 'BCF', 'ACK'])
        expect(searchMoves(cast, new Set([condition])).violation).toBeUndefined();
    });
});
