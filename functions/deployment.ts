// The stage a function belongs to, opened at its first event and kept for the life of the process. A failure is not
// kept: the next event tries again.
import { S3Client } from '@aws-sdk/client-s3';
import { S3Shelf } from '../lib/drive/s3-shelf.ts';
import type { ShelfAt } from '../lib/engine/ship/store-journal.ts';
import { CloudWatchMetrics } from '../lib/engine/wire/cloudwatch-metrics.ts';
import { type DeployedParts, openParts, storeOf } from '../lib/engine/wire/deployed.ts';
import { InvocationClock, ownerUntil } from '../lib/engine/wire/invocation.ts';
import { stageOf } from '../lib/engine/wire/stage-environment.ts';
import { startKernel } from '../lib/engine/wire/system-kernel.ts';
import { present } from '../lib/foundation/assert.ts';
import { systemClock } from '../lib/foundation/clock.ts';
import { newSqsClient, SqsStream } from '../lib/stream/sqs-stream.ts';
import type { TaskParts } from './task.ts';

const clock = new InvocationClock(systemClock);

// While the function is initialized, before its first event.
startKernel(['rs-6-3', 'lrc-12-2-2']);

export function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make().catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    return made;
  };
}

/** What the functions of a stage share. */
export const deployed: () => Promise<DeployedParts> = once(() => openParts(stageOf(process.env), clock));

/** An event that has so much time. */
export const beginEvent = (remainingMs: number): void => clock.begin(remainingMs);

const shared = once(async () => {
  const { drain, stage, budgets, repairBytesPerDay, executions } = stageOf(process.env);
  const { queueUrl, dlqUrl } = present(drain, 'the stack gives this function its queues');
  const stream = new SqsStream({ client: newSqsClient(), queueUrl, dlqUrl, clock });
  return { stream, metrics: new CloudWatchMetrics(stage), budgets, repairBytesPerDay, executions };
});

let s3: S3Client | undefined;

/** Of a bucket. */
export const stageShelf: ShelfAt = (bucket) => {
  s3 ??= new S3Client({});
  return new S3Shelf({ client: s3, bucket });
};

/** A store under a name of its own: what this invocation leases is free again once its time is over. */
export async function openTask(remainingMs: number): Promise<TaskParts> {
  beginEvent(remainingMs);
  const opened = await deployed();
  return { store: storeOf(opened, ownerUntil(clock.nowMs() + remainingMs, opened.randomness)), ...(await shared()) };
}
