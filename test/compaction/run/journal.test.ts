// The journal of a run from its beginning to its end: who may go on with it, what becomes of it when somebody else was first or an answer is lost,
// and what a task says of a plan.
import { describe, expect, it } from 'vitest';
import type { MergePlan, PlannedMerge } from '../../../lib/compaction/plan/merges/merge-plan.ts';
import type { PlannedRun } from '../../../lib/compaction/plan/plan.ts';
import {
  advance,
  beginJournal,
  endJournal,
  hasForeignJournal,
  isDeadRun,
  listJournal,
  mergeTaskOf,
  progressed,
  readJournal,
  requireJournal,
  taskOf,
  volumesOf,
} from '../../../lib/compaction/run/journal.ts';
import { journalAttributes, journalFromRow, journalKey } from '../../../lib/compaction/run/journal-row.ts';
import { denied, unknownOutcome } from '../../../lib/foundation/errors.ts';
import type { BucketId, RunId, VolumeId } from '../../../lib/foundation/ids.ts';
import { RUN_REMNANTS_MAX } from '../../../lib/limits/panda.ts';
import { beaten, lostOnce, refusing, watchedProcess } from './watched-panda.ts';

const TASK = { strategy: 'l2', plan: 'p', name: 'l2-0001', host: null, sources: ['a', 'b'] } as const;
const task = { ...TASK, sources: [...TASK.sources] };
const RUN = 'l2/p0/1' as RunId;
const LOST = unknownOutcome('PANDA_UNKNOWN', 'lost');
const DENIED = denied('PANDA_DENIED', 'no');

