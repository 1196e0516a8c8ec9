// Encoder, GC and tuner on memory bodies: what schedules call, and what the alarms get to see.

import { describe, expect, it } from 'vitest';
import { readThreshold } from '../../lib/compaction/threshold/row.ts';
import { DAY_MS, HOUR_MS } from '../../lib/foundation/durations.ts';
import { METRICS } from '../../lib/settings/metric-names.ts';
import { listVolumes } from '../../lib/volume/rows/read-rows.ts';
import { deleteFiles, filesOf, putFiles, SMALL, sealedWorld } from '../compaction/acting-world.ts';
import { Model } from '../store/crash.ts';
import { World } from '../store/harness.ts';
import { expectSound } from '../store/recount.ts';
import { Stage } from './stage.ts';

async function filled(seed = 5) {
  const world = new World(seed, { ...SMALL, deleteGraceMs: HOUR_MS }, 6);
  const model = new Model();
  const p = world.start();
  const files = filesOf(seed, 200, 1800);
  await putFiles(p, model, files);
  return { world, model, p, files, stage: new Stage(world) };
}

describe('encoder', () => {
  it('encodes what is sealed, or all of it', async () => {
    const { world, model, stage, p } = await filled();
    const cooled = await stage.invoke('encoder');
    expect(cooled).toMatchObject({ done: true, sealed: 0 });
    const all = await stage.invoke('encoder', { all: true });
    expect(all).toMatchObject({ done: true, sealed: 1, leftBytes: 0 });
    expect((await listVolumes(p.components.panda, 'c0')).some(({ class: cls }) => cls === 'warm')).toBe(true);
    expect(await stage.invoke('encoder')).toMatchObject({ sources: 0 });
    await expectSound(world.start());
    await model.expectIn(world.start());
  });
});

describe('gc', () => {
  it('shreds after the grace, and frees', async () => {
    const { world, model, stage, p, files } = await filled();
    await deleteFiles(p, model, [...files.keys()].slice(0, 50));
    expect(await stage.invoke('gc')).toMatchObject({ done: true, slots: 0 });
    world.clock.advance(HOUR_MS + 1);
    const report = await stage.invoke('gc', { now: true, unknown: 'field' });
    expect(report['slots']).toBeGreaterThan(40);
    expect(report['waiting']).toBe(0);
    await model.expectIn(world.start());
    await expectSound(world.start());
  });

  it('takes no event for granted', async () => {
    const { stage } = await filled();
    await expect(stage.invoke('gc', { now: 'yes' })).rejects.toMatchObject({ name: 'PocketfulInvalid' });
    expect(await stage.invoke('gc', null)).toMatchObject({ done: true });
  });
});

describe('gc that verifies', () => {
  it('sweeps first, then verifies within its share, and goes on until everything was looked at', async () => {
    const { world, stage } = await filled(8);
    await stage.invoke('encoder', { all: true });
    expect(await stage.invoke('gc')).not.toHaveProperty('verified');
    const swept = await stage.invoke('gc', { verify: { everyMs: 3_600_000 } });
    expect(swept).toMatchObject({ done: true, verified: { level: 'healthy', findings: [], done: true } });
    expect((swept['verified'] as { index: { blocks: number } }).index.blocks).toBeGreaterThan(100);
    const { nextSeq } = (await listVolumes(world.panda, 'c0')).find(({ class: cls }) => cls === 'warm') as {
      nextSeq: number;
    };
    expect(nextSeq).toBeGreaterThan(1);
    const all = await stage.invoke('gc', { verifyOnly: { allSinceMs: world.clock.nowMs() } });
    expect(all).toMatchObject({ level: 'healthy', done: true, scrub: { left: { volumes: 0 } } });
    expect((all['scrub'] as { objects: number }).objects).toBeGreaterThan(10);
    expect(all).not.toHaveProperty('sample'); // it would have to unwrap keys
    await expect(stage.invoke('gc', { verifyOnly: { what: ['all'] } })).rejects.toMatchObject({
      name: 'PocketfulInvalid',
    });
  });
});

describe('threshold-tuner', () => {
  it('puts what can be said, and no more', async () => {
    const { stage } = await filled();
    expect(await stage.invoke('threshold-tuner')).toMatchObject({ threshold: 0.2, moved: 'kept' });
    expect(stage.gauges).toEqual([{ [METRICS.hoursOverdue]: 0 }]);
  });

  it('puts all five gauges of a store that is a week old, and moves the threshold', async () => {
    const { world, model, p } = await sealedWorld({ volumes: 10, filesEach: 60, deletedEach: () => 5 });
    const stage = new Stage(world);
    await stage.invoke('threshold-tuner');
    const [before] = stage.gauges;
    expect(before).toMatchObject({ [METRICS.hoursOverdue]: 0, [METRICS.liveCoderFill]: expect.any(Number) });
    world.clock.advance(7 * DAY_MS);
    await deleteFiles(p, model, [...model.there.keys()].slice(0, 200));
    await stage.invoke('gc');
    const moved = await stage.invoke('threshold-tuner');
    const after = stage.gauges[1] as Record<string, number>;
    expect(after[METRICS.sealedOverhead]).toBeGreaterThan(before?.[METRICS.sealedOverhead] as number);
    const change = (after[METRICS.sealedOverhead] as number) - (before?.[METRICS.sealedOverhead] as number);
    expect(after[METRICS.sealedOverheadWeekChange]).toBeCloseTo(change, 3);
    expect(after[METRICS.fillShift]).toBeGreaterThan(0.1);
    expect(after[METRICS.fillShift]).toBeLessThanOrEqual(1);
    expect(after).not.toHaveProperty(METRICS.liveCoderFill); // nothing was sealed today
    expect(moved).toMatchObject({ metrics: after });
    expect((await readThreshold(p.components)).state.atMs).toBe(world.clock.nowMs());
  });

  it('tells how late GC and compaction are', async () => {
    const { world, model, stage, p, files } = await filled();
    await deleteFiles(p, model, [...files.keys()].slice(0, 5));
    world.clock.advance(HOUR_MS + 10 * HOUR_MS);
    await stage.invoke('threshold-tuner');
    expect(stage.gauges.at(-1)?.[METRICS.hoursOverdue]).toBeCloseTo(4, 1);
    await stage.invoke('gc');
    await stage.invoke('threshold-tuner');
    expect(stage.gauges.at(-1)?.[METRICS.hoursOverdue]).toBe(0);
  });
});
