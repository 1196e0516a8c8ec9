// A look at the keys beside a rotation: what is read before it and after it is not taken for keys of another time.
import { expect, it } from 'vitest';
import { MemoryKekStore } from '../../lib/keys/memory-kek-store.ts';
import { currentKek } from '../../lib/volume/rows/known-keks.ts';
import { World } from '../store/harness.ts';

it('finds the new version, and no fault', async () => {
  const { c } = new World(7).start();
  const keks = new MemoryKekStore(c);
  const plain = { ...c, keks };
  expect((await currentKek(plain)).version).toBe(1);
  // The rotation, and what is first written under its version, come between this process's two looks.
  let isRotated = false;
  const panda = Object.assign(Object.create(c.panda) as typeof c.panda, {
    query: async (...asked: Parameters<typeof c.panda.query>) => {
      if (!isRotated) {
        isRotated = true;
        await keks.rotate();
        await currentKek(plain);
      }
      return c.panda.query(...asked);
    },
  });
  expect((await currentKek({ ...plain, panda })).version).toBe(2);
});
