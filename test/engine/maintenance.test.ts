// Maintenance is the same on both engines: the tasks of the embedded one and those of a stage, each on a store of its
// own that was made alike.
import { describe, expect, it } from 'vitest';
import { tasksOf } from '../../lib/engine/upkeep/daemon.ts';
import { encodeStage, sweepStage } from '../../lib/engine/upkeep/stage-tasks.ts';
import { shredAndFree } from '../../lib/engine/upkeep/tend.ts';
import type { VolumeId } from '../../lib/foundation/ids.ts';
import { MemoryStream } from '../../lib/stream/memory-stream.ts';
import { listVolumes, readVolume } from '../../lib/volume/rows/read-rows.ts';
import { newRunId, takeRun } from '../../lib/volume/runs/runs.ts';
import { deleteFiles, filesOf, putFiles, SMALL, sealedWorld } from '../compaction/acting-world.ts';
import { Model } from '../store/crash.ts';
import { type Process, World } from '../store/harness.ts';

type Engine = (p: Process) => Readonly<Record<'gc' | 'encode', (signal: AbortSignal) => Promise<unknown>>>;

const ENGINES: Readonly<Record<string, Engine>> = {
  embedded: (p) => {
    const tasks = tasksOf({ ...p, components: p.components, queue: new MemoryStream(p.components.clock) });
    const run = (name: string) => (signal: AbortSignal) =>
      Promise.resolve(tasks.find((t) => t.name === name)?.run(signal));
    return { gc: run('gc'), encode: run('encode') };
  },
  stage: (p) => ({
    gc: (signal) => sweepStage(p.volumes, { signal }),
    encode: (signal) => encodeStage(p.volumes, { signal, stream: new MemoryStream(p.components.clock) }),
  }),
};
const NEVER = new AbortController().signal;

describe.each(Object.entries(ENGINES))('maintenance on the engine %s', (_name, engine) => {
  it.each(['gc', 'encode'] as const)('%s ends a lease that a dead process left without a journal', async (task) => {
    const { world, p: dead } = await sealedWorld({ volumes: 1, filesEach: 20, deletedEach: () => 10 });
    const { panda, settings } = dead.components;
    const sealed = (await listVolumes(panda, settings.cell)).find(({ state }) => state === 'sealed');
    const id = sealed?.id as VolumeId;
    expect((await takeRun(dead.components, id, newRunId(dead.components, 'encode')))?.state).toBe('draining');
    const p = world.start({ othersDead: true });
    await engine(p)[task](NEVER);
    // Sealed again, or already rewritten, as half of it is dead.
    expect((await readVolume(panda, settings.cell, id))?.state ?? 'freed').toMatch(/^(sealed|trash|freed)$/);
  });

  it('encode and gc that are told to stop before they begin change no bytes, and answer', async () => {
    const world = new World(5, SMALL);
    const p = world.start();
    const model = new Model();
    await putFiles(p, model, filesOf(1, 20, 2000));
    await deleteFiles(p, model, [...filesOf(1, 20, 2000).keys()]);
    world.clock.advance(SMALL.deleteGraceMs + 1);
    const report = { slots: 0, recordBytes: 0 };
    expect(await engine(p).gc(AbortSignal.abort())).toMatchObject({ ...report, buckets: 0 });
    expect(await engine(p).encode(AbortSignal.abort())).toMatchObject({ sources: 0, recordBytes: 0 });
    expect(await engine(p).gc(NEVER)).toMatchObject({ slots: expect.any(Number) });
  });
});

describe('GC that is cut off', () => {
  it('says what it shredded until then, frees nothing more, and the next pass shreds the rest', async () => {
    const world = new World(6, SMALL);
    const p = world.start();
    const model = new Model();
    const files = filesOf(2, 40, 3000);
    await putFiles(p, model, files);
    await deleteFiles(p, model, [...files.keys()]);
    world.clock.advance(SMALL.deleteGraceMs + 1);
    const stop = new AbortController();
    const first = await shredAndFree(p, { signal: stop.signal, onProgress: () => stop.abort() });
    expect(first.slots).toBeGreaterThan(0);
    expect(first.recordBytes).toBeGreaterThan(0);
    expect(first.free).toEqual({ freedVolumes: 0, freedZones: 0, kept: [] });
    const rest = await shredAndFree(p);
    expect(rest.slots).toBeGreaterThan(0);
    expect((await shredAndFree(p)).slots).toBe(0);
  });
});

describe('hot volumes of which nothing lives', () => {
  const DAY = { ...SMALL, deleteGraceMs: 0, encodeAfterMs: 86_400_000, trashGraceMs: 86_400_000 };

  /** One that is sealed, and an open one. */
  async function twoHot() {
    const p = new World(7, DAY).start();
    const model = new Model();
    await putFiles(p, model, filesOf(3, 10, 2000));
    await p.volumes.open.sealAll('hot');
    await putFiles(p, model, filesOf(4, 10, 2000));
    const hot = async () => (await listVolumes(p.components.panda, DAY.cell)).filter((v) => v.class === 'hot');
    expect((await hot()).map(({ state }) => state).sort()).toEqual(['open', 'sealed']);
    return { p, model, hot, gc: () => ENGINES['embedded']?.(p).gc(NEVER) };
  }

  it('are freed by gc at once, however young, and need no grace as nothing was moved out of them', async () => {
    const { p, model, hot, gc } = await twoHot();
    await deleteFiles(p, model, [...filesOf(3, 10, 2000).keys(), ...filesOf(4, 10, 2000).keys()]);
    await gc();
    expect(await hot()).toEqual([]);
  });

  it('but not those of which one object lives', async () => {
    const { p, model, hot, gc } = await twoHot();
    await deleteFiles(p, model, [...filesOf(3, 10, 2000).keys()].slice(1));
    await deleteFiles(p, model, [...filesOf(4, 10, 2000).keys()].slice(1));
    const before = (await hot()).map(({ id, state }) => `${id} ${state}`);
    await gc();
    expect((await hot()).map(({ id, state }) => `${id} ${state}`)).toEqual(before);
    for (const [key, body] of [...filesOf(3, 10, 2000)].slice(0, 1))
      expect(Buffer.compare(await p.frontend.read('default', key, 1e8), body)).toBe(0);
  });
});
