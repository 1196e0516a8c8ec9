// An L3 run in one process, drainer and worker in turns: what goes into the queue and out of it, what stops it, and what is left of it then.
import { describe, expect, it } from 'vitest';
import { streamSources } from '../../../lib/compaction/move/l3/in-process.ts';
import { drainMessage } from '../../../lib/compaction/move/l3/stream-runs.ts';
import { budgetsOf } from '../../../lib/compaction/plan/budget.ts';
import { coderStall, noteCoder } from '../../../lib/compaction/run/coder-state.ts';
import { beginPeriod } from '../../../lib/compaction/run/period.ts';
import { retryLater } from '../../../lib/foundation/errors.ts';
import type { RunId } from '../../../lib/foundation/ids.ts';
import {
  DEAD_LETTERS_MAX,
  DRAIN_RECEIVE_MAX,
  DRAIN_ROUNDS_MAX,
  DRAIN_VISIBILITY_MS,
  QUEUE_DEPTH_MAX,
} from '../../../lib/limits/compaction.ts';
import { type VolumeRow, volumeKey } from '../../../lib/panda/rows/volume-row.ts';
import type { Delivery } from '../../../lib/stream/stream.ts';
import { listVolumes } from '../../../lib/volume/rows/read-rows.ts';
import { takeRun } from '../../../lib/volume/runs/runs.ts';
import { actorsOf, SMALL, sealedWorld } from '../acting-world.ts';
import { handTargets, hex, NotedStream } from './drained-world.ts';

const prepared = sealedWorld({ volumes: 2, filesEach: 16, deletedEach: () => 0 });
const MINE = 'l3/p0/1' as RunId;

/** Two sources that drain under one run, and an empty queue. */
async function draining(Stream: typeof NotedStream = NotedStream) {
  const made = await prepared;
  const world = made.world.clone();
  const p = world.start();
  const stream = new Stream(world.clock);
  const volumes: VolumeRow[] = [];
  for (const { id, state } of await listVolumes(p.components.panda, SMALL.cell))
    if (state === 'sealed') volumes.push((await takeRun(p.components, id, MINE)) as VolumeRow);
  const counts = volumes.map(({ buckets }) => buckets.size);
  const states = async () =>
    (await listVolumes(world.panda, SMALL.cell))
      .filter(({ id }) => volumes.some((volume) => volume.id === id))
      .map(({ state, run }) => `${state} ${run}`);
  const run = (signal?: AbortSignal, makeTarget = actorsOf(p).makeTarget) =>
    streamSources({ store: p.volumes, stream, makeTarget }, MINE, volumes, signal);
  return { world, model: made.model, p, stream, volumes, counts, states, run };
}

const receive = (max: number, got: number): string => `receive ${max} for ${DRAIN_VISIBILITY_MS}: ${got}`;
const kinds = (notes: readonly string[]): string[] => notes.map((note) => note.replace(/^(ack|release) .*/, '$1'));
const SEALED = 'sealed undefined';

describe('a run', () => {
  it('sends what a source holds, works it off, and goes on with the next; what is empty is retired', async () => {
    const { world, model, p, stream, counts, states, run } = await draining();
    await noteCoder(p.components, { code: 'STORE_FULL', text: 'it was' });
    const moved = await run();
    const [first = 0, second = 0] = counts;
    expect(kinds(stream.take()).filter((note) => note !== 'ack')).toEqual([
      `send ${first}`,
      receive(DRAIN_RECEIVE_MAX, first),
      receive(DRAIN_RECEIVE_MAX, 0),
      `send ${second}`,
      receive(DRAIN_RECEIVE_MAX, second),
      receive(DRAIN_RECEIVE_MAX, 0),
      'release',
    ]);
    expect(moved).toMatchObject({ buckets: first + second, retired: 2, skipped: [], stalled: undefined });
    expect(moved.destinations.size).toBe(1);
    expect(await states()).toEqual(['trash undefined', 'trash undefined']);
    expect(await stream.figures()).toMatchObject({ ready: 0, inFlight: 0, dead: 0 });
    expect(await coderStall(p.components)).toBeUndefined();
    await model.expectIn(world.start());
  });

  it('sends again what gets lost, as often as it may, and leaves the rest to the next plan', async () => {
    class LossyStream extends NotedStream {
      override async send(bodies: readonly string[]): Promise<void> {
        this.notes.push(`lost ${bodies.length}`);
      }
    }
    const { stream, counts, states, run } = await draining(LossyStream);
    const moved = await run();
    const sends = stream.take().filter((note) => note.startsWith('lost'));
    expect(sends).toEqual(
      Array.from({ length: DRAIN_ROUNDS_MAX }, () => counts.map((count) => `lost ${count}`)).flat(),
    );
    expect(moved).toMatchObject({ buckets: 0, groups: 0, retired: 0, stalled: undefined });
    expect(await states()).toEqual([SEALED, SEALED]);
  });

  it('moves what others have in the queue as well, and counts only its own', async () => {
    const { p, stream, volumes, counts, run } = await draining();
    const [first, second] = volumes as [VolumeRow, VolumeRow];
    const other = 'l3/p0/2' as RunId;
    await p.components.panda.transact([{ kind: 'update', ...volumeKey(SMALL.cell, second.id), set: { r: other } }]);
    for (const bucket of second.buckets)
      await stream.send([drainMessage({ run: other, bucket, source: second.id, move: 0 })]);
    const actors = { store: p.volumes, stream, makeTarget: actorsOf(p).makeTarget };
    const moved = await streamSources(actors, MINE, [first]);
    expect(moved).toMatchObject({ buckets: counts[0], retired: 1, stalled: undefined });
    expect((await stream.figures()).ready).toBe(0);
    expect(await run()).toMatchObject({ buckets: 0, retired: 0 });
  });
});

