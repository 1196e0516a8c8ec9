// Puts by plain writes (docs/decisions/0018), every interleaving with those who touch the same rows, and what each condition is for.
import { describe, expect, it } from 'vitest';
import { CASTS, LONG_CASTS, LONG_CONDITIONS, SHOWN, searchPut, seenWithout } from './put-conditions.ts';
import { PUT_CONDITIONS, PUT_RULES, type PutCondition } from './put-protocol.ts';

/** Kept on purpose, although nothing breaks here without them. */
const REDUNDANT: Readonly<Partial<Record<PutCondition, string>>> = {
  'settle: the token still holds': 'whoever recovers has all it goes by in its own conditions',
  'recover: the token still holds': 'as above; here a volume has one group, and the other condition names it',
  'refer: the record is the one that was read':
    'a block that was stored anew is as good, unless it is void: that takes a third record',
  'give back: the record is the one that was read':
    'a version is the named one of one record only, and its slot is asked for',
  'give back: the reference is that version’s': 'a record is named by one version only',
  'note: the release is as it was read': 'a note only adds a slot, and who ends the release asks for its row',
  'uncount: the release is as it was read':
    'the number of references is asked for, and here no other one comes back to it',
  'uncount: as many count on the block as were read': 'the release row is asked for',
  'merge: the record is the one that was read': 'a slot never holds another record',
};

describe('the model of puts by plain writes', () => {
  for (const [who, cast] of Object.entries(CASTS).filter(([who]) => !LONG_CASTS.has(who)))
    it(`reaches no bad state with ${who}`, { timeout: 60_000 }, () => {
      const found = searchPut(cast);
      expect(found.trace).toEqual([]);
      expect(found.violation).toBeUndefined();
      expect(found.states).toBeGreaterThan(250);
    });

  for (const [condition, [, violation, last]] of Object.entries(SHOWN).filter(([name]) => !LONG_CONDITIONS.has(name)))
    it(`needs “${condition}”`, { timeout: 60_000 }, () => {
      expect(seenWithout(condition as PutCondition)).toEqual([violation, last]);
    });

  it('has every condition shown or said to be redundant', () => {
    const conditions = [...Object.keys(PUT_CONDITIONS), ...PUT_RULES] as PutCondition[];
    expect(conditions.filter((condition) => !(condition in SHOWN) && !(condition in REDUNDANT))).toEqual([]);
  });
});
