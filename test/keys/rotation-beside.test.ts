// A look at the keys beside a rotation: what is read before it and after it is not taken for keys of another time.
import { expect, it } from 'vitest';
import { MemoryKekStore } from '../../lib/keys/memory-kek-store.ts';
import { currentKek } from '../../lib/volume/rows/known-keks.ts';
import { World } from '../store/harness.ts';

it('finds the new version, and no fault', async () => {
  const { components } = new World(7).start();
  const keks = new MemoryKekStore(components);
  const plain = { ...components, keks };
  expect((await currentKek(plain)).version).toBe(1);
  // The rotation, and what is first written under its version, come between this process's two looks.
  let isRotated = false;
  const panda = Object.assign(Object.create(components.panda) as typeof components.panda, {
    query: async (...asked: Parameters<typeof components.panda.query>) => {
      if (!isRotated) {
        isRotated = true;
        await keks.rotate();
        await currentKek(plain);
      }
      return components.panda.query(...asked);
    },
  });
  expect((await currentKek({ ...plain, panda })).version).toBe(2);
});
