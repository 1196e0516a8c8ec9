// Compaction, round by round: what is gone on with first, when there is another round, what budgets are left for it, and when it ends.
import { describe, expect, it } from 'vitest';
import { planNow } from '../../../lib/compaction/do/plan-now.ts';
import { type CompactOptions, compact } from '../../../lib/compaction/do/rounds.ts';
import { budgetsOf, NOTHING_SPENT, type Spending, UNLIMITED } from '../../../lib/compaction/plan/budget.ts';
import { budgetsFor } from '../../../lib/compaction/plan/operating-settings.ts';
import { type CompactionPlan, planJson } from '../../../lib/compaction/plan/plan.ts';
import { advance, beginJournal, listJournal, taskOf } from '../../../lib/compaction/run/journal.ts';
import { changeOperating } from '../../../lib/compaction/run/operating-row.ts';
import { readPeriod } from '../../../lib/compaction/run/period.ts';
import { HOUR_MS } from '../../../lib/foundation/durations.ts';
import { retryLater } from '../../../lib/foundation/errors.ts';
import type { RunId, VolumeId } from '../../../lib/foundation/ids.ts';
import { COMPACT_ROUNDS_MAX } from '../../../lib/limits/compaction.ts';
import { MERGING } from '../merge-world.ts';
import { CAPACITY, hex, type Script, scripted, sealedRows } from './scripted-batches.ts';

const FILLS = [0.3, 0.3, 0.35, 0.6, 0.6, 0.65];
const SETTINGS = { sourcesMax: 3, destinationsMax: 2, minFill: 0.2, strategies: ['l2' as const, 'l3' as const] };
const writes = (metadataWrites: number): Spending => ({ ...NOTHING_SPENT, metadataWrites });

async function rounds(script: Script, options: CompactOptions = {}, fills: readonly number[] = FILLS) {
  const made = await sealedRows(fills);
  const { batches, calls } = scripted(made.p, script);
  const plans: CompactionPlan[] = [];
  const run = (more: CompactOptions = {}) =>
    compact(batches, { settings: SETTINGS, onPlan: (plan) => void plans.push(plan), ...options, ...more });
  return { ...made, batches, calls, plans, run };
}

describe('one round', () => {
  it('plans, carries out and frees, and says how much there was and is', async () => {
    const seen: string[] = [];
    const { run, plans, calls, set } = await rounds(
      async ({ task }) => {
        for (const source of task.sources) await set(Number.parseInt(source, 16), { s: 'trash' });
        return { retired: task.sources.length, spent: writes(7) };
      },
      { onRun: ({ name }) => void seen.push(name), budgets: budgetsOf({ metadataWrites: 100_000 }) },
    );
    const report = await run();
    const names = plans[0]?.runs.map(({ name }) => name) ?? [];
    expect(names.length).toBeGreaterThan(1);
    expect(seen).toEqual(names);
    expect(calls.at(-1)).toBe('free');
    const live = (some: readonly number[]) =>
      some.reduce((sum, fill) => sum + 4 * Math.floor((fill * CAPACITY) / 4), 0);
    expect(report).toMatchObject({
      plans: 1,
      resumed: 0,
      left: [],
      freed: { freedVolumes: 1, freedZones: 3 },
      before: { volumes: 6, liveBytes: live(FILLS), capacityBytes: 6 * CAPACITY },
      budgetUsed: (7 * names.length) / 100_000,
      isShort: false,
    });
    const moved = new Set(plans[0]?.runs.flatMap(({ sources }) => sources.map(({ volume }) => volume)));
    const left = FILLS.filter((_, v) => !moved.has(hex(v)));
    expect(report.after).toMatchObject({ volumes: left.length, liveBytes: live(left) });
    expect(report.runs.map(({ name }) => name)).toEqual(names);
  });

  it('says that budgets did not carry what would have come next', async () => {
    const { run, plans } = await rounds(() => ({}), { budgets: budgetsOf({ metadataWrites: 40 }) });
    expect(await run()).toMatchObject({ plans: 1, isShort: true });
    expect(plans[0]?.verdicts).toContain('b');
  });

  it('is none where nothing may be spent any more, or it is stopped before', async () => {
    const { run, plans, calls } = await rounds(() => ({}), { signal: AbortSignal.abort() });
    expect(await run()).toMatchObject({ plans: 0, runs: [], freed: { freedVolumes: 0, freedZones: 0 } });
    expect([plans, calls]).toEqual([[], []]);
  });

  it('by a plan file does just that, whatever else there is to do', async () => {
    const { run, p, plans, calls } = await rounds(() => ({ retired: 1 }), { untilStable: true });
    const { plan } = await planNow(p.volumes, { settings: { ...SETTINGS, runsMax: 1 } });
    const report = await run({ planJson: planJson(plan) });
    expect(report).toMatchObject({ plans: 1, budgetUsed: 0 });
    expect(plans.map(({ digest }) => digest)).toEqual([plan.digest]);
    expect(calls).toEqual([`carry ${plan.runs[0]?.name} as l2/p0/1`, 'free']);
    const limited = (await planNow(p.volumes, { settings: SETTINGS, budgets: budgetsOf({ requests: 500 }) })).plan;
    await run({ planJson: planJson(limited) });
    expect((await readPeriod(p.components))?.budgets).toEqual(limited.budgets);
  });
});

