// What dead processes have left: their runs end, leases go back, and whatever somebody may still be at stays.
import { expect, it } from 'vitest';
import { endDeadRuns, endLostLeases } from '../../../lib/compaction/do/end-runs.ts';
import { planNow } from '../../../lib/compaction/do/plan-now.ts';
import { beginPlan, begunRuns } from '../../../lib/compaction/do/plan-runs.ts';
import { advance, beginJournal, listJournal, taskOf, volumesOf } from '../../../lib/compaction/run/journal.ts';
import { journalAttributes, journalKey } from '../../../lib/compaction/run/journal-row.ts';
import type { RunId, VolumeId } from '../../../lib/foundation/ids.ts';
import { readVolume } from '../../../lib/volume/rows/read-rows.ts';
import { VolumeStore } from '../../../lib/volume/volume-store.ts';
import { SMALL } from '../acting-world.ts';
import { hex, sealedRows } from './scripted-batches.ts';

const task = (...volumes: readonly number[]) => ({
  strategy: 'l2' as const,
  plan: 'p',
  name: 'l2-0001',
  host: null,
  sources: volumes.map(hex),
});

/** Runs of `gone` are of a dead process, those of `alive` are not. */
async function left(count: number) {
  const made = await sealedRows(Array.from({ length: count }, () => 0.5));
  const components = { ...made.p.components, isOwnerGone: (owner: string) => owner === 'gone' };
  const store = new VolumeStore(components);
  const lease = (v: number, run: string) => made.set(v, { s: 'draining', r: run });
  const states = async (): Promise<string[]> => {
    const out: string[] = [];
    for (let v = 0; v < count; v++) {
      const row = await readVolume(made.world.panda, SMALL.cell, hex(v) as VolumeId);
      out.push(`${row?.state} ${row?.run}`);
    }
    return out;
  };
  return { ...made, components, store, lease, states };
}
const SEALED = 'sealed undefined';

it('runs of dead processes are ended with all their volumes, those of others are not', async () => {
  const { components, store, lease, states } = await left(6);
  await beginJournal(components, 'l2/gone/1' as RunId, task(0, 1));
  await beginJournal(components, 'l2/alive/1' as RunId, task(2));
  await beginJournal(components, 'l2/parked/1' as RunId, task(3));
  for (const [v, run] of ['l2/gone/1', 'l2/gone/1', 'l2/alive/1', 'l2/parked/1'].entries()) await lease(v, run);
  // Leases without a journal.
  await lease(4, 'encode/gone/7');
  expect(await endDeadRuns(store)).toBe(4);
  expect(await states()).toEqual([SEALED, SEALED, 'draining l2/alive/1', SEALED, SEALED, SEALED]);
  expect((await listJournal(components)).map(({ id }) => id)).toEqual(['l2/alive/1']);
  expect(await endDeadRuns(store)).toBe(0);
});

it('a run that somebody else ends meanwhile is theirs', async () => {
  const { components, store, world, lease, states } = await left(1);
  const row = await beginJournal(components, 'l2/gone/1' as RunId, task(0));
  await lease(0, 'l2/gone/1');
  const transact = world.panda.transact.bind(world.panda);
  world.panda.transact = async (writes) => {
    world.panda.transact = transact;
    await advance(components, row, { run: 'l2/alive/5' as RunId });
    return transact(writes);
  };
  expect(await endDeadRuns(store)).toBe(0);
  expect(await states()).toEqual(['draining l2/gone/1']);
  expect((await listJournal(components)).map(({ run }) => run)).toEqual(['l2/alive/5']);
});

