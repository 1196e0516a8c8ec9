// Pages of names: what is on a page, where the next one begins, and how many rows are read for it.
import { describe, expect, it } from 'vitest';
import type { BlockId, ObjectVersion } from '../../../lib/foundation/ids.ts';
import { type ListRequest, listObjects } from '../../../lib/frontend/list-objects.ts';
import { LIST_BYTES_MAX, LIST_ENTRY_BYTES, LIST_LIMIT_MAX } from '../../../lib/limits/frontend.ts';
import { MemoryPanda } from '../../../lib/panda/memory-panda.ts';
import type { Page, QueryOptions, SortRange, Write } from '../../../lib/panda/panda.ts';
import { type ObjectRow, objectAttributes, objectKey } from '../../../lib/panda/rows/object-row.ts';
import { voidKey, voidWrite } from '../../../lib/panda/rows/void-row.ts';

const versionOf = (n: number): ObjectVersion => `${n}`.padStart(24, '0') as ObjectVersion;
const rowOf = (key: string, more: Partial<ObjectRow> = {}): ObjectRow => ({
  ...{ namespace: 'n', key, version: versionOf(1), sizeBytes: 5, blockBytes: 1024, createdAtMs: 3 },
  ...{ etag: '5'.repeat(64), metadata: undefined, blocks: ['5'.repeat(64) as BlockId], segments: undefined, ...more },
});
const putOf = (row: ObjectRow): Write => ({
  kind: 'put',
  ...objectKey('n', row.key),
  attributes: objectAttributes(row),
});

class QueriedPanda extends MemoryPanda {
  readonly queries: string[] = [];

  override query(partition: string, range: SortRange = {}, options: QueryOptions = {}): Promise<Page> {
    const { from = '', to } = range;
    const until = to === undefined ? '' : ` to ${to}`;
    this.queries.push(`${partition.split('/')[0]} from ${from}${until}, ${options.limit ?? 'all'}`);
    return super.query(partition, range, options);
  }
}

async function withRows(writes: readonly Write[]): Promise<QueriedPanda> {
  const panda = new QueriedPanda();
  for (const write of writes) await panda.transact([write]);
  return panda;
}
const withKeys = (...keys: string[]) => withRows(keys.map((key) => putOf(rowOf(key))));
const shownOf = async (panda: MemoryPanda, request: Omit<ListRequest, 'namespace'> = {}) => {
  const { objects, commonPrefixes, damaged, next } = await listObjects(panda, { namespace: 'n', ...request });
  return { keys: objects.map(({ key }) => key), commonPrefixes, damaged: damaged.map(({ key }) => key), next };
};
const none = { commonPrefixes: [], damaged: [] };

describe('a page', () => {
  it('has as many names as are asked for, and says where the next one begins', async () => {
    const panda = await withKeys('a', 'b', 'c');
    expect(await shownOf(panda, { limit: 2 })).toEqual({ ...none, keys: ['a', 'b'], next: expect.any(String) });
    const { next = '' } = await shownOf(panda, { limit: 2 });
    expect(await shownOf(panda, { limit: 2, from: next })).toEqual({ ...none, keys: ['c'], next: undefined });
    expect(await shownOf(panda, { limit: 3 })).toEqual({ ...none, keys: ['a', 'b', 'c'], next: undefined });
    expect(await shownOf(panda, { from: 'b' })).toEqual({ ...none, keys: ['b', 'c'], next: undefined });
    expect(await shownOf(await withKeys())).toEqual({ ...none, keys: [], next: undefined });
  });

  it('ends with the prefix', async () => {
    const panda = await withKeys('a', 'b/1', 'b/2', 'c');
    expect(await shownOf(panda, { prefix: 'b/' })).toEqual({ ...none, keys: ['b/1', 'b/2'], next: undefined });
    expect(panda.queries).toEqual([`object from b/, ${LIST_LIMIT_MAX}`]);
    expect(await shownOf(panda, { prefix: 'b/', from: 'b/2' })).toEqual({ ...none, keys: ['b/2'], next: undefined });
  });

  it.each([0, -1, 1.5, LIST_LIMIT_MAX + 1, Number.NaN])('of %d entries is refused', async (limit) => {
    await expect(shownOf(await withKeys('a'), { limit })).rejects.toMatchObject({
      kind: 'invalid',
      code: 'LIMIT_INVALID',
    });
  });

  it.each([1, LIST_LIMIT_MAX])('of %d entries is not', async (limit) => {
    expect((await shownOf(await withKeys('a'), { limit })).keys).toEqual(['a']);
  });

  it.each([{ prefix: '\ud800' }, { delimiter: '\ud800' }, { from: '\ud800' }])(
    'of what is no text is refused: %j',
    async (request) => {
      await expect(shownOf(await withKeys('a'), request)).rejects.toMatchObject({ code: 'NAME_INVALID' });
    },
  );

  it('of another namespace is refused or empty', async () => {
    const panda = await withKeys('a');
    await expect(listObjects(panda, { namespace: 'N' })).rejects.toMatchObject({ code: 'NAMESPACE_INVALID' });
    expect((await listObjects(panda, { namespace: 'm' })).objects).toEqual([]);
  });

  it('tells of rows that cannot be read, and counts them', async () => {
    const panda = await withKeys('a', 'c', 'd');
    await panda.transact([{ kind: 'put', ...objectKey('n', 'b'), attributes: { x: 1 } }]);
    expect(await shownOf(panda, { limit: 3 })).toMatchObject({ keys: ['a', 'c'], damaged: ['b'] });
    expect((await listObjects(panda, { namespace: 'n' })).damaged[0]?.error).toMatchObject({ kind: 'corrupt' });
    expect(panda.queries[0]).toBe('object from , 3');
  });
});

