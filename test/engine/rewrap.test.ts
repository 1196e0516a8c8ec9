// Rotation of the KEK: every block ends under the new version, whatever happens beside it, and a pass that was cut off is gone on with.
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EmbeddedAdmin } from '../../lib/client/file/embedded-admin.ts';
import type { EmbeddedStore } from '../../lib/engine/wire/embedded/embedded-store.ts';
import { createEmbedded } from '../../lib/engine/wire/embedded.ts';
import { blocksByKekVersion, rewrapKeys } from '../../lib/gc/rewrap-keys.ts';
import { temporaryFolder } from '../cli/temporary-folder.ts';
import { DRIVES, differing, filesOf, putFiles, SMALL } from './small-store.ts';

const root = temporaryFolder();
let made = 0;
const freshStore = (): Promise<EmbeddedStore> =>
  createEmbedded(join(root, `s${made++}`), { settings: SMALL, drives: DRIVES });

describe('rewrapping', () => {
  it('moves every block to the current version, and reads stay right', async () => {
    const store = await freshStore();
    const files = filesOf(1, 60);
    await putFiles(store, files);
    await store.components.keks.rotate();
    const report = await rewrapKeys(store.components);
    expect(report).toMatchObject({ version: 2, finished: true, resumed: false });
    expect(report.rewrappedBlocks).toBe(report.scannedBlocks);
    expect([...(await blocksByKekVersion(store.components)).keys()]).toEqual([2]);
    expect(await rewrapKeys(store.components)).toMatchObject({ rewrappedBlocks: 0 });
    await store.components.keks.destroy(1);
    expect(await differing(store, files)).toEqual([]);
    await store.close();
  });

  it('goes on where it was cut off', async () => {
    const store = await freshStore();
    const files = filesOf(2, 150, 900);
    await putFiles(store, files);
    await store.components.keks.rotate();
    const cut = new AbortController();
    const first = await rewrapKeys(store.components, {
      signal: cut.signal,
      onProgress: ({ rewrappedBlocks }) => {
        if (rewrappedBlocks > 40) cut.abort();
      },
    });
    expect(first.finished).toBe(false);
    const second = await rewrapKeys(store.components);
    expect(second).toMatchObject({ finished: true, resumed: true });
    expect(second.rewrappedBlocks).toBeGreaterThan(0);
    expect(second.scannedBlocks).toBeLessThan(150);
    expect([...(await blocksByKekVersion(store.components)).keys()]).toEqual([2]);
    expect(await differing(store, files)).toEqual([]);
    await store.close();
  });

  it('runs beside another pass, deletes and overwrites', async () => {
    const store = await freshStore();
    const files = filesOf(3, 60);
    await putFiles(store, files);
    await store.components.keks.rotate();
    const doomed = [...files.keys()].slice(0, 30);
    for (const key of doomed) files.delete(key);
    const deletes = async (): Promise<void> => {
      for await (const outcome of store.frontend.deleteAll(doomed.map((key) => ({ namespace: 'default', key }))))
        expect(outcome).toMatchObject({ ok: true });
    };
    await Promise.all([rewrapKeys(store.components), rewrapKeys(store.components), deletes()]);
    expect([...(await blocksByKekVersion(store.components)).keys()]).toEqual([2]);
    expect(await differing(store, files)).toEqual([]);
    await store.close();
  });

  it('a version is destroyed only when nothing needs it', async () => {
    const store = await freshStore();
    await putFiles(store, filesOf(4, 5, 900));
    const admin = new EmbeddedAdmin(store, 'default', async () => {});
    await expect(admin.destroyKey(1)).rejects.toMatchObject({ code: 'KEK_CURRENT' });
    await store.components.keks.rotate();
    await expect(admin.destroyKey(1)).rejects.toMatchObject({ code: 'KEY_IN_USE', kind: 'invalid' });
    await expect(admin.destroyKey(7)).rejects.toMatchObject({ code: 'KEY_UNKNOWN' });
    await admin.rewrapKeys();
    await admin.destroyKey(1);
    await admin.destroyKey(1);
    expect((await admin.keys()).map(({ state, blocks }) => [state, blocks])).toEqual([
      ['destroyed', 0],
      ['current', 5],
    ]);
    await store.close();
  });
});
