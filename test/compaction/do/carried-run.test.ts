// A run carried out in this process: told to stop it is given back, and nobody is told that its time was up.
import { expect, it } from 'vitest';
import { carryHere, inProcess, isHeld } from '../../../lib/compaction/do/batches.ts';
import { stepRun } from '../../../lib/compaction/do/run-step.ts';
import { beginJournal, listJournal, STEP_TIME_UP } from '../../../lib/compaction/run/journal.ts';
import { NO_OUTCOME } from '../../../lib/compaction/run/reports.ts';
import { retryLater } from '../../../lib/foundation/errors.ts';
import { scriptedPlan } from '../../../lib/foundation/faults.ts';
import type { RunId } from '../../../lib/foundation/ids.ts';
import { listVolumes } from '../../../lib/volume/rows/read-rows.ts';
import { actorsOf, SMALL, sealedWorld } from '../acting-world.ts';
import { hex, sealedRows } from './scripted-batches.ts';

const NEVER = new AbortController().signal;
const prepared = sealedWorld({ volumes: 1, filesEach: 10, deletedEach: () => 0 });

/** A run whose time is up as soon as it looks at a bucket. */
async function hurried() {
  const world = (await prepared).world.clone();
  const end = new AbortController();
  const plan = scriptedPlan(({ port, operation }, detail) => {
    if (port === 'panda' && operation === 'get' && detail.startsWith('bucket/')) end.abort();
    return 'none';
  });
  const p = world.start({ plan });
  const sources = (await listVolumes(world.panda, SMALL.cell)).filter(({ state }) => state === 'sealed');
  const id = `l2/${p.components.owner}/1` as RunId;
  const task = {
    strategy: 'l2' as const,
    plan: 'p',
    name: 'l2-0001',
    host: null,
    sources: sources.map((one) => one.id),
  };
  await beginJournal(p.components, id, task);
  return { p, id, signal: end.signal, world };
}

it('whoever has said stop is not told that it was stopped', async () => {
  const step = await hurried();
  expect(await stepRun(actorsOf(step.p), step.id, step.signal)).toMatchObject({
    done: true,
    movedBuckets: 0,
    stalled: { code: STEP_TIME_UP, text: 'the time of this step is used up' },
  });
  const whole = await hurried();
  expect(await carryHere(actorsOf(whole.p), whole.id, whole.signal)).toMatchObject({
    movedBuckets: 0,
    stalled: undefined,
  });
  expect(await listJournal(whole.p.components)).toEqual([]);
  expect((await listVolumes(whole.world.panda, SMALL.cell)).filter(({ run }) => run !== undefined)).toEqual([]);
});

it('what somebody else is at is left to them when it is to stop, and held against whoever goes on', async () => {
  const { p } = await sealedRows([0.5]);
  const id = 'l2/alive/1' as RunId;
  await beginJournal(p.components, id, { strategy: 'l2', plan: 'p', name: 'l2-0001', host: null, sources: [hex(0)] });
  const held = { code: 'RUN_HELD', text: 'run l2/alive/1 is worked on by alive' };
  expect(await carryHere(actorsOf(p), id, AbortSignal.abort())).toMatchObject({ ...NO_OUTCOME, stalled: held });
  const error = await carryHere(actorsOf(p), id, NEVER).catch((thrown: unknown) => thrown);
  expect([error, isHeld(error)]).toEqual([expect.objectContaining({ code: 'RUN_HELD' }), true]);
  expect(isHeld(retryLater('PANDA_BUSY', 'not now'))).toBe(false);
  expect(isHeld(Object.assign(new Error('not ours'), { code: 'RUN_HELD' }))).toBe(false);
});

it('in one process runs come one after the other, under its name', async () => {
  const { p } = await sealedRows([]);
  const batches = inProcess(actorsOf(p));
  expect([batches.store, batches.runsAtOnce]).toEqual([p.volumes, 1]);
  expect(batches.newRun('l3')).toMatch(/^l3\/p0\/[0-9a-f]{12}$/);
  expect(await batches.free(NEVER)).toMatchObject({ freedVolumes: 0, freedZones: 0 });
  expect(await batches.carry('l2/gone/1' as RunId, NEVER)).toMatchObject(JSON.parse(JSON.stringify(NO_OUTCOME)));
});
