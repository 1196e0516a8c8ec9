// What every KEK store has to do. `make` gives a new store with version 1; `reopen` gives another instance on the same medium,
// as another process would have.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { KekStore } from '../../lib/keys/keys.ts';

export interface KekStoreUnderTest {
  readonly store: KekStore;
  readonly reopen?: () => Promise<KekStore>;
  close(): Promise<void>;
}

const denied = (code: string): object => expect.objectContaining({ name: 'PocketfulError', kind: 'denied', code });
const invalid = (code: string): object => expect.objectContaining({ name: 'PocketfulError', kind: 'invalid', code });
const states = async (store: KekStore): Promise<string[]> => (await store.versions()).map(({ state }) => state);

export function keysContract(name: string, make: () => Promise<KekStoreUnderTest>): void {
  describe(`KEK store contract: ${name}`, () => {
    let made: KekStoreUnderTest;
    let store: KekStore;
    const reopened = (): Promise<KekStore> => made.reopen?.() ?? Promise.resolve(store);
    beforeEach(async () => {
      made = await make();
      store = made.store;
    });
    afterEach(() => made.close());

    it('begins with version 1, of 32 bytes', async () => {
      const versions = await store.versions();
      expect(versions).toEqual([{ version: 1, createdAtMs: expect.any(Number), state: 'current' }]);
      expect((await store.kek(1)).byteLength).toBe(32);
    });

    it('adds versions by rotation and keeps the earlier ones', async () => {
      const first = Buffer.from(await store.kek(1));
      expect(await store.rotate()).toMatchObject({ version: 2, state: 'current' });
      expect(await store.rotate()).toMatchObject({ version: 3, state: 'current' });
      expect(await states(store)).toEqual(['previous', 'previous', 'current']);
      const keys = await Promise.all([1, 2, 3].map((version) => store.kek(version)));
      expect(first.equals(keys[0]!)).toBe(true);
      expect(new Set(keys.map((key) => Buffer.from(key).toString('hex'))).size).toBe(3);
    });

    it('answers the same to another instance, before and after rotation', async () => {
      const other = await reopened();
      await store.rotate();
      for (const instance of [other, await reopened()]) {
        expect(await instance.versions()).toEqual(await store.versions());
        for (const version of [1, 2])
          expect(Buffer.from(await instance.kek(version)).equals(await store.kek(version))).toBe(true);
      }
    });

    it('destroys a version for good, and twice does no harm', async () => {
      await store.rotate();
      await store.destroy(1);
      await store.destroy(1);
      for (const instance of [store, await reopened()]) {
        expect(await states(instance)).toEqual(['destroyed', 'current']);
        await expect(instance.kek(1)).rejects.toEqual(denied('KEK_DESTROYED'));
        expect((await instance.kek(2)).byteLength).toBe(32);
      }
      expect(await store.rotate()).toMatchObject({ version: 3 });
      expect(await states(store)).toEqual(['destroyed', 'previous', 'current']);
    });

    it('does not spoil a key somebody is still sealing with', async () => {
      const [held, copy] = [await store.kek(1), Buffer.from(await store.kek(1))];
      await store.rotate();
      await store.destroy(1);
      expect(copy.equals(held)).toBe(true);
    });

    it('refuses to destroy the current version, and versions that never were', async () => {
      await expect(store.destroy(1)).rejects.toEqual(invalid('KEK_CURRENT'));
      await expect(store.destroy(2)).rejects.toEqual(denied('KEK_MISSING'));
      for (const version of [0, 2, -1, 1.5]) await expect(store.kek(version)).rejects.toEqual(denied('KEK_MISSING'));
      expect(await states(store)).toEqual(['current']);
    });

    it('loses no change of instances that rotate and destroy at once', async () => {
      const instances = [store, await reopened(), await reopened()];
      const rotated = await Promise.all(instances.map((instance) => instance.rotate()));
      expect(rotated.map(({ version }) => version).sort()).toEqual([2, 3, 4]);
      await Promise.all(instances.map((instance, i) => instance.destroy(i + 1)));
      expect(await states(await reopened())).toEqual(['destroyed', 'destroyed', 'destroyed', 'current']);
    });
  });
}