it('leases that no run has are ended, if nobody can be at them: dead processes’ and the drainer’s', async () => {
  const { components, store, lease, set, states, world } = await left(7);
  const runs = ['l2/gone/1', 'l3/drainer/1', 'l2/alive/1', 'l2/gone/2'];
  for (const [v, run] of runs.entries()) await lease(v, run);
  await beginJournal(components, 'l2/gone/2' as RunId, task(3));
  // Draining without a run, and a run without draining.
  await set(4, { s: 'draining' });
  await set(5, { r: 'l2/gone/3' });
  const kept = ['draining l2/alive/1', 'draining l2/gone/2', 'draining undefined', 'sealed l2/gone/3', SEALED];
  expect(await endLostLeases(store)).toBe(2);
  expect(await states()).toEqual([SEALED, SEALED, ...kept]);
  // While there is a journal of another release, nobody here knows which those are.
  await lease(0, 'l2/gone/1');
  const foreign = journalKey('l2/z/1' as RunId);
  const [known] = await listJournal(components);
  const attributes = { ...journalAttributes(known as NonNullable<typeof known>), f: 99 };
  await world.panda.transact([{ kind: 'put', ...foreign, attributes }]);
  expect(await endLostLeases(store)).toBe(0);
  expect(await states()).toEqual(['draining l2/gone/1', SEALED, ...kept]);
});

it('a lease that somebody else takes over meanwhile is theirs', async () => {
  const { store, set, lease, states, world } = await left(1);
  await lease(0, 'l2/gone/1');
  const transact = world.panda.transact.bind(world.panda);
  world.panda.transact = async (writes) => {
    world.panda.transact = transact;
    await set(0, { r: 'l2/alive/1' });
    return transact(writes);
  };
  expect(await endLostLeases(store)).toBe(0);
  expect(await states()).toEqual(['draining l2/alive/1']);
});

it('a run is begun if somebody began it who is gone; what was only planned is forgotten', async () => {
  const { components, store } = await left(1);
  const begin = (id: string) => beginJournal(components, id as RunId, task());
  await begin('l2/parked/1');
  await begin('l2/gone/1');
  await begin('l2/alive/1');
  await begin('l3/drainer/1');
  await advance(components, await begin('l2/parked/2'), { phase: 'COPY' });
  await advance(components, await begin('l2/parked/3'), { run: 'l2/parked/9' as RunId });
  await advance(components, await begin('l2/parked/4'), { run: 'l2/alive/9' as RunId });
  expect((await begunRuns(store)).map(({ id }) => id)).toEqual(['l2/gone/1', 'l2/parked/2', 'l2/parked/3']);
  const ids = (await listJournal(components)).map(({ id }) => id);
  expect(ids).toEqual(['l2/alive/1', 'l2/gone/1', 'l2/parked/2', 'l2/parked/3', 'l2/parked/4', 'l3/drainer/1']);
});

it('runs of a plan are begun behind those that are, as many as are asked for, of volumes that none of them has', async () => {
  const { p, components } = await sealedRows([0.05, 0.3, 0.3, 0.35, 0.6, 0.6, 0.65]).then((made) => ({
    ...made,
    components: made.p.components,
  }));
  const { plan } = await planNow(p.volumes, { settings: { sourcesMax: 3, destinationsMax: 2, minFill: 0.2 } });
  const l2 = plan.runs.filter(({ strategy }) => strategy === 'l2');
  expect([plan.runs.length - l2.length, l2.length]).toEqual([1, 2]);
  const ids = await beginPlan(p.volumes, plan, []);
  const journals = await listJournal(components);
  expect(journals.map(({ id }) => id).sort()).toEqual([...ids].sort());
  expect(ids.map((id) => id.split('/').slice(0, 2).join('/'))).toEqual(['l2/parked', 'l2/parked']);
  expect(ids.map((id) => journals.find((journal) => journal.id === id)?.task)).toEqual(
    l2.map((run) => taskOf(plan.digest, run)),
  );
  const [first, second] = journals;
  const begun = ids.map((id) => journals.find((journal) => journal.id === id) as NonNullable<typeof first>);
  const again = async (some: typeof begun, max?: number) => (await beginPlan(p.volumes, plan, some, max)).length;
  expect([await again(begun), await again(begun, 1), await again([], 1), await again([], 0)]).toEqual([2, 1, 1, 0]);
  const mine = begun[0] as NonNullable<typeof first>;
  const behind = await beginPlan(p.volumes, plan, [mine]);
  expect(behind[0]).toBe(mine.id);
  expect(behind).toHaveLength(2);
  expect(volumesOf(mine.task).length + (second === undefined ? 0 : 1)).toBeGreaterThan(1);
});
