// Doctor on drives: three of nine gone is not healthy, damage is noted, and taken away again when it is no more.
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DoctorReport, examine } from '../../lib/engine/doctor/doctor.ts';
import { collectStatus } from '../../lib/engine/status/collect-status.ts';
import { createEmbedded } from '../../lib/engine/wire/embedded.ts';
import { CHUNK_HEADER_BYTES } from '../../lib/format/chunk.ts';
import { encodeHot } from '../../lib/live-coder/encode-hot.ts';
import { settingsOf } from '../../lib/settings/settings.ts';
import { listDamage } from '../../lib/volume/rows/damage.ts';
import { freeTrash } from '../../lib/volume/runs/free.ts';
import { copiesBelow, filesOf, putFiles, SMALL, withStore } from './small-store.ts';

const folder = mkdtempSync(join(tmpdir(), 'pocketful-doctor-'));
const made = join(folder, 'made');
let dir = '';
const copyOf = copiesBelow(folder);

beforeAll(async () => {
  const settings = settingsOf('demo', { ...SMALL, warmCodec: 'rs-6-3', groupBytesMin: 24 * 1024 });
  const store = await createEmbedded(made, { settings, drives: 9 });
  await putFiles(store, filesOf(1, 40));
  await store.volumes.open.sealAll('hot');
  await encodeHot(store.volumes, { force: true, flush: true });
  await store.volumes.open.sealAll('warm');
  await freeTrash(store.volumes, { ignoreGrace: true });
  await putFiles(store, filesOf(2, 4));
  await store.close();
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A copy of the store for each test to break. */
const fresh = (): string => {
  dir = copyOf(made);
  return dir;
};
const looked = (readAll = false): Promise<DoctorReport> => withStore(dir, (store) => examine(store, { readAll }));
const checks = ({ findings }: DoctorReport): string[] =>
  [...new Set(findings.map(({ severity, check }) => `${severity} ${check}`))].sort();
const drive = (id: number): string => join(dir, `drives/0${id}`);
const noted = (): Promise<number> => withStore(dir, async ({ components }) => (await listDamage(components)).length);

/** Chunks and packs of a drive, as paths. */
function objectsOf(id: number): string[] {
  return readdirSync(drive(id), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /^(\d+-\d+|dirs)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
}

describe('doctor', () => {
  it('finds nothing in a sound store, and says how much it could lose', async () => {
    fresh();
    const report = await looked(true);
    expect(report).toMatchObject({ level: 'healthy', findings: [], damage: [], drivesAway: [] });
    expect(report.redundancy).toMatchObject({ lost: 0, reduced: [] });
    expect(report.redundancy.full).toBe(report.redundancy.volumes);
    expect(report.looked.objects).toBeGreaterThan(20);
  });

  it('calls a store degraded of which three of nine drives are gone, and lost one of which four are', async () => {
    fresh();
    for (const id of [1, 4, 7]) renameSync(drive(id), `${drive(id)}-away`);
    const report = await looked();
    expect(report.level).toBe('degraded');
    expect(report.healthy).toBe(false);
    expect(report.drivesAway.map(({ id }) => id)).toEqual([1, 4, 7]);
    expect(report.redundancy.reduced[0]).toMatchObject({ spare: 0, of: 3 });
    expect(await noted()).toBe(0);
    await withStore(dir, async ({ components }) => {
      const { redundancy } = await collectStatus(components);
      expect(redundancy).toEqual(report.redundancy);
    });
    renameSync(drive(8), `${drive(8)}-away`);
    expect(checks(await looked())).toContain('lost volume');
    for (const id of [1, 4, 7, 8]) renameSync(`${drive(id)}-away`, drive(id));
    expect((await looked()).level).toBe('healthy');
  });

  it('notes objects that are gone, short or of elsewhere, and takes the notes away when they are there again', async () => {
    fresh();
    const [gone = '', ...rest] = objectsOf(2);
    const kept = readFileSync(gone);
    rmSync(gone);
    const cut = rest.find((path) => /\d+-\d+$/.test(path)) ?? '';
    const whole = readFileSync(cut);
    writeFileSync(cut, whole.subarray(0, whole.length - 3));
    const report = await looked();
    expect(checks(report)).toEqual(['degraded missing', 'degraded short']);
    expect(report.damage.map(({ drive: id }) => id)).toEqual([2, 2]);
    expect(await noted()).toBe(2);
    writeFileSync(gone, kept);
    writeFileSync(cut, whole);
    expect((await looked()).level).toBe('healthy');
    expect(await noted()).toBe(0);
  });

  it('finds flipped bytes when it reads, and remembers them until it has read again', async () => {
    fresh();
    const path = objectsOf(5).find((one) => /\d+-\d+$/.test(one)) ?? '';
    const sound = readFileSync(path);
    const bytes = Buffer.from(sound);
    // Of the column itself: where it ends, one column in nine has the group's directory, and every look reads that.
    bytes[CHUNK_HEADER_BYTES] = (bytes[CHUNK_HEADER_BYTES] as number) ^ 4;
    writeFileSync(path, bytes);
    expect((await looked()).level).toBe('healthy'); // no listing tells
    expect(checks(await looked(true))).toEqual(['degraded wrong']);
    expect(checks(await looked())).toEqual(['degraded wrong']);
    await withStore(dir, async ({ components }) => {
      expect((await collectStatus(components)).redundancy.reduced).toMatchObject([{ volumes: 1 }]);
    });
    writeFileSync(path, sound);
    expect(checks(await looked())).toEqual(['degraded wrong']);
    expect((await looked(true)).level).toBe('healthy');
    expect(await noted()).toBe(0);
  });

  it('calls drives that were put in each other’s place away', async () => {
    fresh();
    renameSync(drive(3), `${drive(3)}-x`);
    renameSync(drive(6), drive(3));
    renameSync(`${drive(3)}-x`, drive(6));
    const report = await looked();
    expect(report.level).toBe('degraded');
    expect(report.drivesAway.map(({ id }) => id)).toEqual([3, 6]);
  });
});
