// A KEK version that is being destroyed wraps no further block: a process that still has it in its cache takes the new one.
import { describe, expect, it } from 'vitest';
import { Frontend } from '../../lib/frontend/frontend.ts';
import { retireKek } from '../../lib/gc/retire-kek.ts';
import { blocksByKekVersion, rewrapKeys } from '../../lib/gc/rewrap-keys.ts';
import { MemoryKekStore } from '../../lib/keys/memory-kek-store.ts';
import type { MemoryPanda } from '../../lib/panda/memory-panda.ts';
import type { Panda, Write } from '../../lib/panda/panda.ts';
import { blockFromRow } from '../../lib/panda/rows/block-row.ts';
import { retiringKek } from '../../lib/panda/rows/retiring-kek-row.ts';
import { VolumeStore } from '../../lib/volume/volume-store.ts';
import { World } from '../store/harness.ts';
import { expectSound } from '../store/recount.ts';

/** The same rows; something happens just before the first transaction of a kind. */
function onceBefore(
  panda: MemoryPanda,
  isMeant: (writes: readonly Write[]) => boolean,
  act: () => Promise<void>,
): Panda {
  let isDone = false;
  return new Proxy(panda, {
    get(target, name) {
      if (name === 'transact')
        return async (writes: readonly Write[]) => {
          if (!isDone && isMeant(writes)) {
            isDone = true;
            await act();
          }
          await target.transact(writes);
        };
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

describe('a retiring KEK', () => {
  it('is not used any more, even by a process that had looked it up before', async () => {
    const world = new World(8);
    const { components } = world.start();
    const keks = new MemoryKekStore({ clock: components.clock, randomness: components.randomness });
    const frontend = new Frontend(new VolumeStore({ ...components, keks }));
    await frontend.put({ namespace: 'default', key: 'a', body: Buffer.from('a') });
    await keks.rotate();
    await world.panda.transact([retiringKek(1)]);
    await frontend.put({ namespace: 'default', key: 'b', body: Buffer.alloc(9000, 'b') });
    const versions = new Map<string, number>();
    for await (const page of world.panda.scan())
      for (const row of page)
        if (row.partition.startsWith('block/')) versions.set(row.sort, blockFromRow(row).kekVersion);
    expect([...versions.values()].filter((version) => version === 1)).toHaveLength(1); // the block of `a`, from before
    expect(Buffer.from(await frontend.read('default', 'b', 1e4)).equals(Buffer.alloc(9000, 'b'))).toBe(true);
    await expectSound(world.start());
  });

  it('is not written under by who leased before and looked before it was retired', async () => {
    const world = new World(9);
    const { components } = world.start();
    const keks = new MemoryKekStore({ clock: components.clock, randomness: components.randomness });
    // Between its append and its index transaction the version is rotated away, retired, and could be destroyed.
    let blocks: number | undefined;
    const panda = onceBefore(
      world.panda,
      (writes) => writes.some(({ partition, sort }) => partition.startsWith('object/') && sort === 'b'),
      async () => {
        await keks.rotate();
        await rewrapKeys({ ...components, keks });
        blocks = await retireKek({ ...components, keks }, 1);
      },
    );
    const frontend = new Frontend(new VolumeStore({ ...components, panda, keks }));
    await frontend.put({ namespace: 'default', key: 'a', body: Buffer.from('a') });
    await frontend.put({ namespace: 'default', key: 'b', body: Buffer.from('b') });
    expect(blocks).toBe(0);
    expect((await blocksByKekVersion({ ...components, keks })).get(1)).toBeUndefined();
    await expectSound(world.start());
  });

  it('is in use as long as a block is wrapped by it or by a version before it', async () => {
    const world = new World(10);
    const { components } = world.start();
    const keks = new MemoryKekStore({ clock: components.clock, randomness: components.randomness });
    await new Frontend(new VolumeStore({ ...components, keks })).put({
      namespace: 'default',
      key: 'a',
      body: Buffer.from('a'),
    });
    await keks.rotate();
    await keks.rotate();
    expect(await retireKek({ ...components, keks }, 2)).toBe(1);
    await rewrapKeys({ ...components, keks });
    expect(await retireKek({ ...components, keks }, 2)).toBe(0);
  });
});
