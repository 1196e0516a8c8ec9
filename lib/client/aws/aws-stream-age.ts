// How late the journal function reads the table's stream: what CloudWatch has of it. Whether anything waits in the
// stream nobody else knows.
import { CloudWatchClient, type Datapoint, GetMetricStatisticsCommand } from '@aws-sdk/client-cloudwatch';
import type { Clock } from '../../foundation/clock.ts';
import { MINUTE_MS } from '../../foundation/durations.ts';
import { STREAM_AGE_MS_MAX } from '../../limits/stage.ts';

/** Null: nothing came for a while, or it is not known: `status` goes on without it. */
export async function streamAgeMs(functionName: string, clock: Clock): Promise<number | null> {
  const client = new CloudWatchClient({});
  const nowMs = clock.nowMs();
  const command = new GetMetricStatisticsCommand({
    ...{ Namespace: 'AWS/Lambda', MetricName: 'IteratorAge', Statistics: ['Maximum'], Period: MINUTE_MS / 1000 },
    ...{ Dimensions: [{ Name: 'FunctionName', Value: functionName }] },
    ...{ StartTime: new Date(nowMs - STREAM_AGE_MS_MAX), EndTime: new Date(nowMs) },
  });
  try {
    return newestOf((await client.send(command)).Datapoints ?? []);
  } catch {
    return null;
  } finally {
    client.destroy();
  }
}

/** Of the last minute that has one: a batch that fails comes again, and is older each time. */
export function newestOf(points: readonly Datapoint[]): number | null {
  let newest: Datapoint | undefined;
  for (const point of points)
    if (point.Timestamp !== undefined && point.Timestamp > (newest?.Timestamp ?? new Date(0))) newest = point;
  return newest?.Maximum === undefined ? null : Math.round(newest.Maximum);
}
