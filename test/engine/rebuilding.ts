// A store in the middle of everything, and what the drives and a backup give back of it once Panda is gone.
import { expect } from 'vitest';
import { drain } from '../../lib/compaction/do/drain.ts';
import type { Drive } from '../../lib/drive/drive.ts';
import { driveUnavailable } from '../../lib/drive/errors.ts';
import type { BackupSource } from '../../lib/engine/rebuild/backup-source.ts';
import { Rebuild, type RebuildReport } from '../../lib/engine/rebuild/rebuild.ts';
import { Sorter } from '../../lib/engine/rebuild/sorter.ts';
import type { RecordId } from '../../lib/foundation/ids.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { collectGarbage } from '../../lib/gc/collect-garbage.ts';
import { encodeHot } from '../../lib/live-coder/encode-hot.ts';
import { LiveCoder } from '../../lib/live-coder/live-coder.ts';
import { MemoryPanda } from '../../lib/panda/memory-panda.ts';
import type { Attributes, Row } from '../../lib/panda/panda.ts';
import { blockFromRow } from '../../lib/panda/rows/block-row.ts';
import { bucketFromRow } from '../../lib/panda/rows/bucket-row.ts';
import { type ObjectRow, objectAttributes, objectFromRow } from '../../lib/panda/rows/object-row.ts';
import { shredAttributes, shredKey } from '../../lib/panda/rows/trash-row.ts';
import { freeTrash } from '../../lib/volume/runs/free.ts';
import { type Process, TINY, World } from '../store/harness.ts';
import { expectSound } from '../store/recount.ts';

export async function putFiles(p: Process, files: Map<string, Uint8Array>, from: number, to: number, seed: number) {
  const random = new SeededRandomness(seed);
  for (let i = from; i < to; i++) files.set(`f/${i}`, random.bytes(random.below(i % 50 === 0 ? 60_000 : 3000)));
  const items = [...files]
    .filter(([key]) => Number(key.slice(2)) >= from)
    .map(([key, body]) => ({ namespace: 'default', key, body }));
  for await (const outcome of p.frontend.putAll(items)) expect(outcome).toMatchObject({ ok: true });
}

async function deleteFiles(p: Process, files: Map<string, Uint8Array>, every: number) {
  const keys = [...files.keys()].filter((_, i) => i % every === 0);
  for await (const outcome of p.frontend.deleteAll(keys.map((key) => ({ namespace: 'default', key }))))
    expect(outcome).toMatchObject({ ok: true });
  for (const key of keys) files.delete(key);
}

export async function rowsOf(p: Process): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const page of p.components.panda.scan()) rows.push(...page);
  return rows;
}

const nameOf = ({ isNamed: _, ...object }: ObjectRow): Attributes => objectAttributes(object);

/** What a rebuilt Panda must agree on: names, references, keys, and where every record is. */
export function normalForm(rows: readonly Row[]) {
  // Named references become counted ones: that is all that is written anew of a name.
  const names = rows
    .filter((row) => /^(object|segment)\//.test(row.partition))
    .map((row) => (row.partition.startsWith('segment/') ? row : { ...row, attributes: nameOf(objectFromRow(row)) }));
  const blocks = rows
    .filter((row) => row.partition.startsWith('block/'))
    .map(blockFromRow)
    .map(({ hint: _, named: __, wrappedBek, ...block }) => ({
      ...block,
      wrappedBek: Buffer.from(wrappedBek).toString('hex'),
    }));
  const buckets = rows
    .filter((row) => row.partition.startsWith('bucket/'))
    .map(bucketFromRow)
    .filter((bucket) => bucket.liveBytes > 0)
    .map(({ id, volume, move, seq, token, liveBytes }) => ({ id, volume, move, seq, token, liveBytes }));
  const order = (a: { id: string }, b: { id: string }) => (a.id < b.id ? -1 : 1);
  const byKey = (a: Row, b: Row) => (`${a.partition}|${a.sort}` < `${b.partition}|${b.sort}` ? -1 : 1);
  return { names: names.sort(byKey), blocks: blocks.sort(order), buckets: buckets.sort(order) };
}

const sourceOf = (rows: readonly Row[]): BackupSource => ({
  async *rows(tables) {
    yield* rows.filter(({ partition }) => tables.some((table) => partition.startsWith(table)));
  },
});

export interface RebuildOptions {
  readonly shredded?: ReadonlySet<RecordId>;
  readonly allDrives?: boolean;
  /** Drives that answer nothing. */
  readonly away?: readonly number[];
}

function awayDrive(label: string): Drive {
  const away = async (): Promise<never> => {
    throw driveUnavailable(label, 'cannot be reached');
  };
  return { label, append: away, read: away, list: away, zones: away, erase: away, probe: away };
}

/** The rows that the drives of a world and a backup give, in a fresh Panda. */
export async function rebuiltPanda(
  world: World,
  backup: readonly Row[],
  { shredded = new Set(), away = [], ...options }: RebuildOptions = {},
): Promise<{ readonly panda: MemoryPanda; readonly report: RebuildReport }> {
  const { components } = world.start();
  const log = shredAttributes({ recordIds: [...shredded], kekVersion: 1 });
  const sorter = Sorter.open(':memory:');
  const rebuild = new Rebuild(sorter, {
    ...{ settings: world.settings, storeId: components.storeId, nowMs: world.clock.nowMs() },
    drives: components.drives.map((drive, id) => (away.includes(id) ? awayDrive(drive.label) : drive)),
    backup: sourceOf(backup),
    shredLog: sourceOf([{ ...shredKey(world.settings.cell, 0, 'later'), attributes: log }]),
    ...options,
  });
  const panda = new MemoryPanda();
  for await (const row of rebuild.rows()) await panda.transact([{ kind: 'put', ...row, if: ['absent'] }]);
  const report = rebuild.report();
  await sorter.close();
  return { panda, report };
}

export async function rebuilt(world: World, backup: readonly Row[], options: RebuildOptions = {}) {
  const { panda, report } = await rebuiltPanda(world, backup, options);
  return { process: new World(world.seed, world.settings, world.drives, panda).start(), report };
}

export async function busyStore(seed: number, settings = TINY) {
  const world = new World(seed, settings);
  const p = world.start();
  const files = new Map<string, Uint8Array>();
  await putFiles(p, files, 0, 400, seed + 1);
  await p.volumes.open.sealAll('hot');
  await encodeHot(p.volumes, { force: true });
  await deleteFiles(p, files, 2);
  await collectGarbage(p.components);
  await drain(p.volumes, (run, moved) => new LiveCoder(p.volumes, run, moved));
  await freeTrash(p.volumes);
  await putFiles(p, files, 400, 460, seed + 2);
  await deleteFiles(p, files, 9);
  return { world, p, files };
}

/** Byte for byte. */
export async function expectFiles(p: Process, files: ReadonlyMap<string, Uint8Array>): Promise<void> {
  for (const [key, body] of files)
    expect(Buffer.compare(await p.frontend.read('default', key, 1e6), body), key).toBe(0);
}

/** The drives and a backup of now give the same store. */
export async function expectSameStore({ world, p, files }: Awaited<ReturnType<typeof busyStore>>): Promise<void> {
  const before = await rowsOf(p);
  const { process, report } = await rebuilt(world, before);
  expect(report.lost).toEqual([]);
  expect(report.objects).toBe(files.size);
  expect(normalForm(await rowsOf(process))).toEqual(normalForm(before));
  await expectSound(process);
  await expectFiles(process, files);
}
