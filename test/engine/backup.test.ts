// Backup and restore: the same rows, whole or refused; and doctor, who finds what was broken on purpose.
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Drive } from '../../lib/drive/drive.ts';
import { backupTo, checkBackup, rowsOfBackup } from '../../lib/engine/backup/backup.ts';
import { checkPlaces } from '../../lib/engine/backup/check-places.ts';
import { restoreTo } from '../../lib/engine/backup/restore.ts';
import { examine } from '../../lib/engine/doctor/doctor.ts';
import { createEmbedded } from '../../lib/engine/wire/embedded.ts';
import { QUARANTINE_MS } from '../../lib/limits/volume.ts';
import type { Attributes, Row, Write } from '../../lib/panda/panda.ts';
import { packedKey } from '../../lib/panda/rows/block/block-form.ts';
import { blockFromRow, blockPartitions } from '../../lib/panda/rows/block-row.ts';
import { bucketPartitions } from '../../lib/panda/rows/bucket-row.ts';
import { quarantineKey } from '../../lib/panda/rows/drives/quarantine-row.ts';
import { groupKey } from '../../lib/panda/rows/group-row.ts';
import { objectKey } from '../../lib/panda/rows/object-row.ts';
import { volumeFromRow, volumePartitions } from '../../lib/panda/rows/volume-row.ts';
import { zonePartition } from '../../lib/panda/rows/zone-row.ts';
import { TOKEN_STEP } from '../../lib/volume/behind/raise-above-drives.ts';
import { rowsOf } from '../../lib/volume/rows/read-rows.ts';
import { temporaryFolder } from '../cli/temporary-folder.ts';
import { ReadingWorld, type Stored } from '../volume/reading-world.ts';
import { DRIVES, filesOf, putFiles, SMALL, withStore } from './small-store.ts';

const root = temporaryFolder();
const dir = join(root, 'store');
const files = filesOf(1, 25, 3000);

beforeAll(async () => {
  const store = await createEmbedded(dir, { settings: SMALL, drives: DRIVES });
  // U+2028 ends a line for some readers, a tab and a line feed for others.
  files.set('a\u2028b\tc\nd', Buffer.from('odd name'));
  await putFiles(store, files);
  await store.frontend.delete('default', 'f/1-3');
  files.delete('f/1-3');
  await store.close();
});

const scan = (path: string): Promise<Row[]> =>
  withStore(path, async ({ components }) => {
    const rows: Row[] = [];
    for await (const page of components.panda.scan()) rows.push(...page);
    return rows;
  });

