// Rows of format 3 as the model of puts has them: one block X, of two possible records, in a bucket for each volume; and what each step
// writes to them, from rows that were read. A slot has the name of its bucket, a record that of the slot it was written to first.
import type { Clause, Condition, Key, Write } from '../../lib/panda/panda.ts';

export type Home = 'D' | 'd';
export type Slot = Home | 'M';
export type Version = 'a' | 'b';
export type ObjectName = 'A' | 'B';

export const BLOCK: Key = { partition: 'block', sort: 'X' };
export const volumeAt = (name: Home): Key => ({ partition: 'volume', sort: name });
export const bucketAt = (name: Slot): Key => ({ partition: 'bucket', sort: name });
export const deadAt = (name: Slot): Key => ({ partition: 'dead', sort: name });
export const objectAt = (name: ObjectName): Key => ({ partition: 'object', sort: name });
export const releaseAt = (version: Version): Key => ({ partition: 'release', sort: version });

/** `o`: the version whose reference is the named one. `f`: references besides; never 0. */
export interface Block {
  readonly r: Home;
  readonly p: Slot;
  readonly o?: Version;
  readonly f?: number;
}
/** `n`: put plain, so that it counts only while its block names it. */
export interface Named {
  readonly v: Version;
  readonly n?: 1;
}
/**
 * `n`: the reference is the named one. `k`: it is counted, and still to be given back. `g`: slots that may have lost their block row
 * already. `s`: how often the row was changed.
 */
export interface Release {
  readonly n?: 1;
  readonly k?: 1;
  readonly g?: ReadonlySet<string>;
  readonly s: number;
}
export interface Group {
  readonly home: Home;
  readonly token: number;
}

const is = (attribute: string, value: string | number | undefined): Clause =>
  value === undefined ? { attribute, missing: true } : { attribute, equals: value };
export const asRead = (object: Named | undefined): Condition =>
  object === undefined ? ['absent'] : [is('v', object.v)];
const recordAsRead = (block: Block | undefined): Condition => (block === undefined ? ['absent'] : [is('r', block.r)]);
/** A merge makes the slot die that it takes the block out of: a dead slot says something only of a row that still names it. */
const unknownAsRead = (block: Block | undefined): Condition =>
  block === undefined ? ['absent'] : [is('r', block.r), is('p', block.p)];
const held = ({ token }: Group): Condition => [is('t', token), is('p', 1)];

/** One slot dies, unless it is dead: the bit is set if it was not when it was read. */
export const diesWrites = (slot: Slot, isDead: boolean): Write[] =>
  isDead
    ? []
    : [
        { kind: 'update', ...bucketAt(slot), add: { l: -1 } },
        { kind: 'put', ...deadAt(slot), attributes: { b: 1 }, if: ['absent'] },
      ];

export const commitWrites = ({ home, token }: Group): Write[] => [
  { kind: 'update', ...volumeAt(home), set: { p: 1 }, if: [is('t', token)] },
  { kind: 'put', ...bucketAt(home), attributes: { l: 1 }, if: ['absent'] },
];

/** 4a, plain. */
export const blockWrite = (home: Home, version: Version, read: Block | undefined): Write => ({
  kind: 'put',
  ...BLOCK,
  attributes: { r: home, p: home, o: version },
  if: unknownAsRead(read),
});

/** A rewrap that meets a void row. */
export const dropVoidWrite = (read: Block): Write => ({
  kind: 'delete',
  ...BLOCK,
  if: [...unknownAsRead(read), is('o', read.o), is('f', read.f)],
});

/** 4b, plain. */
export const objectWrite = (key: ObjectName, version: Version): Write => ({
  kind: 'put',
  ...objectAt(key),
  attributes: { v: version, n: 1 },
  if: ['absent'],
});

/** 4c. */
export const settleWrite = (group: Group): Write => ({
  kind: 'update',
  ...volumeAt(group.home),
  remove: ['p'],
  if: held(group),
});

/** What was there is to be given back, from when its name goes. */
const releaseWrites = (old: Named | undefined): Write[] =>
  old === undefined
    ? []
    : [{ kind: 'put', ...releaseAt(old.v), attributes: old.n === undefined ? { k: 1, s: 0 } : { n: 1, s: 0 } }];

