// Moves, flips and freeing, every interleaving of small casts, over the pure steps the store itself runs.
import { describe, expect, it } from 'vitest';
import {
  MOVES_BACKED_BY,
  MOVES_CONDITIONS,
  MOVES_REDUNDANT,
  MOVES_SHOWN_BY,
  type MovesCondition,
} from './moves-protocol.ts';
import { searchMoves } from './moves-search.ts';

describe('the model of moves and flips', () => {
  for (const cast of ['AC', 'BC', 'ACF', 'ACK', 'ABX'])
    it(`reaches no bad state: ${cast}`, { timeout: 60_000 }, () => {
      const found = searchMoves(cast);
      expect(found.trace).toEqual([]);
      expect(found.violation).toBeUndefined();
      expect(found.states).toBeGreaterThan(200);
    });

  for (const condition of [
    'move: my token still holds',
    'retire: the bucket set is empty',
    'drop: nothing lives in the bucket',
  ] as const)
    it(`needs “${condition}”`, { timeout: 60_000 }, () => {
      expect(searchMoves('AC', new Set([condition])).violation).toBeDefined();
    });

  it('needs “flip: still my run”, even where “this very next” is missing too', { timeout: 60_000 }, () => {
    const found = searchMoves('BC', new Set<MovesCondition>(['flip: still my run', 'flip: this very next']));
    expect(found.violation).toContain('zone 3 of H');
  });

  it('has every condition shown, backed or said to be redundant', () => {
    const isAccounted = (c: MovesCondition): boolean =>
      c in MOVES_SHOWN_BY || c in MOVES_REDUNDANT || (MOVES_BACKED_BY[c] as MovesCondition) in MOVES_SHOWN_BY;
    expect((Object.keys(MOVES_CONDITIONS) as MovesCondition[]).filter((c) => !isAccounted(c))).toEqual([]);
  });
});
