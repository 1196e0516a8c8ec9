// What goes together where small objects come one by one: how many, how long, what waits, and what becomes of it where a batch ends early.
import { describe, expect, it } from 'vitest';
import { Batcher, type BatcherOptions } from '../../../lib/frontend/gathered/batcher.ts';
import {
  BATCHED_BYTES_MAX,
  BATCHED_OBJECTS_MAX,
  BATCHES_AT_ONCE,
  BESIDE_FROM_BYTES,
  BESIDE_FROM_OBJECTS,
  GATHER_MS,
} from '../../../lib/limits/frontend.ts';

interface Item {
  readonly namespace: string;
  readonly key: string;
  readonly sizeBytes?: number;
}
type Told =
  | { readonly key: string; readonly ok: true }
  | { readonly key: string; readonly ok: false; readonly error: Error };

/** Whoever puts many: batches are done when the test says so. */
class Engine {
  readonly batches: string[] = [];
  readonly sizes: number[] = [];
  readonly #ends: (() => void)[] = [];
  outcomesOf: (keys: readonly string[]) => readonly Told[] = (keys) => keys.map((key) => ({ key, ok: true }));
  fails: unknown;

  async *putAll(items: readonly Item[]): AsyncIterable<Told & { readonly ok: true }> {
    this.batches.push(items.map(({ namespace, key }) => `${namespace}/${key}`).join(' '));
    this.sizes.push(items.length);
    await new Promise<void>((resolve) => {
      this.#ends.push(resolve);
    });
    for (const outcome of this.outcomesOf(items.map(({ key }) => key))) yield outcome as Told & { readonly ok: true };
    if (this.fails !== undefined) throw this.fails;
  }

  async end(): Promise<void> {
    this.#ends.shift()?.();
    await turns();
  }
}

async function turns(): Promise<void> {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
}

function batcher(options: BatcherOptions = {}) {
  const engine = new Engine();
  const made = new Batcher<Item, { readonly key: string; readonly ok: true }>(engine, options);
  const done: string[] = [];
  const put = (key: string, sizeBytes?: number, namespace = 'n'): void =>
    void made.outcomeOf({ namespace, key, ...(sizeBytes === undefined ? {} : { sizeBytes }) }).then(
      (outcome) =>
        done.push(outcome.ok ? outcome.key : `${outcome.key} ${(outcome.error as Error & { code: string }).code}`),
      (error: Error) => done.push(error.message),
    );
  return { engine, made, put, done };
}

/** A clock of which a test says when a wait is over. */
function waits() {
  const asked: number[] = [];
  let over = (): void => {};
  const sleep = (ms: number): Promise<void> => {
    asked.push(ms);
    return new Promise((resolve) => {
      over = resolve;
    });
  };
  return { clock: { sleep }, asked, over: () => over() };
}

describe('what goes together', () => {
  it('is at most so many objects', async () => {
    const { engine, put } = batcher();
    for (let i = 0; i <= BATCHED_OBJECTS_MAX; i++) put(`${i}`);
    await turns();
    expect(engine.sizes).toEqual([BATCHED_OBJECTS_MAX, 1]);
  });

  it('is at most so many bytes, and one that is longer alone', async () => {
    const { engine, put, made } = batcher();
    put('a', BATCHED_BYTES_MAX - 1);
    put('b', 1);
    put('c', 1);
    await turns();
    expect(engine.batches).toEqual(['n/a n/b', 'n/c']);
    put('d', BATCHED_BYTES_MAX + 1);
    put('e', 0);
    await turns();
    expect([made.waiting, engine.sizes.length]).toEqual([2, BATCHES_AT_ONCE]);
    await engine.end();
    expect(engine.batches.slice(2)).toEqual(['n/d']);
    await engine.end();
    expect(engine.batches.slice(2)).toEqual(['n/d', 'n/e']);
  });

  it('has each key once, whosever it is, and none that is under way', async () => {
    const { engine, put, done } = batcher();
    for (const [key, namespace] of [
      ['a', 'n'],
      ['a', 'm'],
      ['b', 'n'],
      ['a', 'n'],
    ] as const)
      put(key, 1, namespace);
    await turns();
    expect(engine.batches).toEqual(['n/a n/b', 'm/a']);
    await engine.end();
    expect(engine.batches).toEqual(['n/a n/b', 'm/a', 'n/a']);
    expect(done).toEqual(['a', 'b']);
  });

  it('keeps the order of one name, though an earlier one of it did not fit', async () => {
    const { engine, put } = batcher();
    put('a', BATCHED_BYTES_MAX);
    put('b', 9);
    put('b', 0);
    await turns();
    expect(engine.batches).toEqual(['n/a', 'n/b']);
    await engine.end();
    expect(engine.sizes).toEqual([1, 1]);
    await engine.end();
    expect(engine.batches).toEqual(['n/a', 'n/b', 'n/b']);
  });

  it('is told as it begins', async () => {
    const begun: number[] = [];
    const { put } = batcher({ onBatch: (objects) => begun.push(objects) });
    for (const key of ['a', 'b', 'c']) put(key);
    await turns();
    expect(begun).toEqual([3]);
  });
});

