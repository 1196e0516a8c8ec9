// Passes of the drainer over rows alone: what it begins, sends and retires, how far it goes, and the reason it gives.
import { describe, expect, it } from 'vitest';
import {
  type DrainerOptions,
  drainPass,
  endDrains,
  NOTHING_TO_DRAIN,
  newDrainerRun,
} from '../../../lib/compaction/do/drainer.ts';
import { FLOW_LIMITS } from '../../../lib/compaction/move/l3/flow.ts';
import { budgetsOf, NOTHING_SPENT } from '../../../lib/compaction/plan/budget.ts';
import { noteCoder } from '../../../lib/compaction/run/coder-state.ts';
import { beginJournal, listJournal } from '../../../lib/compaction/run/journal.ts';
import { beginPeriod, charge } from '../../../lib/compaction/run/period.ts';
import { thresholdStart } from '../../../lib/compaction/threshold/law.ts';
import { readThreshold, writeThreshold } from '../../../lib/compaction/threshold/row.ts';
import { retryLater } from '../../../lib/foundation/errors.ts';
import type { BucketId, RunId, VolumeId } from '../../../lib/foundation/ids.ts';
import { DRAIN_RUNS_MAX, QUEUE_AGE_MS_MAX } from '../../../lib/limits/compaction.ts';
import { bucketKey } from '../../../lib/panda/rows/bucket-row.ts';
import { volumeKey } from '../../../lib/panda/rows/volume-row.ts';
import { readVolume } from '../../../lib/volume/rows/read-rows.ts';
import { SMALL } from '../acting-world.ts';
import { NotedStream } from '../move/drained-world.ts';
import { hex, sealedRows } from './scripted-batches.ts';

const FLOWING = { code: 'FLOWING', text: 'flowing' };
const NOTHING = { code: NOTHING_TO_DRAIN, text: 'nothing is worth draining' };

async function drainer(fills: readonly number[]) {
  const made = await sealedRows(fills);
  const stream = new NotedStream(made.world.clock);
  const pass = (options: DrainerOptions = {}) => drainPass(made.p.volumes, stream, options);
  const states = async (): Promise<string> => {
    const out: string[] = [];
    for (const v of fills.keys())
      out.push((await readVolume(made.world.panda, SMALL.cell, hex(v) as VolumeId))?.state ?? 'gone');
    return out.join(' ');
  };
  /** Its buckets have moved elsewhere. */
  const empty = async (v: number): Promise<void> => {
    const key = volumeKey(SMALL.cell, hex(v) as VolumeId);
    await made.world.panda.transact([{ kind: 'update', ...key, remove: ['b'] } as never]);
    for (const n of [0, 1, 2, 3])
      await made.world.panda.transact([{ kind: 'delete', ...bucketKey(SMALL.cell, hex(v * 1000 + n) as BucketId) }]);
  };
  const drainQueue = async (): Promise<void> => {
    const got = await stream.receive(999, 1000);
    await stream.ack(got.map(({ receipt }) => receipt));
    stream.take();
  };
  return { ...made, stream, pass, states, empty, drainQueue };
}

const EMPTY = { ready: 0, inFlight: 0, oldestAgeMs: 0, dead: 0 };

