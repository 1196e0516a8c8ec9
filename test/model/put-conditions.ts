// Casts of the model of puts, and what is seen first where a condition is left out. Those that take long are searched in the long suite.
import { type Cast, type PutCondition, putStepsOf, putViolationOf, startOf } from './put-protocol.ts';
import { type Found, searchModel } from './search.ts';

/** Small casts that together have every race. */
export const CASTS = {
  'writes that come late': { actors: ['P', 'R', 'U', 'G'], late: ['P'] },
  'a second put of the content': { actors: ['P', 'p', 'R'], late: ['P'] },
  'a second put, and GC that comes late': { actors: ['P', 'p', 'U', 'G'], late: ['G'] },
  'a second put of the name': { actors: ['P', 'p', 'R', 'U'], as: 'A', late: ['P'] },
  'a merge': { actors: ['P', 'R', 'M', 'U', 'G'] },
  'a merge of a block with two references': { actors: ['P', 'p', 'U', 'u', 'M', 'G'] },
  'a bucket that is dropped': { actors: ['P', 'p', 'R', 'C'], late: ['P'] },
  'a merge beside writes that come late': { actors: ['P', 'p', 'R', 'M'], late: ['P'] },
  'a rewrap that meets a void row': { actors: ['P', 'p', 'R', 'W'], late: ['P'] },
  'a rewrap, a merge and a bucket that is dropped': { actors: ['P', 'p', 'M', 'C', 'W'], late: ['P'] },
  'two of GC': { actors: ['P', 'p', 'U', 'u', 'G', 'g'] },
  'two of GC late, a merge': { actors: ['P', 'U', 'M', 'G', 'g'], late: ['G'] },
} as const satisfies Readonly<Record<string, Cast>>;

/** What is seen first, in which cast, where a condition is left out or a rule not kept. */
export const SHOWN: Readonly<
  Partial<Record<PutCondition, readonly [keyof typeof CASTS, violation: string, last: string]>>
> = {
  '4a: there is no block, or that void one': ['a second put of the content', 'what was seen is not there', 'p 4a'],
  '4a: a void block is in the slot that was read': [
    'a merge of a block with two references',
    'what was seen is not there',
    'p 4a',
  ],
  'rewrap: the void row is the one that was read': [
    'a rewrap that meets a void row',
    'what was seen is not there',
    'W rewrap',
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
    'G end',
  ],
  'uncount: the named version is the one that was read': ['two of GC', 'nobody refers to the block', 'g end'],
  'uncount: the block is in the slot that was read': [
    'a merge of a block with two references',
    'the slot in M is live, and no block names it',
    'G end',
  ],
  'merge: the block is in the slot it was copied from': [
    'a merge of a block with two references',
    'the slot in d is live, and no block names it',
    'G end',
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
    'G uncount',
  ],
  'end: the release is as it was read': [
    'two of GC late, a merge',
    'the slot in D is live, and no block names it',
    'g end',
  ],
  'end: every slot that was noted is dead, or a block row names it': [
    'a merge',
    'the slot in D is live, and no block names it',
    'G end',
  ],
  'end: the named reference is given back': ['two of GC late, a merge', 'nobody refers to the block', 'g end'],
  'give back: the slot is noted before the row goes': [
    'writes that come late',
    'the slot in D is live, and no block names it',
    'G end',
  ],
};

/** Shown together with another one that suffices here as well. */
export const BACKED_BY: Readonly<Partial<Record<PutCondition, PutCondition>>> = {
  'merge: the block is in the slot it was copied from': 'merge: the record is the one that was read',
};

export const searchPut = (cast: Cast, off: ReadonlySet<PutCondition> = new Set()): Found =>
  searchModel({ start: startOf(cast), stepsOf: (state) => putStepsOf(state, cast, off), violationOf: putViolationOf });

/** Without a condition: what is seen, and at which step. */
export function seenWithout(
  condition: PutCondition,
): readonly [violation: string | undefined, last: string | undefined] {
  const [who] = SHOWN[condition] as NonNullable<(typeof SHOWN)[PutCondition]>;
  const also = BACKED_BY[condition];
  const found = searchPut(CASTS[who], new Set([condition, ...(also === undefined ? [] : [also])]));
  return [found.violation, found.trace.at(-1)];
}

export const LONG_CASTS: ReadonlySet<string> = new Set(['two of GC', 'a merge of a block with two references']);
export const LONG_CONDITIONS: ReadonlySet<string> = new Set([
  'uncount: the named version is the one that was read',
  'uncount: the block is in the slot that was read',
  'merge: the block is in the slot it was copied from',
  'give back: a named reference is never given back as a counted one',
] satisfies PutCondition[]);