describe('a backup', () => {
  const file = join(root, 'backup');
  beforeAll(() => withStore(dir, (store) => backupTo(store, file)));

  it('holds every row, for its owner only, and leaves nothing else behind', async () => {
    const rows: Row[] = [];
    for await (const row of rowsOfBackup(file)) rows.push(row);
    expect(rows).toEqual(await scan(dir));
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(existsSync(join(dir, 'panda.sqlite'))).toBe(true);
    expect(readdirSync(dir).filter((name) => name.includes('copy'))).toEqual([]);
    expect(readdirSync(root).filter((name) => name.includes('part'))).toEqual([]);
  });

  it('replaces no file of others unless told, nor leaves its parts, and says so', async () => {
    const note = join(root, 'note.txt');
    writeFileSync(note, 'mine');
    await expect(withStore(dir, (store) => backupTo(store, note))).rejects.toMatchObject({ code: 'FILE_EXISTS' });
    await expect(withStore(dir, (store) => backupTo(store, root))).rejects.toMatchObject({ code: 'FILE_IS_FOLDER' });
    const nowhere = join(root, 'no/such/file');
    await expect(withStore(dir, (store) => backupTo(store, nowhere))).rejects.toMatchObject({ code: 'FOLDER_MISSING' });
    expect(readFileSync(note, 'utf8')).toBe('mine');
    await withStore(dir, (store) => backupTo(store, note, { overwrite: true }));
    expect((await checkBackup(note)).pocketful).toBe('backup');
    expect(readdirSync(root).filter((name) => name.includes('part'))).toEqual([]);
  });

  it('does not replace a file that comes while it is written', async () => {
    const late = join(root, 'late');
    const onProgress = (): void => writeFileSync(late, 'mine');
    await expect(withStore(dir, (store) => backupTo(store, late, { onProgress }))).rejects.toMatchObject({
      code: 'FILE_EXISTS',
    });
    expect(readFileSync(late, 'utf8')).toBe('mine');
  });

  it('that is cut off, changed, of another version or no backup is refused, and nothing is restored', async () => {
    const bytes = readFileSync(file);
    const flipped = Buffer.from(bytes);
    flipped[bytes.length >> 1] = (flipped[bytes.length >> 1] as number) ^ 1;
    const text = bytes.toString('utf8');
    const damaged: [Buffer | string, string][] = [
      [bytes.subarray(0, bytes.length >> 1), 'BACKUP_CORRUPT'],
      [bytes.subarray(0, text.trimEnd().lastIndexOf('\n') + 1), 'BACKUP_CORRUPT'],
      [flipped, 'BACKUP_CORRUPT'],
      [text.replace('"format":1', '"format":9'), 'BACKUP_VERSION'],
      ['{}\n', 'BACKUP_FOREIGN'],
      ['', 'BACKUP_CORRUPT'],
    ];
    for (const [content, code] of damaged) {
      writeFileSync(join(root, 'damaged'), content);
      await expect(restoreTo(join(root, 'other'), join(root, 'damaged'))).rejects.toMatchObject({ code });
    }
    await expect(checkBackup(join(root, 'nothing'))).rejects.toMatchObject({ code: 'FILE_MISSING' });
    expect(existsSync(join(root, 'other/panda.sqlite'))).toBe(false);
  });

  it('brings back the same rows, over nothing that is there', async () => {
    await expect(restoreTo(dir, file)).rejects.toMatchObject({ code: 'STORE_EXISTS' });
    const before = await scan(dir);
    mkdirSync(join(root, 'lost'));
    for (const name of ['panda.sqlite', 'panda.sqlite-wal', 'panda.sqlite-shm'])
      if (existsSync(join(dir, name))) renameSync(join(dir, name), join(root, 'lost', name));
    writeFileSync(join(dir, 'panda.sqlite.restoring'), 'of a restore that was cut off');
    expect(await restoreTo(dir, file)).toMatchObject({ rows: before.length, keyFile: true, newerZones: 0 });
    const after = await scan(dir);
    const steady = (rows: readonly Row[]): Row[] =>
      rows.filter(({ partition }) => partition !== 'store' && !partition.startsWith('volume/'));
    expect(steady(after)).toEqual(steady(before));
    // Before anything is written: the next epoch, no lease, and tokens that nobody has used.
    const volumesOf = (rows: readonly Row[]) =>
      rows.filter(({ partition }) => partition.startsWith('volume/')).map(volumeFromRow);
    expect(volumesOf(after)).toEqual(
      volumesOf(before).map((volume) => ({
        ...volume,
        token: volume.token + TOKEN_STEP,
        owner: undefined,
        expiresAtMs: 0,
      })),
    );
    expect(after.find(({ partition }) => partition === 'store')?.attributes).toMatchObject({ ep: 1, tk: 1 });
  });

  it('says when the drives hold more than it knows', async () => {
    const old = join(root, 'old');
    await withStore(dir, (store) => backupTo(store, old));
    await withStore(dir, (store) => putFiles(store, filesOf(2, 120)));
    for (const name of ['panda.sqlite', 'panda.sqlite-wal', 'panda.sqlite-shm'])
      if (existsSync(join(dir, name))) renameSync(join(dir, name), join(root, 'lost', `${name}.2`));
    expect((await restoreTo(dir, old)).newerZones).toBeGreaterThan(0);
    for (const name of ['panda.sqlite', 'panda.sqlite-wal', 'panda.sqlite-shm'])
      if (existsSync(join(root, 'lost', `${name}.2`))) renameSync(join(root, 'lost', `${name}.2`), join(dir, name));
  });
});

/** The first row of a partition that has one. */
async function firstRow(path: string, partitions: readonly string[]): Promise<Row> {
  return withStore(path, async ({ components }) => {
    for (const partition of partitions) for await (const row of rowsOf(components.panda, partition)) return row;
    throw new Error(`no row in ${partitions[0]}`);
  });
}