/** 18. `old`: undefined if there was none, or a void one; `object` is what was read, void or not. */
export function putWrites(
  key: ObjectName,
  version: Version,
  object: Named | undefined,
  old: Named | undefined,
  block: Write,
): Write[] {
  return [
    block,
    { kind: 'put', ...objectAt(key), attributes: { v: version }, if: asRead(object) },
    ...releaseWrites(old),
  ];
}
export const referWrite = (block: Block): Write => ({
  kind: 'update',
  ...BLOCK,
  add: { f: 1 },
  if: [is('r', block.r)],
});
export const freshWrite = (home: Home, read: Block | undefined): Write => ({
  kind: 'put',
  ...BLOCK,
  attributes: { r: home, p: home, f: 1 },
  if: unknownAsRead(read),
});

/** 19. */
export const deleteWrites = (key: ObjectName, object: Named): Write[] => [
  { kind: 'delete', ...objectAt(key), if: asRead(object) },
  ...releaseWrites(object),
];

/** 5, of the one slot; `key` and `version` are the intent of its group. */
export function recoverWrites(
  group: Group,
  intent: { readonly key: ObjectName; readonly version: Version },
  block: Block | undefined,
  object: Named | undefined,
  isDead: (slot: Slot) => boolean,
): Write[] {
  const settle = settleWrite(group);
  if (block?.r !== group.home)
    return [
      settle,
      { kind: 'check', ...BLOCK, if: recordAsRead(block) },
      ...diesWrites(group.home, isDead(group.home)),
    ];
  if (block.o !== intent.version || object?.v === intent.version) return [settle];
  const unseen: Write = { kind: 'check', ...objectAt(intent.key), if: asRead(object) };
  const known = [is('r', block.r), is('o', block.o)];
  if (block.f !== undefined)
    return [settle, unseen, { kind: 'update', ...BLOCK, remove: ['o'], if: [...known, is('f', block.f)] }];
  return [
    settle,
    unseen,
    { kind: 'delete', ...BLOCK, if: [...known, is('p', block.p), is('f', undefined)] },
    ...diesWrites(block.p, isDead(block.p)),
  ];
}

/** Nobody has done anything of it since it was read. */
const stepIs = (release: Release): Condition => [is('s', release.s)];
export const placeOf = (block: Block): string => block.r + block.p;

/** 20b: before the block row goes, for nothing else says then which slot it was. */
export const noteWrite = (version: Version, release: Release, block: Block): Write => ({
  kind: 'update',
  ...releaseAt(version),
  insert: { g: [placeOf(block)] },
  add: { s: 1 },
  if: stepIs(release),
});

/** 20c, plain: the named reference is given back; the row goes with the last one. */
export function giveBackWrite(version: Version, block: Block): Write {
  const known = [is('r', block.r), is('o', version)];
  if (block.f !== undefined)
    return { kind: 'update', ...BLOCK, remove: ['o'], if: [...known, { attribute: 'f', atLeast: 1 }] };
  return { kind: 'delete', ...BLOCK, if: [...known, is('p', block.p), is('f', undefined)] };
}

/** A counted reference is given back in the transaction that takes it off the release row, which notes the slot if it was the last. */
export function uncountWrites(version: Version, release: Release, block: Block): Write[] {
  const isLast = block.f === 1 && block.o === undefined;
  const taken: Write = {
    kind: 'update',
    ...releaseAt(version),
    remove: ['k'],
    add: { s: 1 },
    ...(isLast ? { insert: { g: [placeOf(block)] } } : {}),
    if: stepIs(release),
  };
  const counted = [is('r', block.r), is('f', block.f), is('o', block.o)];
  if (isLast) return [taken, { kind: 'delete', ...BLOCK, if: [...counted, is('p', block.p)] }];
  const less = block.f === 1 ? { remove: ['f'] } : { add: { f: -1 } };
  return [taken, { kind: 'update', ...BLOCK, ...less, if: counted }];
}

/** 20e, plain: nothing of it is left to be done. */
export const endWrite = (version: Version, release: Release): Write => ({
  kind: 'delete',
  ...releaseAt(version),
  if: stepIs(release),
});

/** 21: to the slot M. */
export const mergeWrites = (block: Block, isDead: boolean): Write[] => [
  { kind: 'update', ...BLOCK, set: { p: 'M' }, if: [is('r', block.r), is('p', block.p)] },
  { kind: 'put', ...bucketAt('M'), attributes: { l: 1 }, if: ['absent'] },
  ...diesWrites(block.p, isDead),
];

export const dropWrites = (slot: Slot): Write[] => [
  { kind: 'delete', ...bucketAt(slot), if: [is('l', 0)] },
  { kind: 'delete', ...deadAt(slot) },
];