describe('it stops', () => {
  it('before it sends anything while there are dead letters: somebody has to look', async () => {
    const { stream, states, run } = await draining();
    const bury = async (count: number) => {
      await stream.send(Array.from({ length: count }, () => 'nonsense'));
      for (let i = 0; i < 17; i++) await stream.receive(99, 0);
      stream.take();
    };
    await bury(DEAD_LETTERS_MAX);
    expect(await run()).toMatchObject({
      buckets: 0,
      retired: 0,
      stalled: { code: 'DEAD_LETTERS', text: `${DEAD_LETTERS_MAX} dead letters: look at them first` },
    });
    expect(kinds(stream.take())).toEqual(['release']);
    expect(await states()).toEqual([SEALED, SEALED]);
    await stream.drop(['1']);
    // Fewer are passed over.
    const again = await draining();
    expect((await again.run()).stalled).toBeUndefined();
  });

  it('when the budget of metadata is spent, and takes no more than it allows', async () => {
    const { p, stream, counts, states, run } = await draining();
    await beginPeriod(p.components, budgetsOf({ metadataWrites: 2 }));
    const spent = { code: 'METADATA_SPENT', text: 'the metadata budget is used up' };
    expect(await run()).toMatchObject({ buckets: 0, retired: 0, stalled: spent });
    expect(kinds(stream.take())).toEqual(['release']);
    expect(await states()).toEqual([SEALED, SEALED]);
    const second = await draining();
    await beginPeriod(second.p.components, budgetsOf({ metadataWrites: 3 * (counts[0] ?? 0) }));
    const moved = await second.run();
    expect(moved.stalled).toEqual(spent);
    expect(moved.buckets).toBe(counts[0]);
    expect((await second.states()).sort()).toEqual([SEALED, 'trash undefined']);
    const [first = 0, other = 0] = counts;
    expect(kinds(second.stream.take())).toEqual([
      `send ${first}`,
      receive(first, first),
      receive(first, 0),
      receive(first, 0),
      'ack',
      `send ${other}`,
      'release',
    ]);
  });

  it('when it is told to: at once, or after what it is at', async () => {
    const { stream, states, run } = await draining();
    expect(await run(AbortSignal.abort())).toMatchObject({ buckets: 0, retired: 0, stalled: undefined });
    expect(kinds(stream.take())).toEqual(['release']);
    expect(await states()).toEqual([SEALED, SEALED]);
    // What is empty by then is retired all the same.
    const empty = await draining();
    const [gone] = empty.volumes as [VolumeRow];
    const key = volumeKey(SMALL.cell, gone.id);
    await empty.world.panda.transact([{ kind: 'update', ...key, remove: ['b'] }]);
    expect(await empty.run(AbortSignal.abort())).toMatchObject({ buckets: 0, retired: 1 });
    expect((await empty.states()).sort()).toEqual([SEALED, 'trash undefined']);
    const second = await draining();
    const end = new AbortController();
    const hands = handTargets();
    const moved = await second.run(end.signal, (id, onMoved) => {
      const target = hands.makeTarget(id, onMoved);
      return {
        ...target,
        push: (content) => {
          end.abort();
          return target.push(content);
        },
      };
    });
    expect(moved).toMatchObject({ buckets: 0, retired: 0, stalled: undefined });
    expect(hands.targets.map(({ flushes, discards }) => [flushes, discards])).toEqual([[0, 1]]);
    const notes = kinds(second.stream.take());
    expect(notes.filter((note) => note.startsWith('send'))).toEqual([`send ${second.counts[0]}`]);
    expect(notes.filter((note) => note.startsWith('receive'))).toHaveLength(1);
    expect(await second.states()).toEqual([SEALED, SEALED]);
  });

  it('when the Live Coder cannot write: others are told, and all of it is there again', async () => {
    const { p, stream, counts, states, run } = await draining();
    const hands = handTargets();
    const moved = await run(undefined, (id, onMoved) => {
      const target = hands.makeTarget(id, onMoved);
      (hands.targets.at(-1) as { fails: Error | undefined }).fails = retryLater('DRIVES_MISSING', 'too few');
      return target;
    });
    const stalled = { code: 'DRIVES_MISSING', text: 'too few' };
    expect(moved).toMatchObject({ buckets: 0, retired: 0, stalled });
    expect(await coderStall(p.components)).toEqual(stalled);
    expect(await stream.figures()).toMatchObject({ ready: counts[0], inFlight: 0 });
    expect(await states()).toEqual([SEALED, SEALED]);
  });

  it('when the queue does not answer, with its leases ended; a mistake comes out', async () => {
    const broken = retryLater('STREAM_BUSY', 'not now');
    class BrokenStream extends NotedStream {
      error: Error = broken;
      override send(): Promise<void> {
        return Promise.reject(this.error);
      }
    }
    const { states, run } = await draining(BrokenStream);
    expect(await run()).toMatchObject({ buckets: 0, retired: 0, stalled: { code: 'STREAM_BUSY', text: 'not now' } });
    expect(await states()).toEqual([SEALED, SEALED]);
    const second = await draining(BrokenStream);
    (second.stream as BrokenStream).error = new TypeError('a mistake');
    await expect(second.run()).rejects.toThrow('a mistake');
  });
});

