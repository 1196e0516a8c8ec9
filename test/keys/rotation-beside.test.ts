// A look at the keys beside a rotation: what is read before it and after it is not taken for keys of another time.
import { expect, it } from 'vitest';
import { findRowFaults } from '../../lib/engine/doctor/doctor-rows.ts';
import { Frontend } from '../../lib/frontend/frontend.ts';
import { retireKek } from '../../lib/gc/retire-kek.ts';
import { blocksByKekVersion, rewrapKeys } from '../../lib/gc/rewrap-keys.ts';
import type { KekStore } from '../../lib/keys/keys.ts';
import { MemoryKekStore } from '../../lib/keys/memory-kek-store.ts';
import { Findings } from '../../lib/verify/findings.ts';
import type { Components } from '../../lib/volume/rows/components.ts';
import { currentKek } from '../../lib/volume/rows/known-keks.ts';
import { VolumeStore } from '../../lib/volume/volume-store.ts';
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

/** Keys of a process that is about to ask for one, or has just looked at the list, when `before` comes in between. */
function slow(keks: KekStore, before: Partial<Record<'kek' | 'versions', () => Promise<void>>>): KekStore {
  const once = async (call: 'kek' | 'versions'): Promise<void> => {
    const act = before[call];
    before = { ...before, [call]: undefined };
    await act?.();
  };
  return {
    versions: async () => {
      const seen = await keks.versions();
      await once('versions');
      return seen;
    },
    kek: async (version) => {
      await once('kek');
      return keks.kek(version);
    },
    rotate: () => keks.rotate(),
    destroy: (version) => keks.destroy(version),
  };
}

/** Rotates, rewraps, and destroys everything older, as an operator would. */
async function rotateAway(components: Components): Promise<void> {
  const { version } = await components.keks.rotate();
  await rewrapKeys(components);
  expect(await retireKek(components, version - 1)).toBe(0);
  for (let older = 1; older < version; older++) await components.keks.destroy(older);
}

async function storeWithBlocks(seed: number) {
  const bare = new World(seed).start().components;
  const components: Components = { ...bare, keks: new MemoryKekStore(bare) };
  const frontend = new Frontend(new VolumeStore(components));
  for (let i = 0; i < 5; i++)
    await frontend.put({ namespace: 'n', key: `k${i}`, body: Uint8Array.from({ length: 900 }, (_, at) => at * i) });
  return { components };
}

it('does not end with a key that was current, and is destroyed by the time it is asked for', async () => {
  const { components } = await storeWithBlocks(8);
  const keks = slow(components.keks, { versions: () => rotateAway(components) });
  const { version, key } = await currentKek({ ...components, keks });
  expect(version).toBe(2);
  expect(key).toEqual(await components.keks.kek(2));
});

it('beside a rewrap that stood still: the rows it had read are read again', async () => {
  const { components } = await storeWithBlocks(9);
  await components.keks.rotate();
  // A whole rotation comes in between: the version it wraps to is gone as well.
  await currentKek(components);
  const keks = slow(components.keks, {});
  let isOver = false;
  const stands: KekStore = {
    ...keks,
    kek: async (version) => {
      if (version === 1 && !isOver) {
        isOver = true;
        await rotateAway(components);
      }
      return components.keks.kek(version);
    },
  };
  expect(await rewrapKeys({ ...components, keks: stands })).toMatchObject({ version: 2, finished: true });
  expect(isOver).toBe(true);
  expect([...(await blocksByKekVersion(components)).keys()]).toEqual([3]);
});

it('says so if a block is wrapped by a key that is gone, and only then', async () => {
  const { components } = await storeWithBlocks(10);
  // Doctor has read the rows when the keys change.
  const beside = new Findings();
  await findRowFaults({ ...components, keks: slow(components.keks, { kek: () => rotateAway(components) }) }, beside);
  expect(beside.list.filter(({ check }) => check === 'key')).toEqual([]);
  await components.keks.rotate();
  await components.keks.destroy(2);
  const after = new Findings();
  await findRowFaults(components, after);
  expect(after.list.filter(({ check }) => check === 'key')).toMatchObject([{ severity: 'lost' }]);
  await expect(rewrapKeys(components)).rejects.toMatchObject({ code: 'KEK_DESTROYED' });
});