describe('a page of long names', () => {
  /** Quotes double twice where text is in JSON that is text in JSON. */
  const entry = (key: string, metadata: string): number =>
    LIST_ENTRY_BYTES + Buffer.byteLength(JSON.stringify(JSON.stringify([key, metadata])));
  const EACH = 8192;
  const MOST = LIST_BYTES_MAX / EACH;
  const filled = (key: string, bytes: number): ObjectRow => {
    const quotes = '"'.repeat(1800);
    return rowOf(key, { metadata: quotes + 'x'.repeat(bytes - entry(key, quotes)) });
  };
  const keyOf = (i: number): string => `${i}`.padStart(5, '0');

  it('ends where an answer has no more room, and the next one begins with what did not fit', async () => {
    const panda = await withRows(Array.from({ length: MOST + 2 }, (_, i) => putOf(filled(keyOf(i), EACH))));
    expect(entry('00001', filled('00001', EACH).metadata ?? '')).toBe(EACH);
    const first = await shownOf(panda);
    expect([first.keys.length, first.next]).toEqual([MOST, keyOf(MOST)]);
    expect((await shownOf(panda, { from: first.next ?? '' })).keys).toEqual([keyOf(MOST), keyOf(MOST + 1)]);
    await panda.transact([putOf(filled(keyOf(7), EACH + 1))]);
    const shorter = await shownOf(panda);
    expect([shorter.keys.length, shorter.next]).toEqual([MOST - 1, keyOf(MOST - 1)]);
  });
});

