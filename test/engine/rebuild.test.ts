// restore --rebuild: with Panda gone, the drives and an older backup give back the same store, in normal form and byte for byte.
import { describe, expect, it } from 'vitest';
import { drain } from '../../lib/compaction/drain.ts';
import { rebuildRows } from '../../lib/engine/rebuild.ts';
import { scanDrives } from '../../lib/engine/scan-drives.ts';
import type { RecordId } from '../../lib/foundation/ids.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { collectGarbage } from '../../lib/gc/collect-garbage.ts';
import { encodeHot } from '../../lib/live-coder/encode-hot.ts';
import { LiveCoder } from '../../lib/live-coder/live-coder.ts';
import { MemoryPanda } from '../../lib/panda/memory-panda.ts';
import type { Row } from '../../lib/panda/panda.ts';
import { blockFromRow } from '../../lib/panda/rows/block-row.ts';
import { bucketFromRow } from '../../lib/panda/rows/bucket-row.ts';
import { freeTrash } from '../../lib/volume/free.ts';
import { type Process, TINY, World } from '../store/harness.ts';
import { expectSound } from '../store/recount.ts';

async function putFiles(p: Process, files: Map<string, Uint8Array>, from: number, to: number, seed: number) {
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

async function rowsOf(p: Process): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const page of p.c.panda.scan()) rows.push(...page);
  return rows;
}

/** What a rebuilt Panda must agree on: names, references, keys, and where every record is. */
function normalForm(rows: readonly Row[]) {
  const names = rows.filter((row) => /^(object|segment)\//.test(row.partition));
  const blocks = rows
    .filter((row) => row.partition.startsWith('block/'))
    .map(blockFromRow)
    .map(({ hint: _, wrappedBek, ...block }) => ({ ...block, wrappedBek: Buffer.from(wrappedBek).toString('hex') }));
  const buckets = rows
    .filter((row) => row.partition.startsWith('bucket/'))
    .map(bucketFromRow)
    .filter((bucket) => bucket.liveBytes > 0)
    .map(({ id, volume, move, seq, token, liveBytes }) => ({ id, volume, move, seq, token, liveBytes }));
  const order = (a: { id: string }, b: { id: string }) => (a.id < b.id ? -1 : 1);
  const byKey = (a: Row, b: Row) => (`${a.partition}|${a.sort}` < `${b.partition}|${b.sort}` ? -1 : 1);
  return { names: names.sort(byKey), blocks: blocks.sort(order), buckets: buckets.sort(order) };
}

async function rebuilt(world: World, backup: readonly Row[], shredded = new Set<RecordId>()) {
  const p = world.start();
  const scan = await scanDrives(p.c.drives, p.c.storeId);
  const { rows, report } = rebuildRows(world.settings, p.c.drives.length, scan, backup, shredded, world.clock.nowMs());
  const panda = new MemoryPanda();
  for (const row of rows) await panda.transact([{ kind: 'put', ...row, if: ['absent'] }]);
  const next = new World(world.seed, world.settings, world.drives, panda);
  return { process: next.start(), report, scan };
}

async function busyStore(seed: number) {
  const world = new World(seed, TINY);
  const p = world.start();
  const files = new Map<string, Uint8Array>();
  await putFiles(p, files, 0, 400, seed + 1);
  await p.volumes.open.sealAll('hot');
  await encodeHot(p.volumes, { force: true });
  await deleteFiles(p, files, 2);
  await collectGarbage(p.c);
  await drain(p.volumes, (run, moved) => new LiveCoder(p.volumes, run, moved));
  await freeTrash(p.volumes);
  await putFiles(p, files, 400, 460, seed + 2);
  await deleteFiles(p, files, 9);
  return { world, p, files };
}

describe('restore --rebuild', () => {
  it.each([1, 2, 3])('gives back the same store from the drives and a backup of now (seed %i)', async (seed) => {
    const { world, p, files } = await busyStore(seed);
    const before = await rowsOf(p);
    const { process, report } = await rebuilt(world, before);
    expect(report.lost).toEqual([]);
    expect(report.objects).toBe(files.size);
    expect(normalForm(await rowsOf(process))).toEqual(normalForm(before));
    await expectSound(process);
    for (const [key, body] of files)
      expect(Buffer.compare(await process.frontend.read('default', key, 1e6), body), key).toBe(0);
  });

  it('takes locations from the drives when buckets moved since the backup', async () => {
    const { world, p, files } = await busyStore(4);
    const backup = await rowsOf(p);
    await p.volumes.open.sealAll('hot');
    await encodeHot(p.volumes, { force: true, flush: true });
    await p.volumes.open.sealAll('warm');
    await drain(p.volumes, (run, moved) => new LiveCoder(p.volumes, run, moved), { fillPermilleMax: 1000 });
    await freeTrash(p.volumes);
    const { process, report } = await rebuilt(world, backup);
    expect(report.lost).toEqual([]);
    expect(normalForm(await rowsOf(process)).names).toEqual(normalForm(backup).names);
    await expectSound(process);
    for (const [key, body] of files)
      expect(Buffer.compare(await process.frontend.read('default', key, 1e6), body), key).toBe(0);
  });

  it('does not bring back what was shredded after the backup, and says so', async () => {
    const { world, p, files } = await busyStore(5);
    const backup = await rowsOf(p);
    const doomed = backup
      .filter((row) => row.partition.startsWith('block/'))
      .map(blockFromRow)
      .find((block) => block.state === 'live');
    const { process, report } = await rebuilt(world, backup, new Set([doomed?.recordId as RecordId]));
    expect(report.lost.length).toBeGreaterThan(0);
    for (const { key } of report.lost) {
      await expect(process.frontend.head('default', key)).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
      files.delete(key);
    }
    for (const [key, body] of files)
      expect(Buffer.compare(await process.frontend.read('default', key, 1e6), body), key).toBe(0);
    await expectSound(process);
  });

  it('survives the loss of chunks the code can rebuild', async () => {
    const { world, p, files } = await busyStore(6);
    const backup = await rowsOf(p);
    const scan = await scanDrives(p.c.drives, p.c.storeId);
    const { at } = scan.zones.filter(({ drive }) => drive === 3)[0] as (typeof scan.zones)[number];
    await world.drives[3]?.erase(at);
    const { process, report } = await rebuilt(world, backup);
    expect(report.lost).toEqual([]);
    for (const [key, body] of files)
      expect(Buffer.compare(await process.frontend.read('default', key, 1e6), body), key).toBe(0);
  });
});
