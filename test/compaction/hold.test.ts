// Back pressure of L3, on both engines: dead letters and a spent metadata budget stop it, a full DLQ and a Live Coder that stalls behind an old
// queue hold bulk writers back; all of it ends by itself once its reason is gone.
import { describe, expect, it } from 'vitest';
import { compact } from '../../lib/compaction/do/rounds.ts';
import { writersHeld } from '../../lib/compaction/move/l3/hold.ts';
import { budgetsOf, NOTHING_SPENT } from '../../lib/compaction/plan/budget.ts';
import { coderStall, noteCoder } from '../../lib/compaction/run/coder-state.ts';
import { beginPeriod, charge, metadataWritesLeft, readPeriod } from '../../lib/compaction/run/period.ts';
import { collectStatus } from '../../lib/engine/status/collect-status.ts';
import { encodeStore } from '../../lib/engine/upkeep/tend.ts';
import type { MemoryStream } from '../../lib/stream/memory-stream.ts';
import { listVolumes } from '../../lib/volume/rows/read-rows.ts';
import { Stage } from '../functions/stage.ts';
import { batchesOf, filesOf, putFiles, sealedWorld } from './acting-world.ts';

const L3 = { settings: { strategies: ['l3' as const] } };
const MANY = 150;
const prepared = sealedWorld({ volumes: 5, filesEach: 90, deletedEach: () => 86 });

async function fresh() {
  const made = await prepared;
  const world = made.world.clone();
  const p = world.start();
  const stage = new Stage(world);
  const store = { ...p, components: p.components, queue: stage.stream };
  return { world, model: made.model.clone(), p, stage, store };
}

/** Bodies that are no messages, received until they are dead. */
async function poison(stream: MemoryStream, count: number): Promise<void> {
  await stream.send(Array.from({ length: count }, (_, i) => `poison ${i}`));
  for (let receive = 0; receive < 3; receive++) {
    const got = await stream.receive(count, 1000);
    await stream.release(got.map(({ receipt }) => receipt));
  }
  await stream.receive(count, 1000);
  expect((await stream.figures()).dead).toBe(count);
}

describe('dead letters', () => {
  it('stop the drainer of both engines, with nothing leased', async () => {
    const { p, stage } = await fresh();
    await poison(stage.stream, MANY);
    expect(await stage.invoke('drainer')).toMatchObject({ sent: 0, begun: 0, reason: { code: 'DEAD_LETTERS' } });
    const report = await compact(batchesOf(p, stage.stream), L3);
    expect(report.runs).toMatchObject([{ retired: 0, movedBytes: 0, stalled: { code: 'DEAD_LETTERS' } }]);
    expect((await listVolumes(p.components.panda, 'c0')).filter(({ run }) => run !== undefined)).toEqual([]);
    await stage.stream.drop((await stage.stream.dead(1000)).map(({ id }) => id));
    expect((await compact(batchesOf(p, stage.stream), L3)).runs[0]?.retired).toBeGreaterThan(0);
  });

  it('so many that nobody looks hold encode on both engines, until they are gone', async () => {
    const { p, model, stage, store } = await fresh();
    await putFiles(p, model, filesOf(5, 20, 900));
    await p.volumes.open.sealAll('hot');
    await poison(stage.stream, MANY);
    expect(await encodeStore(store, { force: true, flush: true })).toMatchObject({
      sources: 0,
      recordBytes: 0,
      stalled: { code: 'WRITERS_HELD' },
    });
    expect(await stage.invoke('encoder', { all: true })).toMatchObject({
      sources: 0,
      stalled: { code: 'WRITERS_HELD' },
    });
    const { working } = await collectStatus(p.components, { queue: stage.stream });
    expect(working.stalled.map(({ code }) => code)).toContain('WRITERS_HELD');
    await stage.stream.drop((await stage.stream.dead(1000)).map(({ id }) => id));
    expect(await stage.invoke('encoder', { all: true })).toMatchObject({ leftBytes: 0, sources: expect.any(Number) });
    expect(
      (await listVolumes(p.components.panda, 'c0')).filter((v) => v.class === 'hot' && v.state === 'sealed'),
    ).toEqual([]);
  });
});

describe('a Live Coder that stalls', () => {
  it('holds bulk writers once what is queued for it is old, and no longer than that', async () => {
    const { world, p, stage } = await fresh();
    await stage.stream.send(['waits']);
    await noteCoder(p.components, { code: 'DRIVES_MISSING', text: 'too few drives' });
    expect(await writersHeld(p.components, stage.stream)).toBeUndefined();
    world.clock.advance(16 * 60_000);
    expect(await writersHeld(p.components, stage.stream)).toMatchObject({ code: 'WRITERS_HELD' });
    expect(await stage.invoke('drainer')).toMatchObject({ sent: 0, reason: { code: 'CODER_STALLED' } });
    const [waits] = await stage.stream.receive(1, 1000);
    await stage.stream.ack([waits?.receipt ?? '']);
    // Nothing is queued any more: the drainer tries again, and the coder that can write says so.
    expect(await stage.invoke('drainer')).toMatchObject({ reason: { code: 'FLOWING' } });
    while ((await stage.deliver()).received > 0);
    expect(await coderStall(p.components)).toBeUndefined();
  });
});

describe('metadata pressure', () => {
  it('throttles L3 on a stage: nothing is sent or moved beyond the budget, nothing becomes a dead letter, and a new period goes on', async () => {
    const { p, stage } = await fresh();
    await beginPeriod(p.components, budgetsOf({ metadataWrites: 1e6 }));
    expect((await stage.invoke('drainer'))['sent']).toBeGreaterThan(0);
    await charge(p.components, { ...NOTHING_SPENT, metadataWrites: 1e6 });
    expect(await metadataWritesLeft(p.components)).toBe(0);
    const before = await readPeriod(p.components);
    for (;;) {
      const { received, failed } = await stage.deliver();
      expect(failed).toBe(0);
      if (received === 0) break;
    }
    expect((await readPeriod(p.components))?.spent).toEqual(before?.spent);
    expect(await stage.invoke('drainer')).toMatchObject({ sent: 0, reason: { code: 'METADATA_SPENT' } });
    expect(await stage.stream.figures()).toMatchObject({ ready: 0, inFlight: 0, dead: 0 });
    await beginPeriod(p.components, budgetsOf({ metadataWrites: 2e6 }));
    expect((await stage.invoke('drainer'))['sent']).toBeGreaterThan(0);
    while ((await stage.deliver()).received > 0);
    expect((await stage.invoke('drainer'))['retired']).toBeGreaterThan(0);
  });

  it('throttles L3 in one process: the run ends with the reason, and gives its volumes back', async () => {
    const { p, stage } = await fresh();
    const inner = batchesOf(p, stage.stream);
    const report = await compact(
      {
        ...inner,
        carry: async (run, signal) => {
          await charge(p.components, { ...NOTHING_SPENT, metadataWrites: 1e6 });
          return inner.carry(run, signal);
        },
      },
      { ...L3, budgets: budgetsOf({ metadataWrites: 1e6 }) },
    );
    expect(report.runs).toMatchObject([{ retired: 0, stalled: { code: 'METADATA_SPENT' } }]);
    expect((await listVolumes(p.components.panda, 'c0')).filter(({ run }) => run !== undefined)).toEqual([]);
  });
});
