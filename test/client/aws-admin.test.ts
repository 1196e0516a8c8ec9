// The operator's commands on a stage, against the real functions on memory bodies; only the wire between them is of this test.
import type { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { describe, expect, it } from 'vitest';
import { StageAdmin } from '../../lib/client/aws/aws-admin.ts';
import { Invoker } from '../../lib/client/aws/aws-invoke.ts';
import type { StageOutputs } from '../../lib/client/aws/aws-stage.ts';
import { planJson } from '../../lib/compaction/plan/plan.ts';
import { listJournal } from '../../lib/compaction/run/journal.ts';
import { DEAD_LETTERS_MAX } from '../../lib/limits/compaction.ts';
import { OUTPUTS } from '../../lib/settings/stage-names.ts';
import { listBuckets, listVolumes } from '../../lib/volume/rows/read-rows.ts';
import { sealedWorld } from '../compaction/acting-world.ts';
import { thinnedWorld } from '../compaction/merge-world.ts';
import { Stage } from '../functions/stage.ts';
import { wipe } from '../repair/drives.ts';
import type { Model } from '../store/crash.ts';
import type { World } from '../store/harness.ts';
import { expectSound } from '../store/recount.ts';

const FOLDER_OF: Readonly<Record<string, Parameters<Stage['invoke']>[0]>> = {
  PlannerFunction: 'planner',
  CompactorFunction: 'compactor',
  DrainerFunction: 'drainer',
  EncoderFunction: 'encoder',
  GcFunction: 'gc',
  ThresholdTunerFunction: 'threshold-tuner',
};

interface Answer {
  readonly Payload?: Uint8Array;
  readonly FunctionError?: string;
}
/** May throw or answer in the function's place. */
type Meddle = (name: string, count: number) => Answer | undefined;

/** Volumes of L2, two of L3 among them. */
const prepared = sealedWorld({ volumes: 6, filesEach: 90, deletedEach: (volume) => (volume < 2 ? 86 : 55) });

/** A stage on the same store anew. */
async function stageOf(meddle: Meddle = () => undefined) {
  const made = await prepared;
  return stageOn(made.world.clone(), made.model.clone(), meddle);
}

async function stageOn(world: World, model: Model, meddle: Meddle = () => undefined) {
  const p = world.start();
  const stage = new Stage(world);
  let count = 0;
  const send = async ({ input }: InvokeCommand): Promise<Answer> => {
    const name = FOLDER_OF[input.FunctionName ?? ''] as Parameters<Stage['invoke']>[0];
    const instead = meddle(name, ++count);
    if (instead !== undefined) return instead;
    const event: unknown = JSON.parse(Buffer.from(input.Payload as Uint8Array).toString());
    try {
      const answer = await stage.invoke(name, event);
      // The event source hands over what was sent.
      if (name === 'drainer') while ((await stage.deliver()).received > 0);
      return { Payload: Buffer.from(JSON.stringify(answer)) };
    } catch (error) {
      const { name: errorType, message: errorMessage } = error as Error;
      return { FunctionError: 'Unhandled', Payload: Buffer.from(JSON.stringify({ errorType, errorMessage })) };
    }
  };
  const engine = { components: p.components, volumes: p.volumes, frontend: p.frontend, queue: stage.stream };
  const outputs = Object.fromEntries(Object.entries(OUTPUTS)) as unknown as StageOutputs;
  const lambda = { send, destroy: () => {} } as unknown as LambdaClient;
  const invoker = new Invoker({ lambda, clock: world.clock, randomness: p.components.randomness });
  const admin = new StageAdmin(
    'aws:dev',
    'default',
    async () => engine,
    invoker,
    outputs,
    async () => null,
  );
  const expectQuiet = async (lost: readonly number[] = []): Promise<void> => {
    expect(await listJournal(p.components)).toEqual([]);
    expect((await listVolumes(p.components.panda, 'c0')).filter(({ run }) => run !== undefined)).toEqual([]);
    await expectSound(world.start(), lost);
    await model.expectIn(world.start());
  };
  return { stage, admin, world, model, p, expectQuiet };
}

describe('compact', () => {
  it('has every run done by compactors and the queue', async () => {
    const { admin, expectQuiet } = await stageOf();
    const seen: number[] = [];
    const report = await admin.compact({ untilStable: true, finish: true, onProgress: ({ runs }) => seen.push(runs) });
    expect(report.runs.map(({ strategy }) => strategy)).toEqual(expect.arrayContaining(['l2', 'l3']));
    expect(report.after.allocatedOverhead).toBeLessThan(report.before.allocatedOverhead);
    expect(report.freed.freedZones).toBeGreaterThan(0);
    for (const run of report.runs) expect(run).toMatchObject({ stalled: undefined, movedBytes: expect.any(Number) });
    expect(seen.length).toBeGreaterThan(1);
    // Nothing sealed is left half empty.
    const sealed = (await admin.status()).volumes.filter(({ state }) => state === 'sealed');
    for (const { fillPermille } of sealed) expect(fillPermille).toBeGreaterThan(700);
    await expectQuiet();
  });

  it('merges bucket remnants and nothing else when told so, and none when told not to', async () => {
    const { world, model } = await thinnedWorld({ volumes: 3, filesEach: 60, keep: 9 });
    const { admin, p, expectQuiet } = await stageOn(world, model);
    const buckets = async () => (await listBuckets(p.components.panda, 'c0')).length;
    const before = await buckets();
    const without = await admin.compact({ merge: false, strategies: ['l1'] });
    expect(without.runs.filter(({ strategy }) => strategy === 'merge')).toEqual([]);
    expect(await buckets()).toBe(before);
    const report = await admin.compact({ merge: 'only', untilStable: true });
    expect(report.runs.map(({ strategy }) => strategy)).toContain('merge');
    expect(new Set(report.runs.map(({ strategy }) => strategy))).toEqual(new Set(['merge']));
    expect(await buckets()).toBeLessThan(before / 2);
    await expectQuiet();
  });

  it('carries out a plan file, once', async () => {
    const { admin, expectQuiet } = await stageOf();
    const file = planJson(await admin.plan({ strategies: ['l2'] }));
    const report = await admin.compact({ planJson: file });
    expect(report.runs.reduce((sum, { retired }) => sum + retired, 0)).toBeGreaterThan(1);
    await expect(admin.compact({ planJson: file })).rejects.toMatchObject({ code: 'PLAN_STALE' });
    await expectQuiet();
  });

  it('calls again when answers are lost, functions die and AWS is busy', async () => {
    const { admin, expectQuiet } = await stageOf((_, count) => {
      if (count % 4 === 1) throw Object.assign(new Error('slow down'), { name: 'TooManyRequestsException' });
      if (count % 4 !== 2) return undefined;
      const died = { errorType: 'Sandbox.Timedout', errorMessage: 'Task timed out after 300.00 seconds' };
      return { FunctionError: 'Unhandled', Payload: Buffer.from(JSON.stringify(died)) };
    });
    expect((await admin.compact()).runs.length).toBeGreaterThan(0);
    await expectQuiet();
  });
});

describe('the other commands', () => {
  it('are functions, or rows read from here', async () => {
    const { admin, stage, expectQuiet, p } = await stageOf();
    expect((await admin.status()).overhead.sealed.volumes).toBeGreaterThanOrEqual(6);
    const drained = await admin.drain();
    expect(drained).toMatchObject({ stalled: undefined, retired: expect.any(Number) });
    expect(drained.retired).toBeGreaterThanOrEqual(2);
    expect(drained.movedBytes).toBeGreaterThan(0);
    expect(await admin.encode({ all: true })).toMatchObject({ leftBytes: 0 });
    expect(await admin.gc({ now: true })).toMatchObject({ waiting: 0 });
    const tended = await admin.tend();
    expect(tended).toMatchObject({ encode: { sources: 0 }, garbage: { slots: 0 }, free: { freedZones: 0 } });
    expect(tended.encode).not.toHaveProperty('free'); // as on the other engine: docs/cli.md
    expect(await admin.tune()).toMatchObject({ state: { threshold: 0.2 }, moved: 'kept' });
    expect(stage.gauges.length).toBe(1);
    const [volume] = await listVolumes(p.components.panda, 'c0');
    expect((await admin.explain(volume?.id ?? '')).length).toBeGreaterThan(0);
    expect(await admin.keys()).toMatchObject([{ version: 1, state: 'current' }]);
    await expectQuiet();
  });

  it('say why draining stopped, and go on after a redrive', async () => {
    const { admin, stage, expectQuiet } = await stageOf();
    const poison = Array.from({ length: DEAD_LETTERS_MAX }, () => 'poison');
    await stage.stream.send(poison);
    for (let i = 0; i < 4; i++) await stage.deliver();
    expect(await admin.drain()).toMatchObject({ stalled: { code: 'DEAD_LETTERS' }, retired: 0 });
    expect((await admin.deadLetters())[0]).toMatchObject({ body: 'poison', message: undefined });
    expect(await admin.redriveDeadLetters()).toBe(DEAD_LETTERS_MAX);
    const shown = await stage.stream.receive(DEAD_LETTERS_MAX, 1000);
    await stage.stream.ack(shown.map(({ receipt }) => receipt));
    expect(await admin.drain()).toMatchObject({ stalled: undefined });
    await expectQuiet();
  });

  it('go on draining by the code of a reason, however it is worded', async () => {
    const busy = { sent: 0, retired: 0, begun: 0, draining: 1, stream: { ready: 256, inFlight: 0 } };
    const codes = ['QUEUE_FULL', 'QUEUE_OLD', 'FLOWING'];
    const { admin, expectQuiet } = await stageOf((name) => {
      const code = name === 'drainer' ? codes.shift() : undefined;
      const answer = { ...busy, reason: { code, text: 'said in other words' } };
      return code === undefined ? undefined : { Payload: Buffer.from(JSON.stringify(answer)) };
    });
    expect(await admin.drain()).toMatchObject({ stalled: undefined, retired: expect.any(Number) });
    await expectQuiet();
  });

  it('give a drive up, have what it held made again, and forget it', async () => {
    const { admin, world, expectQuiet } = await stageOf();
    await wipe(world, 2);
    expect(await admin.changeDrive(2, { state: 'lost' })).toMatchObject({ drive: 2, state: 'lost' });
    const before = await admin.drives();
    expect(before.columnsToMove).toBeGreaterThan(1);
    expect((await admin.planRepair()).repairs.length).toBeGreaterThan(1);
    await expect(admin.changeDrive(2, { state: 'retired' })).rejects.toMatchObject({ code: 'DRIVE_IN_USE' });
    let seenBytes = 0;
    let planned = 0;
    const report = await admin.repair({
      ignoreGrace: true,
      onPlan: ({ repairs }) => (planned = repairs.length),
      onBytes: (bytes) => (seenBytes += bytes),
    });
    expect(report).toMatchObject({ lost: [], left: [], planned, writtenBytes: seenBytes });
    expect(report.volumes).toBe(planned);
    expect((await admin.drives()).drives[2]).toMatchObject({ state: 'lost', columns: 0 });
    await admin.changeDrive(2, { state: 'retired' });
    expect((await admin.planRepair()).repairs).toEqual([]);
    await expectQuiet([2]);
  });

  it('refuse what a stage cannot do, before anything is called', async () => {
    const { admin } = await stageOf(() => {
      throw new Error('called');
    });
    const refused = expect.objectContaining({ kind: 'invalid', code: 'NOT_FOR_STAGE' });
    expect(() => admin.drain({ sourcesMax: 3 })).toThrow(refused);
    expect(() => admin.backup()).toThrow(refused);
    expect(() => admin.addDrives()).toThrow(/deploy .*--drives/);
    expect(() => admin.replaceDrive()).toThrow(/deploy with one drive more/);
    expect(() => admin.doctor()).toThrow(refused);
    await expect(admin.compact({ planJson: '{' })).rejects.toMatchObject({ code: 'PLAN_INVALID' });
  });

  it('carry errors over with kind and code', async () => {
    const failed = { errorType: 'PocketfulDenied', errorMessage: 'no permission for the table (PANDA_DENIED)' };
    const { admin } = await stageOf(() => ({
      FunctionError: 'Unhandled',
      Payload: Buffer.from(JSON.stringify(failed)),
    }));
    await expect(admin.gc()).rejects.toMatchObject({
      kind: 'denied',
      code: 'PANDA_DENIED',
      message: 'no permission for the table',
    });
  });
});