describe('a pass', () => {
  it('begins what is worth draining, sends it, waits while it is on its way, and retires what is empty', async () => {
    const { p, stream, pass, states, empty, drainQueue } = await drainer([0.02, 0.03, 0.5]);
    expect(await pass()).toEqual({
      sent: 8,
      retired: 0,
      begun: 1,
      ended: 0,
      draining: 2,
      reason: FLOWING,
      stream: EMPTY,
    });
    expect(stream.take()).toEqual(['send 4', 'send 4']);
    expect(await states()).toBe('draining draining sealed');
    const [journal] = await listJournal(p.components);
    expect(journal).toMatchObject({ phase: 'COPY', run: expect.stringMatching(/^l3\/drainer\/[0-9a-f]{12}$/) });
    expect(journal?.progressAtMs).toBeUndefined();
    expect(await pass()).toMatchObject({ sent: 0, begun: 0, draining: 2, reason: FLOWING, stream: { ready: 8 } });
    // What is worked on is on its way, too: here, as much as waits.
    const worked = await stream.receive(4, 1000);
    expect(await pass()).toMatchObject({ sent: 0, stream: { ready: 4, inFlight: 4 } });
    await stream.ack(worked.map(({ receipt }) => receipt));
    await drainQueue();
    await empty(0);
    expect(await pass()).toMatchObject({ sent: 4, retired: 1, ended: 0, draining: 1, reason: FLOWING });
    expect((await listJournal(p.components))[0]?.progressAtMs).toBe(p.components.clock.nowMs());
    await drainQueue();
    await empty(1);
    expect(await pass()).toEqual({
      sent: 0,
      retired: 1,
      begun: 0,
      ended: 1,
      draining: 0,
      reason: NOTHING,
      stream: EMPTY,
    });
    expect(await states()).toBe('trash trash sealed');
    expect(await listJournal(p.components)).toEqual([]);
    expect(stream.take()).toEqual([]);
  });

  it('sends as much as flow control lets it, and begins no more than that', async () => {
    const limits = (depthMax: number) => ({ limits: { ...FLOW_LIMITS, depthMax } });
    const few = await drainer([0.02, 0.03, 0.04]);
    expect(await few.pass(limits(6))).toMatchObject({ sent: 6, begun: 2, draining: 3 });
    expect(few.stream.take()).toEqual(['send 4', 'send 2']);
    const fewer = await drainer([0.02, 0.03, 0.04]);
    expect(await fewer.pass(limits(4))).toMatchObject({ sent: 4, begun: 1, draining: 1 });
    const none = await drainer([0.02]);
    await none.stream.send(['a', 'b']);
    expect(await none.pass(limits(2))).toMatchObject({ sent: 0, begun: 0, reason: { code: 'QUEUE_FULL' } });
    expect(await none.states()).toBe('sealed');
    const [first, second] = [await drainer([0.02]), await drainer([0.02])];
    expect(await first.pass({ begin: false })).toMatchObject({ sent: 0, begun: 0, reason: NOTHING });
    expect(await second.pass({ signal: AbortSignal.abort() })).toMatchObject({ sent: 0, begun: 0, reason: NOTHING });
  });

  it('has so many runs at once and no more, and begins none while as many buckets drain as may be sent', async () => {
    const fills = Array.from({ length: DRAIN_RUNS_MAX + 2 }, () => 0.02);
    const { pass, set, drainQueue } = await drainer(fills);
    // Of different lanes: one volume to a run.
    for (const v of fills.keys()) await set(v, { ln: v });
    expect(await pass()).toMatchObject({ begun: DRAIN_RUNS_MAX, draining: DRAIN_RUNS_MAX, sent: 4 * DRAIN_RUNS_MAX });
    await drainQueue();
    expect(await pass()).toMatchObject({ begun: 0, draining: DRAIN_RUNS_MAX, sent: 4 * DRAIN_RUNS_MAX });
    const tight = await drainer([0.02, 0.09]);
    expect(await tight.pass({ limits: { ...FLOW_LIMITS, depthMax: 8 } })).toMatchObject({ begun: 2, draining: 2 });
    await tight.drainQueue();
    expect(await tight.pass({ limits: { ...FLOW_LIMITS, depthMax: 8 } })).toMatchObject({ begun: 0, sent: 8 });
  });

  it('takes fuller volumes, too, if it is told to, by the threshold that was set', async () => {
    const { p, pass, states } = await drainer([0.15, 0.7]);
    expect(await pass()).toMatchObject({ begun: 0, reason: NOTHING });
    await writeThreshold(p.components, await readThreshold(p.components), thresholdStart(0.5));
    expect(await pass({ l3UpTo: 0.8 })).toMatchObject({ begun: 1, draining: 1 });
    expect(await states()).toBe('draining sealed');
    const other = await drainer([0.15, 0.7]);
    expect(await other.pass({ l3UpTo: 0.8, threshold: 0.05 })).toMatchObject({ begun: 2, draining: 2 });
  });

  it('goes on with runs that were only begun, of volumes as they are now', async () => {
    const { p, pass, states, set } = await drainer([0.3, 0.3, 0.3, 0.3]);
    const run = newDrainerRun(p.components);
    const of = (planned?: [number, number][]) => ({
      strategy: 'l3' as const,
      plan: '',
      name: 'l3-0001',
      host: null,
      sources: [0, 1].map(hex),
      ...(planned === undefined ? {} : { planned }),
    });
    await beginJournal(
      p.components,
      run,
      of([
        [1, 4],
        [2, 4],
      ]),
    );
    expect(await pass({ begin: false })).toMatchObject({ begun: 0, sent: 4, draining: 1 });
    expect(await states()).toBe('draining sealed sealed sealed');
    const old = newDrainerRun(p.components);
    await beginJournal(p.components, old, { ...of(), sources: [2, 3].map(hex) });
    await set(3, { g: 7 });
    expect(await pass({ begin: false })).toMatchObject({ draining: 3 });
    expect(await states()).toBe('draining sealed draining draining');
    // Those of others are not its own.
    await beginJournal(p.components, 'l3/p0/1' as RunId, { ...of(), sources: [hex(1)] });
    await beginJournal(p.components, 'l2/drainer/1' as RunId, { ...of(), strategy: 'l2', sources: [hex(1)] });
    expect(await pass({ begin: false })).toMatchObject({ draining: 3 });
    expect(await endDrains(p.volumes)).toBe(2);
    expect(await states()).toBe('sealed sealed sealed sealed');
    expect((await listJournal(p.components)).map(({ id }) => id)).toEqual(['l2/drainer/1', 'l3/p0/1']);
    expect(await endDrains(p.volumes)).toBe(0);
  });

  it('whose run leases nothing ends it', async () => {
    const { p, pass, set } = await drainer([0.3]);
    await set(0, { r: 'l2/p0/1' });
    const task = { strategy: 'l3' as const, plan: '', name: 'l3-0001', host: null, sources: [hex(0)] };
    await beginJournal(p.components, newDrainerRun(p.components), { ...task, planned: [[1, 4]] });
    expect(await pass({ begin: false })).toMatchObject({ ended: 1, draining: 0, reason: NOTHING });
    expect(await listJournal(p.components)).toEqual([]);
  });
});

