// Steady fleets as people read them: overhead against write amplification beside the closed-form limit.
import { type ReportTable, reportHtml } from './report-html.ts';
import type { FloorPoint, SteadyPoint } from './steady.ts';
import { type Line, lineChart } from './svg-chart.ts';

export function steadyTable(points: readonly SteadyPoint[]): ReportTable {
  const head = ['deletes', 'policy', 'target', 'overhead', 'write amplification', 'limit', 'ratio', 'rows / GiB'];
  const rows = points.map((p) => [
    p.pattern,
    p.policy,
    p.target.toFixed(2),
    p.overhead.toFixed(3),
    p.writeAmplification.toFixed(2),
    p.bound.toFixed(2),
    (p.writeAmplification / p.bound).toFixed(3),
    p.metadataWritesPerGib.toFixed(0),
  ]);
  return { title: 'Overhead against write amplification', rows: [head, ...rows] };
}

export function floorTable(floors: readonly FloorPoint[]): ReportTable {
  const rows = floors.map(({ name, overhead, floor }) => [name, overhead.toFixed(3), floor.toFixed(3)]);
  return { title: 'Where packing alone stalls', rows: [['packing', 'overhead', 'closed form'], ...rows] };
}

export function steadyPage(points: readonly SteadyPoint[], floors: readonly FloorPoint[], settings: object): string {
  const names = [...new Set(points.map((p) => `${p.pattern}, ${p.policy}`))];
  const lines: Line[] = names.flatMap((name, color) => {
    const its = points.filter((p) => `${p.pattern}, ${p.policy}` === name);
    return [
      { name, color, points: its.map((p) => [p.overhead, p.writeAmplification] as const) },
      { name: `${name}: limit`, color, dashed: true, points: its.map((p) => [p.overhead, p.bound] as const) },
    ];
  });
  return reportHtml({
    title: 'Steady fleets: overhead against write amplification',
    lead: 'Writes balance deletes and the production planner holds the overhead. Write amplification is (written + moved) / written; the limit is the closed form at the overhead measured, open volumes counted.',
    legend: lines,
    charts: [
      lineChart(
        { title: 'Write amplification', xLabel: 'overhead', yLabel: '(written + moved) / written', dots: true },
        lines,
      ),
    ],
    tables: [steadyTable(points), ...(floors.length === 0 ? [] : [floorTable(floors)])],
    settings: { ...settings },
  });
}
