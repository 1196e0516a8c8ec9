// Making and opening a store: unfinished, foreign, newer, without its keys, with drives that are gone.
import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FaultyDrive } from '../../lib/drive/faulty-drive.ts';
import { recover } from '../../lib/engine/upkeep/end-dead-work.ts';
import { EmbeddedStore } from '../../lib/engine/wire/embedded/embedded-store.ts';
import { createEmbedded, openEmbedded } from '../../lib/engine/wire/embedded.ts';
import { SimulatedClock } from '../../lib/foundation/clock.ts';
import { encodeHot } from '../../lib/live-coder/encode-hot.ts';
import { storeCreatingKey, storeKey } from '../../lib/panda/rows/store-row.ts';
import { SqlitePanda } from '../../lib/panda/sqlite/sqlite-panda.ts';
import { PRESETS } from '../../lib/settings/settings.ts';
import { temporaryFolder } from '../cli/temporary-folder.ts';
import { DRIVES, differing, filesOf, putFiles, SMALL, withStore } from './small-store.ts';

const root = temporaryFolder();
let made = 0;
const fresh = (): string => join(root, `s${made++}`);
async function freshStore(): Promise<string> {
  const dir = fresh();
  await (await createEmbedded(dir, { settings: SMALL, drives: DRIVES })).close();
  return dir;
}

describe('making a store', () => {
  it('once, with its own settings, drives and keys', async () => {
    const dir = await freshStore();
    await expect(createEmbedded(dir, { settings: SMALL, drives: DRIVES })).rejects.toMatchObject({
      code: 'STORE_EXISTS',
    });
    await withStore(dir, async ({ row, components }) => {
      expect(row.settings).toEqual(SMALL);
      expect(components.drives.map(({ label }) => label)).toEqual(
        Array.from({ length: DRIVES }, (_, i) => join(dir, `drives/0${i}`)),
      );
      expect(components.owner).toMatch(/^[^/]+$/);
    });
  });

  it('goes on after an interruption at any point, with the ids it began with', async () => {
    const dir = await freshStore();
    const panda = await SqlitePanda.open(join(dir, 'panda.sqlite'));
    const settled = await panda.get(storeKey);
    await panda.transact([
      { kind: 'delete', ...storeKey },
      { kind: 'put', ...storeCreatingKey, attributes: settled?.attributes ?? {} },
    ]);
    await panda.close();
    rmSync(join(dir, 'keys.json'));
    rmSync(join(dir, 'drives/03'), { recursive: true });
    await expect(openEmbedded(dir)).rejects.toMatchObject({ code: 'STORE_INCOMPLETE', kind: 'missing' });
    await expect(createEmbedded(dir, { settings: PRESETS.demo, drives: 16 })).rejects.toMatchObject({
      code: 'STORE_INCOMPLETE',
    });
    const again = await createEmbedded(dir, { settings: SMALL, drives: DRIVES });
    expect(again.row.storeId).toBe(settled?.attributes['i']);
    await putFiles(again, filesOf(1, 3));
    await again.close();
  });

  it('by two at once makes one', async () => {
    const dir = fresh();
    const both = await Promise.allSettled([1, 2].map(() => createEmbedded(dir, { settings: SMALL, drives: DRIVES })));
    const stores = both.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    const refused = both.flatMap((one) => (one.status === 'rejected' ? [one.reason.code] : []));
    expect(stores.length).toBeGreaterThan(0);
    expect(new Set(stores.map(({ row }) => row.storeId)).size).toBe(1);
    expect(refused.every((code) => code === 'STORE_EXISTS')).toBe(true);
    for (const store of stores) await store.close();
    await withStore(dir, (store) => putFiles(store, filesOf(2, 3)));
  });

  it('not over other files, not with too few drives, not twice on one drive', async () => {
    const dir = fresh();
    mkdirSync(dir);
    writeFileSync(join(dir, 'thesis.tex'), 'mine');
    await expect(createEmbedded(dir, { settings: SMALL, drives: DRIVES })).rejects.toMatchObject({
      code: 'STORE_FOREIGN',
    });
    await expect(createEmbedded(fresh(), { settings: PRESETS.demo, drives: 15 })).rejects.toMatchObject({
      code: 'DRIVES_TOO_FEW',
    });
    const twice = [...Array(5).keys()].map((i) => join(root, `x${i % 4}`));
    await expect(createEmbedded(fresh(), { settings: SMALL, drives: twice })).rejects.toMatchObject({
      code: 'DRIVE_TWICE',
    });
    expect(existsSync(join(dir, 'panda.sqlite'))).toBe(false);
  });

  it('on drives anywhere, which it finds again after it was moved', async () => {
    const dir = fresh();
    const drives = [...Array(4).keys()].map((i) => (i < 2 ? join(dir, `mine/${i}`) : join(root, `disk${i}`)));
    const store = await createEmbedded(dir, { settings: SMALL, drives });
    const files = filesOf(3, 5);
    await putFiles(store, files);
    await store.close();
    renameSync(dir, `${dir}-moved`);
    await withStore(`${dir}-moved`, async (moved) => expect(await differing(moved, files)).toEqual([]));
  });
});

