// A store whose metadata is lost, out of the journal on its drives: with keys.json alone, on other paths, as of an
// earlier time, and with keys that were destroyed.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { EmbeddedClient } from '../../lib/client/file/embedded-client.ts';
import { examine } from '../../lib/engine/doctor/doctor.ts';
import { restoreFromDrives } from '../../lib/engine/journal/restore-from-drives.ts';
import { encodeStore } from '../../lib/engine/upkeep/tend.ts';
import type { EmbeddedStore } from '../../lib/engine/wire/embedded/embedded-store.ts';
import { createEmbedded, openEmbedded } from '../../lib/engine/wire/embedded.ts';
import { parsePartName } from '../../lib/journal/points.ts';
import { settingsOf } from '../../lib/settings/settings.ts';
import { temporaryFolder } from '../cli/temporary-folder.ts';
import { livedStore, loseMetadata } from './lived-store.ts';
import { copiesBelow, DRIVES, differing, filesOf, putFiles, SMALL, withStore } from './small-store.ts';

const root = temporaryFolder();
const original = join(root, 'store');
const first = filesOf(1, 12);
const second = filesOf(2, 8);
let betweenMs = 0;

beforeAll(async () => {
  betweenMs = await livedStore(original, first, second);
});

/** Drives that have a way to some point, those with the newest one first. */
function holdersOf(drives: string): string[] {
  const newest = (name: string): string =>
    readdirSync(join(drives, name, 'journal', '0'), { withFileTypes: true })
      .map((one) => one.name)
      .filter((one) => one.startsWith('s'))
      .sort()
      .at(-1) ?? '';
  return readdirSync(drives)
    .filter((name) => existsSync(join(drives, name, 'journal', '0')) && newest(name) !== '')
    .sort((a, b) => (newest(a) > newest(b) ? -1 : 1));
}

const copied = copiesBelow(root);
function copyOf(): string {
  const dir = copied(original);
  loseMetadata(dir);
  return dir;
}

async function expectSound(store: EmbeddedStore): Promise<void> {
  const { findings } = await examine(store, { readAll: true });
  expect(findings.filter(({ severity }) => severity === 'wrong')).toEqual([]);
}

