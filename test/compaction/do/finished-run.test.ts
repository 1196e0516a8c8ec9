// Steps of runs whose volumes are leased already, by their rows alone: a flip that took effect is finished, and nothing is copied again; what is not a
// run's to begin with is left alone.
import { expect, it } from 'vitest';
import { releaseJournalled, stepRun } from '../../../lib/compaction/do/run-step.ts';
import { readCrowded } from '../../../lib/compaction/facts/crowded.ts';
import { advance, beginJournal, listJournal } from '../../../lib/compaction/run/journal.ts';
import type { Copied } from '../../../lib/compaction/run/journal-row.ts';
import { NO_OUTCOME } from '../../../lib/compaction/run/reports.ts';
import type { BucketId, RunId, VolumeId } from '../../../lib/foundation/ids.ts';
import { extentText, volumeKey } from '../../../lib/panda/rows/volume-row.ts';
import { readVolume } from '../../../lib/volume/rows/read-rows.ts';
import { VolumeStore } from '../../../lib/volume/volume-store.ts';
import { actorsOf, SMALL } from '../acting-world.ts';
import { hex, sealedRows } from './scripted-batches.ts';

const NEVER = new AbortController().signal;
const RUN = 'l1/parked/1' as RunId;

/** A run of L1 with host 0 and donors 1 and 2, all leased; donor 1 is empty. */
async function topping(copied: Partial<Copied> = {}) {
  const made = await sealedRows([0.9, 0.3, 0.3]);
  const { world, p, set } = made;
  for (const v of [0, 1, 2]) await set(v, { s: 'draining', r: RUN });
  await world.panda.transact([{ kind: 'update', ...volumeKey(SMALL.cell, hex(1) as VolumeId), remove: ['b'] }]);
  const host = await readVolume(world.panda, SMALL.cell, hex(0) as VolumeId);
  const task = { strategy: 'l1' as const, plan: 'p', name: 'l1-0001', host: hex(0), sources: [hex(1), hex(2)] };
  const row = await beginJournal(p.components, RUN, task);
  const extents = host?.extents.map(extentText) ?? [];
  await advance(p.components, row, {
    phase: 'COMMIT',
    copied: { generation: 1, token: 1, buckets: [], extents, groups: [], ...copied },
  });
  const states = async () => {
    const out: string[] = [];
    for (const v of [0, 1, 2]) {
      const volume = await readVolume(world.panda, SMALL.cell, hex(v) as VolumeId);
      out.push(`${volume?.state} ${volume?.run}`);
    }
    return out;
  };
  return { ...made, states };
}

it('a flip that took effect is finished: leases end, and a donor that is empty is retired', async () => {
  for (const how of ['step', 'release'] as const) {
    const { p, states } = await topping();
    const report = how === 'step' ? await stepRun(actorsOf(p), RUN, NEVER) : await releaseJournalled(p.volumes, RUN);
    expect(report).toEqual({
      ...NO_OUTCOME,
      run: RUN,
      done: true,
      retired: 1,
      spent: expect.objectContaining({ metadataWrites: 6 }),
    });
    expect(await states()).toEqual(['sealed undefined', 'trash undefined', 'sealed undefined']);
    expect(await listJournal(p.components)).toEqual([]);
  }
});

it('one of other extents, or of another generation, is not its own: then the run is given back without it', async () => {
  for (const copied of [{ generation: 2 }, { extents: ['9/9/9'] }]) {
    const { p, states } = await topping(copied);
    expect(await releaseJournalled(p.volumes, RUN)).toMatchObject({ done: true, retired: 1, stalled: undefined });
    expect(await states()).toEqual(['sealed undefined', 'trash undefined', 'sealed undefined']);
  }
});

it('a run that is not there is done, and one that somebody is at is left to them', async () => {
  const { p, world } = await sealedRows([0.3]);
  const nothing = { ...NO_OUTCOME, run: RUN, done: true };
  expect(await stepRun(actorsOf(p), RUN, NEVER)).toEqual(nothing);
  expect(await releaseJournalled(p.volumes, RUN)).toEqual(nothing);
  const task = { strategy: 'l2' as const, plan: 'p', name: 'l2-0001', host: null, sources: [hex(0)] };
  await beginJournal(p.components, 'l2/alive/1' as RunId, task);
  const held = { code: 'RUN_HELD', text: 'run l2/alive/1 is worked on by alive' };
  await expect(stepRun(actorsOf(p), 'l2/alive/1' as RunId, NEVER)).rejects.toMatchObject({
    kind: 'retry',
    code: held.code,
    message: held.text,
  });
  expect(await releaseJournalled(p.volumes, 'l2/alive/1' as RunId)).toEqual({
    ...nothing,
    run: 'l2/alive/1',
    stalled: held,
  });
  // A process goes on with what is its own, and with what nobody is at.
  await beginJournal(p.components, 'l2/p0/1' as RunId, task);
  const other = new VolumeStore({ ...world.start().components, isOwnerGone: (owner) => owner === 'alive' });
  await expect(stepRun({ ...actorsOf(p), store: other }, 'l2/p0/1' as RunId, NEVER)).rejects.toMatchObject(
    held.code === '' ? {} : { code: 'RUN_HELD' },
  );
  expect(await releaseJournalled(p.volumes, 'l2/p0/1' as RunId)).toMatchObject({ done: true, stalled: undefined });
  expect(await releaseJournalled(other, 'l2/alive/1' as RunId)).toMatchObject({ done: true, stalled: undefined });
  expect(await listJournal(p.components)).toEqual([]);
});

