// Compaction of an embedded store as its user meets it: plans that change nothing, bad input that changes nothing, runs that are
// interrupted and gone on with.
import { beforeAll, describe, expect, it } from 'vitest';
import type { EmbeddedClient } from '../../lib/client/file/embedded-client.ts';
import { inProcess } from '../../lib/compaction/do/batches.ts';
import { compact } from '../../lib/compaction/do/rounds.ts';
import { type CompactionPlan, type PlanBody, planJson, planOf } from '../../lib/compaction/plan/plan.ts';
import type { Actors } from '../../lib/compaction/run/actors.ts';
import { listJournal } from '../../lib/compaction/run/journal.ts';
import { readTallies, totalOf } from '../../lib/engine/status/tally.ts';
import type { EmbeddedStore } from '../../lib/engine/wire/embedded/embedded-store.ts';
import { SimulatedClock, systemClock } from '../../lib/foundation/clock.ts';
import type { VolumeId } from '../../lib/foundation/ids.ts';
import { RECEIVES_MAX } from '../../lib/limits/bytes.ts';
import { encodeHot } from '../../lib/live-coder/encode-hot.ts';
import { LiveCoder } from '../../lib/live-coder/live-coder.ts';
import { newRunId, takeRun } from '../../lib/volume/runs/runs.ts';
import { temporaryFolder } from '../cli/temporary-folder.ts';
import { copiesBelow, differing, filesOf, putFiles } from './small-store.ts';
import { allRows, makeSparse, type Sparse, withClient } from './sparse-store.ts';

const folder = temporaryFolder();
const REQUEST = { finish: true } as const;
let made: Sparse;
const copyOf = copiesBelow(folder);

beforeAll(async () => {
  made = await makeSparse(folder, 'made');
});

/** The same store anew. */
const fresh = (): string => copyOf(made.dir);

const sealed = async ({ admin }: EmbeddedClient): Promise<number> => (await admin.status()).overhead.sealed.volumes;

/** The plan with some of it changed, and signed again. */
function forged(plan: CompactionPlan, change: (body: PlanBody) => PlanBody): string {
  const { digest: _, ...body } = structuredClone(plan) as CompactionPlan;
  return planJson(planOf(change(body)));
}

describe('a plan', () => {
  it('says what would be done, changes nothing, and is the same bytes every time', () => {
    // Ages are part of it: another time is another plan.
    const clock = new SimulatedClock(systemClock.nowMs());
    return withClient(
      fresh(),
      async ({ admin }, store) => {
        const before = await allRows(store);
        const plan = await admin.plan(REQUEST);
        expect(plan.runs.length).toBeGreaterThan(0);
        expect(plan.after.overhead).toBeLessThan(plan.before.overhead);
        expect(
          plan.runs.every(({ reason, work, dollars }) => reason.text !== '' && work.metadataWrites > 0 && dollars > 0),
        ).toBe(true);
        expect(JSON.stringify(await admin.plan(REQUEST))).toBe(JSON.stringify(plan));
        expect(await allRows(store)).toEqual(before);
      },
      clock,
    );
  });

  it('is applied exactly from its file, once', () =>
    withClient(fresh(), async ({ admin }, store) => {
      const plan = await admin.plan(REQUEST);
      const report = await admin.compact({ planJson: planJson(plan) });
      expect(report.runs.map(({ name }) => name)).toEqual(plan.runs.map(({ name }) => name));
      expect(report.runs.flatMap(({ skipped }) => skipped)).toEqual([]);
      expect(report.after.capacityBytes).toBeLessThan(report.before.capacityBytes);
      await expect(admin.compact({ planJson: planJson(plan) })).rejects.toMatchObject({
        kind: 'conflict',
        code: 'PLAN_STALE',
      });
      expect(await differing(store, made.files)).toEqual([]);
    }));

  it('explains volumes and objects', () =>
    withClient(fresh(), async ({ admin }) => {
      const plan = await admin.plan(REQUEST);
      const volume = plan.runs[0]?.sources[0]?.volume ?? '';
      expect((await admin.explain(volume, REQUEST)).map(({ text }) => text).join('\n')).toMatch(
        /verdict planned[\s\S]*source of l\d-0001/,
      );
      const [key = ''] = made.files.keys();
      expect((await admin.explain(key, REQUEST)).map(({ text }) => text).join('\n')).toMatch(
        /in bucket [0-9a-f]{16}[\s\S]*volume [0-9a-f]{16}: sealed/,
      );
      await expect(admin.explain('nothing/here')).rejects.toMatchObject({ code: 'OBJECT_MISSING' });
    }));
});