describe('what was begun', () => {
  async function begun(script: Script, options: CompactOptions = {}) {
    const made = await rounds(script, options);
    const { plan } = await planNow(made.p.volumes, { settings: SETTINGS });
    const ids = ['l2/parked/1', 'l2/parked/2'] as RunId[];
    for (const [i, id] of ids.entries()) {
      const row = await beginJournal(made.p.components, id, taskOf(plan.digest, plan.runs[i] as never));
      await advance(made.p.components, row, { phase: 'COPY' });
    }
    return made;
  }

  it('is gone on with first, and charged', async () => {
    const { run, calls } = await begun(() => ({ spent: writes(25) }), {
      budgets: budgetsOf({ metadataWrites: 50 }),
      merge: false,
    });
    // Nothing is left for a plan then.
    expect(await run()).toMatchObject({ resumed: 2, plans: 0, runs: [], budgetUsed: 1 });
    expect(calls).toEqual(['carry l2-0001 as l2/parked/1', 'carry l2-0002 as l2/parked/2', 'free']);
  });

  it('makes a plan file stale if it has changed a volume of it', async () => {
    const { run, p, set } = await begun(async ({ task }) => {
      for (const source of task.sources) await set(Number.parseInt(source, 16), { s: 'trash' });
      return {};
    });
    const { plan } = await planNow(p.volumes, { settings: SETTINGS });
    await expect(run({ planJson: planJson(plan) })).rejects.toMatchObject({ kind: 'conflict', code: 'PLAN_STALE' });
  });

  it('is left to whoever was first, and other errors come out', async () => {
    const held = retryLater('RUN_HELD', 'by p9');
    const { run } = await begun(() => {
      throw held;
    });
    expect(await run({ settings: { ...SETTINGS, minAgeMs: HOUR_MS * 1e6 } })).toMatchObject({
      resumed: 0,
      plans: 1,
      runs: [],
    });
    const busy = retryLater('PANDA_BUSY', 'not now');
    const other = await begun(() => {
      throw busy;
    });
    await expect(other.run()).rejects.toBe(busy);
  });

  it('is not gone on with once it is stopped', async () => {
    const end = new AbortController();
    const { run, calls, p } = await begun(
      () => {
        end.abort();
        return {};
      },
      { signal: end.signal },
    );
    expect(await run()).toMatchObject({ resumed: 1, plans: 0 });
    expect(calls).toEqual(['carry l2-0001 as l2/parked/1']);
    expect((await listJournal(p.components)).map(({ id }) => id)).toEqual(['l2/parked/2']);
  });
});

describe('until nothing is gained', () => {
  it('there is another round while there are fewer closed volumes, but not for ever', async () => {
    const { run, plans } = await rounds(() => ({ retired: 1 }), { untilStable: true });
    expect(await run()).toMatchObject({ plans: COMPACT_ROUNDS_MAX });
    expect(plans).toHaveLength(COMPACT_ROUNDS_MAX);
  });

  it('a destination that is closed takes away what was gained; one that is open, or was closed before, does not', async () => {
    const roundsOf = async (destination: number, before?: string, during?: string): Promise<number> => {
      let carried = 0;
      const { run, set } = await rounds(
        async () => {
          carried += 1;
          if (during !== undefined) await set(destination, { s: during });
          return carried > 3 ? {} : { retired: 1, destinationVolumes: [hex(destination) as VolumeId] };
        },
        { untilStable: true, settings: { ...SETTINGS, runsMax: 1 } },
      );
      if (before !== undefined) await set(destination, { s: before });
      return (await run()).plans;
    };
    expect(await roundsOf(0, 'open')).toBe(4);
    expect(await roundsOf(0, 'sealed')).toBe(4);
    expect(await roundsOf(0, 'draining', 'open')).toBe(4);
    expect(await roundsOf(0, 'open', 'sealed')).toBe(1);
    // It is not there any more: what was gained by it is gone.
    expect(await roundsOf(77)).toBe(1);
  });

  it('ends with the first round that gains nothing', async () => {
    const { run } = await rounds(() => ({}), { untilStable: true });
    expect(await run()).toMatchObject({ plans: 1 });
    const once = await rounds(() => ({ retired: 1 }));
    expect(await once.run()).toMatchObject({ plans: 1 });
  });

  it('to finish drains the rest in a last round, with the boundaries of its own', async () => {
    const { run, plans } = await rounds(() => ({}), { untilStable: true });
    const finish = { ...SETTINGS, finish: true, l2UpTo: 0.7 };
    expect(await run({ settings: finish })).toMatchObject({ plans: 2 });
    expect(plans.map(({ settings }) => [settings.l3UpTo, settings.l2UpTo])).toEqual([
      [0.1, 0.7],
      [0.7 - 1e-6, 0.7],
    ]);
    // Without L3, or with nothing above it, there is none.
    expect(await run({ settings: { ...finish, strategies: ['l2'] } })).toMatchObject({ plans: 1 });
    const low = { ...finish, l3UpTo: 0.7 - 1e-6 };
    expect(await run({ settings: low })).toMatchObject({ plans: 1 });
    plans.length = 0;
    // A last round that gains is the last one all the same.
    let count = 0;
    const ends = await rounds(() => (count++ === 0 ? {} : { retired: 1 }), { untilStable: true });
    expect(await ends.run({ settings: { ...finish, runsMax: 1 } })).toMatchObject({ plans: 2 });
  });

  it('later rounds have what the ones before have left of the budgets', async () => {
    const { run, plans } = await rounds(() => ({ retired: 1, spent: writes(300) }), {
      untilStable: true,
      budgets: budgetsOf({ metadataWrites: 1000 }),
      settings: { ...SETTINGS, runsMax: 1 },
    });
    expect(await run()).toMatchObject({ plans: 4, budgetUsed: 1.2 });
    expect(plans.map(({ budgets }) => budgets.metadataWrites)).toEqual([1000, 700, 400, 100]);
  });
});