describe('a journal', () => {
  it('begins before anything is leased, goes on phase by phase, and is gone at the end', async () => {
    const { components, world, writes } = watchedProcess();
    world.clock.advance(70);
    const startedAtMs = world.clock.nowMs();
    const begun = await beginJournal(components, RUN, task);
    expect(begun).toEqual({ id: RUN, run: RUN, phase: 'PREPARE', startedAtMs, task, copied: undefined });
    const copying = await advance(components, begun, { phase: 'COPY' });
    expect(copying).toEqual({ ...begun, phase: 'COPY' });
    world.clock.advance(30);
    expect(progressed(components)).toEqual({ progressAtMs: startedAtMs + 30 });
    const taken = await advance(components, copying as typeof begun, {
      run: 'l2/p1/2' as RunId,
      ...progressed(components),
    });
    expect(taken).toEqual({ ...begun, phase: 'COPY', run: 'l2/p1/2', progressAtMs: startedAtMs + 30 });
    expect(await readJournal(components, RUN)).toEqual(taken);
    expect(await listJournal(components)).toEqual([taken]);
    expect(await requireJournal(components)).toEqual([taken]);
    expect(await hasForeignJournal(components)).toBe(false);
    await endJournal(components, taken as typeof begun);
    expect([await readJournal(components, RUN), await listJournal(components)]).toEqual([undefined, []]);
    expect(writes).toEqual([...Array.from({ length: 3 }, () => `put work/run ${RUN}`), `delete work/run ${RUN}`]);
  });

  it('is of who has it: others advance nothing, and end nothing', async () => {
    const { components } = watchedProcess();
    const begun = await beginJournal(components, RUN, task);
    await expect(beginJournal(components, RUN, task)).rejects.toMatchObject({ kind: 'conflict' });
    const mine = await advance(components, begun, { run: 'l2/p1/2' as RunId });
    expect(await advance(components, begun, { phase: 'COPY' })).toBeUndefined();
    expect(
      await advance(components, { ...begun, run: 'l2/p1/2' as RunId, phase: 'COPY' }, { phase: 'COMMIT' }),
    ).toBeUndefined();
    await endJournal(components, begun);
    expect(await readJournal(components, RUN)).toEqual(mine);
  });

  it('takes effect although an answer is lost; other errors come out', async () => {
    const { components, state, world } = watchedProcess();
    lostOnce(state, LOST);
    const begun = await beginJournal(components, RUN, task);
    lostOnce(state, LOST);
    const next = await advance(components, begun, { phase: 'COPY', run: 'l2/p9/9' as RunId });
    expect(next).toEqual({ ...begun, phase: 'COPY', run: 'l2/p9/9' });
    lostOnce(state, LOST);
    await endJournal(components, next as typeof begun);
    expect(await readJournal(components, RUN)).toBeUndefined();
    state.answer = refusing(DENIED);
    await expect(beginJournal(components, RUN, task)).rejects.toBe(DENIED);
    await expect(advance(components, begun, { phase: 'COPY' })).rejects.toBe(DENIED);
    await expect(endJournal(components, begun)).rejects.toBe(DENIED);
    state.answer = undefined;
    const again = await beginJournal(components, RUN, task);
    // Somebody takes it over while the answer is on its way: then it is not ours.
    const other = world.start().components;
    state.answer = async (writes, inner) => {
      state.answer = undefined;
      await inner.transact(writes);
      const now = await readJournal(other, RUN);
      await advance(other, now as typeof again, { run: 'l2/p5/5' as RunId });
      throw LOST;
    };
    expect(await advance(components, again, { phase: 'COPY' })).toBeUndefined();
    expect(await readJournal(components, RUN)).toMatchObject({ run: 'l2/p5/5', phase: 'COPY' });
    beaten(state, async () => endJournal(other, (await readJournal(other, RUN)) as typeof again));
    await endJournal(components, { ...again, run: 'l2/p5/5' as RunId });
    expect(await readJournal(components, RUN)).toBeUndefined();
  });

  it('by a clock before 1970 is of then', async () => {
    const { components, world } = watchedProcess();
    world.clock.jumpTo(-9);
    expect(await beginJournal(components, RUN, task)).toMatchObject({ startedAtMs: 0 });
    expect(progressed(components)).toEqual({ progressAtMs: 0 });
  });

  it('of another release is passed over where runs are listed, and stands in the way where they are needed', async () => {
    const { components, world } = watchedProcess();
    const begun = await beginJournal(components, RUN, task);
    const foreign = { ...journalAttributes({ ...begun, id: 'l2/z/9' as RunId }), f: 4 };
    await world.panda.transact([{ kind: 'put', ...journalKey('l2/z/9' as RunId), attributes: foreign }]);
    expect(await listJournal(components)).toEqual([begun]);
    expect(await hasForeignJournal(components)).toBe(true);
    await expect(requireJournal(components)).rejects.toMatchObject({ kind: 'invalid', code: 'JOURNAL_VERSION' });
    for (const f of [1, 2, 3]) {
      const key = journalKey('l2/z/9' as RunId);
      await world.panda.transact([{ kind: 'put', ...key, attributes: { ...foreign, f } }]);
      expect([(await requireJournal(components)).length, await hasForeignJournal(components)]).toEqual([2, false]);
    }
  });

  it('is the same once it was written, whatever it says', () => {
    const copied = {
      generation: 2,
      token: 0,
      buckets: [{ bucket: 'b' as BucketId, source: 'v' as VolumeId, move: 0, seq: 1 }],
      extents: ['1/2/3'],
      groups: [{ seq: 1, own: ['b' as BucketId] }],
    };
    const planned: [number, number][] = [
      [1, 0],
      [2, 7],
    ];
    const row = {
      id: RUN,
      run: 'l2/q/1' as RunId,
      phase: 'COMMIT' as const,
      startedAtMs: 0,
      task: { ...task, planned },
    };
    for (const one of [
      { ...row, copied: undefined },
      { ...row, copied },
      { ...row, copied: { generation: 1, token: 3, buckets: [] }, progressAtMs: 0 },
      { ...row, task: { ...task, merges: [[['b', 1] as [string, number]]] }, copied: undefined, progressAtMs: 8 },
    ])
      expect(journalFromRow({ ...journalKey(RUN), attributes: journalAttributes(one) })).toEqual(one);
    const bad = (changes: object) => () =>
      journalFromRow({ ...journalKey(RUN), attributes: { ...journalAttributes({ ...row, copied }), ...changes } });
    for (const changes of [
      { j: '{}' },
      { j: 'x' },
      { c: '{}' },
      { c: JSON.stringify({ ...copied, generation: 0 }) },
      { c: JSON.stringify({ ...copied, token: -1 }) },
      { c: JSON.stringify({ ...copied, groups: [{ seq: 0, own: [] }] }) },
      { s: 'DONE' },
      { p: 'x' },
      { r: 4 },
    ])
      expect(bad(changes), JSON.stringify(changes)).toThrowError(expect.objectContaining({ kind: 'corrupt' }));
  });
});

