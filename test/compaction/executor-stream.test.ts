// L3 through a queue that duplicates, loses and reorders; poison; flow control.
import { describe, expect, it } from 'vitest';
import { planNow } from '../../lib/compaction/do/plan-now.ts';
import { compact } from '../../lib/compaction/do/rounds.ts';
import { FLOW_LIMITS, type FlowInput, flowOf } from '../../lib/compaction/move/l3/flow.ts';
import {
  DrainWorker,
  drainMessage,
  listDead,
  parseDrainMessage,
  redriveDead,
  sendDraining,
} from '../../lib/compaction/move/l3/stream-runs.ts';
import type { MemoryDrive } from '../../lib/drive/memory-drive.ts';
import { retryLater } from '../../lib/foundation/errors.ts';
import type { BucketId, RunId, VolumeId } from '../../lib/foundation/ids.ts';
import { MemoryStream } from '../../lib/stream/memory-stream.ts';
import { listVolumes } from '../../lib/volume/rows/read-rows.ts';
import { newRunId, takeRun } from '../../lib/volume/runs/runs.ts';
import { expectSound } from '../store/recount.ts';
import { actorsOf, batchesOf, SMALL, sealedWorld } from './acting-world.ts';

const L3 = { settings: { strategies: ['l3' as const], minFill: 0.2, l3UpTo: 0.5, l2UpTo: 0.6 } };
const prepared = sealedWorld({ volumes: 3, filesEach: 40, deletedEach: () => 25, seed: 31 });
async function sparse() {
  const { world, model } = await prepared;
  const copy = world.clone();
  return { world: copy, model: model.clone(), p: copy.start() };
}

/** Delivers everything twice, and the second batch before the first. */
class UnrulyStream extends MemoryStream {
  override async send(bodies: readonly string[]): Promise<void> {
    const lost = bodies.filter((_, i) => i % 5 !== 4);
    await super.send([...lost].reverse());
    await super.send(lost);
  }
}

describe('L3 through a stream', () => {
  it('drains sources into open volumes, retires them, leaves the queue empty', async () => {
    const { p, model, world } = await sparse();
    const stream = new MemoryStream(world.clock);
    const report = await compact(batchesOf(p, stream), L3);
    expect(report.runs.flatMap(({ stalled }) => stalled ?? [])).toEqual([]);
    expect(report.freed.freedVolumes).toBe(3);
    expect(await stream.figures()).toMatchObject({ ready: 0, inFlight: 0, dead: 0 });
    await model.expectIn(p);
    await expectSound(p);
  });

  it('duplicates, losses and another order do no harm', async () => {
    const { p, model, world } = await sparse();
    const stream = new UnrulyStream(world.clock);
    const report = await compact(batchesOf(p, stream), { ...L3, untilStable: true });
    expect(report.freed.freedVolumes).toBe(3);
    expect(await stream.figures()).toMatchObject({ ready: 0, inFlight: 0, dead: 0 });
    await model.expectIn(p);
    await expectSound(p);
  });

  it('a message of an ended run, or for a bucket that has moved, is acknowledged', async () => {
    const { p, world } = await sparse();
    const stream = new MemoryStream(world.clock);
    const [volume] = await listVolumes(p.components.panda, SMALL.cell);
    const [bucket] = volume?.buckets ?? [];
    const at = { bucket: bucket as BucketId, source: volume?.id as VolumeId, move: 0 };
    await stream.send([drainMessage({ run: 'l3/gone/1' as RunId, ...at })]);
    const run = newRunId(p.components, 'l3');
    await takeRun(p.components, at.source, run);
    await stream.send([drainMessage({ run, ...at, move: 7 })]);
    const worker = new DrainWorker(p.volumes, stream, actorsOf(p).makeTarget);
    expect(await worker.step(10)).toBe(2);
    await worker.flush();
    expect(await stream.figures()).toMatchObject({ ready: 0, inFlight: 0 });
  });

  it('a bucket that cannot be read becomes a dead letter; its volume stays; redriven, it is queued again', async () => {
    const { p, model, world } = await sparse();
    const stream = new MemoryStream(world.clock);
    const { plan } = await planNow(p.volumes, L3);
    const source = plan.runs[0]?.sources[0]?.volume as VolumeId;
    const volume = (await listVolumes(p.components.panda, SMALL.cell)).find(({ id }) => id === source);
    for (const extent of (volume?.extents ?? []).slice(0, 2)) {
      const drive = world.drives[extent.drive] as MemoryDrive;
      await drive.erase({ zone: extent.zone, generation: extent.zoneGeneration });
    }
    const report = await compact(batchesOf(world.start(), stream), L3);
    expect(report.freed.freedVolumes).toBe(2);
    const dead = await listDead(p.volumes, stream);
    expect(dead.length).toBeGreaterThan(0);
    expect(dead.every(({ message, isCurrent }) => message?.source === source && isCurrent)).toBe(true);
    const now = (await listVolumes(p.components.panda, SMALL.cell)).find(({ id }) => id === source);
    expect(now).toMatchObject({ state: 'sealed', run: undefined });
    expect(await redriveDead(stream)).toBe(dead.length);
    expect(await listDead(p.volumes, stream)).toEqual([]);
    expect(model.there.size).toBeGreaterThan(0);
  });

  it('what is no message is left to become a dead letter', async () => {
    const { p, world } = await sparse();
    const stream = new MemoryStream(world.clock, 2);
    await stream.send(['{"v":1,"run":"x"}', 'nonsense']);
    const worker = new DrainWorker(p.volumes, stream, actorsOf(p).makeTarget, { visibilityMs: 10 });
    for (let i = 0; i < 3; i++) {
      await worker.step(10);
      world.clock.advance(10);
    }
    expect((await listDead(p.volumes, stream)).map(({ message }) => message)).toEqual([undefined, undefined]);
    expect(parseDrainMessage('null')).toBeUndefined();
  });

  it('a stalled Live Coder is visible, its messages come back, and it recovers by itself', async () => {
    const { p, model, world } = await sparse();
    const stream = new MemoryStream(world.clock);
    const [volume] = await listVolumes(p.components.panda, SMALL.cell);
    const run = newRunId(p.components, 'l3');
    const taken = await takeRun(p.components, volume?.id as VolumeId, run);
    const sent = await sendDraining(p.volumes, stream, taken as NonNullable<typeof taken>, 256);
    const { makeTarget } = actorsOf(p);
    let isAway = true;
    const worker = new DrainWorker(p.volumes, stream, (of, onMoved) => {
      const target = makeTarget(of, onMoved);
      return {
        push: (content) => target.push(content),
        discard: () => target.discard(),
        flush: async () => {
          if (isAway) throw retryLater('DRIVES_MISSING', 'drives are away');
          await target.flush();
        },
      };
    });
    while ((await worker.step(10)) > 0);
    await worker.flush();
    expect(worker.stalled?.code).toBe('DRIVES_MISSING');
    const figures = await stream.figures();
    expect(figures.ready).toBeGreaterThan(0);
    expect(flowOf(input({ stream: figures, coderStalled: worker.stalled })).send).toBe(0);
    isAway = false;
    while ((await worker.step(10)) > 0);
    await worker.flush();
    expect(worker.stalled).toBeUndefined();
    expect(await stream.figures()).toMatchObject({ ready: 0, inFlight: 0 });
    expect(sent).toBeGreaterThan(0);
    await model.expectIn(p);
    await expectSound(p);
  });
});

