// Each condition left out by itself: those that another one backs, and those said to be redundant, break nothing; the others are
// shown to be needed by a printed trace.
import { describe, expect, it } from 'vitest';
import { BACKED_BY, CONDITIONS, type Condition, REDUNDANT } from './protocol.ts';
import { search } from './search.ts';

describe('the protocol model with one condition left out', () => {
  for (const condition of Object.keys(CONDITIONS) as Condition[])
    it(condition, { timeout: 300_000 }, () => {
      const { violation, trace, states } = search(new Set([condition]));
      process.stdout.write(`${condition}: ${violation ?? `nothing in ${states} states`}\n  ${trace.join(', ')}\n`);
      const isCovered = REDUNDANT.has(condition) || BACKED_BY[condition] !== undefined;
      expect(violation !== undefined).toBe(!isCovered);
    });
});
