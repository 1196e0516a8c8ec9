// An old Panda beside newer drives, and copies of a store that share drives: told apart before anything is written or erased, in whatever
// way they came about; and nothing sound is taken for either.
import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openEmbeddedClient } from '../../lib/client/file/embedded-client.ts';
import { WITNESS } from '../../lib/drive/directory-witness.ts';
import { backupTo } from '../../lib/engine/backup/backup.ts';
import { restoreTo } from '../../lib/engine/backup/restore.ts';
import { examine } from '../../lib/engine/doctor/doctor.ts';
import type { EmbeddedStore } from '../../lib/engine/wire/embedded/embedded-store.ts';
import { createEmbedded, openEmbedded } from '../../lib/engine/wire/embedded.ts';
import { SimulatedClock, systemClock } from '../../lib/foundation/clock.ts';
import { systemRandomness } from '../../lib/foundation/randomness.ts';
import { temporaryFolder } from '../cli/temporary-folder.ts';
import { DRIVES, differing, filesOf, putFiles, SMALL, withStore } from './small-store.ts';

const root = temporaryFolder();
let made = 0;
const fresh = (): string => join(root, `s${made++}`);
const FILES = ['panda.sqlite', 'panda.sqlite-wal', 'panda.sqlite-shm'];

async function storeWith(files: ReadonlyMap<string, Uint8Array>, drives: number | string[] = DRIVES): Promise<string> {
  const dir = fresh();
  const store = await createEmbedded(dir, { settings: SMALL, drives });
  await putFiles(store, files);
  await store.close();
  return dir;
}

/** The metadata as it is now, kept elsewhere; `back` puts it back, as a person would. */
function keep(dir: string): { back: () => void } {
  const kept = fresh();
  mkdirSync(kept);
  for (const name of FILES) if (existsSync(join(dir, name))) cpSync(join(dir, name), join(kept, name));
  return {
    back() {
      for (const name of FILES) rmSync(join(dir, name), { force: true });
      for (const name of readdirSync(kept)) cpSync(join(kept, name), join(dir, name));
    },
  };
}

const moveAway = (dir: string): void => {
  const away = fresh();
  mkdirSync(away);
  for (const name of FILES) if (existsSync(join(dir, name))) renameSync(join(dir, name), join(away, name));
};

const forgetWitnesses = (dir: string): void => {
  for (let id = 0; id < DRIVES; id++) rmSync(join(dir, `drives/0${id}/${WITNESS}`), { force: true });
};