describe('bad input changes nothing', () => {
  const refused = (
    name: string,
    code: string,
    act: (client: EmbeddedClient, store: EmbeddedStore) => Promise<() => Promise<unknown>>,
    clock = () => systemClock,
  ) =>
    it(`${name}: ${code}`, () =>
      withClient(
        fresh(),
        async (client, store) => {
          const attempt = await act(client, store);
          const before = await allRows(store);
          await expect(attempt()).rejects.toMatchObject({ code });
          expect(await allRows(store)).toEqual(before);
        },
        clock(),
      ));
  const withPlan =
    (fileOf: (plan: CompactionPlan, store: EmbeddedStore) => Promise<string> | string) =>
    async ({ admin }: EmbeddedClient, store: EmbeddedStore) => {
      const file = await fileOf(await admin.plan(REQUEST), store);
      return () => admin.compact({ planJson: file });
    };
  const renamed = (plan: CompactionPlan, to: string): string => {
    const from = plan.runs[0]?.sources[0]?.volume as string;
    return forged(plan, (body) => JSON.parse(JSON.stringify(body).replaceAll(from, to)) as PlanBody);
  };

  refused(
    'a plan edited by hand',
    'PLAN_EDITED',
    withPlan((plan) => planJson(plan).replace('"finish":true', '"finish":false')),
  );
  refused(
    'a plan that is none',
    'PLAN_INVALID',
    withPlan(() => '{"runs": []}'),
  );
  refused(
    'a plan of another version',
    'PLAN_VERSION',
    withPlan((plan) => planJson(plan).replace('"version":4', '"version":3')),
  );
  refused(
    'a plan for another store',
    'PLAN_FOREIGN',
    withPlan((plan) => forged(plan, (body) => ({ ...body, store: 'ff' }))),
  );
  refused(
    'a plan naming an unknown volume',
    'PLAN_STALE',
    withPlan((plan) => renamed(plan, 'f'.repeat(16))),
  );
  refused(
    'a plan naming a leased volume',
    'PLAN_STALE',
    withPlan(async (plan, { components }) => {
      await takeRun(components, plan.runs[0]?.sources[0]?.volume as VolumeId, newRunId(components, 'l2'));
      return planJson(plan);
    }),
  );
  refused(
    'a plan naming an open volume',
    'PLAN_STALE',
    withPlan(async (plan, store) => {
      const lease = await store.volumes.open.lease('warm', 1000);
      await lease.release();
      return renamed(plan, lease.volume.id);
    }),
  );
  refused(
    'a plan whose volumes were rewritten since',
    'PLAN_STALE',
    withPlan(async (plan, { components: { panda, settings } }) => {
      const id = plan.runs[0]?.sources[0]?.volume as VolumeId;
      for await (const page of panda.scan())
        for (const row of page)
          if (row.partition.startsWith(`volume/${settings.cell}/`) && row.sort === id)
            await panda.transact([{ kind: 'update', partition: row.partition, sort: row.sort, add: { g: 1 } }]);
      return planJson(plan);
    }),
  );
  for (const dollars of [0, -1, Number.NaN, Number.POSITIVE_INFINITY])
    refused(
      `a budget of ${dollars}`,
      'BUDGET_INVALID',
      async ({ admin }) =>
        () =>
          admin.compact({ budgets: { dollars } }),
    );
  refused(
    'boundaries that overlap',
    'BOUNDARIES_INVALID',
    async ({ admin }) =>
      () =>
        admin.compact({ boundaries: { l3UpTo: 0.8, l2UpTo: 0.5, l1UpTo: 1 } }),
  );
  refused(
    'a threshold beyond its bounds',
    'THRESHOLD_INVALID',
    async ({ admin }) =>
      () =>
        admin.compact({ threshold: 2 }),
  );
  refused('a journal of another version', 'JOURNAL_VERSION', async ({ admin }, { components: { panda } }) => {
    const attributes = { f: 99, r: 'l2/x/1', s: 'COPY' };
    await panda.transact([{ kind: 'put', partition: 'work/run', sort: 'l2/x/1', attributes }]);
    return () => admin.compact(REQUEST);
  });
  refused(
    'a clock that went back',
    'CLOCK_BEHIND',
    async ({ admin }) =>
      () =>
        admin.compact(REQUEST),
    () => new SimulatedClock(Date.UTC(2020, 0, 1)),
  );
});

