// What a killed command leaves beside a store's metadata holds wrapped keys: backup and doctor leave nothing, and the next command
// of any kind removes what others left, but nothing of a process that is at work.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { WRITER_TAG } from '../../lib/drive/writer-tag.ts';
import { backupTo } from '../../lib/engine/backup/backup.ts';
import { withSnapshot } from '../../lib/engine/backup/panda-snapshot.ts';
import { restoreTo } from '../../lib/engine/backup/restore.ts';
import { createEmbedded } from '../../lib/engine/wire/embedded.ts';
import { systemClock } from '../../lib/foundation/clock.ts';
import { temporaryFolder } from '../cli/temporary-folder.ts';
import { DRIVES, filesOf, putFiles, SMALL, withStore } from './small-store.ts';

const VICTIM = fileURLToPath(new URL('halting-victim.ts', import.meta.url));
const root = temporaryFolder();
const dir = join(root, 'store');
const own = ['drives', 'keys.json', 'keys.json.lock', 'panda.reserve', 'panda.sqlite'];
/** SQLite's log and its index are left by a kill, and belong to the store. */
const beside = (): string[] =>
  readdirSync(dir).filter((name) => !own.includes(name) && !/^panda\.sqlite-(wal|shm)$/.test(name));

beforeAll(async () => {
  const store = await createEmbedded(dir, { settings: SMALL, drives: DRIVES });
  await putFiles(store, filesOf(1, 20));
  await store.close();
});

/** Runs a command in a process of its own and kills it where it would go on only in an hour. */
async function killed(what: 'backup' | 'doctor' | 'restore', ...args: string[]): Promise<void> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', VICTIM, what, ...args]);
  let said = '';
  child.stderr.on('data', (bytes: Buffer) => {
    said += bytes;
  });
  const ended = once(child, 'close');
  let out = '';
  child.stdout.on('data', (bytes: Buffer) => {
    out += bytes;
  });
  while (!out.includes('halted') && child.exitCode === null) await systemClock.sleep(5);
  expect(said).toBe('');
  child.kill('SIGKILL');
  await ended;
}

describe('a command that is killed', () => {
  it('leaves no rows of its own: backup and doctor make no copy', async () => {
    await killed('doctor', dir);
    expect(beside()).toEqual([]);
    await killed('backup', dir, join(root, 'first'));
    expect(beside()).toEqual([]);
    expect(existsSync(join(root, 'first'))).toBe(false);
    expect(readdirSync(root).filter((name) => name.endsWith('.part'))).toHaveLength(1);
  });

  it('leaves a part of a backup that the next one there removes', async () => {
    await withStore(dir, (store) => backupTo(store, join(root, 'first')));
    expect(readdirSync(root).filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  it('leaves half a restore that the next command removes, even if there is no store yet', async () => {
    const other = join(root, 'other');
    await killed('restore', other, join(root, 'first'));
    expect(readdirSync(other).some((name) => name.startsWith('panda.sqlite.restoring-'))).toBe(true);
    await expect(withStore(other, async () => {})).rejects.toMatchObject({ code: 'STORE_MISSING' });
    expect(readdirSync(other)).toEqual([]);
  });
});

describe('opening a store', () => {
  it('removes what is left of others, also of earlier releases, and nothing of a process that is at work', async () => {
    const tag = WRITER_TAG.split('-') as [string, string, string];
    const dead = `${tag[0]}-1-${tag[2]}-00000000`;
    const elsewhere = '1-1-000000000000-00000000';
    const gone = [
      'panda.sqlite.copy-0123456789ab',
      'panda.sqlite.copy-0123456789ab-wal',
      'panda.sqlite.restoring',
      `panda.sqlite.restoring-${dead}`,
      `panda.sqlite.sorting-${dead}-journal`,
      `panda.sqlite.restoring-${elsewhere}1`,
    ];
    const kept = [
      `panda.sqlite.restoring-${WRITER_TAG}-00000000`,
      `panda.sqlite.sorting-${elsewhere}`,
      'panda.sqlite.mine',
      'panda.sqlite.copy-of-mine',
    ];
    for (const name of [...gone, ...kept]) writeFileSync(join(dir, name), 'rows');
    utimesSync(join(dir, gone[5] as string), 1, 1);
    await withStore(dir, async () => {});
    expect(beside().sort()).toEqual([...kept].sort());
  });
});

describe('a snapshot', () => {
  it('sees the rows of one moment while others write, and keeps nobody from writing', async () => {
    await withStore(dir, async (store) => {
      const count = async (panda: typeof store.components.panda): Promise<number> => {
        let rows = 0;
        for await (const page of panda.scan()) rows += page.length;
        return rows;
      };
      const before = await count(store.components.panda);
      await withSnapshot(join(dir, 'panda.sqlite'), async (panda) => {
        await putFiles(store, filesOf(7, 5));
        expect(await count(panda)).toBe(before);
        await expect(panda.transact([{ kind: 'delete', partition: 'store', sort: 'settings' }])).rejects.toThrow();
      });
      expect(await count(store.components.panda)).toBeGreaterThan(before);
    });
  });
});

describe('restore', () => {
  it('does not take the log of a metadata file that was moved away for its own', async () => {
    const moved = join(root, 'moved');
    mkdirSync(moved);
    writeFileSync(join(moved, 'panda.sqlite-wal'), 'a log');
    await restoreTo(moved, join(root, 'first'));
    expect(readdirSync(moved).sort()).toEqual(['panda.sqlite', 'panda.sqlite.moved-wal']);
  });
});
