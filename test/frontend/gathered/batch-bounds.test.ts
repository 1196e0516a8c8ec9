// How puts are cut: objects into batches, blocks into segments, changes into transactions; each at its last byte, block or row.
import { describe, expect, it } from 'vitest';
import type { BlockId, ObjectVersion } from '../../../lib/foundation/ids.ts';
import { SHARED_LANE } from '../../../lib/foundation/lane.ts';
import { HeldBlock } from '../../../lib/frontend/blocks/held-block.ts';
import { SmallBatches, type SmallObject } from '../../../lib/frontend/gathered/small-batches.ts';
import { inTransactions } from '../../../lib/frontend/index-objects.ts';
import { itemsOf, type ObjectChange } from '../../../lib/frontend/index-plan.ts';
import { namedPutsOf } from '../../../lib/frontend/named/put-named.ts';
import { nameOf } from '../../../lib/frontend/put-item.ts';
import { windows } from '../../../lib/frontend/put-long.ts';
import { BATCH_OBJECTS_MAX, RECORD_SLACK_BYTES } from '../../../lib/limits/frontend.ts';
import { BLOCKS_INLINE_MAX, GROUP_SLOTS_MAX, HELD_BYTES_MAX, PACKED_BYTES_MAX } from '../../../lib/limits/panda.ts';
import type { BlockRow } from '../../../lib/panda/rows/block-row.ts';
import { intentBytesMax } from '../../../lib/panda/rows/group-row.ts';
import type { ObjectRow } from '../../../lib/panda/rows/object-row.ts';
import { removedBytesMax } from '../../../lib/panda/rows/removed/removed-row.ts';

const idOf = (n: number): BlockId => `${n}`.padStart(64, '0') as BlockId;
const versionOf = (n: number): ObjectVersion => `${n}`.padStart(24, '0') as ObjectVersion;
const ids = (count: number, from = 0): BlockId[] => Array.from({ length: count }, (_, i) => idOf(from + i));
const rowOf = (key: string, blocks: readonly BlockId[] | undefined, more: Partial<ObjectRow> = {}): ObjectRow => ({
  ...{ namespace: 'n', key, version: versionOf(1), sizeBytes: 5, blockBytes: 1024, etag: 'e', createdAtMs: 3 },
  ...{ metadata: undefined, blocks, segments: blocks === undefined ? 2 : undefined, ...more },
});
const putOf = (key: string, blocks: readonly BlockId[], ifVersion?: string): ObjectChange => ({
  ...{ namespace: 'n', key, next: rowOf(key, blocks) },
  ...(ifVersion === undefined ? {} : { ifVersion }),
});

describe('small objects of one put', () => {
  const small = (key: string, recordBytes: number, blocks = 1): SmallObject => ({
    name: nameOf({ namespace: 'n', key }),
    item: { namespace: 'n', key, ifVersion: undefined },
    row: rowOf(key, []),
    blocks: Array.from({ length: blocks }, (_, i) => new HeldBlock(idOf(i), new Uint8Array(1))),
    recordBytes,
  });
  const room = (batches: SmallBatches, recordBytes: number, blocks = 1) =>
    batches.hasRoomFor(small('x', recordBytes, blocks));

  it('are as many bytes as a batch has', () => {
    const batches = new SmallBatches(100);
    batches.add(SHARED_LANE, small('a', 60));
    expect([room(batches, 40), room(batches, 41)]).toEqual([true, false]);
    batches.add(SHARED_LANE, small('b', 40));
    expect([room(batches, 0), room(batches, 1)]).toEqual([true, false]);
  });

  it('are so many', () => {
    const batches = new SmallBatches(1e9);
    for (let i = 0; i < BATCH_OBJECTS_MAX - 1; i++) batches.add(SHARED_LANE, small(`${i}`, 1));
    expect(room(batches, 1)).toBe(true);
    batches.add(SHARED_LANE, small('last', 1));
    expect(room(batches, 1)).toBe(false);
  });

  it('have as many blocks as a group has slots', () => {
    const batches = new SmallBatches(1e9);
    batches.add(SHARED_LANE, small('a', 1, GROUP_SLOTS_MAX - 3));
    expect([room(batches, 1, 3), room(batches, 1, 4)]).toEqual([true, false]);
  });

  it('are one batch for each lane, and none of them is left', () => {
    const batches = new SmallBatches(100);
    const lane = 'own' as never;
    const [a, b, c] = [small('a', 50), small('b', 30), small('c', 20)];
    batches.add(SHARED_LANE, a);
    batches.add(lane, b);
    batches.add(SHARED_LANE, c);
    expect([batches.holds(b.name), batches.holds(nameOf({ ...b.item, namespace: 'm' }))]).toEqual([true, false]);
    expect(batches.takeAll()).toEqual([
      { lane: SHARED_LANE, objects: [a, c] },
      { lane, objects: [b] },
    ]);
    expect(batches.holds(b.name)).toBe(false);
    expect(room(batches, 100, GROUP_SLOTS_MAX)).toBe(true);
    expect(batches.takeAll()).toEqual([]);
  });
});