describe('compact', () => {
  it('until stable: sealed volumes are full, everything is still there, and the day’s tally says what it took', () =>
    withClient(fresh(), async (client, store) => {
      const before = await sealed(client);
      const seen: number[] = [];
      const report = await client.admin.compact({
        ...REQUEST,
        untilStable: true,
        onProgress: ({ movedBytes }) => seen.push(movedBytes),
      });
      const moved = report.runs.reduce((sum, run) => sum + run.movedBytes + run.hostBytes, 0);
      expect(seen.at(-1)).toBeGreaterThan(0);
      expect(await sealed(client)).toBeLessThan(before);
      for (const { state, class: cls, fillPermille } of (await client.admin.status()).volumes)
        if (cls === 'warm' && state === 'sealed') expect(fillPermille).toBeGreaterThan(750);
      expect(await differing(store, made.files)).toEqual([]);
      const counts = totalOf(await readTallies(store.components, 1));
      expect(counts['l1.movedBytes'] + counts['l2.movedBytes'] + counts['l3.movedBytes']).toBe(moved);
      const again = await client.admin.compact({ ...REQUEST, untilStable: true });
      expect(again.runs).toEqual([]);
    }));

  it('budgets hold over all rounds together', () =>
    withClient(fresh(), async ({ admin }) => {
      const free = await admin.plan({ ...REQUEST });
      const bytesRead = free.runs.reduce((sum, { work }) => sum + work.bytesRead, 0) / 2;
      const report = await admin.compact({ ...REQUEST, untilStable: true, budgets: { bytesRead } });
      const read = report.runs.reduce((sum, run) => sum + run.movedBytes + run.hostBytes, 0);
      expect(read).toBeGreaterThan(0);
      expect(read).toBeLessThanOrEqual(bytesRead);
      expect(report.budgetUsed).toBeGreaterThan(0);
    }));

  it('stopped by Ctrl-C: what is under way ends, no volume stays leased, and the next one finishes', async () => {
    const dir = fresh();
    await withClient(dir, async ({ admin }, store) => {
      const stop = new AbortController();
      const report = await admin.compact({ ...REQUEST, signal: stop.signal, onProgress: () => stop.abort() });
      expect(report.runs.length + report.left.length).toBeGreaterThan(0);
      expect(await listJournal(store.components)).toEqual([]);
      expect((await admin.status()).volumes.filter(({ state }) => state === 'draining')).toEqual([]);
    });
    await withClient(dir, async ({ admin }, store) => {
      await admin.compact({ ...REQUEST, untilStable: true });
      expect(await differing(store, made.files)).toEqual([]);
      expect((await admin.doctor()).healthy).toBe(true);
    });
  });

  it('killed in the middle: the next one goes on with its run', async () => {
    const dir = fresh();
    await withClient(dir, async ({ admin }, store) => {
      const die = (): never => {
        throw new Error('killed');
      };
      await expect(admin.compact({ ...REQUEST, onProgress: die })).rejects.toThrow('killed');
      expect(await listJournal(store.components)).toHaveLength(1);
    });
    await withClient(dir, async ({ admin }, store) => {
      const report = await admin.compact({ ...REQUEST, untilStable: true });
      expect(report.resumed).toBe(1);
      expect(await listJournal(store.components)).toEqual([]);
      expect(await differing(store, made.files)).toEqual([]);
      expect((await admin.doctor()).healthy).toBe(true);
    });
  });
});

