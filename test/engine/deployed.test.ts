// How a function finds the store of its stage: the row the first one writes, what may change by a deploy and what not, and the rows
// of its KEK versions. On memory bodies.
import { describe, expect, it } from 'vitest';
import { MemoryDrive } from '../../lib/drive/memory-drive.ts';
import { establish, knownDrives } from '../../lib/engine/wire/deployed.ts';
import { PandaKekRows } from '../../lib/engine/wire/panda-kek-rows.ts';
import { type DeployedStage, stageOf } from '../../lib/engine/wire/stage-environment.ts';
import { SimulatedClock } from '../../lib/foundation/clock.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import type { StoredKeks } from '../../lib/keys/kms-kek-store.ts';
import { MemoryPanda } from '../../lib/panda/memory-panda.ts';
import { driveAttributes, driveKey } from '../../lib/panda/rows/drives/drive-row.ts';
import { settingsOf } from '../../lib/settings/settings.ts';
import { readDriveRows } from '../../lib/volume/rows/drive-states.ts';

const stage: DeployedStage = {
  stage: 'dev',
  table: 'table',
  drives: ['d0', 'd1', 'd2'],
  key: 'key',
  settings: settingsOf('thrifty'),
};
const ports = (seed = 1) => ({
  panda: new MemoryPanda(),
  clock: new SimulatedClock(),
  randomness: new SeededRandomness(seed),
});

describe('stageOf', () => {
  const environment = {
    POCKETFUL_STAGE: 'dev',
    POCKETFUL_TABLE: 'table',
    POCKETFUL_DRIVES: 'd0,d1,d2',
    POCKETFUL_KEY: 'key',
    POCKETFUL_SETTINGS: JSON.stringify(stage.settings),
  };

  it('reads the environment the stack gives', () => {
    expect(stageOf(environment)).toEqual(stage);
  });

  it('knows whose its buckets must be', () => {
    expect(stageOf({ ...environment, POCKETFUL_ACCOUNT: '123456789012' }).account).toBe('123456789012');
  });

  it('knows the queues of those that have them', () => {
    const queues = { POCKETFUL_DRAIN_QUEUE_URL: 'q', POCKETFUL_DRAIN_DLQ_URL: 'd' };
    expect(stageOf({ ...environment, ...queues }).drain).toEqual({ queueUrl: 'q', dlqUrl: 'd' });
  });

  it.each(Object.keys(environment))('names the variable %s if it is missing', (name) => {
    expect(() => stageOf({ ...environment, [name]: undefined })).toThrow(name);
  });
});

describe('establish', () => {
  it('makes the store once, whoever is first', async () => {
    const p = ports();
    const rows = await Promise.all(
      [1, 2, 3].map((seed) => establish(stage, { ...p, randomness: new SeededRandomness(seed) })),
    );
    expect(new Set(rows.map(({ storeId }) => storeId)).size).toBe(1);
    expect(await establish(stage, p)).toEqual(rows[0]);
    expect(rows[0]).toMatchObject({ drives: stage.drives, settings: stage.settings });
  });

  it('takes drives that were added', async () => {
    const p = ports();
    const before = await establish(stage, p);
    const wider = { ...stage, drives: [...stage.drives, 'd3'] };
    expect(await establish(wider, p)).toEqual({ ...before, drives: wider.drives });
    expect(await establish(wider, p)).toEqual({ ...before, drives: wider.drives });
    // Those that were there from the beginning have none before something is said of them.
    const rows = await readDriveRows(p);
    expect([...rows.values()]).toMatchObject([{ drive: 3, state: 'active', change: 1 }]);
  });

  it('keeps what is said of a drive already, and whoever is first adds it', async () => {
    const p = ports();
    await establish(stage, p);
    const attributes = driveAttributes({ state: 'draining', change: 4, sinceMs: 7, domain: 'west' });
    await p.panda.transact([{ kind: 'put', ...driveKey(3), attributes, if: ['absent'] }]);
    const wider = { ...stage, drives: [...stage.drives, 'd3', 'd4'] };
    await Promise.all([1, 2, 3].map((seed) => establish(wider, { ...p, randomness: new SeededRandomness(seed) })));
    const rows = await readDriveRows(p);
    expect(rows.get(3)).toMatchObject({ state: 'draining', change: 4, domain: 'west' });
    expect(rows.get(4)).toMatchObject({ state: 'active', change: 1 });
  });

  it('shows a process that was there before which drives were added', async () => {
    const p = ports();
    await establish(stage, p);
    const { drives, findDrives } = knownDrives(p.panda, [new MemoryDrive('d0')], (bucket) => new MemoryDrive(bucket));
    await Promise.all([findDrives(), findDrives()]);
    expect(drives.map(({ label }) => label)).toEqual(['d0', 'd1', 'd2']);
  });

  it.each<[string, Partial<DeployedStage>, RegExp]>([
    ['other settings', { settings: settingsOf('thrifty', { extentBytes: 1024 * 1024 * 1024 }) }, /extentBytes/],
    ['a drive less', { drives: ['d0', 'd1'] }, /it has 3 drives and cannot do with 2/],
    ['drives in another order', { drives: ['d1', 'd0', 'd2'] }, /drive 0 is d0, not d1/],
  ])('refuses %s', async (_, change, message) => {
    const p = ports();
    await establish(stage, p);
    const refused = establish({ ...stage, ...change }, p);
    await expect(refused).rejects.toMatchObject({ kind: 'invalid', code: 'STAGE_CONTRADICTS' });
    await expect(refused).rejects.toThrow(message);
  });
});

describe('PandaKekRows', () => {
  const bytes = (value: number): Uint8Array => new Uint8Array(8).fill(value);
  const keks: StoredKeks = [
    { version: 1, createdAtMs: 10, state: 'destroyed' },
    { version: 2, createdAtMs: 20, state: 'previous', material: bytes(2) },
    { version: 3, createdAtMs: 30, state: 'current', material: bytes(3) },
  ];

  it('gives back what was saved', async () => {
    const rows = new PandaKekRows(ports());
    expect(await rows.load()).toEqual({ revision: 0, keks: [] });
    await rows.save(0, keks);
    expect(await rows.load()).toEqual({ revision: 1, keks });
  });

  it('refuses to save over what it has not read', async () => {
    const rows = new PandaKekRows(ports());
    await rows.save(0, keks.slice(0, 1));
    await expect(rows.save(0, keks)).rejects.toMatchObject({ kind: 'conflict' });
    await rows.save(1, keks);
    await expect(rows.save(1, keks)).rejects.toMatchObject({ kind: 'conflict' });
    expect((await rows.load()).revision).toBe(2);
  });
});