describe('the reason', () => {
  it('is the budget, where it is spent: nothing is begun or sent', async () => {
    const { p, pass, states } = await drainer([0.02]);
    await beginPeriod(p.components, budgetsOf({ metadataWrites: 8, bytesRead: 5 }));
    await charge(p.components, { ...NOTHING_SPENT, metadataWrites: 6 });
    expect(await pass()).toMatchObject({
      sent: 0,
      begun: 0,
      reason: { code: 'METADATA_SPENT', text: 'the metadata budget is used up' },
    });
    // What is left of all of them is what a plan may use; where one is used up there is none.
    await charge(p.components, { ...NOTHING_SPENT, bytesRead: 5 });
    await beginPeriod(p.components, budgetsOf({ metadataWrites: 900, bytesRead: 5 }));
    await charge(p.components, { ...NOTHING_SPENT, bytesRead: 5 });
    expect(await pass()).toMatchObject({ begun: 0, reason: NOTHING });
    await beginPeriod(p.components, budgetsOf({ metadataWrites: 900, bytesRead: 5 }));
    expect(await pass()).toMatchObject({ begun: 0, reason: NOTHING });
    await beginPeriod(p.components, budgetsOf({ metadataWrites: 900 }));
    expect(await pass()).toMatchObject({ begun: 1, reason: FLOWING });
    expect(await states()).toBe('draining');
  });

  it('is the Live Coder while messages are there that it cannot write; an empty queue finds out whether it can', async () => {
    const { p, stream, pass } = await drainer([0.02]);
    await noteCoder(p.components, { code: 'STORE_FULL', text: 'no zone' });
    expect(await pass()).toMatchObject({ sent: 4, reason: FLOWING });
    const stalled = { code: 'CODER_STALLED', text: 'the Live Coder is stalled: STORE_FULL: no zone' };
    expect(await pass()).toMatchObject({ sent: 0, reason: stalled });
    await stream.receive(2, 1000);
    expect(await pass()).toMatchObject({ reason: stalled, stream: { ready: 2, inFlight: 2 } });
  });

  it('is the age of what was sent into an empty queue, however often it is given back', async () => {
    const { world, stream, pass } = await drainer([0.02]);
    await pass();
    world.clock.advance(QUEUE_AGE_MS_MAX + 1);
    const old = await pass();
    expect(old.stream.oldestAgeMs).toBe(QUEUE_AGE_MS_MAX + 1);
    expect(old).toMatchObject({ sent: 0, reason: { code: 'QUEUE_OLD' } });
    // As if they had just been sent: the row remembers when they were.
    const bodies = (await stream.receive(9, 0)).map(({ body, receipt }) => ({ body, receipt }));
    await stream.ack(bodies.map(({ receipt }) => receipt));
    await stream.send(bodies.map(({ body }) => body));
    expect((await pass()).stream.oldestAgeMs).toBe(QUEUE_AGE_MS_MAX + 1);
    await stream.ack((await stream.receive(9, 0)).map(({ receipt }) => receipt));
    expect(await pass()).toMatchObject({ sent: 4, stream: EMPTY });
    world.clock.advance(5);
    expect((await pass()).stream.oldestAgeMs).toBe(5);
  });

  it('is dead letters, where nothing else is left', async () => {
    const { world, p } = await drainer([0.02]);
    const stream = new NotedStream(world.clock, 1);
    const pass = () => drainPass(p.volumes, stream, {});
    expect(await pass()).toMatchObject({ sent: 4 });
    await stream.receive(9, 0);
    await stream.receive(9, 0);
    stream.take();
    expect(await pass()).toMatchObject({
      sent: 0,
      draining: 1,
      reason: { code: 'DEAD_LETTERS', text: 'all that is left to drain are dead letters: look at them' },
      stream: { ...EMPTY, dead: 4 },
    });
    expect(stream.take()).toEqual(['dead 1000']);
    await stream.drop(['1']);
    expect(await pass()).toMatchObject({ sent: 1, reason: FLOWING });
  });

  it('is an error that may pass; others come out', async () => {
    const failing = async (error: Error) => {
      const { p, world } = await drainer([0.02]);
      const stream = new NotedStream(world.clock);
      stream.figures = () => Promise.reject(error);
      return drainPass(p.volumes, stream, {});
    };
    const busy = retryLater('STREAM_BUSY', 'not now');
    expect(await failing(busy)).toEqual({
      sent: 0,
      retired: 0,
      begun: 0,
      ended: 0,
      draining: 0,
      reason: { code: 'STREAM_BUSY', text: 'not now' },
      stream: EMPTY,
    });
    await expect(failing(new TypeError('a mistake'))).rejects.toThrow('a mistake');
  });
});
