// L3's worker: a batch of the queue through the Live Coder. What is not done with is named in the answer, and comes
// again.
import { BatchProcessor, EventType, processPartialResponse } from '@aws-lambda-powertools/batch';
import * as z from 'zod';
import { workDelivered } from '../../lib/compaction/move/l3/delivered.ts';
import { noteCoder } from '../../lib/compaction/run/coder-state.ts';
import { charge } from '../../lib/compaction/run/period.ts';
import { spentOn } from '../../lib/compaction/run/reports.ts';
import { addTally } from '../../lib/engine/status/tally.ts';
import { retryLater } from '../../lib/foundation/errors.ts';
import { reasonLine } from '../../lib/foundation/reason.ts';
import { textOfSqsBody } from '../../lib/stream/sqs-body.ts';
import { openTask } from '../deployment.ts';
import { actorsOf, newTask, type OpenTask } from '../task.ts';

const schema = z.looseObject({
  Records: z.array(
    z.looseObject({
      messageId: z.string(),
      receiptHandle: z.string(),
      body: z.string(),
      eventSource: z.string().default('aws:sqs'),
      attributes: z.looseObject({ ApproximateReceiveCount: z.coerce.number().default(1) }),
    }),
  ),
});

export const newLiveCoder = (open: OpenTask) =>
  newTask(schema, open, async (context, event) => {
    const deliveries = event.Records.map(({ messageId, receiptHandle, body, attributes }) => ({
      id: messageId,
      body: textOfSqsBody(body),
      receipt: receiptHandle,
      receives: attributes.ApproximateReceiveCount,
    }));
    const { failed, ...report } = await workDelivered(actorsOf(context), context.stream, deliveries, context.signal);
    context.logger.info('drained', { ...report, received: deliveries.length, failed: failed.length });
    await addTally(context.store.components, {
      'l3.movedBytes': report.movedBytes,
      'l3.storedBytes': report.storedBytes,
      'l3.buckets': report.movedBuckets,
    });
    const { components } = context.store;
    await noteCoder(components, report.stalled);
    await charge(
      components,
      spentOn(components.settings, {
        copiedBytes: report.movedBytes,
        storedBytes: report.storedBytes,
        copiedBuckets: report.movedBuckets,
        retired: 0,
        destinations: 0,
        queued: true,
      }),
    );
    const isFailed = new Set(failed);
    return processPartialResponse(
      event as never,
      async ({ receiptHandle }: { receiptHandle: string }) => {
        if (isFailed.has(receiptHandle))
          throw retryLater('NOT_MOVED', report.stalled === undefined ? 'not moved yet' : reasonLine(report.stalled));
      },
      new BatchProcessor(EventType.SQS),
      { throwOnFullBatchFailure: false },
    );
  });

export const handler = newLiveCoder(openTask);
