// The key file: the contract, files that are missing, foreign, damaged or open to others, crashes while it is replaced, and two
// real processes that rotate at once.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../lib/foundation/clock.ts';
import { hexOf, newStoreId } from '../../lib/foundation/ids.ts';
import { systemRandomness } from '../../lib/foundation/randomness.ts';
import { createKeyFile, type FileKekStore, openKeyFile } from '../../lib/keys/file-kek-store.ts';
import { readKeyFile, replaceKeyFile } from '../../lib/keys/key-file.ts';
import { withNextVersion } from '../../lib/keys/key-ring.ts';
import { keysContract } from '../contract/keys.contract.ts';

const ports = { clock: systemClock, randomness: systemRandomness };
const storeId = newStoreId(systemRandomness);
const newFolder = (): string => fs.mkdtempSync(path.join(os.tmpdir(), 'pocketful-keys-'));
const denied = (code: string, message: RegExp): object =>
  expect.objectContaining({ name: 'PocketfulError', kind: 'denied', code, message: expect.stringMatching(message) });

keysContract('file', async () => {
  const folder = newFolder();
  const file = path.join(folder, 'keys.json');
  return {
    store: await createKeyFile(file, storeId, ports),
    reopen: () => openKeyFile(file, storeId, ports),
    close: async () => fs.rmSync(folder, { recursive: true }),
  };
});