describe('what is in the queue already', () => {
  /** Messages of a run that has ended: whoever takes one is done with it. */
  const outdated = (source: VolumeRow): string =>
    drainMessage({ run: 'l3/gone/1' as RunId, bucket: hex(1) as never, source: source.id, move: 0 });

  it('is left where it is while there is room for a source beside it', async () => {
    const { stream, volumes, counts, run } = await draining();
    const beside = QUEUE_DEPTH_MAX - (counts[0] ?? 0);
    await stream.send(Array.from({ length: beside }, () => outdated(volumes[0] as VolumeRow)));
    stream.take();
    expect((await run()).stalled).toBeUndefined();
    expect(stream.take()[0]).toBe(`send ${counts[0]}`);
  });

  it('is worked off first if there is none, and what waits is written', async () => {
    const { stream, volumes, counts, run } = await draining();
    const beside = QUEUE_DEPTH_MAX - (counts[0] ?? 0) + 1;
    await stream.send(Array.from({ length: beside }, () => outdated(volumes[0] as VolumeRow)));
    stream.take();
    expect((await run()).stalled).toBeUndefined();
    const notes = kinds(stream.take());
    expect(notes.indexOf(`send ${counts[0]}`)).toBe(2 * Math.ceil(beside / DRAIN_RECEIVE_MAX) + 1);
    // Others have taken them: nothing can be done but to write what waits.
    const flushes = async (all: number, Stream = NotedStream): Promise<number> => {
      const second = await draining(Stream);
      await second.stream.send(Array.from({ length: all }, () => outdated(second.volumes[0] as VolumeRow)));
      await second.stream.receive(all, 1_000_000_000);
      let count = 0;
      const { makeTarget } = actorsOf(second.p);
      const moved = await second.run(undefined, (id, onMoved) => {
        const target = makeTarget(id, onMoved);
        return {
          push: (content) => target.push(content),
          discard: () => target.discard(),
          flush: () => {
            count += 1;
            return target.flush();
          },
        };
      });
      expect(moved).toMatchObject({ buckets: (counts[0] ?? 0) + (counts[1] ?? 0), retired: 2, stalled: undefined });
      return count;
    };
    expect([await flushes(1), await flushes(QUEUE_DEPTH_MAX)]).toEqual([1, 2]);
    // What the first source has in the Live Coder is on its way, too: beside it and these there is just room for the second.
    const room = QUEUE_DEPTH_MAX - (counts[0] ?? 0) - (counts[1] ?? 0);
    expect([await flushes(room), await flushes(room + 1)]).toEqual([1, 2]);
    // Others have filled it once the first source was worked off: when theirs are, there is room, and nothing has to be written yet.
    class SharedStream extends NotedStream {
      #isFilled = false;
      override async receive(max: number, visibilityMs: number): Promise<Delivery[]> {
        const got = await super.receive(max, visibilityMs);
        if (got.length > 0 || this.#isFilled || !this.notes.some((note) => note.startsWith('send 5'))) return got;
        this.#isFilled = true;
        await this.send(Array.from({ length: QUEUE_DEPTH_MAX - 2 }, () => outdated(volumes[0] as VolumeRow)));
        return got;
      }
    }
    expect(await flushes(1, SharedStream)).toBe(1);
  });
});
