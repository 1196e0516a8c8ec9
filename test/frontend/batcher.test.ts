// Small objects that come at once share appends, one alone waits for nothing, and of one name the later put stays.
import { describe, expect, it } from 'vitest';
import { Batcher } from '../../lib/frontend/gathered/batcher.ts';
import { BESIDE_FROM_OBJECTS, GATHER_MS } from '../../lib/limits/frontend.ts';
import { type Process, TINY, World } from '../store/harness.ts';

const itemOf = (key: string, text: string, namespace = 'n') => ({
  namespace,
  key,
  body: Buffer.from(text),
  sizeBytes: text.length,
});

async function groups(p: Process): Promise<number> {
  let count = 0;
  for await (const rows of p.components.panda.scan())
    count += rows.filter(({ partition }) => partition.startsWith('group/')).length;
  return count;
}

const textOf = async (p: Process, key: string, namespace = 'n'): Promise<string> =>
  Buffer.from(await p.frontend.read(namespace, key, 1e6)).toString();

describe('small objects', () => {
  it('that come at once share a few appends', async () => {
    const p = new World(1, TINY).start();
    const batches: number[] = [];
    const batcher = new Batcher(p.frontend, { onBatch: (objects) => batches.push(objects) });
    const keys = Array.from({ length: 64 }, (_, i) => `k${i}`);
    await Promise.all(keys.map((key) => batcher.put(itemOf(key, `of ${key}`))));
    expect(batches.reduce((sum, one) => sum + one, 0)).toBe(64);
    expect(batches.length).toBeLessThanOrEqual(4);
    expect(await groups(p)).toBeLessThanOrEqual(8);
    for (const key of keys) expect(await textOf(p, key)).toBe(`of ${key}`);
    expect(batcher.waiting).toBe(0);
  });

  it('of one name are put in the order they came, and the same key of two namespaces is two', async () => {
    const p = new World(2, TINY).start();
    const batcher = new Batcher(p.frontend);
    const puts = Array.from({ length: 20 }, (_, i) => batcher.put(itemOf('same', `version ${i}`)));
    const other = batcher.put(itemOf('same', 'of another', 'm'));
    const results = await Promise.all([...puts, other]);
    expect(new Set(results.map(({ version }) => version)).size).toBe(21);
    expect([await textOf(p, 'same'), await textOf(p, 'same', 'm')]).toEqual(['version 19', 'of another']);
  });

  it('that fail keep no other from being put', async () => {
    const p = new World(3, TINY).start();
    const batcher = new Batcher(p.frontend);
    await batcher.put(itemOf('a', 'first'));
    const all = await Promise.allSettled([
      batcher.put({ ...itemOf('a', 'second'), ifVersion: 'absent' }),
      batcher.put(itemOf('b', 'x')),
      batcher.put(itemOf('a/../c', 'no path')),
    ]);
    expect(all.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'rejected']);
    expect(all[0]).toMatchObject({ reason: { code: 'VERSION_MISMATCH' } });
    expect([await textOf(p, 'a'), await textOf(p, 'b')]).toEqual(['first', 'x']);
  });
});

describe('small objects at a server', () => {
  const never = { sleep: () => new Promise<void>(() => {}) };

  it('of clients that come again when they are answered go together each time', async () => {
    const p = new World(4, TINY).start();
    const batches: number[] = [];
    const batcher = new Batcher(p.frontend, { onBatch: (objects) => batches.push(objects), clock: never });
    const client = async (of: number): Promise<void> => {
      for (let i = 0; i < 4; i++) await batcher.put(itemOf(`${of}/${i}`, `${i} of ${of}`));
    };
    await Promise.all(Array.from({ length: 16 }, (_, i) => client(i)));
    expect(batches).toEqual([16, 16, 16, 16]);
  });

  it('wait for others no longer than a moment, and once', async () => {
    const p = new World(5, TINY).start();
    const waits: number[] = [];
    const clock = { sleep: async (ms: number): Promise<void> => void waits.push(ms) };
    const batcher = new Batcher(p.frontend, { clock });
    await Promise.all(['a', 'b', 'c'].map((key) => batcher.put(itemOf(key, 'x'))));
    expect(waits).toEqual([]);
    for (const key of ['d', 'e', 'f']) await batcher.put(itemOf(key, 'y'));
    expect(waits).toEqual([GATHER_MS]);
    expect(await textOf(p, 'f')).toBe('y');
  });

  it('are stored beside a batch that is under way only if they are many', async () => {
    const p = new World(6, TINY).start();
    const batches: number[] = [];
    const batcher = new Batcher(p.frontend, { onBatch: (objects) => batches.push(objects), clock: never });
    const puts = [batcher.put(itemOf('first', 'x'))];
    await Promise.resolve();
    for (let i = 1; i < BESIDE_FROM_OBJECTS; i++) puts.push(batcher.put(itemOf(`k${i}`, `of ${i}`)));
    await Promise.resolve();
    expect(batches).toEqual([1]);
    puts.push(batcher.put(itemOf('last', 'z')));
    await Promise.all(puts);
    expect(batches).toEqual([1, BESIDE_FROM_OBJECTS]);
  });
});
