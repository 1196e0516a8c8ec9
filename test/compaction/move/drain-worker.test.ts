// A worker of L3, message by message: what is acknowledged, what is given back, and what waits in the Live Coder.
import { describe, expect, it } from 'vitest';
import {
  DrainWorker,
  drainMessage,
  sendDraining,
  type WorkerOptions,
} from '../../../lib/compaction/move/l3/stream-runs.ts';
import { corrupt, retryLater, unknownOutcome } from '../../../lib/foundation/errors.ts';
import type { BucketId, RunId, VolumeId } from '../../../lib/foundation/ids.ts';
import { RECEIVES_MAX } from '../../../lib/limits/bytes.ts';
import { DRAIN_VISIBILITY_MS } from '../../../lib/limits/compaction.ts';
import type { VolumeRow } from '../../../lib/panda/rows/volume-row.ts';
import { listVolumes, readBucket } from '../../../lib/volume/rows/read-rows.ts';
import { takeRun } from '../../../lib/volume/runs/runs.ts';
import { SMALL, sealedWorld } from '../acting-world.ts';
import { handTargets, hex, NotedStream, RUN, rowsOnly } from './drained-world.ts';

const prepared = sealedWorld({ volumes: 2, filesEach: 14, deletedEach: () => 0 });

/** Two sources that drain, the messages of both in the queue, and a worker whose targets are moved by hand. */
async function draining(options: WorkerOptions = {}) {
  const world = (await prepared).world.clone();
  const p = world.start();
  const stream = new NotedStream(world.clock);
  const sources: VolumeRow[] = [];
  for (const { id, state } of await listVolumes(p.components.panda, SMALL.cell)) {
    if (state !== 'sealed') continue;
    const run = `l3/p0/${sources.length + 1}` as RunId;
    sources.push((await takeRun(p.components, id, run)) as VolumeRow);
  }
  const counts: number[] = [];
  for (const source of sources) counts.push(await sendDraining(p.volumes, stream, source, 99));
  stream.take();
  const hands = handTargets();
  const worker = new DrainWorker(p.volumes, stream, hands.makeTarget, options);
  const bytesOf = async (ids: readonly string[]): Promise<number> => {
    let bytes = 0;
    for (const id of ids) bytes += (await readBucket(world.panda, SMALL.cell, id as BucketId))?.liveBytes ?? 0;
    return bytes;
  };
  return { world, p, stream, sources, counts, worker, bytesOf, ...hands };
}

const receipts = (from: number, to: number, receive = 1): string =>
  Array.from({ length: to - from + 1 }, (_, i) => `${from + i}/${receive}`).join(' ');