const calm: FlowInput = {
  stream: { ready: 0, inFlight: 0, oldestAgeMs: 0, dead: 0 },
  coderWaitingBytes: 0,
  coderStalled: undefined,
  metadataWritesLeft: null,
};
const input = (changes: Partial<FlowInput>): FlowInput => ({ ...calm, ...changes });
const queue = (changes: Partial<FlowInput['stream']>): FlowInput => input({ stream: { ...calm.stream, ...changes } });

describe('flow control', () => {
  it('sends no more than the queue may hold', () => {
    expect(flowOf(calm).send).toBe(FLOW_LIMITS.depthMax);
    expect(flowOf(queue({ ready: 200, inFlight: 50 })).send).toBe(6);
    expect(flowOf(queue({ ready: 300 })).send).toBe(0);
  });
  it('sends nothing on top of old messages or many dead letters, but works them off', () => {
    for (const flow of [flowOf(queue({ oldestAgeMs: 1e9 })), flowOf(queue({ dead: 100 }))]) {
      expect(flow.send).toBe(0);
      expect(flow.receive).toBeGreaterThan(0);
    }
  });
  it('pushes back first on the drainer, then on writers', () => {
    const short = flowOf({ ...queue({ ready: 3 }), coderStalled: { code: 'DRIVES_MISSING', text: 'x' } });
    expect(short).toMatchObject({ send: 0, receive: 0, holdWriters: false });
    expect(flowOf({ ...queue({ ready: 256 }), coderStalled: { code: 'DRIVES_MISSING', text: 'x' } }).holdWriters).toBe(
      true,
    );
    expect(
      flowOf({ ...queue({ ready: 3, oldestAgeMs: 1e9 }), coderStalled: { code: 'DRIVES_MISSING', text: 'x' } })
        .holdWriters,
    ).toBe(true);
    expect(flowOf(input({ coderWaitingBytes: 1e12 })).holdWriters).toBe(true);
    expect(flowOf(calm)).toMatchObject({ holdWriters: false, reason: { code: 'FLOWING' } });
  });
  it('spends no more metadata than it has', () => {
    expect(flowOf(input({ metadataWritesLeft: 30 })).send).toBe(10);
    expect(flowOf({ ...queue({ ready: 4 }), metadataWritesLeft: 30 }).send).toBe(6);
    expect(flowOf(input({ metadataWritesLeft: 2 }))).toMatchObject({ send: 0, receive: 0 });
  });
});
