// What every body of Panda must do, whatever it is made of: the words of lib/panda/panda.ts as tests.
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { AssertionError, present } from '../../lib/foundation/assert.ts';
import { PandaConflict } from '../../lib/panda/conflict.ts';
import type { Attributes, Clause, Key, Panda, Put, Row, Update, Write } from '../../lib/panda/panda.ts';
import { MODEL_PARTITIONS, PandaModel, transactions } from './panda-model.ts';

export interface PandaUnderTest {
  readonly panda: Panda;
  /** Closes `panda` and opens what it left behind. */
  reopen?(): Promise<Panda>;
  close(): Promise<void>;
}

export interface PandaContractOptions {
  /** Random runs of the model test; a body behind a network takes fewer. */
  readonly runs?: number;
  /** True where `reopen` is given. */
  readonly reopens?: boolean;
}

const key = (sort: string, partition = 'p'): Key => ({ partition, sort });
const put = (sort: string, attributes: Attributes = {}, clauses?: readonly Clause[]): Put => ({
  kind: 'put',
  ...key(sort),
  attributes,
  ...(clauses && { if: clauses }),
});
const update = (sort: string, changes: Omit<Update, 'kind' | keyof Key>): Update => ({
  kind: 'update',
  ...key(sort),
  ...changes,
});
const conflictOf = async (attempt: Promise<void>): Promise<readonly number[] | undefined> => {
  try {
    await attempt;
    return undefined;
  } catch (error) {
    if (error instanceof PandaConflict) return error.failed;
    throw error;
  }
};

export function pandaContract(
  name: string,
  make: () => Promise<PandaUnderTest>,
  options: PandaContractOptions = {},
): void {
  describe(`Panda contract: ${name}`, () => {
    const opened: PandaUnderTest[] = [];
    const open = async (): Promise<Panda> => (await makeOne()).panda;
    const makeOne = async (): Promise<PandaUnderTest> => {
      const made = await make();
      opened.push(made);
      return made;
    };
    afterEach(async () => {
      for (const made of opened.splice(0)) await made.close();
    });

    rowsAndValues(open);
    conditions(open);
    writes(open);
    transactionsAsAWhole(open);
    orderAndPages(open);
    concurrency(open);
    programmerErrors(open);

    if (options.reopens === true)
      it('keeps everything over a close', async () => {
        const made = await makeOne();
        await made.panda.transact([put('a', { n: 1, set: new Set(['x']) }), put('b')]);
        const again = await present(made.reopen, 'reopen')();
        expect(await again.get(key('a'))).toEqual({ ...key('a'), attributes: { n: 1, set: new Set(['x']) } });
        expect(await again.get(key('b'))).toEqual({ ...key('b'), attributes: {} });
      });

    it('does what a plain model does', async () => {
      await fc.assert(
        fc.asyncProperty(transactions(12), async (all) => {
          const made = await make();
          try {
            await followsModel(made.panda, all);
          } finally {
            await made.close();
          }
        }),
        { numRuns: options.runs ?? 100 },
      );
    });
  });
}

async function followsModel(panda: Panda, all: readonly Write[][]): Promise<void> {
  const model = new PandaModel();
  for (const writes of all) {
    const expected = model.transact(writes);
    expect((await conflictOf(panda.transact(writes))) ?? []).toEqual(expected);
    for (const partition of MODEL_PARTITIONS)
      expect((await panda.query(partition)).rows).toEqual(model.partition(partition));
  }
}

type Open = () => Promise<Panda>;