describe('names rolled up behind a delimiter', () => {
  it('are one entry, and what is behind it is not read to its end', async () => {
    const keys = Array.from({ length: 40 }, (_, i) => `b/${`${i}`.padStart(2, '0')}`);
    const panda = await withKeys('a', ...keys, 'c', 'd/1', 'e');
    expect(await shownOf(panda, { delimiter: '/' })).toEqual({
      ...none,
      keys: ['a', 'c', 'e'],
      commonPrefixes: ['b/', 'd/'],
      next: undefined,
    });
    // A few at first, twice as many each time nothing is rolled up, and a few again behind each prefix.
    expect(panda.queries).toEqual(['object from , 8', 'object from b0, 8', 'object from d0, 8']);
  });

  it('count as entries, and a page may end with one', async () => {
    const panda = await withKeys('a/1', 'a/2', 'b', 'c/1', 'd');
    expect(await shownOf(panda, { delimiter: '/', limit: 1 })).toEqual({
      ...none,
      keys: [],
      commonPrefixes: ['a/'],
      next: 'a0',
    });
    expect(await shownOf(panda, { delimiter: '/', limit: 2, from: 'a0' })).toEqual({
      ...{ ...none, keys: ['b'], commonPrefixes: ['c/'], next: 'c0' },
    });
    expect(await shownOf(panda, { delimiter: '/', limit: 3 })).toMatchObject({
      keys: ['b'],
      commonPrefixes: ['a/', 'c/'],
    });
  });

  it('are cut behind the prefix, at the first delimiter, however long it is', async () => {
    const panda = await withKeys('x', 'x--', 'x--a', 'x--a--b', 'x--c', 'x-d');
    expect(await shownOf(panda, { delimiter: '--' })).toMatchObject({ keys: ['x', 'x-d'], commonPrefixes: ['x--'] });
    expect(await shownOf(panda, { prefix: 'x--', delimiter: '--' })).toMatchObject({
      ...{ keys: ['x--', 'x--a', 'x--c'], commonPrefixes: ['x--a--'] },
    });
  });

  it('are read twice as many at a time where nothing is rolled up', async () => {
    const panda = await withKeys(...Array.from({ length: 30 }, (_, i) => `${`${i}`.padStart(2, '0')}`));
    expect((await shownOf(panda, { delimiter: '/' })).keys).toHaveLength(30);
    expect(panda.queries.map((query) => query.split(', ')[1])).toEqual(['8', '16', '32']);
    panda.queries.length = 0;
    expect((await shownOf(panda, { delimiter: '/', limit: 10 })).keys).toHaveLength(10);
    expect(panda.queries.map((query) => query.split(', ')[1])).toEqual(['8', '2']);
    panda.queries.length = 0;
    expect((await shownOf(panda, { limit: 20 })).keys).toHaveLength(20);
    expect(panda.queries.map((query) => query.split(', ')[1])).toEqual(['20']);
  });
});

describe('what was given up and landed late', () => {
  const named = (key: string, version: number) => rowOf(key, { version: versionOf(version), isNamed: true });

  it('is on no page; another version of the name is', async () => {
    const panda = await withRows([
      ...[putOf(rowOf('a')), putOf(named('b', 2)), putOf(named('c', 4)), putOf(named('d', 5)), putOf(rowOf('e'))],
      voidWrite(voidKey('n', 'b'), undefined, versionOf(2), 9),
      voidWrite(voidKey('n', 'c'), undefined, versionOf(3), 9),
      voidWrite(voidKey('n', 'e'), undefined, versionOf(1), 9),
    ]);
    expect(await shownOf(panda)).toEqual({ ...none, keys: ['a', 'c', 'd', 'e'], next: undefined });
    // Once for the page, and of its names only.
    expect(panda.queries).toEqual([`object from , ${LIST_LIMIT_MAX}`, 'void from b to e, all']);
  });

  it('is not looked for where nothing was put so, and does not count for the page', async () => {
    const panda = await withRows([
      ...[putOf(named('a', 2)), putOf(named('b', 3)), putOf(rowOf('c'))],
      voidWrite(voidKey('n', 'a'), undefined, versionOf(2), 9),
    ]);
    expect((await shownOf(panda, { limit: 2 })).keys).toEqual(['b', 'c']);
    expect((await shownOf(panda, { delimiter: 'a' })).commonPrefixes).toEqual([]);
    const plain = await withKeys('a', 'b');
    await shownOf(plain);
    expect(plain.queries).toHaveLength(1);
  });

  it('is shown where its own row is damaged: nobody knows then', async () => {
    const panda = await withRows([
      putOf(named('a', 2)),
      putOf(named('b', 3)),
      { kind: 'put', ...voidKey('n', 'a'), attributes: { v: 'no bytes' } },
      voidWrite(voidKey('n', 'b'), undefined, versionOf(3), 9),
    ]);
    expect((await shownOf(panda)).keys).toEqual(['a']);
  });

  it('is found behind a page of others', async () => {
    const keys = Array.from({ length: 1001 }, (_, i) => `k${`${i}`.padStart(4, '0')}`);
    const panda = await withRows([
      putOf(named('k0000', 1)),
      putOf(named('k1000', 3)),
      ...keys.map((key, i) => voidWrite(voidKey('n', key), undefined, versionOf(i === 1000 ? 3 : 2), 9)),
    ]);
    expect((await shownOf(panda)).keys).toEqual(['k0000']);
  });
});