describe('a worker', () => {
  it('takes as many as it is told to, gives each run a target, and acknowledges what has moved or was skipped', async () => {
    const seen: unknown[] = [];
    const { stream, sources, counts, worker, targets, bytesOf } = await draining({
      onMoved: (run, { moved, recordBytes }) => void seen.push([run, moved.length, recordBytes]),
    });
    const [first = 0, second = 0] = counts;
    expect(first).toBeGreaterThan(2);
    expect(await worker.step(2)).toBe(2);
    expect(stream.take()).toEqual([`receive 2 for ${DRAIN_VISIBILITY_MS}: 2`]);
    expect(await worker.step(99)).toBe(first + second - 2);
    expect(stream.take()).toEqual([`receive 99 for ${DRAIN_VISIBILITY_MS}: ${first + second - 2}`]);
    expect(targets.map(({ run }) => run)).toEqual(sources.map(({ run }) => run));
    expect(targets.map(({ pushed }) => pushed)).toEqual(sources.map(({ buckets }) => [...buckets]));
    const waiting = await bytesOf(targets.flatMap(({ pushed }) => pushed));
    expect(worker.waitingBytes).toBe(waiting);
    const ids = (targets[0]?.pushed ?? []) as BucketId[];
    targets[0]?.moved({ moved: ids.slice(0, 2), skipped: ids.slice(2, 3), recordBytes: 100 });
    expect(worker.waitingBytes).toBe(waiting - 100);
    expect(stream.take()).toEqual([]);
    expect(await worker.step(5)).toBe(0);
    expect(stream.take()).toEqual([`receive 5 for ${DRAIN_VISIBILITY_MS}: 0`, `ack ${receipts(1, 3)}`]);
    targets[0]?.moved({ moved: ids, recordBytes: waiting });
    expect(worker.waitingBytes).toBe(0);
    await worker.flush();
    expect(targets.map(({ flushes }) => flushes)).toEqual([1, 1]);
    expect(stream.take()).toEqual([`ack ${receipts(4, first)}`]);
    expect(seen).toEqual([
      [sources[0]?.run, 2, 100],
      [sources[0]?.run, first, waiting],
    ]);
  });

  it('takes what comes twice as one, and acknowledges both', async () => {
    const { stream, worker, targets, sources } = await draining({ visibilityMs: 7 });
    await worker.step(1);
    const [id = hex(0)] = sources[0]?.buckets ?? [];
    const { run = RUN, id: source } = sources[0] as VolumeRow;
    const all = 1 + (sources[0]?.buckets.size ?? 0) + (sources[1]?.buckets.size ?? 0);
    await stream.send([drainMessage({ run, bucket: id as BucketId, source, move: 0 })]);
    stream.take();
    expect(await worker.step(99)).toBe(all - 1);
    expect(targets[0]?.pushed.filter((one) => one === id)).toHaveLength(1);
    targets[0]?.moved({ moved: [id as BucketId] });
    await worker.flush();
    expect(stream.take()).toEqual([`receive 99 for 7: ${all - 1}`, `ack 1/1 ${all}/1`]);
  });

  it('gives back all that waits when it is done without it', async () => {
    const { stream, worker, targets, counts } = await draining();
    await worker.step(2);
    targets[0]?.moved({ moved: [targets[0].pushed[0] as BucketId], recordBytes: 5 });
    stream.take();
    await worker.discard();
    expect(stream.take()).toEqual(['ack 1/1', 'release 2/1']);
    expect([worker.waitingBytes, targets[0]?.discards]).toEqual([0, 1]);
    // What comes now is of a new target.
    expect(await worker.step(99)).toBe((counts[0] ?? 0) + (counts[1] ?? 0) - 1);
    expect(targets.map(({ run }) => run)).toEqual(['l3/p0/1', 'l3/p0/1', 'l3/p0/2']);
    await worker.discard();
    expect(targets.map(({ discards }) => discards)).toEqual([1, 1, 1]);
  });

  it('stops when the Live Coder cannot write: all of the batch is there again, with the reason, until there is one to go on', async () => {
    const { stream, worker, targets, counts } = await draining();
    const [first = 0] = counts;
    await worker.step(1);
    (targets[0] as { fails: Error | undefined }).fails = retryLater('STORE_FULL', 'no zone is free');
    stream.take();
    expect(await worker.step(3)).toBe(0);
    expect(worker.stalled).toEqual({ code: 'STORE_FULL', text: 'no zone is free' });
    expect(stream.take()).toEqual([
      `receive 3 for ${DRAIN_VISIBILITY_MS}: 3`,
      'release 2/1',
      'release 3/1 4/1',
      'release 1/1 2/1',
    ]);
    expect([worker.waitingBytes, targets[0]?.discards]).toEqual([0, 1]);
    expect(await worker.step(1)).toBe(1);
    expect(worker.stalled).toBeUndefined();
    const again = targets.at(-1) as (typeof targets)[number];
    again.fails = retryLater('DRIVES_MISSING', 'too few');
    await worker.flush();
    expect(worker.stalled).toEqual({ code: 'DRIVES_MISSING', text: 'too few' });
    worker.resume();
    expect(worker.stalled).toBeUndefined();
    expect((await stream.figures()).ready).toBe(first + (counts[1] ?? 0));
  });

  it('leaves what cannot be had to become a dead letter, and goes on with the others; a mistake comes out', async () => {
    const { world, stream, sources, counts, worker, targets } = await draining();
    const [first = 0, second = 0] = counts;
    for (const { drive, zone, zoneGeneration } of sources[0]?.extents ?? [])
      await world.drives[drive]?.erase({ zone, generation: zoneGeneration });
    expect(await worker.step(99)).toBe(first + second);
    expect([stream.take().slice(1), worker.stalled]).toEqual([
      Array.from({ length: first }, (_, i) => `release ${i + 1}/1`),
      undefined,
    ]);
    expect(targets.map(({ run, pushed }) => [run, pushed.length])).toEqual([[sources[1]?.run, second]]);
    targets[0]?.moved({ moved: targets[0].pushed as BucketId[] });
    // Again and again only they come, and in the end none.
    for (let receive = 2; receive <= RECEIVES_MAX + 1; receive++) await worker.step(99);
    expect(await stream.figures()).toMatchObject({ ready: 0, dead: first });
    const target = targets[0] as (typeof targets)[number];
    target.fails = new TypeError('a mistake');
    await expect(worker.flush()).rejects.toThrow('a mistake');
  });

  it('stops where the Live Coder fails otherwise: that is no fault of the bucket that comes then, nor is it left waiting', async () => {
    for (const error of [corrupt('PANDA_BEHIND', 'older than its drives'), unknownOutcome('PANDA_UNKNOWN', 'lost')]) {
      const { stream, worker, targets, counts } = await draining();
      const all = (counts[0] ?? 0) + (counts[1] ?? 0);
      await worker.step(1);
      (targets[0] as { fails: Error | undefined }).fails = error;
      expect(await worker.step(2)).toBe(0);
      expect(worker.stalled).toEqual({ code: error.code, text: error.message });
      expect([worker.waitingBytes, targets[0]?.discards]).toEqual([0, 1]);
      expect(await stream.figures()).toMatchObject({ ready: all, inFlight: 0 });
      // All of them are read again, none is taken for one that is on its way.
      expect(await worker.step(99)).toBe(all);
      expect(targets.slice(1).reduce((sum, { pushed }) => sum + pushed.length, 0)).toBe(all);
      (targets[1] as { fails: Error | undefined }).fails = new TypeError('a mistake');
      await expect(worker.flush()).rejects.toThrow('a mistake');
    }
  });

  it('is done with what has moved, changed its run or is no bucket any more; what it does not understand is given back', async () => {
    const { p, world } = await rowsOnly({ 1: 1 });
    const stream = new NotedStream(world.clock);
    const hands = handTargets();
    const worker = new DrainWorker(p.volumes, stream, hands.makeTarget);
    const whole = { run: RUN, bucket: hex(1000) as BucketId, source: hex(1) as VolumeId, move: 0 };
    await stream.send([
      drainMessage({ ...whole, run: 'l3/other/1' as RunId }),
      drainMessage({ ...whole, source: hex(2) as VolumeId }),
      drainMessage({ ...whole, move: 1 }),
      'nonsense',
      drainMessage({ ...whole, bucket: hex(1001) as BucketId }),
    ]);
    stream.take();
    expect(await worker.step(99)).toBe(5);
    expect(stream.take().slice(1)).toEqual(['release 4/1', 'ack 1/1 2/1 3/1 5/1']);
    expect(hands.targets).toEqual([]);
    expect(worker.waitingBytes).toBe(0);
    await worker.flush();
    expect(stream.take()).toEqual([]);
  });

  it('drops a bucket of which nothing lives, and is done with it', async () => {
    const { p, world, volume } = await rowsOnly({ 1: 1 }, 0);
    const stream = new NotedStream(world.clock);
    const hands = handTargets();
    const worker = new DrainWorker(p.volumes, stream, hands.makeTarget);
    expect(await sendDraining(p.volumes, stream, await volume(1), 9)).toBe(1);
    expect(await worker.step(9)).toBe(1);
    expect(stream.take().slice(2)).toEqual(['ack 1/1']);
    expect(await readBucket(world.panda, SMALL.cell, hex(1000) as BucketId)).toBeUndefined();
    expect(hands.targets).toEqual([]);
  });
});