function rowsAndValues(open: Open): void {
  it('answers undefined for a row that is not there', async () => {
    const panda = await open();
    expect(await panda.get(key('a'))).toBeUndefined();
    expect(await panda.query('p')).toEqual({ rows: [] });
  });

  it('keeps every kind of attribute', async () => {
    const panda = await open();
    const attributes: Attributes = {
      text: 'é\u0000\u{1F600}"\\',
      emptyText: '',
      zero: 0,
      large: Number.MAX_SAFE_INTEGER,
      negative: Number.MIN_SAFE_INTEGER,
      bytes: new Uint8Array([0, 255, 128, 10]),
      emptyBytes: new Uint8Array(),
      list: ['b', 2, 'a', -1, ''],
      emptyList: [],
      set: new Set(['z', 'a', '\u{1F600}']),
    };
    await panda.transact([put('a', attributes)]);
    const row = await panda.get(key('a'));
    expect(row).toEqual({ ...key('a'), attributes });
    expect(Object.getPrototypeOf(row?.attributes['bytes'])).toBe(Uint8Array.prototype);
  });

  it('takes bytes that are a part of a larger buffer', async () => {
    const panda = await open();
    await panda.transact([put('a', { bytes: Buffer.from('abcdef').subarray(2, 4) })]);
    expect((await panda.get(key('a')))?.attributes['bytes']).toEqual(new Uint8Array([99, 100]));
  });

  it('takes names that are reserved words, inherited names or numbers', async () => {
    const panda = await open();
    const attributes: Attributes = { size: 1, name: 'n', status: 's', constructor: 'c', '1': 2, 'a.b': 3, '#x': 4 };
    await panda.transact([put('a', attributes)]);
    await panda.transact([
      update('a', {
        set: { status: 't' },
        add: { size: 1 },
        remove: ['name'],
        if: [
          { attribute: 'constructor', equals: 'c' },
          { attribute: 'a.b', equals: 3 },
        ],
      }),
    ]);
    const { name: _, ...rest } = attributes;
    expect((await panda.get(key('a')))?.attributes).toEqual({ ...rest, size: 2, status: 't' });
    expect(await conflictOf(panda.transact([put('a', {}, [{ attribute: 'toString', equals: 'c' }])]))).toEqual([0]);
    await panda.transact([update('a', { insert: { valueOf: ['x'] }, if: [{ attribute: 'toString', missing: true }] })]);
    expect((await panda.get(key('a')))?.attributes['valueOf']).toEqual(new Set(['x']));
  });

  it('shares nothing with its callers', async () => {
    const panda = await open();
    const bytes = new Uint8Array([1]);
    const set = new Set(['a']);
    const list = [1];
    await panda.transact([put('a', { bytes, set, list })]);
    bytes[0] = 9;
    set.add('b');
    list.push(9);
    const first = present(await panda.get(key('a')), 'the row');
    expect(first.attributes).toEqual({ bytes: new Uint8Array([1]), set: new Set(['a']), list: [1] });
    (first.attributes['bytes'] as Uint8Array)[0] = 7;
    (first.attributes['set'] as Set<string>).add('c');
    const second = await panda.get(key('a'));
    expect(second?.attributes).toEqual({ bytes: new Uint8Array([1]), set: new Set(['a']), list: [1] });
  });

  it('answers many keys in the order asked, some absent, some twice', async () => {
    const panda = await open();
    await panda.transact([put('a', { n: 1 }), put('b', { n: 2 }), { ...put('a', { n: 3 }), partition: 'q' }]);
    const rows = await panda.getMany([key('b'), key('x'), key('a', 'q'), key('a'), key('b')]);
    expect(rows.map((row) => row?.attributes['n'])).toEqual([2, undefined, 3, 1, 2]);
    expect(await panda.getMany([])).toEqual([]);
  });
}

const ROW: Attributes = {
  n: 5,
  text: 'abc',
  bytes: new Uint8Array([1, 2]),
  list: ['x', 5],
  set: new Set(['x', 'y']),
};

