// Puts by plain writes (docs/decisions/0018), every interleaving with those who touch the same rows, and what each condition is for.
import { describe, expect, it } from 'vitest';
import {
  type Cast,
  PUT_CONDITIONS,
  PUT_RULES,
  type PutCondition,
  putStepsOf,
  putViolationOf,
  startOf,
} from './put-protocol.ts';
import { type Found, searchModel } from './search.ts';

/** Small casts that together have every race. */
const CASTS = {
  'writes that come late': { actors: ['P', 'R', 'U', 'G'], late: ['P'] },
  'a second put of the content': { actors: ['P', 'p', 'R'], late: ['P'] },
  'a second put, and GC that comes late': { actors: ['P', 'p', 'U', 'G'], late: ['G'] },
  'a second put of the name': { actors: ['P', 'p', 'R', 'U'], as: 'A', late: ['P'] },
  'a merge': { actors: ['P', 'R', 'M', 'U', 'G'] },
  'a merge of a block with two references': { actors: ['P', 'p', 'U', 'u', 'M', 'G'] },
  'a bucket that is dropped': { actors: ['P', 'p', 'R', 'C'], late: ['P'] },
  'two of GC': { actors: ['P', 'p', 'U', 'u', 'G', 'g'] },
} as const satisfies Readonly<Record<string, Cast>>;

/** What is seen first, in which cast, where a condition is left out or a rule not kept. */
const SHOWN: Readonly<Partial<Record<PutCondition, readonly [keyof typeof CASTS, violation: string, last: string]>>> = {
  '4a: there is no block, or that void one': ['a second put of the content', 'what was seen is not there', 'p 4a'],
  '4a: a void block is in the slot that was read': [
    'a merge of a block with two references',
    'what was seen is not there',
    'p 4a',
  ],
  '4b: there is no object': ['a second put of the name', 'what was acknowledged is not there', 'P 4b'],
  'recover: the block is as it was read': ['a second put of the content', 'an object cannot be read', 'R recover'],
  'recover: nobody counts on the block': ['a second put of the content', 'an object cannot be read', 'R recover'],
  'recover: the object is as it was read': ['writes that come late', 'what was seen is not there', 'R recover'],
  'refer: the object is as it was read': ['a second put of the name', 'what was seen is not there', 'p refer'],
  'delete: the object is as it was read': [
    'a second put of the name',
    'what was acknowledged is not there',
    'U delete',
  ],
  'give back: nobody counts on the block': [
    'a second put, and GC that comes late',
    'an object cannot be read',
    'G give back',
  ],
  'give back: the block is in the slot that was read': [
    'a merge',
    'the slot in M is live, and no block names it',
    'G bury',
  ],
  'uncount: the named version is the one that was read': ['two of GC', 'nobody refers to the block', 'g uncount'],
  'uncount: the block is in the slot that was read': [
    'a merge of a block with two references',
    'the slot in M is live, and no block names it',
    'G uncount',
  ],
  'merge: the block is in the slot it was copied from': [
    'a merge of a block with two references',
    'the slot in d is live, and no block names it',
    'G bury',
  ],
  'put: it is acknowledged after SETTLE only': ['writes that come late', 'what was acknowledged is not there', 'P 4b'],
  'put: the volume is looked at between blocks and objects': [
    'writes that come late',
    'an object cannot be read',
    'P 4b',
  ],
  'refer: a block whose slot is dead counts as unknown': [
    'a second put of the content',
    'an object cannot be read',
    'p refer',
  ],
  'refer: a block whose bucket is gone counts as unknown': [
    'a bucket that is dropped',
    'an object cannot be read',
    'p refer',
  ],
  'look: an object that was put plain counts only while its block names it': [
    'writes that come late',
    'what was seen is not there',
    'P 4b',
  ],
  'give back: a named reference is never given back as a counted one': [
    'two of GC',
    'an object cannot be read',
    'g uncount',
  ],
  'give back: the slot is noted before the row goes': [
    'writes that come late',
    'the slot in D is live, and no block names it',
    'G bury',
  ],
};

/** Shown together with another one that suffices here as well. */
const BACKED_BY: Readonly<Partial<Record<PutCondition, PutCondition>>> = {
  'merge: the block is in the slot it was copied from': 'merge: the record is the one that was read',
};

/** Kept on purpose, although nothing breaks here without them. */
const REDUNDANT: Readonly<Partial<Record<PutCondition, string>>> = {
  'settle: the token still holds': 'whoever recovers has all it goes by in its own conditions',
  'recover: the token still holds': 'as above; here a volume has one group, and the other condition names it',
  'refer: the record is the one that was read':
    'a block that was stored anew is as good, unless it is void: that takes a third record',
  'give back: the record is the one that was read':
    'a version is the named one of one record only, and its slot is asked for',
  'give back: the reference is that version’s': 'a record is named by one version only',
  'uncount: the release is still to be done':
    'the number of references is asked for, and here no other one comes back to it',
  'uncount: as many count on the block as were read': 'the release row is asked for',
  'merge: the record is the one that was read': 'a slot never holds another record',
};

const searchPut = (cast: Cast, off: ReadonlySet<PutCondition> = new Set()): Found =>
  searchModel({ start: startOf(cast), stepsOf: (state) => putStepsOf(state, cast, off), violationOf: putViolationOf });

describe('the model of puts by plain writes', () => {
  for (const [who, cast] of Object.entries(CASTS))
    it(`reaches no bad state with ${who}`, { timeout: 60_000 }, () => {
      const found = searchPut(cast);
      expect(found.trace).toEqual([]);
      expect(found.violation).toBeUndefined();
      expect(found.states).toBeGreaterThan(250);
    });

  for (const [condition, [who, violation, last]] of Object.entries(SHOWN))
    it(`needs “${condition}”`, { timeout: 60_000 }, () => {
      const also = BACKED_BY[condition as PutCondition];
      const off = new Set([condition as PutCondition, ...(also === undefined ? [] : [also])]);
      const found = searchPut(CASTS[who], off);
      expect([found.violation, found.trace.at(-1)]).toEqual([violation, last]);
    });

  it('has every condition shown or said to be redundant', () => {
    const conditions = [...Object.keys(PUT_CONDITIONS), ...PUT_RULES] as PutCondition[];
    expect(conditions.filter((condition) => !(condition in SHOWN) && !(condition in REDUNDANT))).toEqual([]);
  });
});