describe('blocks of a long object', () => {
  async function cut(lengths: readonly number[], bytesMax: number): Promise<number[][]> {
    const blocks = lengths.map((bytes, i) => new HeldBlock(idOf(i), new Uint8Array(bytes)));
    const out: number[][] = [];
    for await (const window of windows(blocks, bytesMax)) out.push(window.map(({ length }) => length));
    return out;
  }

  it('are cut where the next one is a byte too much, and one that is longer goes alone', async () => {
    const two = 2 * (10 + RECORD_SLACK_BYTES);
    expect(await cut([10, 10, 10], two)).toEqual([[10, 10], [10]]);
    expect(await cut([10, 10, 10], two - 1)).toEqual([[10], [10], [10]]);
    expect(await cut([500, 10, 10], two)).toEqual([[500], [10, 10]]);
    expect(await cut([10, 11, 10], two)).toEqual([[10], [11], [10]]);
    expect(await cut([], two)).toEqual([]);
  });

  it('are as many as a transaction takes', async () => {
    const counts = (await cut(new Array(2 * BLOCKS_INLINE_MAX + 1).fill(1), 1e9)).map(({ length }) => length);
    expect(counts).toEqual([BLOCKS_INLINE_MAX, BLOCKS_INLINE_MAX, 1]);
  });
});

describe('a change', () => {
  const none = () => false;
  it('needs a row for its name and each of its blocks, and one more for each that is in trash', () => {
    expect(itemsOf(putOf('a', []), undefined, none)).toBe(1);
    expect(itemsOf(putOf('a', [idOf(1), idOf(2), idOf(1)]), undefined, none)).toBe(3);
    expect(itemsOf(putOf('a', ids(4)), undefined, (id) => id === idOf(2))).toBe(6);
    expect(itemsOf({ namespace: 'n', key: 'a', next: undefined }, rowOf('a', ids(9)), () => true)).toBe(1);
  });

  it('needs one more where a long object goes', () => {
    expect(itemsOf(putOf('a', ids(2)), rowOf('a', ids(3)), none)).toBe(3);
    expect(itemsOf(putOf('a', ids(2)), rowOf('a', undefined), none)).toBe(4);
  });
});

