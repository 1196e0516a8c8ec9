// Two workers at the same rows: what one finds half changed by the other is read again, and only what stays wrong is called corrupt.
import { describe, expect, it } from 'vitest';
import { retryLater } from '../../lib/foundation/errors.ts';
import { MemoryPanda } from '../../lib/panda/memory-panda.ts';
import type { Key, Row } from '../../lib/panda/panda.ts';
import { blockPartitions } from '../../lib/panda/rows/block-row.ts';
import { TINY, World } from '../store/harness.ts';
import { expectSound } from '../store/recount.ts';

const NAMESPACE = 'default';

/** Another worker acts between a look at objects or releases and the next strong look at blocks. */
class InterruptedPanda extends MemoryPanda {
  #meanwhile: (() => Promise<unknown>) | undefined;

  beforeBlocksAreRead(meanwhile: () => Promise<unknown>): void {
    this.#meanwhile = meanwhile;
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
    panda.beforeBlocksAreRead(() => other.frontend.delete(NAMESPACE, 'a'));
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
    panda.beforeBlocksAreRead(() => other.frontend.put({ namespace: NAMESPACE, key: 'a', body: Buffer.from('new') }));
    await one.frontend.delete(NAMESPACE, 'a');
    await expect(one.frontend.head(NAMESPACE, 'a')).rejects.toMatchObject({ kind: 'missing' });
    await expectSound(one);
  });
});

it('a block without a row stays corrupt', async () => {
  const { panda, one } = twoWorkers(4);
  await one.frontend.put({ namespace: NAMESPACE, key: 'a', body: Buffer.from('once') });
  for (const partition of blockPartitions())
    for (const { sort } of (await panda.query(partition, {}, {})).rows)
      await panda.transact([{ kind: 'delete', partition, sort }]);
  await expect(one.frontend.delete(NAMESPACE, 'a')).rejects.toMatchObject({ code: 'BLOCK_ROW_MISSING' });
});