describe('to finish', () => {
  it('drains the rest, too, where a full volume stays and dense ones would be streamed, as nothing is topped off', () =>
    withClient(fresh(), async (_, store) => {
      const { volumes, queue } = store;
      const full = filesOf(77, 200);
      await putFiles(store, full);
      await volumes.open.sealAll('hot');
      await encodeHot(volumes, { force: true, flush: true });
      await volumes.open.sealAll('warm');
      const plans: CompactionPlan[] = [];
      const makeTarget: Actors['makeTarget'] = (run, moved) => new LiveCoder(volumes, run, moved);
      await compact(inProcess({ store: volumes, stream: queue, makeTarget }), {
        settings: { finish: true },
        untilStable: true,
        threshold: 0.02,
        onPlan: (plan) => plans.push(plan),
      });
      const [before, last] = plans.slice(-2).map(({ settings }) => settings);
      expect(before?.l2UpTo).toBe(before?.l1UpTo); // L1 has no range of its own
      expect(last?.l3UpTo).toBeCloseTo(last?.l1UpTo as number, 5);
      expect(await differing(store, new Map([...made.files, ...full]))).toEqual([]);
    }));

  it('ends where destinations get sealed: what was drained is not drained again and again', () =>
    withClient(fresh(), async (_, store) => {
      const { volumes, queue } = store;
      const makeTarget: Actors['makeTarget'] = (run, moved) => new LiveCoder(volumes, run, moved);
      const here = inProcess({ store: volumes, stream: queue, makeTarget });
      const report = await compact(
        {
          ...here,
          // As a volume that is full of uneven extents is: closed below the fill from which on L3 leaves it alone.
          carry: async (run, signal) => {
            const outcome = await here.carry(run, signal);
            await volumes.open.sealAll('warm');
            return outcome;
          },
        },
        { untilStable: true, settings: { finish: true } },
      );
      expect(report.plans).toBeGreaterThan(1);
      expect(report.plans).toBeLessThan(6); // it was all 64, each of which wrote the same bytes again
      expect(await differing(store, made.files)).toEqual([]);
    }));
});

describe('the dead letters of the queue', () => {
  it('are listed with whether they still matter, and redriven', () =>
    withClient(fresh(), async ({ admin }, store) => {
      await store.queue.send(['{"no":"message of ours"}']);
      for (let i = 0; i <= RECEIVES_MAX; i++)
        await store.queue.release((await store.queue.receive(10, 60_000)).map(({ receipt }) => receipt));
      const letters = await admin.deadLetters();
      expect(letters).toMatchObject([{ message: undefined, isCurrent: false }]);
      expect(await admin.redriveDeadLetters(letters.map(({ id }) => id))).toBe(1);
      expect(await admin.deadLetters()).toEqual([]);
    }));

  it('are dropped by their ids, all that are named or none', () =>
    withClient(fresh(), async ({ admin }, store) => {
      await store.queue.send(['{"no":"message of ours"}']);
      for (let i = 0; i <= RECEIVES_MAX; i++)
        await store.queue.release((await store.queue.receive(10, 60_000)).map(({ receipt }) => receipt));
      const ids = (await admin.deadLetters()).map(({ id }) => id);
      await expect(admin.dropDeadLetters([...ids, '4711'])).rejects.toMatchObject({ code: 'LETTER_MISSING' });
      expect(await admin.deadLetters()).toHaveLength(1);
      expect(await admin.dropDeadLetters(ids)).toBe(1);
      expect(await admin.deadLetters()).toEqual([]);
      expect(await store.queue.figures()).toMatchObject({ ready: 0, dead: 0 });
    }));
});
