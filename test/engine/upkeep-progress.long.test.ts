// Upkeep makes progress however little a store holds: rounds of puts of which nearly all are deleted again, with one pass of the daemon
// after each, on a simulated clock. What hot volumes store stays within the bound that docs/compaction.md states.
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { collectStatus } from '../../lib/engine/status/collect-status.ts';
import { runTasks, type TaskOutcome, tasksOf } from '../../lib/engine/upkeep/daemon.ts';
import type { EmbeddedStore } from '../../lib/engine/wire/embedded/embedded-store.ts';
import { createEmbedded } from '../../lib/engine/wire/embedded.ts';
import { SimulatedClock } from '../../lib/foundation/clock.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { collectGarbage } from '../../lib/gc/collect-garbage.ts';
import { encodeHot } from '../../lib/live-coder/encode-hot.ts';
import { type Settings, settingsOf } from '../../lib/settings/settings.ts';
import { listVolumes } from '../../lib/volume/rows/read-rows.ts';
import { temporaryFolder } from '../cli/temporary-folder.ts';
import { expectSound } from '../store/recount.ts';
import { differing, filesOf, putFiles } from './small-store.ts';

const folder = temporaryFolder();
const KIB = 1024;
const DAY_MS = 86_400_000;
const TINY = settingsOf('demo', {
  preset: 'custom',
  blockBytesMax: 12 * KIB,
  extentBytes: 192 * KIB,
  bucketBytes: 48 * KIB,
  groupBytesMin: 288 * KIB,
  warmCodec: 'rs-6-3',
});
const BUNDLES = {
  tiny: TINY,
  demo: settingsOf('demo'),
  personal: settingsOf('personal'),
  thrifty: settingsOf('thrifty', {
    blockBytesMax: 64 * KIB,
    extentBytes: 6 * 1024 * KIB,
    bucketBytes: 256 * KIB,
    groupBytesMin: 256 * KIB,
  }),
};

/** Stored bytes per live byte that no pass may leave behind: twice the hot code's factor, or twice a small group's headers. */
const STORED_MAX = 8;

async function pass(store: EmbeddedStore, clock: SimulatedClock): Promise<void> {
  clock.advance(2 * DAY_MS);
  const outcomes: TaskOutcome[] = [];
  const signal = new AbortController().signal;
  await runTasks(tasksOf(store), { clock, signal, once: true, onDone: (of) => outcomes.push(of) });
  expect(outcomes.flatMap(({ error }) => error ?? [])).toEqual([]);
}

/** All but the first `keep` of them are deleted again. */
async function putAndDelete(store: EmbeddedStore, files: Map<string, Uint8Array>, keep: number) {
  await putFiles(store, files);
  const doomed = [...files.keys()].slice(keep);
  const items = doomed.map((key) => ({ namespace: 'default', key }));
  for await (const outcome of store.frontend.deleteAll(items)) if (!outcome.ok) throw outcome.error;
  for (const key of doomed) files.delete(key);
}

async function storeOf(name: string, settings: Settings) {
  const clock = new SimulatedClock(1_700_000_000_000);
  const options = { settings, drives: 20, clock, randomness: new SeededRandomness(17) };
  return { clock, store: await createEmbedded(join(folder, name), options) };
}

describe('upkeep of a store that stays small', () => {
  it.each(Object.entries(BUNDLES))('%s: one of forty stays, and so does little else', async (name, settings) => {
    const { store, clock } = await storeOf(name, settings);
    const kept = new Map<string, Uint8Array>();
    for (let round = 0; round < 6; round++) {
      const files = filesOf(round, 40, 4000);
      await putAndDelete(store, files, 1);
      for (const [key, body] of files) kept.set(key, body);
      await pass(store, clock);
      const { overhead } = await collectStatus(store.components);
      for (const { stored } of [overhead.hot, overhead.open, overhead.sealed])
        expect(stored ?? 0).toBeLessThanOrEqual(STORED_MAX);
    }
    await pass(store, clock);
    const { replicationFactor, overhead } = await collectStatus(store.components);
    expect(replicationFactor).toBeLessThanOrEqual(STORED_MAX);
    expect(overhead.trash.volumes).toBe(0);
    expect(await differing(store, kept)).toEqual([]);
    await expectSound({ components: store.components, volumes: store.volumes, frontend: store.frontend });
    await store.close();
  });

  it('tiny: puts and deletes at random converge within two passes', async () => {
    const seed = 31;
    const random = new SeededRandomness(seed);
    const { store, clock } = await storeOf('random', TINY);
    const kept = new Map<string, Uint8Array>();
    for (let round = 0; round < 8; round++) {
      const files = filesOf(100 * seed + round, 1 + random.below(120), 9000);
      await putAndDelete(store, files, random.below(files.size + 1));
      for (const [key, body] of files) kept.set(key, body);
      const dead = [...kept.keys()].filter(() => random.below(2) === 0);
      for await (const outcome of store.frontend.deleteAll(dead.map((key) => ({ namespace: 'default', key }))))
        if (!outcome.ok) throw outcome.error;
      for (const key of dead) kept.delete(key);
      for (let i = 0; i < 2; i++) await pass(store, clock);
      const { overhead } = await collectStatus(store.components);
      for (const { stored } of [overhead.hot, overhead.open])
        expect(stored ?? 0, `seed ${seed}, round ${round}`).toBeLessThanOrEqual(STORED_MAX);
    }
    expect(await differing(store, kept)).toEqual([]);
    await expectSound({ components: store.components, volumes: store.volumes, frontend: store.frontend });
    await store.close();
  });

  it('an empty volume goes although what else is hot makes no group', async () => {
    const { store, clock } = await storeOf('empty', { ...TINY, openVolumes: 1 });
    const files = filesOf(7, 20, 4000);
    await putFiles(store, files);
    await store.volumes.open.sealAll('hot');
    const gone = filesOf(8, 20, 4000);
    await putFiles(store, gone);
    await store.volumes.open.sealAll('hot');
    for await (const outcome of store.frontend.deleteAll(
      [...gone.keys()].map((key) => ({ namespace: 'default', key })),
    ))
      if (!outcome.ok) throw outcome.error;
    await collectGarbage(store.components);
    clock.advance(1);
    expect(await encodeHot(store.volumes)).toMatchObject({ sources: 1, groups: 0 });
    expect(await differing(store, files)).toEqual([]);
    await store.close();
  });

  it('a volume that cannot be read is in the way of no other', async () => {
    const { store, clock } = await storeOf('unreadable', { ...TINY, openVolumes: 1 });
    const { components, volumes } = store;
    await putFiles(store, filesOf(9, 40, 4000));
    await volumes.open.sealAll('hot');
    const [lost] = await listVolumes(components.panda, TINY.cell);
    for (const { drive, zone, zoneGeneration } of lost?.extents ?? [])
      await components.drives[drive]?.erase({ zone, generation: zoneGeneration });
    clock.advance(1);
    const files = filesOf(10, 40, 4000);
    await putFiles(store, files);
    await volumes.open.sealAll('hot');
    clock.advance(1);
    const report = await encodeHot(volumes, { flush: true });
    expect(report).toMatchObject({ sources: 1, groups: 1 });
    expect(report.stalled?.code).toBe('RECORD_LOST');
    expect(await differing(store, files)).toEqual([]);
    await store.close();
  });
});