const CLAUSES: readonly [Clause, Attributes | undefined, boolean][] = [
  ['exists', ROW, true],
  ['exists', undefined, false],
  ['absent', ROW, false],
  ['absent', undefined, true],
  [{ attribute: 'n', equals: 5 }, ROW, true],
  [{ attribute: 'n', equals: 4 }, ROW, false],
  [{ attribute: 'n', equals: '5' }, ROW, false],
  [{ attribute: 'n', equals: 5 }, undefined, false],
  [{ attribute: 'm', equals: 0 }, ROW, false],
  [{ attribute: 'text', equals: 'abc' }, ROW, true],
  [{ attribute: 'text', equals: 'ab' }, ROW, false],
  [{ attribute: 'bytes', equals: new Uint8Array([1, 2]) }, ROW, true],
  [{ attribute: 'bytes', equals: new Uint8Array([1, 3]) }, ROW, false],
  [{ attribute: 'text', equals: new Uint8Array([97, 98, 99]) }, ROW, false],
  [{ attribute: 'n', atLeast: 5 }, ROW, true],
  [{ attribute: 'n', atLeast: 6 }, ROW, false],
  [{ attribute: 'n', atLeast: 0 }, undefined, false],
  [{ attribute: 'm', atLeast: 0 }, ROW, false],
  [{ attribute: 'text', atLeast: 0 }, ROW, false],
  [{ attribute: 'n', atMost: 5 }, ROW, true],
  [{ attribute: 'n', atMost: 4 }, ROW, false],
  [{ attribute: 'm', atMost: 9 }, ROW, false],
  [{ attribute: 'n', atMost: 9 }, undefined, false],
  [{ attribute: 'n', oneOf: [1, 5] }, ROW, true],
  [{ attribute: 'text', oneOf: ['x', 'abc', 3] }, ROW, true],
  [{ attribute: 'n', oneOf: [1, '5'] }, ROW, false],
  [{ attribute: 'n', oneOf: [] }, ROW, false],
  [{ attribute: 'm', oneOf: [1] }, ROW, false],
  [{ attribute: 'n', oneOf: [5] }, undefined, false],
  [{ attribute: 'set', contains: 'y' }, ROW, true],
  [{ attribute: 'set', contains: 'z' }, ROW, false],
  [{ attribute: 'text', contains: 'b' }, ROW, false],
  [{ attribute: 'list', contains: 'x' }, ROW, false],
  [{ attribute: 'set', contains: 'x' }, undefined, false],
  [{ attribute: 'm', missing: true }, ROW, true],
  [{ attribute: 'n', missing: true }, ROW, false],
  [{ attribute: 'n', missing: true }, undefined, true],
];

function conditions(open: Open): void {
  it('decides every clause, of a check and of a write', async () => {
    const panda = await open();
    await panda.transact([put('there', ROW)]);
    for (const [clause, row, holds] of CLAUSES) {
      const at = key(row === undefined ? 'nowhere' : 'there');
      const text = `${JSON.stringify(clause)} on ${row === undefined ? 'no row' : 'the row'}`;
      const expected = holds ? undefined : [0];
      expect(await conflictOf(panda.transact([{ kind: 'check', ...at, if: [clause] }])), text).toEqual(expected);
      const write: Write =
        row === undefined ? { kind: 'delete', ...at, if: [clause] } : { ...put('there', ROW, [clause]) };
      expect(await conflictOf(panda.transact([write])), text).toEqual(expected);
      const both: Write[] = [
        { kind: 'check', ...at, if: [clause] },
        { kind: 'delete', ...key('other') },
      ];
      expect(await conflictOf(panda.transact(both)), text).toEqual(expected);
    }
  });

  it('wants all clauses of a condition; an empty one holds', async () => {
    const panda = await open();
    await panda.transact([put('a', { n: 1 }, [])]);
    const two = (n: number): Clause[] => [
      { attribute: 'n', atLeast: 1 },
      { attribute: 'n', atMost: n },
    ];
    expect(await conflictOf(panda.transact([put('a', { n: 2 }, two(0))]))).toEqual([0]);
    expect(await conflictOf(panda.transact([put('a', { n: 2 }, two(1))]))).toBeUndefined();
    await panda.transact([{ kind: 'check', ...key('nowhere'), if: [] }]);
    expect((await panda.get(key('a')))?.attributes).toEqual({ n: 2 });
  });
}

