// The incident as people read it: the table of its arms, the table of the map, and the page with the charts over time.

import { type ReportTable, reportHtml } from '../report-html.ts';
import { heatMap, type Line, lineChart, shortText } from '../svg-chart.ts';
import { isLower, isQuicker, type MapPoint } from './map.ts';
import { type ArmResult, type IncidentResult, type Sample, STATIC_ARMS } from './settings.ts';

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

/** A row per incident and byte budget, a column per arm and share of L2. */
export function mapTable(points: readonly MapPoint[]): ReportTable {
  const shares = [...new Set(points.map(({ l2Share }) => l2Share))];
  const columns = (['l2-one', 'l2-many'] as const).flatMap((arm) => shares.map((share) => ({ arm, share })));
  const settings = [...new Set(points.map(({ size, byteBudget }) => `${size} ${byteBudget}`))];
  const rows = settings.map((setting) => {
    const its = points.filter(({ size, byteBudget }) => `${size} ${byteBudget}` === setting);
    const cells = columns.map(({ arm, share }) => {
      const point = its.find((candidate) => candidate.arm === arm && candidate.l2Share === share);
      return point === undefined ? '' : mapCell(point);
    });
    return [...setting.split(' '), ...cells];
  });
  const names = columns.map(({ arm, share }) => `k -> ${arm === 'l2-one' ? '1' : 'm'}, ${share}`);
  return {
    title: 'L1 + L2 against L1 only after 7 days, by share of L2: excess, speed',
    rows: [['incident', 'bytes', ...names], ...rows],
  };
}

function mapCell(point: MapPoint): string {
  const mark = `${isLower(point) ? 'L' : ''}${isQuicker(point) ? 'Q' : ''}`;
  return `${point.excessRatio.toFixed(2)}, ${figure(point.speed, 1)} ${mark}`.trimEnd();
}

/** Every setting of the map as a dot; speeds beyond what is drawn stay at the edge. */
function mapChart(points: readonly MapPoint[]): string {
  const sizes = [...new Set(points.map(({ size }) => size))];
  const lines: Line[] = sizes.map((size, color) => ({
    name: `incident of ${size}`,
    color,
    points: points
      .filter((point) => point.size === size && point.speed !== null)
      .map(({ excessRatio, speed }) => [Math.min(1.2, excessRatio), Math.max(0, Math.min(6, speed ?? 0))] as const),
  }));
  const frame = {
    title: 'The map: excess and speed of L1 + L2, relative to L1 only (published: 0.5 to 0.7, 2 to 3)',
    xLabel: 'excess after 7 days, relative to L1 only',
    yLabel: 'speed, relative to L1 only (6: or more)',
  };
  return lineChart({ ...frame, dots: true, lineless: true, box: { x: [0.5, 0.7], y: [2, 3] } }, lines);
}

const COLOR_OF: Readonly<Record<ArmResult['arm'], number>> = {
  l1: 0,
  'l1-sparsest': 1,
  'l2-one': 2,
  'l2-many': 3,
  all: 4,
  'all-static': 5,
  shipped: 6,
  'shipped-static': 6,
};
const isControl = ({ arm }: ArmResult): boolean => arm === 'l1-sparsest' || STATIC_ARMS.has(arm);

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
      ...(map.length === 0 ? [] : [mapChart(map)]),
    ],
    tables: [incidentTable(result), ...(map.length === 0 ? [] : [mapTable(map)])],
    settings: { ...settings },
  });
}