describe('opening a store', () => {
  it('that is not there says how to make one', async () => {
    await expect(openEmbedded(join(root, 'nowhere'))).rejects.toMatchObject({
      code: 'STORE_MISSING',
      kind: 'missing',
      message: expect.stringContaining('pocketful init'),
    });
  });

  it('of a newer version is refused, naming both', async () => {
    const dir = await freshStore();
    const panda = await SqlitePanda.open(join(dir, 'panda.sqlite'));
    await panda.transact([{ kind: 'update', ...storeKey, set: { f: 7 } }]);
    await panda.close();
    await expect(openEmbedded(dir)).rejects.toMatchObject({
      code: 'STORE_VERSION',
      kind: 'invalid',
      message: expect.stringMatching(/format 7.*formats 1 to 5/),
    });
  });

  it('without its keys, or with those of another store, is denied', async () => {
    const [dir, other] = [await freshStore(), await freshStore()];
    rmSync(join(dir, 'keys.json'));
    await expect(openEmbedded(dir)).rejects.toMatchObject({ code: 'KEK_MISSING', kind: 'denied' });
    copyFileSync(join(other, 'keys.json'), join(dir, 'keys.json'));
    await expect(openEmbedded(dir)).rejects.toMatchObject({ code: 'KEK_WRONG', kind: 'denied' });
  });

  it('with a drive gone keeps its place, and uses it again when it is back', async () => {
    const dir = await freshStore();
    const files = filesOf(4, 40);
    await withStore(dir, async (store) => {
      await putFiles(store, files);
      await store.volumes.open.sealAll('hot');
      await encodeHot(store.volumes, { force: true, flush: true });
    });
    renameSync(join(dir, 'drives/01'), join(dir, 'drives/gone'));
    await withStore(dir, async (store) => {
      expect(await differing(store, files)).toEqual([]);
      expect(store.components.drives).toHaveLength(DRIVES);
      const gone = store.components.drives[1];
      await expect(gone?.probe()).rejects.toMatchObject({ code: 'DRIVE_UNAVAILABLE' });
      renameSync(join(dir, 'drives/gone'), join(dir, 'drives/01'));
      await expect(gone?.probe()).resolves.toBeUndefined();
    });
  });
});

describe('drives that are full', () => {
  it('refuse what does not fit, keep what was stored, and take more once there is room', async () => {
    const plain = await createEmbedded(fresh(), { settings: SMALL, drives: DRIVES });
    const drives = plain.components.drives.map((drive) => new FaultyDrive(drive));
    const store = new EmbeddedStore(plain.path, plain.row, { ...plain.components, drives });
    const files = filesOf(1, 20);
    await putFiles(store, files);
    for (const drive of drives) drive.state = 'full';
    await expect(putFiles(store, filesOf(2, 5))).rejects.toMatchObject({ kind: 'retry' });
    expect(await differing(store, files)).toEqual([]);
    for (const [id, drive] of drives.entries()) {
      drive.state = 'healthy';
      store.volumes.health.worked(id);
    }
    await putFiles(store, filesOf(2, 5));
    expect(await differing(store, new Map([...files, ...filesOf(2, 5)]))).toEqual([]);
    await plain.close(); // they share one Panda
  });
});

describe('a clock that jumps', () => {
  it('loses nothing, whichever way', async () => {
    const dir = fresh();
    const clock = new SimulatedClock();
    const store = await createEmbedded(dir, { settings: SMALL, drives: DRIVES, clock });
    const all = new Map<string, Uint8Array>();
    const days = 24 * 3_600_000;
    for (const [i, jumpMs] of [0, -400 * days, 900 * days, -20_000 * days, 3 * days].entries()) {
      clock.jumpTo(Math.max(0, clock.nowMs() + jumpMs));
      const files = filesOf(10 + i, 20);
      await putFiles(store, files);
      for (const [key, body] of files) all.set(key, body);
      await store.volumes.open.sealAll('hot');
      await encodeHot(store.volumes, { force: true, flush: i % 2 === 0 });
      await recover(store.volumes, store.frontend, { sweep: true });
    }
    expect(await differing(store, all)).toEqual([]);
    await store.close();
  });
});

describe('two stores open on one directory', () => {
  it('write and move at once, and both see all of it', async () => {
    const dir = await freshStore();
    const [a, b] = [await openEmbedded(dir), await openEmbedded(dir)];
    const [mine, yours] = [filesOf(20, 60), filesOf(21, 60)];
    const encode = async (store: typeof a): Promise<void> => {
      await store.volumes.open.sealAll('hot');
      await encodeHot(store.volumes, { force: true, flush: true });
    };
    await Promise.all([putFiles(a, mine), putFiles(b, yours)]);
    await Promise.all([encode(a), encode(b), putFiles(a, filesOf(22, 20))]);
    expect(await differing(a, yours)).toEqual([]);
    expect(await differing(b, new Map([...mine, ...filesOf(22, 20)]))).toEqual([]);
    await a.close();
    await b.close();
  });
});