function writes(open: Open): void {
  it('put replaces the whole row', async () => {
    const panda = await open();
    await panda.transact([put('a', { n: 1, m: 2 })]);
    await panda.transact([put('a', { n: 3 })]);
    expect((await panda.get(key('a')))?.attributes).toEqual({ n: 3 });
    expect(await conflictOf(panda.transact([put('a', { n: 4 }, ['absent'])]))).toEqual([0]);
    await panda.transact([put('a')]);
    expect(await panda.get(key('a'))).toEqual({ ...key('a'), attributes: {} });
  });

  it('update changes the attributes it names, all five ways', async () => {
    const panda = await open();
    await panda.transact([put('a', { kept: 'k', n: 1, gone: 'g', in: new Set(['a']), out: new Set(['a', 'b']) })]);
    const change = update('a', {
      set: { text: 'new', list: [1, 'x'] },
      add: { n: -3, fresh: 7 },
      remove: ['gone', 'never'],
      insert: { in: ['a', 'b'], newSet: ['z'], none: [] },
      discard: { out: ['b', 'x'], nowhere: ['q'] },
    });
    const expected = {
      kept: 'k',
      n: -2,
      fresh: 7,
      text: 'new',
      list: [1, 'x'],
      in: new Set(['a', 'b']),
      newSet: new Set(['z']),
      out: new Set(['a']),
    };
    await panda.transact([change]);
    expect((await panda.get(key('a')))?.attributes).toEqual(expected);
    await panda.transact([change, put('b')]);
    expect((await panda.get(key('a')))?.attributes).toEqual({ ...expected, n: -5, fresh: 14 });
  });

  it('update fails on an absent row, whatever its condition', async () => {
    const panda = await open();
    expect(await conflictOf(panda.transact([update('a', { add: { n: 1 } })]))).toEqual([0]);
    expect(await conflictOf(panda.transact([update('a', { set: { n: 1 }, if: ['absent'] })]))).toEqual([0]);
    expect(await conflictOf(panda.transact([put('b'), update('a', {})]))).toEqual([1]);
    expect(await conflictOf(panda.transact([update('a', {})]))).toEqual([0]);
    expect(await panda.get(key('a'))).toBeUndefined();
  });

  it('update without changes leaves the row as it is', async () => {
    const panda = await open();
    await panda.transact([put('a', { n: 1 })]);
    await panda.transact([update('a', {})]);
    await panda.transact([update('a', { insert: { s: [] }, if: [{ attribute: 'n', equals: 1 }] }), put('b')]);
    expect((await panda.get(key('a')))?.attributes).toEqual({ n: 1 });
  });

  it('has no empty sets', async () => {
    const panda = await open();
    await panda.transact([put('a', { put: new Set(), set: new Set(['x']), out: new Set(['x', 'y']) })]);
    expect((await panda.get(key('a')))?.attributes).toEqual({ set: new Set(['x']), out: new Set(['x', 'y']) });
    await panda.transact([update('a', { set: { set: new Set() }, discard: { out: ['x', 'y'] } })]);
    expect((await panda.get(key('a')))?.attributes).toEqual({});
    await panda.transact([update('a', { insert: { out: ['z'] }, if: [{ attribute: 'out', missing: true }] })]);
    expect((await panda.get(key('a')))?.attributes).toEqual({ out: new Set(['z']) });
  });

  it('delete takes the row away, and does not mind an absent one', async () => {
    const panda = await open();
    await panda.transact([put('a'), put('b')]);
    await panda.transact([{ kind: 'delete', ...key('a') }]);
    await panda.transact([{ kind: 'delete', ...key('a') }]);
    expect(await conflictOf(panda.transact([{ kind: 'delete', ...key('a'), if: ['exists'] }]))).toEqual([0]);
    expect((await panda.query('p')).rows.map((row) => row.sort)).toEqual(['b']);
  });

  it('check writes nothing', async () => {
    const panda = await open();
    await panda.transact([{ kind: 'check', ...key('a'), if: ['absent'] }, put('b')]);
    expect(await panda.get(key('a'))).toBeUndefined();
    expect(await panda.get(key('b'))).toEqual({ ...key('b'), attributes: put('b').attributes });
  });
}

