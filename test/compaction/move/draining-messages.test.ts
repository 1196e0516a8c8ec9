// Messages of what drains: one for every bucket that is still there and none for what is a dead letter already; and dead letters, whether they still matter.
import { expect, it } from 'vitest';
import {
  deadBuckets,
  drainMessage,
  listDead,
  parseDrainMessage,
  redriveDead,
  sendDraining,
} from '../../../lib/compaction/move/l3/stream-runs.ts';
import type { BucketId, RunId, VolumeId } from '../../../lib/foundation/ids.ts';
import { DRAIN_SENDS_AT_ONCE, LETTERS_MAX } from '../../../lib/limits/compaction.ts';
import { bucketKey } from '../../../lib/panda/rows/bucket-row.ts';
import { volumeKey } from '../../../lib/panda/rows/volume-row.ts';
import { SMALL } from '../acting-world.ts';
import { hex, NotedStream, RUN, rowsOnly } from './drained-world.ts';

const at = (bucket: number, move = 0, source = 1) => ({
  run: RUN,
  bucket: hex(bucket) as BucketId,
  source: hex(source) as VolumeId,
  move,
});

it('go out so many at once, and no more than are asked for', async () => {
  const { p, world, volume } = await rowsOnly({ 1: DRAIN_SENDS_AT_ONCE + 2 });
  const sent = async (max: number) => {
    const stream = new NotedStream(world.clock);
    return [await sendDraining(p.volumes, stream, await volume(1), max), stream.take()];
  };
  const whole = DRAIN_SENDS_AT_ONCE;
  expect(await sent(1000)).toEqual([whole + 2, [`send ${whole}`, 'send 2']]);
  expect(await sent(whole + 1)).toEqual([whole + 1, [`send ${whole}`, 'send 1']]);
  expect(await sent(whole)).toEqual([whole, [`send ${whole}`]]);
  expect(await sent(3)).toEqual([3, ['send 3']]);
  expect(await sent(0)).toEqual([0, []]);
});

it('name the run, the bucket, where it lies and how often it moved; what is elsewhere, gone or dead has none', async () => {
  const { p, world, volume, put } = await rowsOnly({ 1: 5 });
  const row = (n: number) => bucketKey(SMALL.cell, hex(n) as BucketId);
  await put([
    { kind: 'update', ...row(1001), set: { v: hex(2) } },
    { kind: 'delete', ...row(1002) },
    { kind: 'update', ...row(1003), set: { m: 4, q: 1, t: 1 } },
  ]);
  const stream = new NotedStream(world.clock);
  const dead = new Set([`${hex(1003)}/3`, `${hex(1004)}/0`]);
  expect(await sendDraining(p.volumes, stream, await volume(1), 99, dead)).toBe(2);
  const got = await stream.receive(99, 1);
  expect(got.map(({ body }) => parseDrainMessage(body))).toEqual([at(1000), at(1003, 4)]);
  expect(got.map(({ body }) => JSON.parse(body))).toEqual([
    { v: 1, ...at(1000) },
    { v: 1, ...at(1003, 4) },
  ]);
});

it('are of a volume that drains under the run it was read with, and of no other', async () => {
  const { p, world, volume, put } = await rowsOnly({ 1: 2 });
  const source = await volume(1);
  const stream = new NotedStream(world.clock);
  const key = volumeKey(SMALL.cell, hex(1) as VolumeId);
  const sent = () => sendDraining(p.volumes, stream, source, 9);
  expect(await sent()).toBe(2);
  await put([{ kind: 'update', ...key, set: { r: 'l3/p0/2' } }]);
  expect(await sent()).toBe(0);
  await put([{ kind: 'update', ...key, set: { r: RUN, s: 'sealed' } }]);
  expect(await sent()).toBe(0);
  await put([{ kind: 'update', ...key, set: { s: 'draining' }, remove: ['r'] }]);
  expect(await sent()).toBe(0);
  expect(await sendDraining(p.volumes, stream, { ...source, run: undefined }, 9)).toBe(0);
  await put([{ kind: 'delete', ...key }]);
  expect(await sent()).toBe(0);
  expect(stream.take()).toEqual(['send 2']);
});

it('that are none of ours are not understood: another version, a field too many or too few, ids that are none', () => {
  const whole = { v: 1, ...at(1) };
  expect(parseDrainMessage(JSON.stringify(whole))).toEqual(at(1));
  expect(parseDrainMessage(drainMessage(at(2, 3)))).toEqual(at(2, 3));
  for (const changes of [
    { v: 2 },
    { more: 1 },
    { run: '' },
    { bucket: `${hex(1)}0` },
    { bucket: `x${hex(1).slice(1)}` },
    { source: `0${hex(1)}` },
    { source: hex(1).slice(1) },
    { move: -1 },
    { move: 0.5 },
    { run: undefined },
  ])
    expect(parseDrainMessage(JSON.stringify({ ...whole, ...changes })), JSON.stringify(changes)).toBeUndefined();
});

/** Received too often. */
async function buried(stream: NotedStream, bodies: readonly string[]): Promise<void> {
  await stream.send(bodies);
  for (let receive = 0; receive < 9; receive++) await stream.receive(99, 0);
  stream.take();
}

it('that are dead letters are looked up if there are any', async () => {
  const { world } = await rowsOnly({});
  const stream = new NotedStream(world.clock, 3);
  expect(await deadBuckets(stream, { dead: 0 })).toEqual(new Set());
  expect(stream.take()).toEqual([]);
  await buried(stream, [drainMessage(at(7, 2)), 'nonsense', drainMessage(at(8))]);
  expect(await deadBuckets(stream, await stream.figures())).toEqual(new Set([`${hex(7)}/2`, `${hex(8)}/0`]));
  expect(stream.take()).toEqual([`dead ${LETTERS_MAX}`]);
});

it('that are dead letters matter while their bucket is where it was to be drained from', async () => {
  const { p, world } = await rowsOnly({ 1: 2 });
  const stream = new NotedStream(world.clock, 3);
  const messages = [at(1000), at(1001, 1), at(1000, 0, 2), at(1009)];
  await buried(stream, [...messages.map(drainMessage), 'nonsense']);
  const listed = await listDead(p.volumes, stream);
  expect(stream.take()).toEqual([`dead ${LETTERS_MAX}`]);
  expect(listed.map(({ id, message, isCurrent }) => [id, message, isCurrent])).toEqual([
    ['1', messages[0], true],
    ['2', messages[1], false],
    ['3', messages[2], false],
    ['4', messages[3], false],
    ['5', undefined, false],
  ]);
  expect(listed[4]).toMatchObject({ body: 'nonsense', receives: 3 });
  expect(await listDead(p.volumes, stream, 2)).toHaveLength(2);
  expect([await redriveDead(stream, ['2']), await redriveDead(stream)]).toEqual([1, 4]);
  expect(await deadBuckets(stream, { dead: 1 })).toEqual(new Set());
});

it('of a run that is another one are of that run', () => {
  expect(parseDrainMessage(drainMessage({ ...at(1), run: 'l3/x/9' as RunId }))?.run).toBe('l3/x/9');
});