describe('a batch that ends early', () => {
  it('by a full disk leaves the others to be put again', async () => {
    const { engine, put, done, made } = batcher();
    const full = Object.assign(new Error('full'), { code: 'STORE_FULL' });
    engine.outcomesOf = ([first = '', second = '']) => [
      { key: second, ok: true },
      { key: first, ok: false, error: full },
    ];
    for (const key of ['a', 'b', 'c', 'd']) put(key);
    await turns();
    await engine.end();
    expect(done).toEqual(['b', 'a STORE_FULL', 'c DISK_FULL', 'd DISK_FULL']);
    const again = made.put({ namespace: 'n', key: 'e' }).catch((error: unknown) => error);
    await turns();
    engine.outcomesOf = ([key = '']) => [{ key, ok: false, error: full }];
    await engine.end();
    expect(await again).toBe(full);
  });

  it('by a mistake of a program rejects whatever has no outcome, and the next one is begun', async () => {
    const { engine, put, done } = batcher();
    engine.outcomesOf = (keys) => keys.slice(0, 1).map((key) => ({ key, ok: true }));
    engine.fails = new TypeError('a mistake');
    for (const key of ['a', 'b', 'c']) put(key);
    await turns();
    put('c');
    await engine.end();
    expect(done).toEqual(['a', 'a mistake', 'a mistake']);
    expect(engine.batches).toEqual(['n/a n/b n/c', 'n/c']);
  });
});

describe('at a server', () => {
  it('a batch is begun beside another one from so many bytes on', async () => {
    const { engine, put, made } = batcher(waits());
    put('first', 1);
    await turns();
    put('a', BESIDE_FROM_BYTES - 1);
    await turns();
    expect([engine.batches, made.waiting]).toEqual([['n/first'], 1]);
    put('b', 1);
    await turns();
    expect(engine.batches).toEqual(['n/first', 'n/a n/b']);
    put('c', BESIDE_FROM_BYTES);
    await turns();
    expect(engine.sizes).toHaveLength(BATCHES_AT_ONCE);
  });

  it('bytes that went with a batch are counted no more', async () => {
    const { engine, put } = batcher(waits());
    put('first', BESIDE_FROM_BYTES);
    await turns();
    put('a', 1);
    await turns();
    expect(engine.batches).toEqual(['n/first']);
  });

  it('waits for as many as came before, and goes on with the last of them', async () => {
    const { clock, asked } = waits();
    const { engine, put } = batcher({ clock });
    for (const key of ['a', 'b', 'c']) put(key);
    await turns();
    await engine.end();
    expect(asked).toEqual([]);
    for (const key of ['d', 'e']) put(key);
    await turns();
    expect([engine.sizes, asked]).toEqual([[3], [GATHER_MS]]);
    put('f');
    await turns();
    expect([engine.sizes, asked]).toEqual([[3, 3], [GATHER_MS]]);
  });

  it('waits no longer than a moment, once for each batch', async () => {
    const { clock, asked, over } = waits();
    const { engine, put } = batcher({ clock });
    for (const key of ['a', 'b', 'c']) put(key);
    await turns();
    await engine.end();
    put('d');
    await turns();
    put('e');
    await turns();
    expect(asked).toEqual([GATHER_MS]);
    over();
    await turns();
    expect(engine.batches).toEqual(['n/a n/b n/c', 'n/d n/e']);
    await engine.end();
    put('f');
    await turns();
    // Two came before: this one waits again.
    expect(asked).toEqual([GATHER_MS, GATHER_MS]);
    over();
    await turns();
    expect(engine.batches.slice(2)).toEqual(['n/f']);
  });

  it('waits not at all for much', async () => {
    const { clock, asked } = waits();
    const { engine, put } = batcher({ clock });
    for (const key of ['a', 'b', 'c']) put(key, 1);
    await turns();
    await engine.end();
    put('d', BESIDE_FROM_BYTES);
    await turns();
    expect([engine.batches, asked]).toEqual([['n/a n/b n/c', 'n/d'], []]);
  });

  it('a wait that is over when the others have come and gone begins nothing', async () => {
    const { clock, over } = waits();
    const { engine, put } = batcher({ clock });
    for (const key of ['a', 'b']) put(key);
    await turns();
    await engine.end();
    put('c');
    await turns();
    put('d');
    await turns();
    expect(engine.sizes).toEqual([2, 2]);
    await engine.end();
    put('e');
    await turns();
    expect(engine.sizes).toEqual([2, 2]);
    over();
    await turns();
    expect(engine.sizes).toEqual([2, 2, 1]);
  });

  it('expects those that waited meanwhile as well, up to as many as go beside', async () => {
    const { clock, asked } = waits();
    const { engine, put } = batcher({ clock });
    put('a');
    await turns();
    for (const key of ['b', 'c']) put(key);
    await turns();
    await engine.end();
    // b and c went at once with the end of it: three were expected, and two are enough only after a moment.
    expect([engine.sizes, asked]).toEqual([[1], [GATHER_MS]]);
    put('d');
    await turns();
    expect(engine.sizes).toEqual([1, 3]);
    for (let i = 0; i < BESIDE_FROM_OBJECTS; i++) put(`k${i}`);
    await turns();
    expect(engine.sizes).toEqual([1, 3, BESIDE_FROM_OBJECTS]);
    await engine.end();
    await engine.end();
    for (let i = 0; i < BESIDE_FROM_OBJECTS - 1; i++) put(`l${i}`);
    await turns();
    expect(engine.sizes).toHaveLength(3);
    put('last');
    await turns();
    expect(engine.sizes).toEqual([1, 3, BESIDE_FROM_OBJECTS, BESIDE_FROM_OBJECTS]);
  });
});