function transactionsAsAWhole(open: Open): void {
  it('names exactly the writes that failed, and writes nothing', async () => {
    const panda = await open();
    await panda.transact([put('a', { n: 1 }), put('b', { n: 1 })]);
    const failed = await conflictOf(
      panda.transact([
        put('new', { n: 9 }),
        put('a', { n: 9 }, ['absent']),
        update('b', { add: { n: 1 }, if: [{ attribute: 'n', equals: 1 }] }),
        update('nowhere', { set: { n: 9 } }),
        { kind: 'delete', ...key('b', 'q'), if: ['absent'] },
        { kind: 'check', ...key('a', 'q'), if: ['exists'] },
      ]),
    );
    expect(failed).toEqual([1, 3, 5]);
    expect((await panda.query('p')).rows.map((row) => [row.sort, row.attributes['n']])).toEqual([
      ['a', 1],
      ['b', 1],
    ]);
  });

  it('takes 100 writes, over several partitions, all or nothing', async () => {
    const panda = await open();
    const all = Array.from({ length: 100 }, (_, i): Put => ({ ...put(`k${i}`, { i }), partition: `p${i % 7}` }));
    const broken = all.map((write, i): Write => (i === 99 ? { ...write, if: ['exists'] } : write));
    expect(await conflictOf(panda.transact(broken))).toEqual([99]);
    expect((await panda.getMany(all)).every((row) => row === undefined)).toBe(true);
    await panda.transact(all);
    expect((await panda.getMany(all)).map((row) => row?.attributes['i'])).toEqual(all.map((_, i) => i));
  });

  it('sees a transaction that has resolved, from everywhere', async () => {
    const panda = await open();
    await panda.transact([put('a', { n: 1 })]);
    const [row, [many], { rows }] = await Promise.all([
      panda.get(key('a')),
      panda.getMany([key('a')]),
      panda.query('p'),
    ]);
    for (const seen of [row, many, rows[0]]) expect(seen?.attributes).toEqual({ n: 1 });
  });
}

// In the order of their UTF-8 bytes; UTF-16 code units would put the astral ones before U+E000 and U+FFFD.
const ORDERED = [
  '\u0000',
  'A',
  'B',
  'a',
  'a\u0000',
  'a ',
  'aa',
  'ab',
  'b',
  'é',
  '\u07ff',
  '\ud7ff',
  '\ue000',
  '\ufffd',
].concat(['\uffff', '\u{10000}', '\u{1F600}', '\u{1F600}a', '\u{10FFFF}']);

async function pagesOf(
  panda: Panda,
  from: string | undefined,
  to: string | undefined,
  limit: number,
): Promise<Row[][]> {
  const pages: Row[][] = [];
  let next = from;
  do {
    const page = await panda.query(
      'p',
      { ...(next !== undefined && { from: next }), ...(to !== undefined && { to }) },
      { limit },
    );
    pages.push([...page.rows]);
    next = page.next;
  } while (next !== undefined);
  return pages;
}

