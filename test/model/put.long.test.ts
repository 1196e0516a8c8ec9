// The largest casts of the model of puts: two of GC, two of users, two putters, a merge.
import { describe, expect, it } from 'vitest';
import { CASTS, LONG_CASTS, LONG_CONDITIONS, SHOWN, searchPut, seenWithout } from './put-conditions.ts';
import type { Cast, PutCondition } from './put-protocol.ts';

const MORE: Readonly<Record<string, Cast>> = {
  'two of GC late, and a put that comes back': { actors: ['P', 'p', 'U', 'G', 'g'], late: ['G'] },
};

describe('the model of puts by plain writes, large casts', () => {
  const long = Object.entries(CASTS).filter(([who]) => LONG_CASTS.has(who));
  for (const [who, cast] of [...long, ...Object.entries(MORE)])
    it(`reaches no bad state with ${who}`, { timeout: 300_000 }, () => {
      const found = searchPut(cast);
      expect(found.trace).toEqual([]);
      expect(found.violation).toBeUndefined();
    });

  for (const [condition, [, violation, last]] of Object.entries(SHOWN).filter(([name]) => LONG_CONDITIONS.has(name)))
    it(`needs “${condition}”`, { timeout: 300_000 }, () => {
      expect(seenWithout(condition as PutCondition)).toEqual([violation, last]);
    });
});
