// Damaged metadata: one row that cannot be read is named and in the way of no other; a file that is damaged takes nothing more.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listAll } from '../../lib/client/face.ts';
import { openStore } from '../../lib/client/open-store.ts';
import { examine } from '../../lib/engine/doctor/doctor.ts';
import type { EmbeddedStore } from '../../lib/engine/wire/embedded/embedded-store.ts';
import { createEmbedded } from '../../lib/engine/wire/embedded.ts';
import { encodeHot } from '../../lib/live-coder/encode-hot.ts';
import { copiesBelow, DRIVES, differing, filesOf, putFiles, SMALL, withStore } from './small-store.ts';

const folder = mkdtempSync(join(tmpdir(), 'pocketful-rows-'));
const made = join(folder, 'made');
const files = filesOf(1, 30);
let dir = '';
const copyOf = copiesBelow(folder);

beforeAll(async () => {
  const store = await createEmbedded(made, { settings: SMALL, drives: DRIVES });
  await putFiles(store, files);
  await store.volumes.open.sealAll('hot');
  await encodeHot(store.volumes, { force: true, flush: true });
  await putFiles(store, filesOf(2, 3));
  await store.close();
});
afterAll(() => rmSync(folder, { recursive: true }));

const fresh = (): string => {
  dir = copyOf(made);
  return dir;
};

/** Writes this as the stored text of the first row whose partition begins so; its sort key. */
function spoil(partition: string, text: string, sort = ''): string {
  const database = new DatabaseSync(join(dir, 'panda.sqlite'));
  try {
    const row = database
      .prepare('SELECT partition, sort FROM rows WHERE partition >= ? AND sort >= ? ORDER BY partition, sort LIMIT 1')
      .get(partition, sort) as { partition: string; sort: string };
    database.prepare('UPDATE rows SET value = ? WHERE partition = ? AND sort = ?').run(text, row.partition, row.sort);
    return row.sort;
  } finally {
    database.close();
  }
}

const UNREADABLE: readonly (readonly [string, string])[] = [
  ['no JSON', '[1,{"a'],
  ['of an unknown form', '[9,{}]'],
  ['without what it must hold', '[1,{}]'],
  ['of ids that are none', '[1,{"v":"xyz","z":"1","b":{"b":"QUJD"},"s":"sealed","cl":"warm"}]'],
];

describe.each(UNREADABLE)('a row that is %s', (_, text) => {
  it('of an object is named by lists, which give all others, and by doctor', async () => {
    fresh();
    const key = spoil('object/default', text, 'f/1-2');
    const store = await openStore(`file:${dir}`);
    try {
      const page = await store.list({});
      expect(page.objects).toHaveLength(files.size + 3 - 1);
      expect(page.damaged?.map((one) => one.key)).toEqual([key]);
      expect(String(page.damaged?.[0]?.error.message)).toContain(key);
      const named: string[] = [];
      await expect(
        (async () => {
          for await (const object of listAll(store)) named.push(object.key);
        })(),
      ).rejects.toMatchObject({ kind: 'corrupt' });
      expect(named).toHaveLength(files.size + 2);
      await expect(store.get(key)).rejects.toMatchObject({ kind: 'corrupt', message: expect.stringContaining(key) });
      const { findings } = await store.admin.doctor();
      expect(findings.filter(({ check }) => check === 'row')).toEqual([
        { severity: 'wrong', check: 'row', message: expect.stringContaining(key) },
      ]);
    } finally {
      await store.close();
    }
  });

  it.each(['volume/c0', 'bucket/c0', 'trash/c0'])(
    'in %s stops neither status nor upkeep, and is named',
    async (table) => {
      fresh();
      const doomed = [...files.keys()].slice(0, 4);
      await withStore(dir, async (store) => {
        for await (const outcome of store.frontend.deleteAll(doomed.map((key) => ({ namespace: 'default', key }))))
          if (!outcome.ok) throw outcome.error;
      });
      const sort = spoil(table, text);
      const store = await openStore(`file:${dir}`);
      try {
        await store.admin.status();
        await store.admin.gc({ now: true });
        await store.admin.plan();
        expect(store.badRows?.map((row) => row.sort)).toContain(sort);
        const { findings, level } = await store.admin.doctor();
        expect(level).toBe('wrong');
        expect(findings.some(({ check, message }) => check === 'row' && message.includes(sort))).toBe(true);
      } finally {
        await store.close();
      }
    },
  );
});