it('a top-off without its host, or without a donor, is over; its leases end', async () => {
  const { p, world, set } = await sealedRows([0.9, 0.3]);
  const task = { strategy: 'l1' as const, plan: 'p', name: 'l1-0001', host: hex(0), sources: [hex(1)] };
  const planned: [number, number][] = [
    [1, 4],
    [1, 4],
  ];
  const state = async (v: number) => {
    const volume = await readVolume(world.panda, SMALL.cell, hex(v) as VolumeId);
    return `${volume?.state} ${volume?.run}`;
  };
  for (const changed of [0, 1]) {
    await set(changed, { g: 5 });
    await beginJournal(p.components, RUN, { ...task, planned });
    const report = await stepRun(actorsOf(p), RUN, NEVER);
    expect(report).toMatchObject({
      done: true,
      retired: 0,
      skipped: [
        { volume: hex(changed), reason: { code: 'VOLUME_CHANGED', text: 'it is at generation 5, planned at 1' } },
      ],
    });
    expect([await state(0), await state(1)]).toEqual(['sealed undefined', 'sealed undefined']);
    expect(await listJournal(p.components)).toEqual([]);
    await set(changed, { g: 1 });
  }
});

it('volumes of an earlier release’s task are taken as they are, if they are sealed', async () => {
  const { p, world, set } = await sealedRows([0.9, 0.3, 0.3]);
  await set(1, { s: 'open' });
  const task = {
    strategy: 'merge' as const,
    plan: 'p',
    name: 'merge-0001',
    host: null,
    sources: [0, 1, 2, 9].map(hex),
  };
  await beginJournal(p.components, 'merge/parked/1' as RunId, task);
  await set(2, { g: 8 });
  const taken: string[] = [];
  const transact = world.panda.transact.bind(world.panda);
  world.panda.transact = async (writes) => {
    for (const write of writes)
      if (write.kind === 'update' && write.set?.['s'] === 'draining')
        taken.push(String(Number.parseInt(write.sort, 16)));
    return transact(writes);
  };
  // It names no remnants: it ends.
  const report = await stepRun(actorsOf(p), 'merge/parked/1' as RunId, NEVER);
  expect(report).toMatchObject({ done: true, retired: 0, skipped: [], movedBuckets: 0 });
  expect(report.merged).toEqual({ buckets: 0, remnants: 0, blockRows: 0, rowsDropped: 0 });
  expect(taken).toEqual(['0', '2']);
  expect((await readVolume(world.panda, SMALL.cell, hex(0) as VolumeId))?.state).toBe('sealed');
  expect([...((await readVolume(world.panda, SMALL.cell, hex(0) as VolumeId))?.buckets ?? [])]).toEqual(
    [0, 1, 2, 3].map((n) => hex(n) as BucketId),
  );
});

it('a host to which nothing can be added, or that cannot be read, is not rewritten; the next plan hears of the first', async () => {
  const of = async (host: number, state: string) => {
    const { p, world } = await sealedRows([host, 0]);
    const task = { strategy: 'l1' as const, plan: 'p', name: 'l1-0001', host: hex(0), sources: [hex(1)] };
    await beginJournal(p.components, RUN, task);
    const report = await stepRun(actorsOf(p), RUN, NEVER);
    const now = await readVolume(world.panda, SMALL.cell, hex(0) as VolumeId);
    expect(now).toMatchObject({ state, run: undefined, generation: 1, next: undefined });
    expect(await listJournal(p.components)).toEqual([]);
    return { report, notes: await readCrowded(p.components) };
  };
  // As nothing lives in it, it goes altogether.
  const full = await of(0, 'trash');
  expect(full.report).toMatchObject({ done: true, retired: 1, movedBuckets: 0, hostBytes: 0, stalled: undefined });
  expect(full.report.skipped).toEqual([
    {
      volume: hex(0),
      reason: {
        code: 'HOST_TOO_FULL',
        text: 'it cannot be topped off: no bucket of the donors fits beside what is live in it',
      },
    },
  ]);
  expect(full.notes).toEqual(new Map([[hex(0), { generation: 1, liveBytes: 0 }]]));
  const lost = await of(0.3, 'sealed');
  expect(lost.report).toMatchObject({ done: true, retired: 1, skipped: [], stalled: { code: 'RECORD_LOST' } });
  expect(lost.notes).toEqual(new Map());
});