describe('restore from drives', () => {
  it('brings everything back, with a drive lost; then the store goes on, and is lost again', async () => {
    const dir = copyOf();
    rmSync(join(dir, 'drives', '02'), { recursive: true });
    const report = await restoreFromDrives(dir);
    expect(report).toMatchObject({ drivesFound: DRIVES - 1, drivesMissing: ['drives/02'], damagedSegments: 0 });
    expect(report).toMatchObject({ newerZones: 0, newerVolumes: 0, unshipped: undefined });
    expect(report.rebuild).toBeUndefined();
    const third = filesOf(3, 5);
    await withStore(dir, async (store) => {
      expect(await differing(store, new Map([...first, ...second]))).toEqual([]);
      await putFiles(store, third);
    });
    loseMetadata(dir);
    const again = await restoreFromDrives(dir);
    expect(again.epoch).toBe(report.epoch + 1);
    await withStore(dir, async (store) => {
      expect(await differing(store, new Map([...first, ...second, ...third]))).toEqual([]);
      await expectSound(store);
    });
  });

  it('brings everything back with any drives lost that the codes survive', async () => {
    const dir = join(root, 'wide');
    const settings = settingsOf('personal', { ...SMALL, warmCodec: 'rs-6-3', groupBytesMin: 24 * 1024 });
    const drives = 12;
    const store = await createEmbedded(dir, { settings, drives });
    await putFiles(store, first);
    await encodeStore(store, { force: true, flush: true });
    await putFiles(store, second);
    await store.close();
    loseMetadata(dir);
    for (let from = 0; from < drives; from += 2) {
      const left = join(root, `wide-${from}`);
      cpSync(dir, left, { recursive: true });
      const lost = [from, (from + 1 + from / 2) % drives, (from + 7) % drives];
      for (const drive of lost) rmSync(join(left, 'drives', `${drive}`.padStart(2, '0')), { recursive: true });
      const report = await restoreFromDrives(left);
      expect(report).toMatchObject({ damagedSegments: 0, drivesFound: drives - new Set(lost).size });
      expect(new Set(lost).size).toBe(3);
      await withStore(left, async (again) =>
        expect(await differing(again, new Map([...first, ...second])), `without ${lost}`).toEqual([]),
      );
    }
  });

  it('onto other paths: a store moves by carrying its disks', async () => {
    const from = copyOf();
    const dir = join(root, 'moved');
    mkdirSync(join(root, 'disks'));
    mkdirSync(dir, { mode: 0o700 });
    renameSync(join(from, 'keys.json'), join(dir, 'keys.json'));
    const paths = readdirSync(join(from, 'drives')).map((name) => {
      renameSync(join(from, 'drives', name), join(root, 'disks', name));
      return join(root, 'disks', name);
    });
    await expect(restoreFromDrives(dir)).rejects.toMatchObject({ code: 'DRIVES_NONE_FOUND' });
    await restoreFromDrives(dir, { drives: paths.map((path) => ({ path })) });
    await withStore(dir, async (store) => expect(await differing(store, first)).toEqual([]));
    // The next time a few are enough: the store's row names the others.
    loseMetadata(dir);
    const report = await restoreFromDrives(dir, { drives: paths.slice(3).map((path) => ({ path })) });
    expect(report.drivesFound).toBe(DRIVES);
    await withStore(dir, async (store) => expect(await differing(store, second)).toEqual([]));
  });

  it('says that a newer state may be on drives that are missing, and is the newest once they are back', async () => {
    const dir = copyOf();
    const away = join(root, 'away');
    const move = (names: readonly string[], from: string, to: string): void => {
      mkdirSync(to, { recursive: true });
      for (const name of names) renameSync(join(from, name), join(to, name));
    };
    const drives = join(dir, 'drives');
    const names = readdirSync(drives).sort();
    const ours = holdersOf(drives).slice(0, 1);
    const others = names.filter((name) => !ours.includes(name));
    // The others are restored again and again meanwhile, as far as anybody knows.
    move(ours, drives, away);
    for (let i = 0; i < 3; i++) {
      if (i > 0) loseMetadata(dir);
      expect(await restoreFromDrives(dir)).toMatchObject({ mayBeOlder: false });
    }
    loseMetadata(dir);
    move(others, drives, join(root, 'others'));
    move(ours, away, drives);
    const alone = await restoreFromDrives(dir, { drives: [{ path: join(root, 'nothing') }] });
    expect(alone).toMatchObject({ mayBeOlder: true, drivesFound: 1, notDrives: [join(root, 'nothing')] });
    loseMetadata(dir);
    move(others, join(root, 'others'), drives);
    const together = await restoreFromDrives(dir);
    expect(together).toMatchObject({ mayBeOlder: false, drivesFound: DRIVES, notDrives: [] });
    expect(together.epoch).toBeGreaterThan(alone.epoch + 3);
    await withStore(dir, async (store) => expect(await differing(store, first)).toEqual([]));
  });

  it('after an old panda.sqlite was adopted, is what was written since: not what was given up by that', async () => {
    const dir = join(root, 'adopted');
    cpSync(original, dir, { recursive: true });
    const old = readFileSync(join(dir, 'panda.sqlite'));
    for (let i = 0; i < 3; i++) {
      loseMetadata(dir);
      await restoreFromDrives(dir);
    }
    loseMetadata(dir);
    writeFileSync(join(dir, 'panda.sqlite'), old);
    const third = filesOf(3, 5);
    const store = await openEmbedded(dir);
    await store.adopt();
    await putFiles(store, third);
    await store.close();
    loseMetadata(dir);
    await restoreFromDrives(dir);
    await withStore(dir, async (again) => expect(await differing(again, third)).toEqual([]));
  });

  it('as of an earlier time: what was moved since is found on the drives', async () => {
    const dir = copyOf();
    const report = await restoreFromDrives(dir, { atMs: betweenMs });
    expect(report.atMs).toBeLessThanOrEqual(betweenMs);
    expect(report.rebuild?.lostObjects).toBe(0);
    await withStore(dir, async (store) => {
      expect(await differing(store, first)).toEqual([]);
      const { objects } = await store.frontend.list({ namespace: 'default' });
      expect(objects.map(({ key }) => key).sort()).toEqual([...first.keys()].sort());
      await expectSound(store);
    });
  });

  it('with the keys of another store, or none, is denied; over metadata, refused', async () => {
    const dir = copyOf();
    rmSync(join(dir, 'keys.json'));
    await expect(restoreFromDrives(dir)).rejects.toMatchObject({ code: 'KEK_MISSING' });
    await expect(restoreFromDrives(original)).rejects.toMatchObject({ code: 'STORE_EXISTS' });
    expect(readdirSync(dir).filter((name) => name.startsWith('panda'))).toEqual([]);
  });

  it('after a key was destroyed: all of it is under the new one, and nothing older can be opened', async () => {
    const dir = join(root, 'rotated');
    cpSync(original, dir, { recursive: true });
    const old = readFileSync(join(dir, 'keys.json'), 'utf8');
    const client = new EmbeddedClient(`file:${dir}`, await openEmbedded(dir), 'default');
    await client.admin.rotateKeys();
    await client.admin.destroyKey(1);
    const status = await client.admin.status();
    expect(status.journal).toMatchObject({ way: 1, waiting: { commits: 0 }, silent: [] });
    await client.close();
    expect(readFileSync(join(dir, 'keys.json'), 'utf8')).not.toBe(old);
    loseMetadata(dir);
    await restoreFromDrives(dir);
    await withStore(dir, async (store) => expect(await differing(store, first)).toEqual([]));
  });

  it('what is on the drives is encrypted: no name and no wrapped key is in clear', () => {
    const names = [...first.keys()].map((key) => Buffer.from(key));
    let segments = 0;
    for (const drive of readdirSync(join(original, 'drives'))) {
      const folder = join(original, 'drives', drive, 'journal', '0');
      for (const name of readdirSync(folder)) {
        expect(parsePartName(name)).toMatchObject({ part: 0, isLast: true });
        const bytes = readFileSync(join(folder, name));
        expect(names.filter((one) => bytes.includes(one))).toEqual([]);
        segments += 1;
      }
    }
    expect(segments).toBeGreaterThan(4);
  });
});
