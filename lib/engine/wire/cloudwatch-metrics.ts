// Gauges as CloudWatch custom metrics of the stage, all in one call. The same ones put twice are only two data points.
import { CloudWatchClient, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { denied, retryLater } from '../../foundation/errors.ts';
import { METRIC_NAMESPACE, STAGE_DIMENSION } from '../../settings/metric-names.ts';
import type { MetricsPort } from './metrics.ts';

export class CloudWatchMetrics implements MetricsPort {
  readonly #stage: string;
  readonly #client: CloudWatchClient;

  constructor(stage: string, client = new CloudWatchClient({})) {
    this.#stage = stage;
    this.#client = client;
  }

  /** Throws `denied` METRICS_DENIED, `retry` METRICS_BUSY. */
  async put(gauges: Readonly<Record<string, number>>): Promise<void> {
    const dimensions = [{ Name: STAGE_DIMENSION, Value: this.#stage }];
    const data = Object.entries(gauges).map(([name, value]) => ({
      MetricName: name,
      Dimensions: dimensions,
      Unit: 'None' as const,
      Value: value,
    }));
    if (data.length === 0) return;
    try {
      await this.#client.send(new PutMetricDataCommand({ Namespace: METRIC_NAMESPACE, MetricData: data }));
    } catch (error) {
      const name = error instanceof Error ? error.name : '';
      if (name === 'AccessDenied' || name === 'AccessDeniedException')
        throw denied('METRICS_DENIED', 'no permission for cloudwatch:PutMetricData', error);
      throw retryLater('METRICS_BUSY', `cloudwatch:PutMetricData: ${name || 'no answer'}`, error);
    }
  }
}
