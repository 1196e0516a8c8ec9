// The whole protocol, every interleaving: no bucket has two homes, no acknowledged block is lost, no home is erased.
import { describe, expect, it } from 'vitest';
import { BACKED_BY, CONDITIONS, type Condition, REDUNDANT } from './protocol.ts';
import { search } from './search.ts';

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
      expect(found.violation, CONDITIONS[condition]).toBeDefined();
      expect(found.trace.length).toBeGreaterThan(3);
    });
  }
});