function orderAndPages(open: Open): void {
  const fill = async (panda: Panda, sorts: readonly string[], attributes: Attributes = {}): Promise<void> => {
    for (let i = 0; i < sorts.length; i += 100)
      await panda.transact(sorts.slice(i, i + 100).map((sort) => put(sort, attributes)));
  };

  it('orders rows by the UTF-8 bytes of the sort key', async () => {
    const panda = await open();
    await fill(panda, [...ORDERED].reverse());
    await panda.transact([
      { ...put('b'), partition: 'p2' },
      { ...put('b'), partition: 'o' },
    ]);
    expect((await panda.query('p')).rows.map((row) => row.sort)).toEqual(ORDERED);
  });

  it('has inclusive, optional bounds', async () => {
    const panda = await open();
    await fill(panda, ORDERED);
    const between = async (from?: string, to?: string): Promise<string[]> =>
      (await pagesOf(panda, from, to, 1000)).flat().map((row) => row.sort);
    for (const [i, from] of ORDERED.entries()) {
      expect(await between(from)).toEqual(ORDERED.slice(i));
      expect(await between(undefined, from)).toEqual(ORDERED.slice(0, i + 1));
      expect(await between(from, ORDERED[i + 2])).toEqual(ORDERED.slice(i, i + 3));
    }
    expect(await between('a', 'a\u{10FFFF}')).toEqual(['a', 'a\u0000', 'a ', 'aa', 'ab']);
    expect(await between('ac', 'az')).toEqual([]);
    expect(await between('b', 'a')).toEqual([]);
    expect(await between('', 'A')).toEqual(['\u0000', 'A']);
    expect(await between('', '')).toEqual([]);
  });

  it('takes bounds longer than a key', async () => {
    const panda = await open();
    const longest = 'k'.repeat(1024);
    const longestToo = `${'k'.repeat(1023)}l`;
    await fill(panda, ['k', longest, longestToo, 'l']);
    const sorts = async (from: string, to: string): Promise<string[]> =>
      (await pagesOf(panda, from, to, 2)).flat().map((row) => row.sort);
    expect(await sorts(longest, `${longest}\u{10FFFF}`)).toEqual([longest]);
    expect(await sorts(`${longest}\u0000`, 'l')).toEqual([longestToo, 'l']);
    expect(await sorts('a', `${longest}\u{10FFFF}`)).toEqual(['k', longest]);
    expect(await sorts(`${longest}a`, `${longest}b`)).toEqual([]);
  });

  it('pages through a range, each row once', async () => {
    const panda = await open();
    await fill(panda, ORDERED);
    for (const limit of [1, 2, 3, ORDERED.length - 1, ORDERED.length, ORDERED.length + 1]) {
      const pages = await pagesOf(panda, undefined, undefined, limit);
      expect(pages.every((page) => page.length <= limit)).toBe(true);
      expect(pages.flat().map((row) => row.sort)).toEqual(ORDERED);
    }
    const part = await pagesOf(panda, 'a', 'b', 2);
    expect(part.flat().map((row) => row.sort)).toEqual(ORDERED.slice(3, 9));
  });

  it('gives at most 1,000 rows a page and scans them all', async () => {
    const panda = await open();
    const sorts = Array.from({ length: 1201 }, (_, i) => String(i).padStart(5, '0'));
    await fill(panda, sorts, { n: 1 });
    await panda.transact([{ ...put('x', { n: 2 }), partition: 'other' }]);
    const first = await panda.query('p');
    expect(first.rows.length).toBeLessThanOrEqual(1000);
    expect(first.next).toBe(sorts[first.rows.length]);
    expect((await pagesOf(panda, undefined, undefined, 1000)).flat().map((row) => row.sort)).toEqual(sorts);
    const seen: Row[] = [];
    for await (const page of panda.scan()) seen.push(...page);
    const names = seen.map((row) => `${row.partition} ${row.sort}`).sort();
    expect(names).toEqual(['other x', ...sorts.map((sort) => `p ${sort}`)]);
    expect(seen.every((row) => row.attributes['n'] === (row.partition === 'p' ? 1 : 2))).toBe(true);
  });

  it('gives the attributes that are asked for, and no wrong ones', async () => {
    const panda = await open();
    const bytes = (length: number) => new Uint8Array(length).fill(9);
    const sorts = ['a', 'b', 'c', 'd'];
    // Bytes are equal whatever class they are of.
    const plain = (value: unknown) => (value instanceof Uint8Array ? [...value] : value);
    const full = (i: number): Attributes => ({ d: bytes(i + 1), n: i, s: 'text', p: bytes(40), z: new Set(['x']) });
    for (const [i, sort] of sorts.entries()) await panda.transact([put(sort, full(i))]);
    const only = new Set(['d', 's', 'none']);
    const ask = async (range: { from?: string; to?: string }, limit: number) => {
      const { rows, next } = await panda.query('p', range, { only, limit });
      for (const { sort, attributes } of rows) {
        const all = (await panda.get(key(sort)))?.attributes ?? {};
        for (const [name, value] of Object.entries(attributes)) expect(plain(value)).toEqual(plain(all[name]));
        expect(Object.keys(attributes)).toEqual(expect.arrayContaining(['d', 's'].filter((name) => name in all)));
      }
      return [rows.map(({ sort }) => sort), next];
    };
    expect(await ask({}, 1000)).toEqual([sorts, undefined]);
    expect(await ask({ from: 'b' }, 2)).toEqual([['b', 'c'], 'd']);
    expect(await ask({ from: 'b', to: 'c' }, 2)).toEqual([['b', 'c'], undefined]);
    // Beside rows that are not as short as most are.
    await panda.transact([put('c', { d: bytes(5000), s: 'text' })]);
    await panda.transact([put('e', { other: 1 })]);
    expect(await ask({}, 1000)).toEqual([[...sorts, 'e'], undefined]);
    expect(await ask({ to: 'b' }, 1)).toEqual([['a'], 'b']);
  });

  it('ends a page of large rows early', async () => {
    const panda = await open();
    const sorts = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
    const attributes = { bytes: new Uint8Array(390 * 1024).fill(7) };
    for (const sort of sorts) await panda.transact([put(sort, attributes)]);
    const pages = await pagesOf(panda, undefined, undefined, 1000);
    expect(pages.length).toBeGreaterThan(1);
    expect(pages.flat().map((row) => row.sort)).toEqual(sorts);
    let rows = 0;
    for await (const page of panda.scan()) {
      expect(page.length).toBeLessThan(sorts.length);
      rows += page.length;
    }
    expect(rows).toBe(sorts.length);
  });
}