describe('merges', () => {
  const FEW = [0.01, 0.01, 0.01];
  const merged = { buckets: 1, remnants: 2, blockRows: 3, rowsDropped: 1 };

  it('come before each plan if all strategies are asked for, and only then unless told', async () => {
    const namesOf = async (options: CompactOptions): Promise<string[]> => {
      const { run, calls } = await rounds(() => ({}), { merging: MERGING, ...options }, FEW);
      await run();
      return calls.map((call) => call.replace(/ as .*|-\d+/g, ''));
    };
    expect(await namesOf({ settings: {} })).toEqual(['carry merge', 'carry l3', 'free']);
    expect(await namesOf({ settings: { strategies: ['l3', 'l2', 'l1'] } })).toEqual([
      'carry merge',
      'carry l3',
      'free',
    ]);
    expect(await namesOf({})).toEqual(['carry l3', 'free']);
    expect(await namesOf({ merge: true })).toEqual(['carry merge', 'carry l3', 'free']);
    expect(await namesOf({ settings: {}, merge: false })).toEqual(['carry l3', 'free']);
    expect(await namesOf({ merge: 'only' })).toEqual(['carry merge', 'free']);
    expect(await namesOf({ settings: {}, budgets: budgetsOf({ metadataWrites: 1 }) })).toEqual(['free']);
  });

  it('alone go on until no row is dropped', async () => {
    let left = 3;
    const mergePlans: number[] = [];
    const { run } = await rounds(
      () => ({ merged: { ...merged, rowsDropped: left > 0 ? 1 : 0 }, spent: writes(left--) }),
      { merging: MERGING, merge: 'only', onMergePlan: ({ merges }) => void mergePlans.push(merges.length) },
      FEW,
    );
    expect(await run()).toMatchObject({ plans: 1 });
    expect(await run({ untilStable: true })).toMatchObject({ plans: 3, budgetUsed: 0 });
    expect(mergePlans).toHaveLength(4);
  });

  it('that have dropped rows are reason enough for another round', async () => {
    let left = 2;
    const { run } = await rounds(
      ({ task }) => (task.strategy === 'merge' ? { merged: { ...merged, rowsDropped: left-- > 0 ? 1 : 0 } } : {}),
      { merging: MERGING, merge: true, untilStable: true },
      FEW,
    );
    expect(await run()).toMatchObject({ plans: 3 });
  });
});

describe('budgets', () => {
  it('are those given, or of a schedule those of its time, or there are none', async () => {
    const { run, p, plans } = await rounds(() => ({}));
    const live = FILLS.reduce((sum, fill) => sum + 4 * Math.floor((fill * CAPACITY) / 4), 0);
    await changeOperating(p.components, () => ({ requestsPerDay: 24_000 }));
    await run();
    await run({ periodMs: HOUR_MS });
    await run({ periodMs: HOUR_MS, budgets: budgetsOf({ requests: 9 }) });
    expect(plans.map(({ budgets }) => budgets)).toEqual([
      UNLIMITED,
      budgetsFor({ requestsPerDay: 24_000 }, live, HOUR_MS),
      budgetsOf({ requests: 9 }),
    ]);
    expect(plans[1]?.budgets.requests).toBe(1000);
  });
});
