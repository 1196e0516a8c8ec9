// What the maintenance functions have in common: the event parsed, the parts opened, one log line with the report, a
// signal before the time is up, and errors named by their kind, for the state machine to match.
import { Logger } from '@aws-lambda-powertools/logger';
import { injectLambdaContext } from '@aws-lambda-powertools/logger/middleware';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { logMetrics } from '@aws-lambda-powertools/metrics/middleware';
import middy from '@middy/core';
import type * as z from 'zod';
import type { Budgets } from '../lib/compaction/plan/budget.ts';
import type { Actors } from '../lib/compaction/run/actors.ts';
import type { MetricsPort } from '../lib/engine/wire/metrics.ts';
import { isPocketfulError, notMet } from '../lib/foundation/errors.ts';
import { ENDING_MS_MAX } from '../lib/limits/stage.ts';
import { LiveCoder } from '../lib/live-coder/live-coder.ts';
import type { Stream } from '../lib/stream/stream.ts';
import type { VolumeStore } from '../lib/volume/volume-store.ts';

export interface TaskParts {
  readonly store: VolumeStore;
  readonly stream: Stream;
  readonly metrics: MetricsPort;
  /** Of the stage's schedules; absent: not limited. */
  readonly budgets?: Budgets | undefined;
  /** Functions that may run at once in the account; absent: as in a new one. */
  readonly executions?: number | undefined;
  /** What passes of repair may write in a day; absent: not limited. */
  readonly repairBytesPerDay?: number | undefined;
}

export interface TaskContext extends TaskParts {
  readonly logger: Logger;
  /** Fires early enough to write what is half done. */
  readonly signal: AbortSignal;
}

export type OpenTask = (remainingMs: number) => Promise<TaskParts>;

export function newTask<Schema extends z.ZodType, Report extends object>(
  schema: Schema,
  open: OpenTask,
  work: (context: TaskContext, event: z.infer<Schema>) => Promise<Report>,
) {
  const logger = new Logger();
  const metrics = new Metrics();
  return middy<unknown, Report>()
    .use(injectLambdaContext(logger, { resetKeys: true }))
    .use(logMetrics(metrics, { throwOnEmptyMetrics: false }))
    .handler(async (event, context): Promise<Report> => {
      const remainingMs = context.getRemainingTimeInMillis();
      const startMs = performance.now();
      const signal = AbortSignal.timeout(Math.max(1, remainingMs - Math.min(ENDING_MS_MAX, remainingMs / 3)));
      try {
        const input = parsed(schema, event);
        const report = await work({ ...(await open(remainingMs)), logger, signal }, input);
        metrics.addMetric('TasksDone', MetricUnit.Count, 1);
        logger.info('task', { report, ms: Math.round(performance.now() - startMs) });
        return report;
      } catch (error) {
        metrics.addMetric('TasksFailed', MetricUnit.Count, 1);
        logger.error('task failed', error as Error);
        throw named(error);
      }
    });
}

export const actorsOf = ({ store, stream }: TaskParts): Actors => ({
  store,
  stream,
  makeTarget: (run, moved) => new LiveCoder(store, run, moved),
});

function parsed<Schema extends z.ZodType>(schema: Schema, event: unknown): z.infer<Schema> {
  const result = schema.safeParse(event ?? {});
  if (result.success) return result.data;
  throw notMet('EVENT_INVALID', 'event', result.error);
}

/** PocketfulRetry and so on: what Lambda reports as the error's type. */
function named(error: unknown): unknown {
  if (!isPocketfulError(error)) return error;
  const said = new Error(`${error.message} (${error.code})`, { cause: error });
  said.name = `Pocketful${error.kind[0]?.toUpperCase()}${error.kind.slice(1)}`;
  return said;
}