async function retried(attempt: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      const again = error instanceof Error && 'kind' in error && (error.kind === 'conflict' || error.kind === 'retry');
      if (!again) throw error;
    }
  }
}

function concurrency(open: Open): void {
  const WRITERS = 16;

  it('counts every increment of writers that read, then write under a condition', async () => {
    const panda = await open();
    await panda.transact([put('a', { n: 0 }), put('b', { n: 0 })]);
    const increment = async (): Promise<void> => {
      const n = Number((await panda.get(key('a')))?.attributes['n']);
      const bump = { set: { n: n + 1 }, if: [{ attribute: 'n', equals: n }] };
      await panda.transact([update('a', bump), update('b', { add: { n: 1 } })]);
    };
    await Promise.all(Array.from({ length: WRITERS }, () => retried(increment)));
    const rows = await panda.getMany([key('a'), key('b')]);
    expect(rows.map((row) => row?.attributes['n'])).toEqual([WRITERS, WRITERS]);
  });

  it('lets one of many writers make a row', async () => {
    const panda = await open();
    const outcomes = await Promise.all(
      Array.from({ length: WRITERS }, async (_, n) => {
        let failed: readonly number[] | undefined;
        await retried(async () => {
          failed = await conflictOf(panda.transact([put(`own${n}`), put('a', { n }, ['absent'])]));
        });
        return failed;
      }),
    );
    const winner = outcomes.indexOf(undefined);
    expect(outcomes.filter((failed) => failed === undefined).length).toBe(1);
    expect(outcomes.every((failed, n) => n === winner || failed?.join() === '1')).toBe(true);
    const sorts = (await panda.query('p')).rows.map((row) => row.sort);
    expect(sorts).toEqual(['a', `own${winner}`]);
  });

  it('does transactions that meet at a row, or refuses them as busy and writes nothing of them', async () => {
    const panda = await open();
    const shared: Write = { kind: 'check', ...key('shared'), if: ['absent'] };
    const transactions = Array.from({ length: WRITERS }, (_, i): Write[] => [shared, put(`one${i}`), put(`two${i}`)]);
    const outcomes = await Promise.allSettled(transactions.map((writes) => panda.transact(writes)));
    const rows = (await panda.query('p')).rows.map(({ sort }) => sort);
    for (const [i, outcome] of outcomes.entries()) {
      const written = [`one${i}`, `two${i}`].filter((sort) => rows.includes(sort));
      expect(written).toHaveLength(outcome.status === 'fulfilled' ? 2 : 0);
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ kind: 'retry', code: 'PANDA_BUSY' });
    }
    if (!panda.refusesOverlap) expect(outcomes.every(({ status }) => status === 'fulfilled')).toBe(true);
    for (const [i, { status }] of outcomes.entries())
      if (status === 'rejected') await retried(() => panda.transact(transactions[i] as Write[]));
    expect((await panda.query('p')).rows).toHaveLength(2 * WRITERS);
  });

  it('does not let writers of disjoint attributes disturb each other', async () => {
    const panda = await open();
    await panda.transact([put('a', { set: new Set(['start']) })]);
    await Promise.all(
      Array.from({ length: WRITERS }, (_, i) =>
        retried(() =>
          panda.transact([update('a', { set: { [`x${i}`]: i }, add: { n: 1 }, insert: { set: [`m${i}`] } })]),
        ),
      ),
    );
    const attributes = (await panda.get(key('a')))?.attributes;
    expect(attributes?.['n']).toBe(WRITERS);
    expect(attributes?.['set']).toEqual(new Set(['start', ...Array.from({ length: WRITERS }, (_, i) => `m${i}`)]));
    for (let i = 0; i < WRITERS; i++) expect(attributes?.[`x${i}`]).toBe(i);
  });
}

