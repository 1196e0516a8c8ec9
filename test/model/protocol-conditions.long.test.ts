// The whole protocol, every interleaving: no bucket has two homes, no acknowledged block is lost, no home is erased.
import { describe, expect, it } from 'vitest';
import { BACKED_BY, CONDITIONS, type Condition, REDUNDANT } from './protocol.ts';
import { search } from './search.ts';

/** What is seen first without each condition (and the one that backs it), and the last step to it. */
const SEEN: Readonly<Partial<Record<Condition, readonly [violation: string, last: string]>>> = {
  'move: my token still holds': ['b cannot be found in D, which was sealed without it', 'mover commits b'],
  'move: the source is still my run’s': ['b is listed by [D,H] and is in D', 'mover commits b'],
  'move: the bucket is where it was copied from': ['b is listed by [D,H] and is in D', 'mover commits b'],
  'retire: the bucket set is empty': ['b cannot be read in S', 'frees S'],
  'flip: still my run': ['h cannot be read in H', 'top-off flips'],
  'flip: this very next': ['h cannot be read in H', 'top-off flips'],
  'arrive: the host is at the new generation': ['b cannot be read in H', 'top-off commits b'],
  'arrive: the source is still my run’s': ['b is listed by [D,H] and is in H', 'top-off commits b'],
  'arrive: the bucket is where it was copied from': ['b is listed by [D,H] and is in H', 'top-off commits b'],
  'free: the inspector saw every bucket elsewhere': ['b cannot be read in S', 'frees S'],
  'gc: the block is still in trash': ['an acknowledged block is shredded', 'GC shreds'],
  'put: the block is not gone': ['an acknowledged block is dead', 'user puts again'],
};

describe('the protocol model', () => {
  it('reaches no bad state', { timeout: 40_000 }, () => {
    const found = search();
    expect(found.trace).toEqual([]);
    expect(found.violation).toBeUndefined();
    expect(found.states).toBeGreaterThan(100_000);
  });

  for (const condition of Object.keys(CONDITIONS) as Condition[]) {
    if (REDUNDANT.has(condition)) continue;
    const backed = BACKED_BY[condition];
    it(`needs “${condition}”${backed === undefined ? '' : ` or “${backed}”`}`, () => {
      const found = search(new Set(backed === undefined ? [condition] : [condition, backed]));
      expect([found.violation, found.trace.at(-1)], CONDITIONS[condition]).toEqual(SEEN[condition]);
      expect(found.trace.length).toBeGreaterThan(3);
    });
  }
});