function chunks(dir: string): string[] {
  return readdirSync(join(dir, 'drives'), { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\/\d+-\d+$/.test(name),
  );
}

const clientOf = (dir: string) =>
  openEmbeddedClient(dir, { namespace: 'default', clock: systemClock, randomness: systemRandomness });

/** The code each writing command is refused with, or what it did. */
async function refusals(dir: string): Promise<Record<string, string>> {
  const client = await clientOf(dir);
  const put = async (): Promise<void> => {
    async function* body() {
      yield Buffer.from('more');
    }
    for await (const outcome of client.putAll([{ key: 'more', body }])) if (!outcome.ok) throw outcome.error;
  };
  const remove = async (): Promise<void> => {
    for await (const outcome of client.deleteAll(['f/1-0'])) if (!outcome.ok) throw outcome.error;
  };
  const { admin } = client;
  const calls: Record<string, () => Promise<unknown>> = {
    put,
    remove,
    gc: () => admin.gc({ now: true }),
    encode: () => admin.encode({ all: true }),
    drain: () => admin.drain(),
    compact: () => admin.compact(),
    tend: () => admin.tend(),
    rotate: () => admin.rotateKeys(),
  };
  const codes: Record<string, string> = {};
  for (const [name, call] of Object.entries(calls))
    codes[name] = await call().then(
      () => 'done',
      (error) => error.code,
    );
  await client.close();
  return codes;
}

const all = (code: string) => ({
  put: code,
  remove: code,
  gc: code,
  encode: code,
  drain: code,
  compact: code,
  tend: code,
  rotate: code,
});

describe('an earlier panda.sqlite put back', () => {
  const [x, y] = [filesOf(1, 15), filesOf(2, 25)];

  for (const how of ['told by the drives’ witnesses', 'told by the chunks alone'] as const)
    it(`${how}: every write is refused, nothing is erased, reads go on, and restore brings all of it back`, async () => {
      const dir = await storeWith(x);
      const old = keep(dir);
      const newest = fresh();
      await withStore(dir, async (store) => {
        await putFiles(store, y);
        await backupTo(store, newest);
      });
      old.back();
      if (how === 'told by the chunks alone') forgetWitnesses(dir);
      const before = chunks(dir);
      expect(await refusals(dir)).toEqual(all('PANDA_BEHIND'));
      const report = await withStore(dir, (store) => examine(store, { fix: true }));
      expect(report).toMatchObject({ healthy: false, fixed: undefined });
      expect(report.findings).toContainEqual({
        severity: 'wrong',
        check: 'panda',
        message: expect.stringMatching(/pocketful restore.*PANDA_BEHIND/),
      });
      expect(chunks(dir)).toEqual(before);
      await withStore(dir, async (store) => expect(await differing(store, x)).toEqual([]));
      moveAway(dir);
      await restoreTo(dir, newest, { rebuild: true });
      await withStore(dir, async (store) => {
        expect(await differing(store, new Map([...x, ...y]))).toEqual([]);
        await putFiles(store, filesOf(3, 10));
      });
      expect((await refusals(dir))['put']).toBe('done');
    });

  it('of before the first write at all is noticed too', async () => {
    const dir = await storeWith(new Map());
    const old = keep(dir);
    await withStore(dir, (store) => putFiles(store, x));
    old.back();
    expect((await refusals(dir))['put']).toBe('PANDA_BEHIND');
  });

  it('after nothing was written since is the same store', async () => {
    const dir = await storeWith(x);
    keep(dir).back();
    await withStore(dir, (store) => differing(store, x));
    expect(await refusals(dir)).toEqual(all('done'));
  });

  it('can be gone on with, if there is no backup: what is newer is given up, and stays for seven days', async () => {
    const dir = await storeWith(x);
    const old = keep(dir);
    await withStore(dir, (store) => putFiles(store, y));
    old.back();
    const before = chunks(dir);
    await withStore(dir, async (store) => {
      expect(await store.adopt()).toMatchObject({ epoch: 1, unlisted: [] });
      await putFiles(store, filesOf(3, 40));
      expect(await differing(store, new Map([...x, ...filesOf(3, 40)]))).toEqual([]);
    });
    const report = await withStore(dir, (store) => examine(store, { fix: true }));
    expect(report).toMatchObject({ healthy: true, fixed: { sweptZones: 0 } });
    // Nor when the volumes they share with what is known are emptied and freed.
    const client = await clientOf(dir);
    await client.admin.encode({ all: true });
    const { free } = await client.admin.gc({ now: true });
    const reason = expect.objectContaining({ code: 'VOLUME_IN_QUARANTINE' });
    expect(free.kept).toContainEqual(expect.objectContaining({ reason }));
    await client.close();
    expect(chunks(dir)).toEqual(expect.arrayContaining(before));
  });
});

describe('a restore', () => {
  it('of an older backup takes no number again, and what is newer on the drives outlives it', async () => {
    const dir = await storeWith(filesOf(1, 30));
    const [older, newer] = [fresh(), fresh()];
    await withStore(dir, (store) => backupTo(store, older));
    await withStore(dir, async (store) => {
      await putFiles(store, filesOf(2, 40));
      await backupTo(store, newer);
    });
    moveAway(dir);
    const before = chunks(dir);
    expect((await restoreTo(dir, older)).newerZones).toBeGreaterThan(0);
    await withStore(dir, async (store) => {
      await putFiles(store, filesOf(3, 30));
      await examine(store, { fix: true });
    });
    expect(chunks(dir)).toEqual(expect.arrayContaining(before));
    moveAway(dir);
    await restoreTo(dir, newer, { rebuild: true });
    await withStore(dir, async (store) => {
      expect(await differing(store, new Map([...filesOf(1, 30), ...filesOf(2, 40)]))).toEqual([]);
      await putFiles(store, filesOf(4, 20));
      expect(await differing(store, filesOf(4, 20))).toEqual([]);
    });
  });

  it('stops a process that still holds what was there before', async () => {
    const dir = await storeWith(filesOf(1, 10));
    const file = fresh();
    const clock = new SimulatedClock(systemClock.nowMs());
    const held = await openEmbedded(dir, { clock });
    await putFiles(held, filesOf(2, 10));
    await backupTo(held, file);
    moveAway(dir);
    await restoreTo(dir, file);
    clock.advance(1_000); // an answer is believed for a second
    await expect(putFiles(held, filesOf(3, 10))).rejects.toMatchObject({ code: 'STORE_REPLACED' });
    await held.close();
    await withStore(dir, (store) => putFiles(store, filesOf(3, 10)));
  });
});

describe('copies of a store that share drives', () => {
  const files = filesOf(1, 20);
  async function shared(): Promise<{ dir: string; copy: string }> {
    const disks = fresh();
    const dir = await storeWith(
      files,
      Array.from({ length: DRIVES }, (_, i) => join(disks, `${i}`)),
    );
    const copy = `${dir}-copy`;
    cpSync(dir, copy, { recursive: true, preserveTimestamps: true });
    return { dir, copy };
  }

  it('the second one to write is refused and names adopt; once it has adopted them, the first one is', async () => {
    for (const isCopyFirst of [false, true]) {
      const { dir, copy } = await shared();
      const [first, second] = isCopyFirst ? [copy, dir] : [dir, copy];
      await withStore(first, (store) => putFiles(store, filesOf(2, 20)));
      expect(await refusals(second)).toEqual(all('STORE_COPIED'));
      await withStore(second, async (store) => {
        await expect(store.beginWriting()).rejects.toMatchObject({
          message: expect.stringContaining('pocketful adopt'),
        });
        expect(await differing(store, files)).toEqual([]);
        await store.adopt();
        await putFiles(store, filesOf(3, 20));
        expect(await differing(store, new Map([...files, ...filesOf(3, 20)]))).toEqual([]);
      });
      expect(await refusals(first)).toEqual(all('STORE_COPIED'));
      await withStore(first, async (store) => expect(await differing(store, filesOf(2, 20))).toEqual([]));
      await withStore(second, (store) => putFiles(store, filesOf(4, 20)));
    }
  });

  it('one that is open while another writes stops', async () => {
    const { dir, copy } = await shared();
    const clock = new SimulatedClock(systemClock.nowMs());
    const [a, b] = [await openEmbedded(dir, { clock }), await openEmbedded(copy)];
    await putFiles(a, filesOf(2, 5));
    await b.adopt();
    await putFiles(b, filesOf(3, 5));
    clock.advance(1_000);
    await expect(putFiles(a, filesOf(4, 5))).rejects.toMatchObject({ code: 'STORE_COPIED' });
    await putFiles(b, filesOf(5, 5));
    await a.close();
    await b.close();
  });

  it('a store that was moved, by name or to another disk, is no copy', async () => {
    const { dir, copy } = await shared();
    await withStore(dir, (store) => putFiles(store, filesOf(2, 5)));
    rmSync(copy, { recursive: true });
    renameSync(dir, `${dir}-moved`);
    await withStore(`${dir}-moved`, (store) => putFiles(store, filesOf(3, 5)));
    cpSync(`${dir}-moved`, `${dir}-again`, { recursive: true });
    rmSync(`${dir}-moved`, { recursive: true });
    expect(statSync(`${dir}-again`).isDirectory()).toBe(true);
    expect(await refusals(`${dir}-again`)).toEqual(all('done'));
  });

  it('many processes of one store are no copies of each other', async () => {
    const dir = await storeWith(files);
    for (let round = 0; round < 3; round++) {
      const stores = await Promise.all(Array.from({ length: 4 }, () => openEmbedded(dir)));
      await Promise.all(stores.map((store: EmbeddedStore, i) => putFiles(store, filesOf(100 + round * 4 + i, 3))));
      for (const store of stores) expect(await store.refusal()).toBeUndefined();
      await Promise.all(stores.map((store) => store.close()));
    }
  });
});
