// A store on this machine out of the buckets of a stage: everything that was shipped, with the keys as KMS unwraps them;
// a copy that is cut off goes on; what was not shipped whole is named, and the store is sound.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FaultyDrive } from '../../lib/drive/faulty-drive.ts';
import { examine } from '../../lib/engine/doctor/doctor.ts';
import { restoreFromStage, type StageSource } from '../../lib/engine/journal/restore-from-stage.ts';
import { encodeStage } from '../../lib/engine/upkeep/stage-tasks.ts';
import { CountingPlan, type FaultPlan, scriptedPlan } from '../../lib/foundation/faults.ts';
import { MemoryStream } from '../../lib/stream/memory-stream.ts';
import { temporaryFolder } from '../cli/temporary-folder.ts';
import { JournalStage } from '../functions/journal-stage.ts';
import { dies, FaultyShelf } from '../journal/world.ts';
import { differing, filesOf, withStore } from './small-store.ts';

const root = temporaryFolder();
const DRIVES = 20;
const BATCH = 500;
const first = filesOf(1, 60);
const second = filesOf(2, 20);
const everything = new Map([...first, ...second]);
let folders = 0;
const fresh = (): string => join(root, `restored-${folders++}`);

async function put(stage: JournalStage, files: ReadonlyMap<string, Uint8Array>): Promise<void> {
  const { frontend } = stage.world.start();
  const items = [...files].map(([key, body]) => ({ namespace: 'default', key, body }));
  for await (const outcome of frontend.putAll(items)) if (!outcome.ok) throw outcome.error;
}

/** Hot and erasure-coded volumes. */
async function lived(stage = new JournalStage(7, DRIVES)): Promise<JournalStage> {
  await stage.begin();
  await put(stage, first);
  const stream = new MemoryStream(stage.world.clock, 3);
  await encodeStage(stage.world.start().volumes, { all: true, signal: new AbortController().signal, stream });
  await put(stage, second);
  return stage;
}

function sourceOf({ world, shelves }: JournalStage, plan?: FaultPlan): StageSource {
  const { keks } = world.start().components;
  return {
    buckets: world.drives.map((drive, i) => {
      const shelf = shelves[i] as (typeof shelves)[number];
      return plan === undefined
        ? { drive, shelf }
        : { drive: new FaultyDrive(drive, { plan }), shelf: new FaultyShelf(shelf, () => plan) };
    }),
    unwrap: async (_, { keks: wrapped }) => {
      expect(wrapped.map(({ version }) => version)).toEqual([1]);
      return [{ version: 1, createdAtMs: 1, state: 'current', material: await keks.kek(1) }];
    },
  };
}

async function expectSound(dir: string, files: ReadonlyMap<string, Uint8Array>): Promise<void> {
  await withStore(dir, async (store) => {
    expect(await differing(store, files)).toEqual([]);
    const { findings } = await examine(store, { readAll: true });
    expect(findings.filter(({ severity }) => severity === 'wrong' || severity === 'lost')).toEqual([]);
  });
}