describe('doctor', () => {
  const checks = async (): Promise<string[]> => {
    const { findings, healthy } = await withStore(dir, (store) => examine(store));
    expect(healthy).toBe(findings.every(({ severity }) => severity === 'waits'));
    return [...new Set(findings.map(({ severity, check }) => `${severity} ${check}`))].sort();
  };
  /** Breaks rows, looks, and puts them back as they were. */
  async function broken(breakIt: (row: Row) => Write, row: Row): Promise<string[]> {
    await withStore(dir, ({ components }) => components.panda.transact([breakIt(row)]));
    const found = await checks();
    await withStore(dir, ({ components }) =>
      components.panda.transact([
        { kind: 'put', partition: row.partition, sort: row.sort, attributes: row.attributes },
      ]),
    );
    return found;
  }
  const change =
    (set: Attributes) =>
    ({ partition, sort }: Row): Write => ({ kind: 'update', partition, sort, set });
  const remove = ({ partition, sort }: Row): Write => ({ kind: 'delete', partition, sort });

  it('finds nothing in a sound store, and reads all of it', async () => {
    const report = await withStore(dir, (store) => examine(store, { readAll: true, fix: true }));
    expect(report).toMatchObject({ healthy: true, findings: [], objectsRead: files.size + 120 });
    expect(report.counted.objects).toBe(files.size + 120);
  });

  it('finds what was broken in the rows', async () => {
    const block = await firstRow(dir, blockPartitions());
    const { bucket } = blockFromRow(block);
    expect(await broken(change({ f: 5 }), block)).toContain('wrong references');
    expect(await broken(remove, block)).toEqual(['lost object', 'wrong live-bytes']);
    expect(await broken(change({ w: packedKey({ ...blockFromRow(block), kekVersion: 3 }) }), block)).toEqual([
      'lost key',
    ]);
    expect(await broken(change({ f: 'x' }), block)).toContain('wrong row');
    const buckets = await firstRow(
      dir,
      bucketPartitions('c0').filter((name) => name.endsWith(`/${Number.parseInt(bucket[0] as string, 16)}`)),
    );
    expect(await broken(change({ l: 1 }), buckets)).toEqual(['wrong live-bytes']);
    expect(await broken(remove, buckets)).toEqual(['lost bucket', 'wrong bucket']);
    const volume = await firstRow(dir, volumePartitions('c0'));
    expect(await broken(remove, volume)).toEqual(expect.arrayContaining(['lost bucket', 'wrong zone']));
    const zone = await firstRow(
      dir,
      [...Array(DRIVES).keys()].map((drive) => zonePartition(drive)),
    );
    expect(await broken(change({ s: 'free' }), zone)).toContain('wrong zone');
    const object = await withStore(dir, ({ components }) => components.panda.get(objectKey('default', 'f/1-1')));
    expect(await broken(remove, object as Row)).toEqual(['wrong references']);
    expect(await checks()).toEqual([]);
  });

  it('finds what is wrong with drives: one away, too many away, and chunks that belong to nothing', async () => {
    const away = (ids: readonly number[], back = false): void => {
      for (const id of ids) {
        const [here, there] = [join(dir, `drives/0${id}`), join(dir, `drives/away-${id}`)];
        renameSync(back ? there : here, back ? here : there);
      }
    };
    away([2]);
    expect(await checks()).toEqual(expect.arrayContaining(['degraded drive']));
    away([0, 1, 3, 4, 5]);
    expect(await checks()).toEqual(expect.arrayContaining(['degraded drive', 'lost volume']));
    away([0, 1, 2, 3, 4, 5], true);
    mkdirSync(join(dir, 'drives/01/777/1'), { recursive: true });
    writeFileSync(join(dir, 'drives/01/777/1/1-1'), 'a late put of a dead process');
    expect(await checks()).toEqual(['waits stray']);
    const fix = () => withStore(dir, (store) => examine(store, { fix: true }));
    expect((await fix()).fixed).toMatchObject({ sweptZones: 0, quarantinedZones: 1 });
    expect((await fix()).findings).toMatchObject([
      { check: 'stray', message: expect.stringMatching(/quarantine.* from \d{4}-/) },
    ]);
    await withStore(dir, async ({ components }) => {
      const row = quarantineKey(1, { zone: 777, generation: 1 });
      await components.panda.transact([{ kind: 'update', ...row, set: { a: Date.now() - QUARANTINE_MS } }]);
    });
    expect((await fix()).fixed).toMatchObject({ sweptZones: 1, quarantinedZones: 0 });
    expect(await checks()).toEqual([]);
  });
});

it('a bucket is elsewhere once more columns of its volume were erased than the code survives, though not all of them were', async () => {
  const world = new ReadingWorld({ warm: 'xor-2-1' });
  const [stored] = (await world.append([700, 800, 900])) as [Stored];
  const volume = await world.volumeOf(stored);
  await world.panda.transact([{ kind: 'delete', ...groupKey(volume.id, volume.generation, 1) }]);
  const unreadable: number[] = [];
  for (const { drive, zone, zoneGeneration } of [...volume.extents, ...volume.extents.slice(0, 1)]) {
    const places = await checkPlaces({ ...world.components, panda: world.panda, drives: world.media });
    expect(places.liveBuckets).toBe(1);
    unreadable.push(places.unreadableBuckets);
    await (world.media[drive] as Drive).erase({ zone, generation: zoneGeneration });
  }
  expect(unreadable).toEqual([0, 0, 1, 1]);
});
