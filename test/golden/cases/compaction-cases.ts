// Compaction as it is asked for in other ways than usual: by a plan file, with budgets that run out, in steps whose time is short, of a schedule, by
// a worker that finds another one's leases.
import { endDeadRuns } from '../../../lib/compaction/do/end-runs.ts';
import { explain, planNow } from '../../../lib/compaction/do/plan-now.ts';
import { planRuns } from '../../../lib/compaction/do/plan-runs.ts';
import { type CompactOptions, compact } from '../../../lib/compaction/do/rounds.ts';
import { releaseJournalled, stepRun } from '../../../lib/compaction/do/run-step.ts';
import { budgetsOf } from '../../../lib/compaction/plan/budget.ts';
import { planJson } from '../../../lib/compaction/plan/plan.ts';
import { listJournal } from '../../../lib/compaction/run/journal.ts';
import { changeOperating } from '../../../lib/compaction/run/operating-row.ts';
import { readPeriod } from '../../../lib/compaction/run/period.ts';
import { readThreshold } from '../../../lib/compaction/threshold/row.ts';
import { DAY_MS, HOUR_MS } from '../../../lib/foundation/durations.ts';
import type { RunId, VolumeId } from '../../../lib/foundation/ids.ts';
import { listVolumes } from '../../../lib/volume/rows/read-rows.ts';
import { freeTrash } from '../../../lib/volume/runs/free.ts';
import { newRunId, takeRun } from '../../../lib/volume/runs/runs.ts';
import { actorsOf, batchesOf, sealedWorld } from '../../compaction/acting-world.ts';
import { MERGE_ONLY, thinnedWorld } from '../../compaction/merge-world.ts';
import type { UseCase } from '../../faults/use-cases.ts';
import type { Process } from '../../store/harness.ts';
import { told } from '../told.ts';

const half = (volumes = 5) => sealedWorld({ volumes, filesEach: 16, deletedEach: (v) => 4 + 2 * v });
const PACKED = { settings: { minFill: 0.05, l3UpTo: 0.02, l2UpTo: 0.5, finish: true } };

/** All that it says meanwhile, too. */
async function said(p: Process, options: CompactOptions): Promise<unknown> {
  const lines: unknown[] = [];
  const report = await told(() =>
    compact(batchesOf(p), {
      ...options,
      onPlan: ({ digest, runs }) => void lines.push([digest, runs.length]),
      onMergePlan: ({ digest, merges }) => void lines.push([digest, merges.length]),
      onRun: ({ name, retired, spent }) => void lines.push([name, retired, spent]),
    }),
  );
  return [report, lines];
}

/** One step whose time is up after so many groups. */
function shortStep(p: Process, run: RunId, groupsMax: number): Promise<unknown> {
  const end = new AbortController();
  if (groupsMax === 0) end.abort();
  let groups = 0;
  const { store, makeTarget } = actorsOf(p);
  const makeShort: typeof makeTarget = (id, moved) =>
    makeTarget(id, (result) => {
      moved(result);
      groups += 1;
      if (groups >= groupsMax) end.abort();
    });
  return told(() => stepRun({ store, makeTarget: makeShort }, run, end.signal));
}

export const COMPACTION_CASES: Readonly<Record<string, UseCase>> = {
  'compaction by plan files, whose budgets hold, and by one that is stale': {
    prepare: half,
    act: async (p) => {
      const { plan } = await planNow(p.volumes, { ...PACKED, budgets: budgetsOf({ metadataWrites: 90 }) });
      const { plan: whole } = await planNow(p.volumes, PACKED);
      const out: unknown[] = [];
      for (const one of [plan, plan, whole]) out.push(await said(p, { planJson: planJson(one) }));
      return out;
    },
  },
  'compaction until it is stable, and within budgets that run out': {
    prepare: half,
    act: async (p) => {
      const scarce = budgetsOf({ metadataWrites: 60 });
      const stopped = AbortSignal.abort();
      return [
        await said(p, { ...PACKED, signal: stopped }),
        await said(p, { ...PACKED, budgets: scarce, untilStable: true }),
        await said(p, { ...PACKED, untilStable: true }),
        await said(p, { ...PACKED, untilStable: true }),
      ];
    },
  },
  'compaction of a schedule, with what an operator has set': {
    prepare: half,
    act: async (p) => {
      await changeOperating(p.components, (before) => ({ ...before, dollarsPerMonth: 0.02, runsAtOnce: 2 }));
      const out: unknown[] = [await said(p, { ...PACKED, periodMs: HOUR_MS })];
      out.push(await readPeriod(p.components), await said(p, { ...PACKED, periodMs: 30 * DAY_MS }));
      return [...out, await readPeriod(p.components), await freeTrash(p.volumes)];
    },
  },
  'a merge only, again and again, within budgets and without': {
    prepare: () => thinnedWorld({ volumes: 4, filesEach: 24, keep: 3 }),
    act: async (p) => {
      const only: CompactOptions = { ...MERGE_ONLY, merge: 'only' };
      const { plan } = await planNow(p.volumes, { ...MERGE_ONLY, showMerges: true });
      return [
        plan.merges,
        await said(p, { ...only, budgets: budgetsOf({ metadataWrites: 12 }) }),
        await said(p, { ...only, untilStable: true }),
        await said(p, only),
      ];
    },
  },
  'runs of a plan, in steps whose time is short': {
    prepare: () => sealedWorld({ volumes: 4, filesEach: 60, deletedEach: () => 36 }),
    act: async (p) => {
      const { runs, plan, ...sums } = await planRuns(p.volumes, 3, { strategies: ['l2'] });
      const out: unknown[] = [plan.digest, runs, sums];
      for (const run of runs.slice(0, 1))
        for (const groupsMax of [1, 1, 0, 1]) out.push(await shortStep(p, run, groupsMax));
      out.push(await listJournal(p.components), await shortStep(p, 'l2/gone/1' as RunId, 1));
      const again = await planRuns(p.volumes, 2, { periodMs: DAY_MS, budgets: budgetsOf({ bytesRead: 30_000 }) });
      out.push(again.runs, again.resumed, again.plan.digest, await planRuns(p.volumes, 0, {}));
      for (const scarce of [{ metadataWrites: 40 }, { metadataWrites: 400 }, { bytesRead: 9000 }])
        out.push(await planRuns(p.volumes, 9, { budgets: budgetsOf(scarce) }), await readThreshold(p.components));
      for (const run of again.runs.slice(0, 1)) out.push(await told(() => releaseJournalled(p.volumes, run)));
      return [...out, await freeTrash(p.volumes)];
    },
  },
  'compaction beside another one’s leases, and what they come to': {
    prepare: async () => {
      const made = await half(4);
      const other = made.world.start();
      const [first, second] = await listVolumes(made.world.panda, 'c0');
      await takeRun(other.components, first?.id as VolumeId, newRunId(other.components, 'l2'));
      await takeRun(other.components, second?.id as VolumeId, newRunId(other.components, 'encode'));
      return made;
    },
    act: async (p) => {
      const out: unknown[] = [await said(p, PACKED)];
      for (const { id } of await listVolumes(p.components.panda, 'c0'))
        out.push(await told(() => explain(p.volumes, id, PACKED)));
      out.push(await told(() => explain(p.volumes, 'ffffffffffffffff')), await endDeadRuns(p.volumes));
      return [...out, await said(p, PACKED)];
    },
  },
};