describe('restore from a stage', () => {
  it('brings everything here that was shipped, and the store goes on', async () => {
    const stage = await lived();
    await stage.deliverAll(BATCH);
    const dir = fresh();
    const report = await restoreFromStage(dir, sourceOf(stage));
    expect(report).toMatchObject({ drivesFound: DRIVES, drivesMissing: [], damagedSegments: 0, unshipped: undefined });
    expect(report.rebuild).toMatchObject({ lostObjects: 0 });
    expect(report.copied.objects).toBeGreaterThan(DRIVES);
    await expectSound(dir, everything);
    const third = filesOf(3, 3);
    await withStore(dir, async (store) => {
      const items = [...third].map(([key, body]) => ({ namespace: 'default', key, body }));
      for await (const outcome of store.frontend.putAll(items)) expect(outcome).toMatchObject({ ok: true });
    });
    await expectSound(dir, new Map([...everything, ...third]));
  });

  it('brings everything here without buckets that are lost, as many as the codes survive', async () => {
    const stage = await lived();
    await stage.deliverAll(BATCH);
    const whole = sourceOf(stage);
    const lost = new Set([1, 6, 13]);
    const gone = scriptedPlan(() => 'before-error');
    const source: StageSource = {
      ...whole,
      buckets: whole.buckets.map(({ drive, shelf }, number) =>
        lost.has(number)
          ? { drive: new FaultyDrive(drive, { plan: gone }), shelf: new FaultyShelf(shelf, () => gone) }
          : { drive, shelf },
      ),
    };
    const dir = fresh();
    await expect(restoreFromStage(dir, source, { allDrives: true })).rejects.toMatchObject({ code: 'DRIVES_MISSING' });
    const report = await restoreFromStage(dir, source);
    expect(report.bucketsAway.map(({ label }) => label)).toEqual(['bucket-1', 'bucket-6', 'bucket-13']);
    expect(report).toMatchObject({ drivesFound: DRIVES - 3, damagedSegments: 0, notDrives: [], mayBeOlder: false });
    expect(report.drivesMissing).toEqual(['drives/01', 'drives/06', 'drives/13']);
    expect(report.rebuild).toMatchObject({ lostObjects: 0 });
    await withStore(dir, async (store) => expect(await differing(store, everything)).toEqual([]));
  });

  it('passes over what lies beside the segments and is none', async () => {
    const stage = new JournalStage(9, DRIVES);
    for (const shelf of stage.shelves) await shelf.put(0, 'a-note', [new Uint8Array(500)]);
    await lived(stage);
    await stage.deliverAll(BATCH);
    const dir = fresh();
    expect(await restoreFromStage(dir, sourceOf(stage))).toMatchObject({ drivesFound: DRIVES, damagedSegments: 0 });
    await expectSound(dir, everything);
  });

  it('goes on where it was cut off', async () => {
    const stage = await lived();
    await stage.deliverAll(BATCH);
    const dir = fresh();
    const whole = (await restoreFromStage(fresh(), sourceOf(stage))).copied.objects;
    let copied = 0;
    for (const at of [45, 90, 130]) {
      const onCopied = () => {
        copied += 1;
      };
      expect(
        await dies(() => restoreFromStage(dir, sourceOf(stage, new CountingPlan(at, 'before')), { onCopied })),
      ).toBe(true);
      expect(readdirSync(dir)).not.toContain('panda.sqlite');
    }
    expect(copied).toBeGreaterThan(0);
    const report = await restoreFromStage(dir, sourceOf(stage));
    expect(report.copied.objects).toBeLessThanOrEqual(whole - copied / 2);
    await expectSound(dir, everything);
  });

  it('with a shard that was shipped no further, is sound, and names what lacks blocks', async () => {
    const stage = await lived();
    await stage.deliverAll(BATCH);
    await put(stage, filesOf(4, 30));
    while (await stage.deliver(0, undefined, BATCH));
    const dir = fresh();
    const lost: string[] = [];
    const report = await restoreFromStage(dir, sourceOf(stage), { onLost: ({ key }) => lost.push(key) });
    expect(report.rebuild?.lostObjects).toBe(lost.length);
    await expectSound(dir, everything);
    for (const key of lost) expect(key).toMatch(/^f\/4-/);
  });

  it('refuses a stage that shipped nothing, other keys, and a place that holds a store', async () => {
    const empty = new JournalStage(8, DRIVES);
    await expect(restoreFromStage(fresh(), sourceOf(empty))).rejects.toMatchObject({ code: 'JOURNAL_MISSING' });
    const stage = await lived();
    await stage.deliverAll(BATCH);
    const dir = fresh();
    await restoreFromStage(dir, sourceOf(stage));
    await expect(restoreFromStage(dir, sourceOf(stage))).rejects.toMatchObject({ code: 'STORE_EXISTS' });
    const other = fresh();
    const wrong: StageSource = {
      ...sourceOf(stage),
      unwrap: async () => [{ version: 1, createdAtMs: 1, state: 'current', material: new Uint8Array(32).fill(3) }],
    };
    await expect(restoreFromStage(other, wrong)).rejects.toMatchObject({ code: 'KEK_WRONG' });
    await expect(restoreFromStage(other, sourceOf(stage))).rejects.toMatchObject({ code: 'KEYS_EXIST' });
  });
});
