// What watches over a stage: the alarms of alarm-specs.ts, one dashboard, and the log queries one needs at night.
import { Duration } from 'aws-cdk-lib';
import {
  Alarm,
  ComparisonOperator,
  type IMetric,
  MathExpression,
  Metric,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Construct } from 'constructs';
import { METRIC_NAMESPACE, STAGE_DIMENSION } from '../../settings/metric-names.ts';
import { zoneName } from '../resource-names.ts';
import { type AlarmSpec, alarmSpecs, type MetricSource, RUNBOOKS } from './alarm-specs.ts';
import { newDashboard } from './dashboard.ts';
import { addLogQueries } from './log-queries.ts';
import type { MetricOptions, Watched } from './watched.ts';

export class Watching extends Construct {
  readonly alarms: readonly Alarm[];
  readonly #watched: Watched;

  constructor(scope: Construct, id: string, watched: Watched) {
    super(scope, id);
    this.#watched = watched;
    const { stage } = watched;
    const send = this.#mail(stage.alarmEmail);
    this.alarms = alarmSpecs(stage).map((spec) => this.#alarm(spec, send));
    newDashboard(this, watched, { metricOf: (source, options) => this.#metric(source, options), alarms: this.alarms });
    addLogQueries(this, stage);
  }

  #mail(address: string | undefined): SnsAction | undefined {
    if (address === undefined) return undefined;
    const topic = new Topic(this, 'Alarms', { displayName: zoneName(this.#watched.stage, 'alarms'), enforceSSL: true });
    topic.addSubscription(new EmailSubscription(address));
    return new SnsAction(topic);
  }

  #alarm(spec: AlarmSpec, send: SnsAction | undefined): Alarm {
    const { stage } = this.#watched;
    const alarm = new Alarm(this, spec.name, {
      alarmName: zoneName(stage, spec.name),
      alarmDescription: `${spec.says}\n\nRunbook: ${RUNBOOKS}#${spec.name}`,
      metric: this.#sum(spec),
      threshold: spec.limit,
      comparisonOperator:
        spec.is === 'above' ? ComparisonOperator.GREATER_THAN_THRESHOLD : ComparisonOperator.LESS_THAN_THRESHOLD,
      evaluationPeriods: spec.periods,
      treatMissingData: spec.silence === 'good' ? TreatMissingData.NOT_BREACHING : TreatMissingData.BREACHING,
    });
    if (send !== undefined) {
      alarm.addAlarmAction(send);
      alarm.addOkAction(send);
    }
    return alarm;
  }

  #sum(spec: AlarmSpec): IMetric {
    const period = Duration.minutes(spec.periodMinutes);
    const metrics = spec.metrics.map((source) => this.#metric(source, { statistic: spec.statistic, period }));
    const [only] = metrics;
    if (metrics.length === 1 && only !== undefined) return only;
    const using = Object.fromEntries(metrics.map((metric, i) => [`m${i}`, metric]));
    // A metric without a data point would make the whole sum one without.
    const expression = Object.keys(using)
      .map((id) => `FILL(${id}, 0)`)
      .join(' + ');
    return new MathExpression({ expression, usingMetrics: using, period, label: spec.name });
  }

  #metric(source: MetricSource, options: MetricOptions): Metric {
    const { stage, tableName, queues, machineArn } = this.#watched;
    const of = (namespace: string, dimensionsMap: Record<string, string>): Metric =>
      new Metric({ namespace, metricName: source.name, dimensionsMap, ...options });
    if (source.kind === 'gauge') return of(METRIC_NAMESPACE, { [STAGE_DIMENSION]: stage.stage });
    if (source.kind === 'table') return of('AWS/DynamoDB', { TableName: tableName });
    if (source.kind === 'machine') return of('AWS/States', { StateMachineArn: machineArn });
    if (source.kind === 'functions') return of('AWS/Lambda', {});
    if (source.kind === 'frontend') return of('AWS/Lambda', { FunctionName: zoneName(stage, 'frontend') });
    return of('AWS/SQS', { QueueName: queues[source.queue].queueName });
  }
}
