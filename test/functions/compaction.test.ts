// Planner and compactor as the state machine calls them, on memory bodies: runs by id, step by step, begun twice, cut off, given up.
import { describe, expect, it } from 'vitest';
import { listJournal } from '../../lib/compaction/run/journal.ts';
import { setOperating } from '../../lib/engine/upkeep/operating.ts';
import { CountingPlan } from '../../lib/foundation/faults.ts';
import { listBuckets, listVolumes } from '../../lib/volume/rows/read-rows.ts';
import { sealedWorld } from '../compaction/acting-world.ts';
import { thinnedWorld } from '../compaction/merge-world.ts';
import { expectSound } from '../store/recount.ts';
import { type Answer, Stage } from './stage.ts';

const prepared = sealedWorld({ volumes: 6, filesEach: 90, deletedEach: () => 55 });

/** The same store anew for every test. */
async function halfDead() {
  const made = await prepared;
  const world = made.world.clone();
  return { world, model: made.model.clone(), p: world.start(), stage: new Stage(world) };
}
type Half = Awaited<ReturnType<typeof halfDead>>;

const runsOf = (plan: Answer): string[] => (plan['runs'] as { run: string }[]).map(({ run }) => run);

/** What the Map does with one run; fails after too many steps. */
async function toEnd(stage: Stage, run: string): Promise<number> {
  let retired = 0;
  for (let steps = 0; steps < 20; steps++) {
    const step = await stage.invoke('compactor', { run });
    retired += step['retired'] as number;
    if (step['done'] === true) return retired;
  }
  throw new Error(`run ${run} does not end`);
}

async function expectQuiet({ p, world, model }: Half): Promise<void> {
  expect(await listJournal(p.components)).toEqual([]);
  const volumes = await listVolumes(p.components.panda, p.components.settings.cell);
  expect(volumes.filter(({ run, state }) => run !== undefined || state === 'draining')).toEqual([]);
  const reader = world.start();
  await expectSound(reader);
  await model.expectIn(reader);
}