describe('key file', () => {
  let folder: string;
  let file: string;
  let store: FileKekStore;
  beforeEach(async () => {
    folder = newFolder();
    file = path.join(folder, 'keys.json');
    store = await createKeyFile(file, storeId, ports);
  });
  afterEach(() => fs.rmSync(folder, { recursive: true }));
  const text = (): string => fs.readFileSync(file, 'utf8');
  const open = (id = storeId): Promise<FileKekStore> => openKeyFile(file, id, ports);

  it('has mode 0600 whatever the umask, and nothing but it and the lock is left', async () => {
    const umask = process.umask(0);
    try {
      await store.rotate();
    } finally {
      process.umask(umask);
    }
    expect(fs.statSync(file).mode & 0o777).toBe(0o600);
    expect(fs.readdirSync(folder).sort()).toEqual(['keys.json', 'keys.json.lock']);
    expect(fs.statSync(`${file}.lock`).size).toBe(0);
  });

  it('is never made over one that is there', async () => {
    const before = text();
    await createKeyFile(file, storeId, ports);
    expect(text()).toBe(before);
    await expect(createKeyFile(file, newStoreId(systemRandomness), ports)).rejects.toEqual(
      denied('KEK_WRONG', /another store/),
    );
    expect(text()).toBe(before);
  });

  it.each([0o640, 0o604, 0o660, 0o644])('is refused with mode %o, saying what to run', async (mode) => {
    fs.chmodSync(file, mode);
    const asked = denied(
      'KEK_DENIED',
      new RegExp(`open to other users \\(mode 0${mode.toString(8)}\\): run chmod 600`),
    );
    await expect(open()).rejects.toEqual(asked);
    await expect(store.rotate()).rejects.toEqual(asked);
  });

  it('is asked for when it is missing', async () => {
    fs.rmSync(file);
    await expect(open()).rejects.toEqual(denied('KEK_MISSING', /is not there: put your copy of it back/));
  });

  it('of another store is recognised', async () => {
    await expect(open(newStoreId(systemRandomness))).rejects.toEqual(denied('KEK_WRONG', /key file of another store/));
  });

  it('with another key in it is recognised by the check value, and so is each cut or changed character', async () => {
    const whole = text();
    const key = hexOf(await store.kek(1));
    fs.writeFileSync(file, whole.replace(key, hexOf(systemRandomness.bytes(32))));
    await expect(open()).rejects.toEqual(denied('KEK_WRONG', /version 1 is damaged: .* check value/));
    for (let cut = 0; cut < whole.length - 1; cut++) {
      fs.writeFileSync(file, whole.slice(0, cut));
      await expect(open(), `cut at ${cut}`).rejects.toEqual(denied('KEK_WRONG', /does not fit/));
    }
    const keyAt = whole.indexOf(key);
    for (let at = keyAt; at < keyAt + key.length; at++) {
      const other = whole[at] === '0' ? '1' : '0';
      fs.writeFileSync(file, whole.slice(0, at) + other + whole.slice(at + 1));
      await expect(open()).rejects.toEqual(denied('KEK_WRONG', /check value/));
    }
  });

  it('that contradicts itself or is of a newer release is refused', async () => {
    const json = JSON.parse(text());
    const variants: [object, RegExp][] = [
      [{ ...json, formatVersion: 2 }, /format version 2/],
      [{ ...json, keys: [] }, /holds no key/],
      [{ ...json, keys: [...json.keys, ...json.keys] }, /versions are not/],
      [{ ...json, keys: [{ ...json.keys[0], state: 'previous' }] }, /current/],
      [{ ...json, keys: [{ ...json.keys[0], key: undefined }] }, /has no key/],
      [{ ...json, extra: 1 }, /no key file/],
    ];
    for (const [variant, message] of variants) {
      fs.writeFileSync(file, JSON.stringify(variant));
      await expect(open()).rejects.toEqual(denied('KEK_WRONG', message));
    }
  });

  it('shows no key in its errors', async () => {
    const key = hexOf(await store.kek(1));
    for (const damage of [text().slice(0, -3), text().replace('{', ''), text().replace(key, `${key}0`)]) {
      fs.writeFileSync(file, damage);
      const error = await open().catch((thrown) => thrown);
      expect(`${error.message} ${error.stack} ${error.cause}`).not.toContain(key.slice(0, 8));
    }
  });

  it('overwrites the bytes of a destroyed key, and of a copy that a crash left behind', async () => {
    const key = hexOf(await store.kek(1));
    await store.rotate();
    fs.copyFileSync(file, `${file}.new`);
    const held = ['', '.new'].map((suffix) => fs.openSync(file + suffix, 'r'));
    await store.destroy(1);
    for (const descriptor of held) {
      const old = fs.readFileSync(descriptor);
      fs.closeSync(descriptor);
      expect(old.byteLength).toBeGreaterThan(200);
      expect(old.every((byte) => byte === 0)).toBe(true);
    }
    expect(text()).not.toContain(key);
    expect(fs.readdirSync(folder).sort()).toEqual(['keys.json', 'keys.json.lock']);
  });

  it('keeps a hard link and a symbolic link to it as they are', async () => {
    const copy = path.join(folder, 'copy.json');
    fs.linkSync(file, copy);
    const link = path.join(folder, 'link.json');
    fs.symlinkSync(file, link);
    const before = text();
    await (await openKeyFile(link, storeId, ports)).rotate();
    expect(fs.readFileSync(copy, 'utf8')).toBe(before);
    expect(fs.lstatSync(link).isSymbolicLink()).toBe(true);
    expect(await store.versions()).toHaveLength(2);
  });

  it('that is replaced, and wiped, between being opened and being read is read anew', async () => {
    const before = readKeyFile(file, storeId);
    const after = withNextVersion(before, systemRandomness.bytes(32), 5);
    const open = fs.openSync;
    let replaced = 0;
    fs.openSync = (...args) => {
      const descriptor = open(...args);
      if (args[0] === file && args[1] === 'r' && replaced++ === 0) replaceKeyFile(file, storeId, after);
      return descriptor;
    };
    try {
      expect(readKeyFile(file, storeId)).toEqual(after);
    } finally {
      fs.openSync = open;
    }
    expect(replaced).toBeGreaterThan(1);
  });

  it('loses no rotation of processes that rotate at once', async () => {
    const [processes, each] = [3, 8];
    const source = (name: string): string => JSON.stringify(path.resolve(import.meta.dirname, '../../lib', name));
    const script = `
      import { openKeyFile } from ${source('keys/file-kek-store.ts')};
      import { systemClock } from ${source('foundation/clock.ts')};
      import { systemRandomness } from ${source('foundation/randomness.ts')};
      const store = await openKeyFile(${JSON.stringify(file)}, '${storeId}', { clock: systemClock, randomness: systemRandomness });
      for (let i = 0; i < ${each}; i++) await store.rotate();`;
    const run = async (): Promise<number> => {
      const [code] = await once(
        spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'ignore', 'inherit'] }),
        'exit',
      );
      return code;
    };
    expect(await Promise.all(Array.from({ length: processes }, run))).toEqual([0, 0, 0]);
    expect(await store.versions()).toHaveLength(1 + processes * each);
  });
});