describe('changes of one batch', () => {
  const cutAt = (
    changes: readonly ObjectChange[],
    olds: readonly (ObjectRow | undefined)[] = changes.map(() => undefined),
    { pairs = 45, guards = 0, inTrash = false } = {},
  ) => inTransactions(changes, olds, pairs, guards, () => inTrash).map((some) => some.map(({ key }) => key).join(''));

  it('are as many to a transaction as have so many blocks; one without any counts as one', () => {
    expect(cutAt([putOf('a', ids(44)), putOf('b', ids(1)), putOf('c', [])])).toEqual(['ab', 'c']);
    expect(cutAt([putOf('a', ids(43)), putOf('b', ids(1)), putOf('c', [])])).toEqual(['abc']);
    expect(cutAt([putOf('a', ids(44)), putOf('b', ids(2)), putOf('c', ids(43))])).toEqual(['a', 'bc']);
    expect(cutAt([putOf('a', ids(50)), putOf('b', [])])).toEqual(['a', 'b']);
    expect(cutAt([])).toEqual([]);
  });

  it('are as many as a transaction has rows for, beside those that guard it and the one of what is removed', () => {
    // 49 rows each: name, blocks, and their rows in trash.
    const two = [putOf('a', ids(24)), putOf('b', ids(24))];
    const fits = (guards: number, olds?: (ObjectRow | undefined)[]) =>
      cutAt(two, olds, { pairs: 1000, guards, inTrash: true });
    expect(fits(2)).toEqual(['ab']);
    expect(fits(3)).toEqual(['a', 'b']);
    const old = rowOf('b', ids(2));
    expect(fits(1, [undefined, old])).toEqual(['ab']);
    expect(fits(2, [undefined, old])).toEqual(['a', 'b']);
    expect(fits(0, [undefined, rowOf('b', undefined)])).toEqual(['ab']);
    expect(fits(1, [undefined, rowOf('b', undefined)])).toEqual(['a', 'b']);
  });

  it('remove as much as one row tells of', () => {
    const old = (key: string, bytes: number) => {
      const bare = removedBytesMax(rowOf(key, []));
      return rowOf(key, [], { system: 's'.repeat(bytes - bare) });
    };
    const three = ['a', 'b', 'c'].map((key) => ({ namespace: 'n', key, next: undefined }));
    const third = HELD_BYTES_MAX / 3;
    expect(cutAt(three, [old('a', third), old('b', third), old('c', third)])).toEqual(['abc']);
    expect(cutAt(three, [old('a', third), old('b', third), old('c', third + 1)])).toEqual(['ab', 'c']);
    expect(cutAt(three, [old('a', 2 * third), old('b', 2 * third), old('c', third)])).toEqual(['a', 'bc']);
    expect(cutAt(three, [old('a', 2 * third), undefined, old('c', 2 * third)])).toEqual(['ab', 'c']);
  });
});

describe('objects that are put by plain writes', () => {
  const namedOf = (
    changes: readonly ObjectChange[],
    olds: readonly (ObjectRow | undefined)[] = [],
    known: readonly BlockId[] = [],
  ) =>
    [...namedPutsOf(changes, olds, new Map(known.map((id) => [id, { id } as BlockRow])))].map(
      ([{ key }, id]) => `${key} ${Number(id)}`,
    );
  const [a, b, c] = [putOf('a', [idOf(1)]), putOf('b', [idOf(2)]), putOf('c', [idOf(3)], 'absent')];

  it('are of one new block that is theirs alone, under a free name', () => {
    expect(namedOf([a, b, c])).toEqual(['a 1', 'b 2', 'c 3']);
    expect(namedOf([a, b, c, putOf('d', [idOf(3)])])).toEqual(['a 1', 'b 2']);
    expect(namedOf([a, b, c], [undefined, rowOf('b', [])])).toEqual(['a 1', 'c 3']);
    expect(namedOf([a, b, c], [], [idOf(1)])).toEqual(['b 2', 'c 3']);
    expect(namedOf([a, putOf('e', [idOf(5), idOf(6)]), putOf('f', []), b])).toEqual(['a 1', 'b 2']);
    expect(namedOf([a, b, putOf('v', [idOf(7)], versionOf(4))])).toEqual(['a 1', 'b 2']);
    expect(namedOf([a, b, { namespace: 'n', key: 'gone', next: undefined }])).toEqual(['a 1', 'b 2']);
    // Twice the same block in one object is not one block.
    expect(namedOf([a, b, putOf('g', [idOf(8), idOf(8)])])).toEqual(['a 1', 'b 2']);
  });

  it('are two at the least', () => {
    expect(namedOf([a])).toEqual([]);
    expect(namedOf([a, b])).toEqual(['a 1', 'b 2']);
    expect(namedOf([])).toEqual([]);
  });

  it('are as many as the row of their group can name', () => {
    const long = Array.from({ length: 80 }, (_, i) => putOf(`${i}`.padStart(1024, 'k'), [idOf(i)]));
    const most = Math.floor((PACKED_BYTES_MAX - 1) / intentBytesMax(long[0] as ObjectChange));
    expect(most).toBeLessThan(80);
    expect(namedOf(long)).toHaveLength(most);
    // One byte is the form's: what is as long as all the rest still fits.
    const each = intentBytesMax(long[0] as ObjectChange);
    const left = PACKED_BYTES_MAX - 1 - (most - 1) * each;
    const last = (bytes: number) => putOf('k'.repeat(1024 + bytes - each), [idOf(99)]);
    expect(namedOf([...long.slice(0, most - 1), last(left)])).toHaveLength(most);
    expect(namedOf([...long.slice(0, most - 1), last(left + 1)])).toHaveLength(most - 1);
  });
});