it('nobody works on what is parked, or on what a process has that is known to be dead', () => {
  const { components } = watchedProcess();
  const owners = { ...components, owner: 'me', isOwnerGone: (owner: string) => owner === 'gone' || owner === 'me' };
  const dead = ['parked', 'gone', 'me', 'other', 'drainer'].map((owner) => isDeadRun(owners, `l2/${owner}/1` as RunId));
  expect(dead).toEqual([true, true, false, false, false]);
});

describe('a task', () => {
  const source = (volume: string, generation: number, buckets: number) => ({ volume, generation, buckets });

  it('says what every volume of a run was when it was planned, the host first', () => {
    const run = {
      strategy: 'l1',
      name: 'l1-0002',
      host: source('h', 3, 9),
      sources: [source('a', 1, 0), source('b', 2, 5)],
    };
    const withHost = taskOf('digest', run as unknown as PlannedRun);
    expect(withHost).toEqual({
      strategy: 'l1',
      plan: 'digest',
      name: 'l1-0002',
      host: 'h',
      sources: ['a', 'b'],
      planned: [
        [3, 9],
        [1, 0],
        [2, 5],
      ],
    });
    expect(volumesOf(withHost)).toEqual(['h', 'a', 'b']);
    const without = taskOf('digest', { ...run, strategy: 'l2', host: null } as unknown as PlannedRun);
    expect(without).toMatchObject({
      host: null,
      planned: [
        [1, 0],
        [2, 5],
      ],
    });
    expect(volumesOf(without)).toEqual(['a', 'b']);
  });

  const merge = (...pairs: readonly [string, string][]) =>
    ({ sources: pairs.map(([bucket, volume]) => ({ bucket, volume })) }) as unknown as PlannedMerge;
  const planOf = (...merges: PlannedMerge[]) =>
    ({
      digest: 'd',
      merges,
      volumes: [
        { volume: 'u', generation: 9, buckets: 1 },
        { volume: 'v', generation: 1, buckets: 4 },
        { volume: 'w', generation: 2, buckets: 5 },
      ],
    }) as unknown as MergePlan;

  it('of merges names volumes once, and every remnant by the place of its volume', () => {
    const plan = planOf(merge(['b1', 'w'], ['b2', 'v']), merge(['b3', 'w'], ['b4', 'w']));
    expect(mergeTaskOf(plan)).toEqual({
      strategy: 'merge',
      plan: 'd',
      name: 'merge-0001',
      host: null,
      sources: ['v', 'w'],
      planned: [
        [1, 4],
        [2, 5],
      ],
      merges: [
        [
          ['b1', 1],
          ['b2', 0],
        ],
        [
          ['b3', 1],
          ['b4', 1],
        ],
      ],
    });
    expect(mergeTaskOf(plan, new Set(['v']))).toMatchObject({
      sources: ['w'],
      merges: [
        [
          ['b3', 0],
          ['b4', 0],
        ],
      ],
    });
    expect(mergeTaskOf(plan, new Set(['w']))).toBeUndefined();
    expect(mergeTaskOf(planOf())).toBeUndefined();
  });

  it('of merges has as many remnants as fit its row, and those of one merge at least', () => {
    const many = (count: number, from: string) =>
      merge(...Array.from({ length: count }, (_, i): [string, string] => [`${from}${i}`, 'v']));
    const counts = (...sizes: readonly number[]) =>
      mergeTaskOf(planOf(...sizes.map((size, i) => many(size, String(i)))))?.merges?.map(({ length }) => length);
    expect(counts(RUN_REMNANTS_MAX - 2, 2, 1)).toEqual([RUN_REMNANTS_MAX - 2, 2]);
    expect(counts(RUN_REMNANTS_MAX - 2, 3, 1)).toEqual([RUN_REMNANTS_MAX - 2]);
    expect(counts(RUN_REMNANTS_MAX + 1, 1)).toEqual([RUN_REMNANTS_MAX + 1]);
  });
});
