// The one dashboard of a stage (the first three of an account are free): alarms, the state of compaction, the queue
// between drainer and Live Coder, functions and metadata, top to bottom in the order one asks.
import { Duration } from 'aws-cdk-lib';
import {
  type Alarm,
  AlarmStatusWidget,
  Dashboard,
  GraphWidget,
  type IMetric,
  type IWidget,
  Metric,
  TextWidget,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import { HOT_METRICS, KEEPING_METRICS, METRICS } from '../../settings/metric-names.ts';
import { zoneName } from '../resource-names.ts';
import { type MetricSource, RUNBOOKS } from './alarm-specs.ts';
import type { MetricOptions, Watched } from './watched.ts';

const WIDTH = 24;
const HEIGHT = 6;

interface Figures {
  readonly metricOf: (source: MetricSource, options: MetricOptions) => IMetric;
  readonly alarms: readonly Alarm[];
}

export function newDashboard(scope: Construct, watched: Watched, { metricOf, alarms }: Figures): Dashboard {
  const { stage } = watched;
  const gauge = (name: string): IMetric =>
    metricOf({ kind: 'gauge', name }, { statistic: 'Average', period: Duration.hours(1) });
  const queue = (which: 'drain' | 'dead' | 'failed', name: string): IMetric =>
    metricOf({ kind: 'queue', queue: which, name }, { statistic: 'Maximum', period: Duration.minutes(5) });
  const sum = (kind: 'table' | 'machine' | 'functions', name: string): IMetric =>
    metricOf({ kind, name }, { statistic: 'Sum', period: Duration.minutes(5) });
  const rows: IWidget[][] = [
    [
      new TextWidget({
        markdown: `# Pocketful ${stage.stage}\n${stage.store.preset}, ${stage.store.warmCodec}, ${stage.drives} drives. Runbooks: ${RUNBOOKS}`,
        width: WIDTH,
        height: 2,
      }),
    ],
    [new AlarmStatusWidget({ title: 'Alarms', alarms: [...alarms], width: WIDTH, height: 3 })],
    row(
      graph('Overhead of sealed volumes', [gauge(METRICS.sealedOverhead)], [gauge(METRICS.sealedOverheadWeekChange)]),
      graph('Fill: shift, and of new volumes', [gauge(METRICS.fillShift), gauge(METRICS.liveCoderFill)]),
      graph(
        'Hours overdue, volumes at risk, fullness of the hot tier',
        [gauge(METRICS.hoursOverdue), gauge(KEEPING_METRICS.repairHoursWaiting)],
        [gauge(KEEPING_METRICS.volumesAtRisk), gauge(HOT_METRICS.hotFullness)],
      ),
    ),
    row(
      graph(
        'Drain queue',
        [queue('drain', 'ApproximateNumberOfMessagesVisible'), queue('drain', 'ApproximateNumberOfMessagesNotVisible')],
        [queue('drain', 'ApproximateAgeOfOldestMessage')],
      ),
      graph('Given up', [
        queue('dead', 'ApproximateNumberOfMessagesVisible'),
        queue('failed', 'ApproximateNumberOfMessagesVisible'),
      ]),
      graph('Compaction executions', [
        sum('machine', 'ExecutionsSucceeded'),
        sum('machine', 'ExecutionsFailed'),
        sum('machine', 'ExecutionsTimedOut'),
        sum('machine', 'ExecutionsAborted'),
      ]),
    ),
    row(
      graph('Functions: errors, and calls turned away', ofFunctions(watched, 'Errors', 'Sum'), [
        sum('functions', 'Throttles'),
      ]),
      graph('Functions: duration p99, ms', ofFunctions(watched, 'Duration', 'p99')),
      graph(
        'Metadata',
        [sum('table', 'ConsumedWriteCapacityUnits'), sum('table', 'ConsumedReadCapacityUnits')],
        [sum('table', 'WriteThrottleEvents'), sum('table', 'ReadThrottleEvents')],
      ),
    ),
  ];
  return new Dashboard(scope, 'Dashboard', { dashboardName: zoneName(stage, 'stage'), widgets: rows });
}

const graph = (title: string, left: IMetric[], right: IMetric[] = []): GraphWidget =>
  new GraphWidget({ title, left, right, height: HEIGHT, width: WIDTH / 3 });

const row = (...widgets: IWidget[]): IWidget[] => widgets;

function ofFunctions({ stage, functions }: Watched, metricName: string, statistic: string): IMetric[] {
  const names = [zoneName(stage, 'frontend'), ...functions.map((one) => one.functionName)];
  return names.map(
    (FunctionName) =>
      new Metric({
        namespace: 'AWS/Lambda',
        metricName,
        dimensionsMap: { FunctionName },
        statistic,
        period: Duration.minutes(5),
      }),
  );
}
