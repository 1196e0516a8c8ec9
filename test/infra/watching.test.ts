// What watches over a stage: every alarm has its runbook and every runbook its alarm, on metrics that exist, within the budget of metrics that an
// idle stage can afford.
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { idleStageOf } from '../../lib/infra/stacks/idle-stage.ts';
import { parseStageSettings } from '../../lib/infra/stage-settings.ts';
import { alarmSpecs } from '../../lib/infra/watch/alarm-specs.ts';
import { HOT_METRICS, KEEPING_METRICS, METRIC_NAMESPACE, METRICS } from '../../lib/settings/metric-names.ts';
import { type Resource, resourcesIn, type Synthesized, synthStage } from './synth.ts';

const ALARM_METRICS_MAX = 20;
const RUNBOOK = new URL('../../docs/operations.md', import.meta.url);

interface MetricDatum {
  readonly MetricStat?: { readonly Metric: { readonly Namespace: string; readonly MetricName: string } };
  readonly Expression?: string;
}

let durable: Synthesized;
let ephemeral: Synthesized;
beforeAll(() => {
  durable = synthStage({ stage: 'prod', alarmEmail: 'somebody@example.com' });
  ephemeral = synthStage({ stage: 'test', preset: 'demo', ephemeral: 'true' });
});

const alarmsOf = ({ cell }: Synthesized): Resource[] => resourcesIn([cell], 'AWS::CloudWatch::Alarm');
const nameOf = ({ Properties }: Resource): string => (Properties['AlarmName'] as string).replace(/^pocketful-\w+-/, '');

/** Namespace and name of each metric an alarm reads. */
function metricsOf({ Properties }: Resource): string[] {
  if (Properties['Metrics'] === undefined) return [`${Properties['Namespace']}/${Properties['MetricName']}`];
  return (Properties['Metrics'] as MetricDatum[]).flatMap(({ MetricStat }) =>
    MetricStat === undefined ? [] : [`${MetricStat.Metric.Namespace}/${MetricStat.Metric.MetricName}`],
  );
}

