// A KEK version that is being destroyed wraps no further block: a process that still has it in its cache takes the new one.
import { describe, expect, it } from 'vitest';
import { Frontend } from '../../lib/frontend/frontend.ts';
import { MemoryKekStore } from '../../lib/keys/memory-kek-store.ts';
import { blockFromRow } from '../../lib/panda/rows/block-row.ts';
import { retireKek } from '../../lib/panda/rows/retiring-kek-row.ts';
import { VolumeStore } from '../../lib/volume/volume-store.ts';
import { World } from '../store/harness.ts';
import { expectSound } from '../store/recount.ts';

describe('a retiring KEK', () => {
  it('is not used any more, even by a process that had looked it up before', async () => {
    const world = new World(8);
    const { c } = world.start();
    const keks = new MemoryKekStore({ clock: c.clock, randomness: c.randomness });
    const frontend = new Frontend(new VolumeStore({ ...c, keks }));
    await frontend.put({ namespace: 'default', key: 'a', body: Buffer.from('a') });
    await keks.rotate();
    await world.panda.transact([retireKek(1)]);
    await frontend.put({ namespace: 'default', key: 'b', body: Buffer.alloc(9000, 'b') });
    const versions = new Map<string, number>();
    for await (const page of world.panda.scan())
      for (const row of page)
        if (row.partition.startsWith('block/')) versions.set(row.sort, blockFromRow(row).kekVersion);
    expect([...versions.values()].filter((version) => version === 1)).toHaveLength(1); // the block of `a`, from before
    expect(Buffer.from(await frontend.read('default', 'b', 1e4)).equals(Buffer.alloc(9000, 'b'))).toBe(true);
    await expectSound(world.start());
  });
});
