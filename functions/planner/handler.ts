// Plans repair, L1 and L2: passes of repair first, then the runs begun earlier and those of a new plan, as ids.
import * as z from 'zod';
import { planRuns } from '../../lib/compaction/do/plan-runs.ts';
import { plannedPasses } from '../../lib/engine/upkeep/stage-repair.ts';
import { RUNS_AT_ONCE_MAX } from '../../lib/limits/compaction.ts';
import { EXECUTION_RUNS_MAX } from '../../lib/limits/stage.ts';
import { sharesOf } from '../../lib/settings/execution-shares.ts';
import { openTask } from '../deployment.ts';
import { newTask, type OpenTask } from '../task.ts';

const schema = z.object({
  strategies: z.array(z.enum(['l1', 'l2'])).optional(),
  runsMax: z.int().min(1).max(EXECUTION_RUNS_MAX).default(EXECUTION_RUNS_MAX),
  concurrency: z.int().min(1).max(RUNS_AT_ONCE_MAX).optional(),
  /** Of the schedule that asks: its budgets are for so long. */
  periodMs: z.int().positive().optional(),
});

export const newPlanner = (open: OpenTask) =>
  newTask(
    schema,
    open,
    async ({ store, logger, budgets, executions }, { strategies, runsMax, concurrency, periodMs }) => {
      const repairs = await plannedPasses(store);
      const { runs, resumed, plan, budgetUsed, runsAtOnce } = await planRuns(store, runsMax, {
        ...(strategies === undefined ? {} : { strategies }),
        ...(budgets === undefined ? {} : { budgets }),
        ...(periodMs === undefined ? {} : { periodMs }),
        runsAtOnceMax: sharesOf(executions).compactors,
      });
      const { before, after, threshold, spent } = plan;
      logger.info('plan', { plan: plan.digest, before, after, threshold, budgetUsed, spent, resumed, repairs });
      return {
        runs: [...repairs, ...runs].map((run) => ({ run })),
        concurrency: concurrency ?? runsAtOnce,
        plan: plan.digest,
      };
    },
  );

export const handler = newPlanner(openTask);
