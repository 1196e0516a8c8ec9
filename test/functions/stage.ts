// A stage on memory bodies: every invocation is a process of its own on the same drives, rows and queue, as Lambda may run it, and the
// factories of the events the functions get.
import { newCompactor } from '../../functions/compactor/handler.ts';
import { newDrainer } from '../../functions/drainer/handler.ts';
import { newEncoder } from '../../functions/encoder/handler.ts';
import { newGc } from '../../functions/gc/handler.ts';
import { newLiveCoder } from '../../functions/live-coder/handler.ts';
import { newPlanner } from '../../functions/planner/handler.ts';
import type { OpenTask } from '../../functions/task.ts';
import { newTuner } from '../../functions/threshold-tuner/handler.ts';
import type { Budgets } from '../../lib/compaction/plan/budget.ts';
import type { FaultPlan } from '../../lib/foundation/faults.ts';
import { MemoryStream } from '../../lib/stream/memory-stream.ts';
import type { Delivery } from '../../lib/stream/stream.ts';
import { VolumeStore } from '../../lib/volume/volume-store.ts';
import type { World } from '../store/harness.ts';
import { context } from './events.ts';
import { asRole } from './rights.ts';

Object.assign(process.env, { POWERTOOLS_LOG_LEVEL: 'SILENT', POWERTOOLS_METRICS_DISABLED: 'true' });

export const RECEIVES_MAX = 3;
const VISIBLE_AGAIN_MS = 360_000;

export type Answer = Record<string, unknown>;
type Handler = (event: unknown, lambda: ReturnType<typeof context>) => Promise<unknown>;

const FUNCTIONS = {
  planner: newPlanner,
  compactor: newCompactor,
  drainer: newDrainer,
  encoder: newEncoder,
  gc: newGc,
  'live-coder': newLiveCoder,
  'threshold-tuner': newTuner,
} as const;

export interface InvokeOptions {
  /** Faults of this invocation's ports. */
  readonly plan?: FaultPlan;
  readonly remainingMs?: number;
}

export class Stage {
  readonly world: World;
  readonly stream: MemoryStream;
  readonly gauges: Record<string, number>[] = [];
  /** Whether functions that were invoked before count as gone. */
  othersDead = false;
  /** Of its schedules. */
  budgets: Budgets | undefined;
  repairBytesPerDay: number | undefined;

  constructor(world: World) {
    this.world = world;
    this.stream = new MemoryStream(world.clock, RECEIVES_MAX);
  }

  /** With no more rights than its role has. */
  #storeAs(name: keyof typeof FUNCTIONS, plan: FaultPlan | undefined): VolumeStore {
    const { components } = this.world.start({ othersDead: this.othersDead, ...(plan === undefined ? {} : { plan }) });
    return new VolumeStore(asRole(components, name));
  }

  /** Through JSON both ways, as Lambda does it. */
  async invoke(name: keyof typeof FUNCTIONS, event: unknown = {}, options: InvokeOptions = {}): Promise<Answer> {
    const { plan, remainingMs } = options;
    const open: OpenTask = async () => ({
      store: this.#storeAs(name, plan),
      stream: this.stream,
      budgets: this.budgets,
      repairBytesPerDay: this.repairBytesPerDay,
      metrics: { put: async (gauges) => void this.gauges.push({ ...gauges }) },
    });
    const handler = FUNCTIONS[name](open) as unknown as Handler;
    return JSON.parse(JSON.stringify(await handler(JSON.parse(JSON.stringify(event)), context(remainingMs))));
  }

  /** One batch as the event source hands it over; what the answer does not name is deleted. */
  async deliver(max = 100, options: InvokeOptions = {}): Promise<{ received: number; failed: number }> {
    const batch = await this.stream.receive(max, VISIBLE_AGAIN_MS);
    if (batch.length === 0) return { received: 0, failed: 0 };
    const answer = await this.invoke('live-coder', sqsEvent(batch), options);
    const failures = answer['batchItemFailures'] as { itemIdentifier: string }[];
    const failed = new Set(failures.map(({ itemIdentifier }) => itemIdentifier));
    await this.stream.ack(batch.filter(({ id }) => !failed.has(id)).map(({ receipt }) => receipt));
    return { received: batch.length, failed: failed.size };
  }
}

export const sqsEvent = (batch: readonly Delivery[]): unknown => ({
  Records: batch.map(({ id, body, receipt, receives }) => ({
    messageId: id,
    receiptHandle: receipt,
    body,
    attributes: {
      ApproximateReceiveCount: String(receives),
      SentTimestamp: '1767225600000',
      SenderId: 'AIDAEXAMPLE',
      ApproximateFirstReceiveTimestamp: '1767225600001',
    },
    messageAttributes: {},
    md5OfBody: '',
    eventSource: 'aws:sqs',
    eventSourceARN: 'arn:aws:sqs:us-east-1:000000000000:drain',
    awsRegion: 'us-east-1',
  })),
});
