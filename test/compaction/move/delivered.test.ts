// Messages that a queue hands over by itself: which of them are done with, which are given back, and which are forgotten because it was only time or a
// budget that cut them off.
import { expect, it } from 'vitest';
import { workDelivered } from '../../../lib/compaction/move/l3/delivered.ts';
import { sendDraining } from '../../../lib/compaction/move/l3/stream-runs.ts';
import { budgetsOf } from '../../../lib/compaction/plan/budget.ts';
import type { MakeTarget } from '../../../lib/compaction/run/actors.ts';
import { beginPeriod } from '../../../lib/compaction/run/period.ts';
import { retryLater } from '../../../lib/foundation/errors.ts';
import type { RunId } from '../../../lib/foundation/ids.ts';
import type { VolumeRow } from '../../../lib/panda/rows/volume-row.ts';
import type { Delivery } from '../../../lib/stream/stream.ts';
import { listVolumes } from '../../../lib/volume/rows/read-rows.ts';
import { takeRun } from '../../../lib/volume/runs/runs.ts';
import { actorsOf, SMALL, sealedWorld } from '../acting-world.ts';
import { handTargets, NotedStream } from './drained-world.ts';

const prepared = sealedWorld({ volumes: 3, filesEach: 16, deletedEach: () => 0 });
const RUN = 'l3/p0/1' as RunId;
const NEVER = new AbortController().signal;

/** All messages of some sources, received. */
async function delivered() {
  const world = (await prepared).world.clone();
  const p = world.start();
  const stream = new NotedStream(world.clock);
  const sources: VolumeRow[] = [];
  for (const { id, state } of await listVolumes(p.components.panda, SMALL.cell))
    if (state === 'sealed') sources.push((await takeRun(p.components, id, RUN)) as VolumeRow);
  for (const source of sources) await sendDraining(p.volumes, stream, source, 99);
  const all = await stream.receive(99, 1_000_000_000);
  stream.take();
  const work = (some: readonly Delivery[], signal = NEVER, makeTarget: MakeTarget = actorsOf(p).makeTarget) =>
    workDelivered({ store: p.volumes, makeTarget }, stream, some, signal);
  return { world, p, stream, all, work };
}

const receipts = (some: readonly Delivery[]): string[] => some.map(({ receipt }) => receipt);

it('are moved, all of them, and are done with', async () => {
  const { all, work, stream } = await delivered();
  expect(all.length).toBeGreaterThan(12);
  const { movedBytes, storedBytes, ...report } = await work(all);
  expect(report).toEqual({ failed: [], movedBuckets: all.length, stalled: undefined });
  expect(movedBytes).toBeGreaterThan(all.length * 1000);
  expect(storedBytes).toBeGreaterThan(movedBytes * 1.5);
  expect(stream.take()).toEqual(['release ']);
  // Twice they are done with at once.
  expect(await work(all)).toEqual({ failed: [], movedBuckets: 0, movedBytes: 0, storedBytes: 0, stalled: undefined });
});

it('wait for more while they are few and more are there: a small group is only written when no more is to come', async () => {
  const few = await delivered();
  const [first, ...rest] = few.all as [Delivery, ...Delivery[]];
  await few.stream.release(receipts(rest));
  few.stream.take();
  expect(await few.work([first])).toEqual({
    failed: [first.receipt],
    movedBuckets: 0,
    movedBytes: 0,
    storedBytes: 0,
    stalled: undefined,
  });
  expect(few.stream.take()).toEqual([`release ${first.receipt}`]);
  const last = await delivered();
  expect(await last.work([last.all[0] as Delivery])).toMatchObject({ failed: [], movedBuckets: 1 });
  // Half a group is no small one.
  const half = await delivered();
  await half.stream.release(receipts(half.all.slice(2)));
  expect(await half.work(half.all.slice(0, 2))).toMatchObject({ failed: [], movedBuckets: 2 });
  // Where nothing waits there is nothing to ask.
  const none = await delivered();
  expect(await none.work([])).toMatchObject({ failed: [], movedBuckets: 0, stalled: undefined });
});

it('beyond what the budget allows are forgotten: the drainer sends them again', async () => {
  const { p, all, work } = await delivered();
  await beginPeriod(p.components, budgetsOf({ metadataWrites: 3 * 4 + 2 }));
  expect(await work(all)).toMatchObject({ failed: [], movedBuckets: 4, stalled: undefined });
  const spent = await delivered();
  await beginPeriod(spent.p.components, budgetsOf({ metadataWrites: 2 }));
  expect(await spent.work(spent.all)).toMatchObject({ failed: [], movedBuckets: 0, stalled: undefined });
});

it('that time alone has cut off are forgotten, too; what has failed is not', async () => {
  const { all, work, stream } = await delivered();
  expect(await work(all, AbortSignal.abort())).toMatchObject({ failed: [], movedBuckets: 0, stalled: undefined });
  expect(stream.take()).toEqual(['release ']);
  const nonsense: Delivery = { id: 'x', body: 'nonsense', receipt: 'x/1', receives: 1 };
  const end = new AbortController();
  const hands = handTargets();
  const cut = await work([nonsense, ...all], end.signal, (run, onMoved) => {
    end.abort();
    return hands.makeTarget(run, onMoved);
  });
  expect(cut).toMatchObject({ failed: ['x/1'], movedBuckets: 0, stalled: undefined });
  expect(stream.take()).toEqual(['release x/1']);
  // A batch of ten, and no look at the others.
  expect(hands.targets.map(({ pushed, flushes, discards }) => [pushed.length, flushes, discards])).toEqual([[9, 0, 1]]);
});

it('stay hidden while the Live Coder cannot write', async () => {
  const { all, work, stream } = await delivered();
  const hands = handTargets();
  const stalled = await work(all, NEVER, (run, onMoved) => {
    const target = hands.makeTarget(run, onMoved);
    (hands.targets.at(-1) as { fails: Error | undefined }).fails = retryLater('STORE_FULL', 'no zone is free');
    return target;
  });
  expect(stalled).toEqual({
    failed: receipts(all),
    movedBuckets: 0,
    movedBytes: 0,
    storedBytes: 0,
    stalled: { code: 'STORE_FULL', text: 'no zone is free' },
  });
  expect(stream.take()).toEqual([]);
  expect(hands.targets).toHaveLength(1);
});
