// Repair as the state machine does it, on memory bodies: passes among the planner's runs, step by step, cut off, side by side.
import { describe, expect, it } from 'vitest';
import { plannedPasses, repairStep } from '../../lib/engine/upkeep/stage-repair.ts';
import { CountingPlan } from '../../lib/foundation/faults.ts';
import { REPAIRERS_AT_ONCE } from '../../lib/limits/stage.ts';
import { planRepair } from '../../lib/volume/repair/repair-store.ts';
import { listDiscards } from '../../lib/volume/repair/replaced-extents.ts';
import { sealedWorld } from '../compaction/acting-world.ts';
import { mark, wipe } from '../repair/drives.ts';
import { expectSound } from '../store/recount.ts';
import { expectUndamaged } from '../store/undamaged.ts';
import { type Answer, Stage } from './stage.ts';

const LOST = 2;
const prepared = sealedWorld({ volumes: 5, filesEach: 60, deletedEach: () => 3 });

/** The same store anew, one drive of it emptied and given up. */
async function withoutDrive() {
  const made = await prepared;
  const world = made.world.clone();
  await wipe(world, LOST);
  await mark(world, LOST, 'lost');
  const p = world.start();
  const expectWhole = async (): Promise<void> => {
    expect((await planRepair(p.volumes)).repairs).toEqual([]);
    await expectUndamaged(world.start());
    await expectSound(world.start(), [LOST]);
    await made.model.expectIn(world.start());
  };
  return { world, p, stage: new Stage(world), expectWhole };
}

const passesOf = (plan: Answer): string[] =>
  (plan['runs'] as { run: string }[]).map(({ run }) => run).filter((run) => run.startsWith('repair/'));

describe('repair on a stage', () => {
  it('comes first among the runs of a plan, and makes everything whole in its steps', async () => {
    const { world, stage, expectWhole } = await withoutDrive();
    const plan = await stage.invoke('planner');
    const passes = passesOf(plan);
    expect(passes).toHaveLength(REPAIRERS_AT_ONCE);
    expect((plan['runs'] as { run: string }[])[0]?.run).toBe(passes[0]);
    const steps = await Promise.all(passes.map((run) => stage.invoke('compactor', { run })));
    for (const [i, step] of steps.entries()) expect(step).toMatchObject({ run: passes[i], done: true, lost: [] });
    const volumes = steps.reduce((sum, step) => sum + (step['volumes'] as number), 0);
    expect(volumes).toBeGreaterThan(1);
    await expectWhole();
    // What was replaced waits for its grace; then a pass gives it up, and after that nothing is planned.
    world.clock.advance(30 * 24 * 3_600_000);
    for (let i = 0; i < 3; i++)
      for (const run of passesOf(await stage.invoke('planner'))) await stage.invoke('compactor', { run });
    expect(await listDiscards(world.start().volumes)).toEqual([]);
    expect(passesOf(await stage.invoke('planner'))).toEqual([]);
    await expectWhole();
  });

  it('is never planned where nothing is missing', async () => {
    const { world } = await prepared;
    expect(await plannedPasses(world.clone().start().volumes)).toEqual([]);
  });

  it('goes on where the time of a step was over', async () => {
    const { p, world, expectWhole } = await withoutDrive();
    const [run] = await plannedPasses(p.volumes);
    let steps = 0;
    for (let done = false; !done; steps++) {
      const stop = new AbortController();
      const store = world.start().volumes;
      const step = await repairStep(store, run as NonNullable<typeof run>, {
        signal: stop.signal,
        onVolume: () => stop.abort(new Error('time is up')),
      });
      done = step.done;
    }
    expect(steps).toBeGreaterThan(2);
    await expectWhole();
  });

  it('is taken over from a function that was cut off anywhere', async () => {
    const calls = new CountingPlan();
    const first = await withoutDrive();
    await first.stage.invoke('compactor', { run: 'repair/pass/1' }, { plan: calls });
    for (const part of [0.2, 0.5, 0.8]) {
      const { stage, expectWhole } = await withoutDrive();
      const plan = new CountingPlan(Math.floor(calls.calls * part), 'after');
      await expect(stage.invoke('compactor', { run: 'repair/pass/1' }, { plan })).rejects.toThrow(/crash/);
      stage.othersDead = true;
      expect(await stage.invoke('compactor', { run: 'repair/pass/1', release: true })).toMatchObject({ done: true });
      for (const run of passesOf(await stage.invoke('planner'))) await stage.invoke('compactor', { run });
      await expectWhole();
    }
  });

  it('writes no more in a day than it may, unless an operator says so', async () => {
    const { stage, world, expectWhole } = await withoutDrive();
    stage.repairBytesPerDay = 1;
    const [run] = passesOf(await stage.invoke('planner'));
    const step = await stage.invoke('compactor', { run });
    expect(step).toMatchObject({ done: true, volumes: 1 });
    expect((step['left'] as { reason: { code: string } }[])[0]?.reason.code).toBe('BUDGET_SPENT');
    expect(await stage.invoke('compactor', { run })).toMatchObject({ done: true, volumes: 0 });
    world.clock.advance(24 * 3_600_000);
    expect(await stage.invoke('compactor', { run })).toMatchObject({ done: true, volumes: 1 });
    await stage.invoke('compactor', { run, bytesMax: 1e9 });
    await expectWhole();
  });
});