describe('alarms', () => {
  it('have a heading each in the runbook, and every heading its alarm', () => {
    const [, alarms = ''] = readFileSync(RUNBOOK, 'utf8').split(/^## Alarms$/m);
    const [section = ''] = alarms.split(/^## /m);
    const headings = [...section.matchAll(/^### (.+)$/gm)].map(([, heading]) => heading as string);
    expect(headings.length).toBeGreaterThanOrEqual(10);
    expect(alarmsOf(durable).map(nameOf).sort()).toEqual(headings.sort());
    for (const text of section.split(/^### /m).slice(1))
      for (const part of ['**Meaning.**', '**Look.**', '**Do.**']) expect(text).toContain(part);
  });

  it('name their runbook, and are sent both ways', () => {
    for (const alarm of alarmsOf(durable)) {
      expect(alarm.Properties['AlarmDescription']).toMatch(
        new RegExp(`\n\nRunbook: docs/operations.md#${nameOf(alarm)}$`),
      );
      for (const field of ['AlarmActions', 'OKActions']) expect(alarm.Properties[field]).toHaveLength(1);
    }
    for (const alarm of alarmsOf(ephemeral)) expect(alarm.Properties['AlarmActions']).toBeUndefined();
  });

  it('read at most twenty metrics, of which nine are ours: all that the tuner puts, three of them always', () => {
    const metrics = alarmsOf(durable).flatMap(metricsOf);
    expect(metrics.length).toBeLessThanOrEqual(ALARM_METRICS_MAX);
    expect(idleStageOf(parseStageSettings({}))).toMatchObject({ alarmMetrics: metrics.length, customMetrics: 3 });
    const ours = metrics.filter((metric) => metric.startsWith(`${METRIC_NAMESPACE}/`));
    expect(ours.sort()).toEqual(
      [...Object.values(METRICS), ...Object.values(KEEPING_METRICS), HOT_METRICS.hotFullness, METRICS.hoursOverdue]
        .map((name) => `${METRIC_NAMESPACE}/${name}`)
        .sort(),
    );
    for (const alarm of alarmsOf(durable))
      if (metricsOf(alarm).some((metric) => metric.startsWith(`${METRIC_NAMESPACE}/`)))
        expect(alarm.Properties['Dimensions']).toEqual([{ Name: 'Stage', Value: 'prod' }]);
  });

  it('do not look back further than CloudWatch can, seven days', () => {
    for (const spec of alarmSpecs(parseStageSettings({})))
      expect(spec.periodMinutes * spec.periods).toBeLessThanOrEqual(7 * 24 * 60);
  });

  it('know the overhead of the codec: 1.35 times n/k', () => {
    const limits = (preset: string): number[] =>
      alarmSpecs(parseStageSettings({ preset })).flatMap(({ name, limit }) => (name === 'overhead-high' ? limit : []));
    expect(limits('personal')).toEqual([2.025]);
    expect(limits('thrifty')).toEqual([1.35]);
    expect(limits('demo')).toEqual([1.8]);
  });

  it('of an ephemeral stage look at single minutes, those of a durable one at three hours', () => {
    const overhead = ({ cell }: Synthesized) =>
      resourcesIn([cell], 'AWS::CloudWatch::Alarm').find((alarm) => nameOf(alarm) === 'overhead-high')?.Properties;
    expect(overhead(durable)).toMatchObject({ Period: 3600, EvaluationPeriods: 3, TreatMissingData: 'notBreaching' });
    expect(overhead(ephemeral)).toMatchObject({ Period: 60, EvaluationPeriods: 1, TreatMissingData: 'notBreaching' });
  });

  it('about redundancy and repair are silent while all is well', () => {
    for (const name of ['redundancy-low', 'repair-behind']) {
      const alarm = alarmsOf(durable).find((one) => nameOf(one) === name)?.Properties;
      expect(alarm, name).toMatchObject({ TreatMissingData: 'notBreaching', EvaluationPeriods: 3, Period: 3600 });
    }
    const behind = alarmSpecs(parseStageSettings({})).find(({ name }) => name === 'repair-behind');
    expect(behind).toMatchObject({ limit: 48, is: 'above' });
  });

  it('none stays as it is when its metric stops: nobody who measures is an alarm of its own, where anybody should', () => {
    const treatments = (stage: Synthesized): Record<string, unknown> =>
      Object.fromEntries(alarmsOf(stage).map((alarm) => [nameOf(alarm), alarm.Properties['TreatMissingData']]));
    const { 'not-measured': unmeasured, ...others } = treatments(durable);
    expect(unmeasured).toBe('breaching');
    expect(new Set(Object.values(others))).toEqual(new Set(['notBreaching']));
    const [alarm] = alarmsOf(durable).filter((one) => nameOf(one) === 'not-measured') as [Resource];
    expect(alarm.Properties).toMatchObject({
      MetricName: METRICS.hoursOverdue,
      Statistic: 'SampleCount',
      ComparisonOperator: 'LessThanThreshold',
      Threshold: 1,
      Period: 3600,
      EvaluationPeriods: 3,
    });
    expect(treatments(synthStage({ stage: 'test', schedules: 'false' }))).not.toHaveProperty('not-measured');
  });

  it('watch what fails without an error of a function: conflicts, calls turned away, executions cut off or stopped', () => {
    const read = (name: string): string[] =>
      alarmsOf(durable)
        .filter((alarm) => nameOf(alarm) === name)
        .flatMap(metricsOf);
    expect(read('metadata-contended')).toEqual(['AWS/DynamoDB/TransactionConflict']);
    expect(read('functions-throttled')).toEqual(['AWS/Lambda/Throttles']);
    expect(read('compaction-stalled').sort()).toEqual(
      ['Aborted', 'Failed', 'TimedOut'].map((how) => `AWS/States/Executions${how}`),
    );
    // The whole account's: they share what may run at once.
    const [throttled] = alarmsOf(durable).filter((alarm) => nameOf(alarm) === 'functions-throttled') as [Resource];
    expect(throttled.Properties['Dimensions']).toBeUndefined();
  });

  it('say at once that the hot tier is full', () => {
    const full = alarmsOf(durable).find((alarm) => nameOf(alarm) === 'hot-full')?.Properties;
    expect(full).toMatchObject({ Statistic: 'Maximum', Threshold: 0.9, EvaluationPeriods: 1, Period: 3600 });
  });

  it('add up metrics that may be silent', () => {
    const [throttled] = alarmsOf(durable).filter((alarm) => nameOf(alarm) === 'metadata-throttled') as [Resource];
    const expressions = (throttled.Properties['Metrics'] as MetricDatum[]).map(({ Expression }) => Expression);
    expect(expressions).toContain('FILL(m0, 0) + FILL(m1, 0)');
  });
});

describe('the dashboard', () => {
  it('is one, and shows every alarm and every gauge', () => {
    const dashboards = resourcesIn(durable.all, 'AWS::CloudWatch::Dashboard');
    expect(dashboards).toHaveLength(1);
    const body = JSON.stringify(dashboards[0]?.Properties['DashboardBody']);
    for (const name of Object.values({ ...METRICS, ...KEEPING_METRICS, ...HOT_METRICS })) expect(body).toContain(name);
    for (const [id] of Object.entries(durable.cell.findResources('AWS::CloudWatch::Alarm'))) expect(body).toContain(id);
    for (const id of Object.keys(durable.cell.findResources('AWS::Lambda::Function'))) expect(body).toContain(id);
    expect(body).toContain('pocketful-prod-frontend');
  });
});

describe('saved queries', () => {
  it('look into logs that exist', () => {
    const groups = new Set(
      resourcesIn(durable.all, 'AWS::Logs::LogGroup').map(({ Properties }) => Properties['LogGroupName']),
    );
    const queries = resourcesIn(durable.all, 'AWS::Logs::QueryDefinition');
    expect(queries.length).toBeGreaterThanOrEqual(5);
    for (const { Properties } of queries) {
      expect(Properties['Name']).toMatch(/^pocketful\/prod\/[a-z-]+$/);
      const read = Properties['LogGroupNames'] as string[];
      expect(read.length).toBeGreaterThan(0);
      for (const group of read) expect(groups).toContain(group);
    }
  });

  it('are named in the runbook', () => {
    const runbook = readFileSync(RUNBOOK, 'utf8');
    for (const { Properties } of resourcesIn(durable.all, 'AWS::Logs::QueryDefinition'))
      expect(runbook).toContain(`\`${(Properties['Name'] as string).split('/').at(-1)}\``);
  });
});