describe('planner and compactor', () => {
  it('plan ids, compact each run, and leave nothing behind', async () => {
    const half = await halfDead();
    const { stage } = half;
    const plan = await stage.invoke('planner');
    expect(plan).toEqual({ runs: expect.any(Array), concurrency: 2, plan: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(runsOf(plan).length).toBeGreaterThan(0);
    let retired = 0;
    for (const run of runsOf(plan)) retired += await toEnd(stage, run);
    expect(retired).toBeGreaterThan(1);
    await stage.invoke('gc', { now: true });
    await expectQuiet(half);
  });

  it('keep to what an operator has set for the time until the schedule comes again', async () => {
    const half = await halfDead();
    const { stage, p } = half;
    const periodMs = 3_600_000;
    // By size: as much as there is, by as many compactors as may run; more than enough for one of them.
    const free = await stage.invoke('planner', { periodMs });
    expect(free).toMatchObject({
      runs: runsOf(await stage.invoke('planner')).map(() => ({ run: expect.any(String) })),
    });
    expect(free['concurrency']).toBe(1);
    await setOperating(p, { bytesWrittenPerDay: null, runsAtOnce: 3 });
    expect(await stage.invoke('planner', { periodMs })).toMatchObject({ concurrency: 3 });
    expect(await stage.invoke('planner', { periodMs, concurrency: 2 })).toMatchObject({ concurrency: 2 });
    await setOperating(p, { bytesWrittenPerDay: 24 });
    expect(runsOf(await stage.invoke('planner', { periodMs }))).toEqual([]);
    // An execution that somebody starts by hand is limited by what the stage was deployed with.
    expect(runsOf(await stage.invoke('planner')).length).toBeGreaterThan(0);
  });

  it('take a second execution beside the first', async () => {
    const half = await halfDead();
    const { stage } = half;
    const first = runsOf(await stage.invoke('planner'));
    const second = runsOf(await stage.invoke('planner'));
    // Nobody had begun the first one's runs: they are planned anew, and the first one finds them gone.
    expect(second.length).toBe(first.length);
    for (const run of first) expect(await toEnd(stage, run)).toBe(0);
    for (const run of second) await toEnd(stage, run);
    for (const run of second)
      expect(await stage.invoke('compactor', { run })).toMatchObject({ done: true, movedBytes: 0 });
    await expectQuiet(half);
  });

  it('go on with a run that was cut off, once its worker is gone', async () => {
    const half = await halfDead();
    const { stage } = half;
    const [run = ''] = runsOf(await stage.invoke('planner'));
    const calls = new CountingPlan();
    await halfway(half, calls);
    const cut = stage.invoke('compactor', { run }, { plan: new CountingPlan(Math.floor(calls.calls / 2), 'after') });
    await expect(cut).rejects.toThrow(/crash/);
    // Until its time is over nobody knows that it is gone.
    const held = stage.invoke('compactor', { run });
    await expect(held).rejects.toMatchObject({ name: 'PocketfulRetry', message: expect.stringContaining('RUN_HELD') });
    expect(runsOf(await stage.invoke('planner'))).not.toContain(run);
    stage.othersDead = true;
    expect(runsOf(await stage.invoke('planner'))[0]).toBe(run);
    expect(await toEnd(stage, run)).toBeGreaterThan(0);
    for (const rest of runsOf(await stage.invoke('planner'))) await toEnd(stage, rest);
    await stage.invoke('gc', { now: true });
    await expectQuiet(half);
  });

  it('give leases back when told', async () => {
    const half = await halfDead();
    const { stage } = half;
    const runs = runsOf(await stage.invoke('planner'));
    await expect(
      stage.invoke('compactor', { run: runs[0] }, { plan: new CountingPlan(120, 'before') }),
    ).rejects.toThrow(/crash/);
    // Not from somebody who may be alive.
    expect(await stage.invoke('compactor', { run: runs[0], release: true })).toMatchObject({
      done: true,
      stalled: { code: 'RUN_HELD', text: expect.any(String) },
    });
    stage.othersDead = true;
    for (const run of runs)
      expect(await stage.invoke('compactor', { run, release: true })).toMatchObject({ done: true });
    await stage.invoke('gc');
    await expectQuiet(half);
  });

  it('merge bucket remnants in a run of their own', async () => {
    const { world, model, p } = await thinnedWorld({ volumes: 3, filesEach: 60, keep: 9 });
    const half = { world, model, p, stage: new Stage(world) };
    const before = (await listBuckets(p.components.panda, p.components.settings.cell)).length;
    const runs = runsOf(await half.stage.invoke('planner'));
    const merges = runs.filter((run) => run.startsWith('merge/'));
    expect(merges.length).toBe(1);
    expect(runsOf(await half.stage.invoke('planner', { strategies: ['l2'] })).join()).not.toContain('merge/');
    const [run = ''] = runsOf(await half.stage.invoke('planner')).filter((one) => one.startsWith('merge/'));
    await toEnd(half.stage, run);
    expect((await listBuckets(p.components.panda, p.components.settings.cell)).length).toBeLessThan(before / 2);
    for (const rest of runsOf(await half.stage.invoke('planner', { strategies: ['l2'] })))
      await toEnd(half.stage, rest);
    await half.stage.invoke('gc', { now: true });
    await expectQuiet(half);
  });

  it('name what is wrong by its kind', async () => {
    const { stage } = await halfDead();
    await expect(stage.invoke('compactor', { run: 7 })).rejects.toMatchObject({ name: 'PocketfulInvalid' });
    await expect(stage.invoke('planner', { strategies: ['l9'] })).rejects.toMatchObject({ name: 'PocketfulInvalid' });
    expect(await stage.invoke('compactor', { run: 'l2/nobody/00' })).toMatchObject({ done: true, movedBytes: 0 });
  });
});

/** How many port calls the first run of a plan takes, on a copy of the store. */
async function halfway({ world }: Half, calls: CountingPlan): Promise<void> {
  const copy = new Stage(world.clone());
  const [run = ''] = runsOf(await copy.invoke('planner'));
  await copy.invoke('compactor', { run }, { plan: calls });
}
