// The incident as people read it: the table of its arms, the table of the map, and the page with the charts over time.
import type { ArmResult, IncidentResult, MapPoint, Sample } from './incident.ts';
import { type ReportTable, reportHtml } from './report-html.ts';
import { heatMap, type Line, lineChart, shortText } from './svg-chart.ts';

const figure = (value: number | null, digits = 3): string => (value === null ? '-' : value.toFixed(digits));

export function incidentTable({ arms, baseline }: IncidentResult): ReportTable {
  const head = [
    'arm',
    'day 7',
    'end',
    'excess',
    'over base',
    'speed',
    'base on day',
    'L1 vol/run',
    'moved',
    'rows',
    '$',
  ];
  const rows = arms.map((arm) => {
    const last = arm.samples.at(-1) as Sample;
    return [
      arm.text,
      figure(arm.day7),
      figure(arm.end),
      figure(arm.excessRatio, 2),
      figure(arm.excessOverBaselineRatio, 2),
      figure(arm.speed, 1),
      arm.daysToBaseline === null ? 'not yet' : String(arm.daysToBaseline),
      figure(arm.l1VolumesPerRun, 2),
      `${shortText(last.bytes)}B`,
      shortText(last.metadataWrites),
      last.dollars.toFixed(2),
    ];
  });
  return { title: `Arms on equal budgets (overhead before: ${baseline.overhead.toFixed(3)})`, rows: [head, ...rows] };
}

export function mapTable(points: readonly MapPoint[]): ReportTable {
  const lower = ({ excessRatio }: MapPoint): boolean => excessRatio >= 0.5 && excessRatio <= 0.7;
  const quicker = ({ speed }: MapPoint): boolean => speed !== null && speed >= 2 && speed <= 3;
  const rows = points.map((point) => [
    point.arm === 'l2-one' ? 'k -> 1' : 'k -> m',
    String(point.size),
    String(point.byteBudget),
    String(point.l2Share),
    figure(point.excessRatio, 2),
    figure(point.excessOverBaselineRatio, 2),
    figure(point.speed, 1),
    lower(point) ? 'yes' : '',
    quicker(point) ? 'yes' : '',
    lower(point) && quicker(point) ? 'yes' : '',
  ]);
  const head = [
    'incident',
    'byte budget',
    'L2 share',
    'excess',
    'over base',
    'speed',
    '30-50 % lower',
    '2-3 x',
    'both',
  ];
  return { title: 'L1 + L2 against L1 only after 7 days', rows: [head, ...rows] };
}

const COLOR_OF: Readonly<Record<ArmResult['arm'], number>> = {
  l1: 0,
  'l1-sparsest': 1,
  'l2-one': 2,
  'l2-many': 3,
  all: 4,
  'all-static': 5,
};
const isControl = ({ arm }: ArmResult): boolean => arm === 'l1-sparsest' || arm === 'all-static';

export function incidentPage(result: IncidentResult, map: readonly MapPoint[] = []): string {
  const { arms, before, baseline, settings } = result;
  const lines = (of: (sample: Sample) => number, withBefore: boolean): Line[] => [
    ...arms.map((arm) => ({
      name: arm.text,
      color: COLOR_OF[arm.arm],
      dashed: isControl(arm),
      points: arm.samples.map((sample) => [sample.day, of(sample)] as const),
    })),
    ...(withBefore && before.length > 0
      ? [{ name: 'roll-out, before detection', color: 5, points: before.map((s) => [s.day, of(s)] as const) }]
      : []),
  ];
  const chart = (title: string, yLabel: string, of: (sample: Sample) => number, fromZero = true): string =>
    lineChart({ title, xLabel: 'days since detection', yLabel, fromZero }, lines(of, false));
  const level = { y: baseline.overhead, name: 'before the incident' };
  const overheadFrame = {
    title: 'Overhead over time',
    xLabel: 'days since detection',
    yLabel: 'allocated / live',
    level,
  };
  const heats = arms.map((arm) => {
    const all = [...before, ...arm.samples.slice(1)];
    return heatMap(
      `Fills over time: ${arm.text}`,
      all.map(({ day }) => day),
      all.map(({ histogram }) => histogram),
    );
  });
  return reportHtml({
    title: 'Compaction after an under-fill incident',
    lead:
      `A simulated fleet of ${settings.liveVolumes} full volumes of live data, steady under L1 at overhead ${baseline.overhead.toFixed(3)}. For ${settings.rampDays} days the ` +
      `Live Coder also seals under-filled volumes (${settings.size} of those allocated, shape "${settings.shape}"); at detection overhead is ${result.detected.overhead.toFixed(3)}. ` +
      `Then every arm compacts the same fleet with ${settings.byteBudget} times the bytes and ${settings.metadataBudget} times the metadata writes that L1 used before.`,
    legend: arms.map((arm) => ({ name: arm.text, color: COLOR_OF[arm.arm], dashed: isControl(arm) })),
    charts: [
      lineChart(
        overheadFrame,
        lines(({ overhead }) => overhead, true),
      ),
      chart('Threshold', 'least dead fraction', ({ threshold }) => threshold, false),
      chart('Volumes reclaimed', 'volumes', ({ reclaimed }) => reclaimed),
      chart('Bytes moved', 'bytes', ({ bytes }) => bytes),
      chart('Metadata writes', 'rows', ({ metadataWrites }) => metadataWrites),
      chart('Dollars', 'dollars', ({ dollars }) => dollars),
      ...heats,
    ],
    tables: [incidentTable(result), ...(map.length === 0 ? [] : [mapTable(map)])],
    settings: { ...settings },
  });
}
