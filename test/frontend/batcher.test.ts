// Small objects that come at once share appends, one alone waits for nothing, and of one name the later put stays.
import { describe, expect, it } from 'vitest';
import { Batcher } from '../../lib/frontend/gathered/batcher.ts';
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
    const batcher = new Batcher(p.frontend, (objects) => batches.push(objects));
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