function programmerErrors(open: Open): void {
  const KIB = 1024;
  const refuses = async (attempt: Promise<unknown>): Promise<void> => {
    await expect(attempt).rejects.toBeInstanceOf(AssertionError);
  };

  it('refuses transactions of a wrong shape, and writes nothing', async () => {
    const panda = await open();
    await refuses(panda.transact([]));
    await refuses(panda.transact(Array.from({ length: 101 }, (_, i) => put(`k${i}`))));
    await refuses(panda.transact([put('a'), { kind: 'delete', ...key('a') }]));
    await refuses(panda.transact([put('a', { n: 0.5 })]));
    await refuses(panda.transact([put('a', { n: 2 ** 53 })]));
    await refuses(panda.transact([put('a', { text: '\ud800' })]));
    await refuses(panda.transact([put('a', { set: new Set(['']) })]));
    await refuses(panda.transact([put('a', { nothing: undefined as never })]));
    for (const name of ['', 'pk', 'sk', '\ud800', 'x'.repeat(256)])
      await refuses(panda.transact([put('a', { [name]: 1 })]));
    await refuses(panda.transact([update('a', { set: { n: 1 }, add: { n: 1 } })]));
    await refuses(panda.transact([update('a', { remove: ['n', 'n'] })]));
    await refuses(panda.transact([put('a', {}, [{ attribute: 'pk', missing: true }])]));
    expect((await panda.query('p')).rows).toEqual([]);
  });

  it('refuses keys that are empty, too long or not text', async () => {
    const panda = await open();
    const longest = `${'é'.repeat(511)}ab`;
    await panda.transact([{ ...put(longest), partition: longest }]);
    expect((await panda.get(key(longest, longest)))?.sort).toBe(longest);
    for (const wrong of ['', `${longest}c`, '\udc00']) {
      await refuses(panda.get(key(wrong)));
      await refuses(panda.get(key('a', wrong)));
      await refuses(panda.getMany([key(wrong)]));
      await refuses(panda.query(wrong));
      await refuses(panda.transact([put(wrong)]));
    }
    await refuses(panda.getMany(Array.from({ length: 101 }, (_, i) => key(`k${i}`))));
    await refuses(panda.query('p', { from: '\ud800' }));
    for (const limit of [0, 1001, 1.5]) await refuses(panda.query('p', {}, { limit }));
  });

  it('refuses rows over 400 KiB and transactions over 4 MiB', async () => {
    const panda = await open();
    const row = (bytes: number): Attributes => ({ b: new Uint8Array(bytes) });
    const framed = 'pk'.length + 'p'.length + 'sk'.length + 'a'.length + 'b'.length;
    await panda.transact([put('a', row(400 * KIB - framed))]);
    await refuses(panda.transact([put('a', row(400 * KIB - framed + 1))]));
    const many = (count: number): Put[] => Array.from({ length: count }, (_, i) => put(String(i), row(399 * KIB)));
    await refuses(panda.transact(many(11)));
    expect((await panda.query('p')).rows.map((found) => found.sort)).toEqual(['a']);
  });

  it('refuses an update that makes a row too large or meets a wrong type, and leaves the row', async () => {
    const panda = await open();
    const attributes: Attributes = { bytes: new Uint8Array(300 * KIB), text: 'x', n: 1 };
    await panda.transact([put('a', attributes)]);
    const more = { more: new Uint8Array(101 * KIB) };
    await refuses(panda.transact([update('a', { set: more })]));
    await refuses(panda.transact([put('b'), update('a', { set: more })]));
    await refuses(panda.transact([update('a', { add: { text: 1 } })]));
    await refuses(panda.transact([update('a', { insert: { n: ['x'] } }), put('b')]));
    await refuses(panda.transact([update('a', { discard: { text: ['x'] } })]));
    expect((await panda.query('p')).rows).toEqual([{ ...key('a'), attributes }]);
  });
}
