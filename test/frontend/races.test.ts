// Two workers at the same rows: what one finds half changed by the other is read again, and only what stays wrong is called corrupt.
import { describe, expect, it } from 'vitest';
import { retryLater } from '../../lib/foundation/errors.ts';
import { collectGarbage } from '../../lib/gc/collect-garbage.ts';
import { MemoryPanda } from '../../lib/panda/memory-panda.ts';
import type { Key, Row, Write } from '../../lib/panda/panda.ts';
import { blockPartitions } from '../../lib/panda/rows/block-row.ts';
import { removedPartitions } from '../../lib/panda/rows/removed/removed-row.ts';
import { TINY, World } from '../store/harness.ts';
import { expectSound } from '../store/recount.ts';

const NAMESPACE = 'default';

/** Another worker acts between a look at objects or releases and the next strong look at blocks, or change of an object. */
class InterruptedPanda extends MemoryPanda {
  #meanwhile: (() => Promise<unknown>) | undefined;
  #beforeChange: (() => Promise<unknown>) | undefined;

  beforeBlocksAreRead(meanwhile: () => Promise<unknown>): void {
    this.#meanwhile = meanwhile;
  }
  beforeAnObjectChanges(meanwhile: () => Promise<unknown>): void {
    this.#beforeChange = meanwhile;
  }

  override async transact(writes: readonly Write[]): Promise<void> {
    const meanwhile = this.#beforeChange;
    if (meanwhile !== undefined && writes.some(({ partition }) => partition.startsWith('object/'))) {
      this.#beforeChange = undefined;
      await meanwhile();
    }
    return super.transact(writes);
  }

  override async getMany(keys: readonly Key[]): Promise<(Row | undefined)[]> {
    const meanwhile = this.#meanwhile;
    if (meanwhile !== undefined && keys.some(({ partition }) => partition.startsWith('block/'))) {
      this.#meanwhile = undefined;
      await meanwhile();
    }
    return super.getMany(keys);
  }
}

function twoWorkers(seed: number) {
  const panda = new InterruptedPanda();
  const world = new World(seed, TINY, 20, panda);
  return { panda, one: world.start(), other: world.start() };
}

describe('two workers', () => {
  it('delete the same object: one of them finds it missing', async () => {
    const { panda, one, other } = twoWorkers(1);
    await one.frontend.put({ namespace: NAMESPACE, key: 'a', body: Buffer.from('once') });
    panda.beforeAnObjectChanges(() => other.frontend.delete(NAMESPACE, 'a'));
    await expect(one.frontend.delete(NAMESPACE, 'a')).rejects.toMatchObject({ kind: 'missing' });
    await expectSound(one);
  });

  it('overwrite the same object: the later one wins, the references are right', async () => {
    const { panda, one, other } = twoWorkers(2);
    const put = (who: typeof one, body: string) =>
      who.frontend.put({ namespace: NAMESPACE, key: 'a', body: Buffer.from(body) });
    await put(one, 'first');
    panda.beforeBlocksAreRead(() => put(other, 'second'));
    await put(one, 'third');
    expect(Buffer.from(await one.frontend.read(NAMESPACE, 'a', 10)).toString()).toBe('third');
    await expectSound(one);
  });

  it('give back the references of the same object: each once', async () => {
    const { panda, one, other } = twoWorkers(3);
    const long = Buffer.alloc(40 * 1024); // more blocks than are released inline
    for (let i = 0; i < long.length; i += 4) long.writeUInt32LE(i, i);
    await one.frontend.put({ namespace: NAMESPACE, key: 'a', body: long });
    panda.beforeBlocksAreRead(() => Promise.reject(retryLater('PANDA_BUSY', 'left to whoever finishes releases')));
    await one.frontend.delete(NAMESPACE, 'a');
    let released = 0;
    panda.beforeBlocksAreRead(async () => {
      released = await other.frontend.finishReleases();
    });
    expect(await one.frontend.finishReleases()).toBe(0);
    expect(released).toBe(40);
    await expectSound(one);
  });

  it('one deletes what the other has just overwritten: what is there now goes', async () => {
    const { panda, one, other } = twoWorkers(5);
    await one.frontend.put({ namespace: NAMESPACE, key: 'a', body: Buffer.from('old') });
    panda.beforeAnObjectChanges(() => other.frontend.put({ namespace: NAMESPACE, key: 'a', body: Buffer.from('new') }));
    await one.frontend.delete(NAMESPACE, 'a');
    await expect(one.frontend.head(NAMESPACE, 'a')).rejects.toMatchObject({ kind: 'missing' });
    await expectSound(one);
  });
});

async function withoutBlockRows(body: Buffer) {
  const { panda, one } = twoWorkers(4);
  await one.frontend.put({ namespace: NAMESPACE, key: 'a', body });
  for (const partition of blockPartitions())
    for (const { sort } of (await panda.query(partition, {}, {})).rows)
      await panda.transact([{ kind: 'delete', partition, sort }]);
  await one.frontend.delete(NAMESPACE, 'a');
  return one;
}

it('a block without a row stays corrupt', async () => {
  const one = await withoutBlockRows(Buffer.alloc(60 * 1024, 'long'));
  await expect(one.frontend.finishReleases()).rejects.toMatchObject({ code: 'BLOCK_ROW_MISSING' });
});

it('what has lost its block row can be deleted, and GC ends it', async () => {
  const one = await withoutBlockRows(Buffer.from('once'));
  await one.frontend.finishReleases();
  expect(
    await collectGarbage({ ...one.components, settings: { ...one.components.settings, deleteGraceMs: 0 } }),
  ).toEqual({
    slots: 0,
    recordBytes: 0,
    buckets: 0,
    waiting: 0,
  });
  for (const partition of removedPartitions(one.components.settings.cell))
    expect((await one.components.panda.query(partition)).rows).toEqual([]);
});