/** Whatever of it was deleted, and however far GC comes. */
it('a damaged row of a bucket stops neither status nor upkeep nor doctor', async () => {
  for (const { partition, sort } of bucketsIn(fresh()).slice(0, 4)) {
    fresh();
    const keys = [...files.keys()].slice(0, 12);
    await withStore(dir, async (store) => {
      for await (const outcome of store.frontend.deleteAll(keys.map((key) => ({ namespace: 'default', key }))))
        if (!outcome.ok) throw outcome.error;
    });
    expect(spoil(partition, '[1,{"a', sort)).toBe(sort);
    const store = await openStore(`file:${dir}`);
    try {
      await store.admin.status();
      await store.admin.gc({ now: true });
      const { findings } = await store.admin.doctor();
      expect(findings.some(({ check, message }) => check === 'row' && message.includes(sort))).toBe(true);
    } finally {
      await store.close();
    }
  }
});

function bucketsIn(store: string): { partition: string; sort: string }[] {
  const database = new DatabaseSync(join(store, 'panda.sqlite'), { readOnly: true });
  const query = "SELECT partition, sort FROM rows WHERE partition >= 'bucket/c0' AND partition < 'bucket/c1'";
  const found = database.prepare(query).all() as { partition: string; sort: string }[];
  database.close();
  return found;
}

/** Of an index tree, as tables without row ids are. */
const LEAF = 0x0a;

describe('a damaged metadata file', () => {
  /** The heads of leaves with blocks in them are overwritten; the row that says what store it is stays. */
  function breakFile(): void {
    const path = join(dir, 'panda.sqlite');
    const bytes = readFileSync(path);
    for (let at = 8192; at < bytes.length; at += 4096) {
      const page = bytes.subarray(at, at + 4096);
      if (page[0] === LEAF && page.includes('block/') && !page.includes('settings')) page.fill(0x5a, 0, 64);
    }
    writeFileSync(path, bytes);
  }

  it('is found by doctor, who names restore, and takes no more puts', async () => {
    fresh();
    breakFile();
    await withStore(dir, async (store) => {
      const report = await examine(store);
      expect(report.level).toBe('wrong');
      expect(report.findings[0]).toMatchObject({
        severity: 'lost',
        check: 'file',
        message: expect.stringContaining('pocketful restore'),
      });
      await expect(putInto(store)).rejects.toMatchObject({ kind: 'corrupt', code: 'PANDA_CORRUPT' });
    });
    // Nor in another process, although the pages it needs may be sound.
    await expect(putOne()).rejects.toMatchObject({ kind: 'corrupt', code: 'PANDA_CORRUPT' });
  });

  it('that was replaced by another is written again', async () => {
    fresh();
    const sound = readFileSync(join(dir, 'panda.sqlite'));
    breakFile();
    await withStore(dir, (store) => examine(store));
    await expect(putOne()).rejects.toMatchObject({ code: 'PANDA_CORRUPT' });
    const path = join(dir, 'panda.sqlite');
    rmSync(path);
    for (const rest of ['-wal', '-shm']) rmSync(`${path}${rest}`, { force: true });
    writeFileSync(`${path}.new`, sound);
    cpSync(`${path}.new`, path);
    await putOne();
    await withStore(dir, async (store) => expect(await differing(store, files)).toEqual([]));
  });

  const putOne = (): Promise<void> => withStore(dir, putInto);
  async function putInto(store: EmbeddedStore): Promise<void> {
    const items = [{ namespace: 'default', key: 'other', body: new Uint8Array(10).fill(7) }];
    for await (const outcome of store.frontend.putAll(items)) if (!outcome.ok) throw outcome.error;
  }
});
