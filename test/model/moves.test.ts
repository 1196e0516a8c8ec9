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

  for (const [condition, violation, last] of [
    ['move: my token still holds', 'b is not in the directories of D', 'A move'],
    ['retire: the bucket set is empty', 'b is in a volume that is trash', 'C retire S'],
    ['drop: nothing lives in the bucket', 'b is gone', 'A drop'],
  ] as const)
    it(`needs “${condition}”`, { timeout: 60_000 }, () => {
      const found = searchMoves('AC', new Set([condition]));
      expect([found.violation, found.trace.at(-1)]).toEqual([violation, last]);
    });

  // Without it a host whose flip was undone is told that the donors' buckets arrived.
  it('needs “arrive: the host is at the new generation”', { timeout: 60_000 }, () => {
    const found = searchMoves('BXC', new Set<MovesCondition>(['arrive: the host is at the new generation']));
    expect([found.violation, found.trace.at(-1)]).toEqual(['b cannot be read', 'X flip']);
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
