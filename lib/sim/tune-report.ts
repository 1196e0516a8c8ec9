// Thresholds in dollars as people read them, and a store's what-if.
import { type ReportTable, reportHtml } from './report-html.ts';
import { type Line, lineChart, shortText } from './svg-chart.ts';
import type { TuneResult, TuneRow } from './tune-policies.ts';
import type { WhatIf } from './what-if.ts';

const nameOf = ({ cell }: TuneRow): string =>
  `${cell.storageClass}, rows per ${cell.relocation === 'bucket' ? 'bucket' : `blob of ${cell.blobBytes / 1024} KiB`}`;

export function tuneTables(result: TuneResult): ReportTable[] {
  const bestOf = (row: TuneRow): number => Math.min(...row.statics.map(({ dollarsPerMonth }) => dollarsPerMonth));
  const head = [
    'prices',
    'deletes/month',
    'best static',
    '$/month',
    'controller, money',
    'ratio',
    'money alone',
    'worth',
    'overhead',
  ];
  const rows = result.rows.map((row) => [
    nameOf(row),
    `${(row.cell.deletesPerMonth * 100).toFixed(0)} %`,
    row.bestThreshold.toFixed(2),
    bestOf(row).toFixed(2),
    row.controller.dollarsPerMonth.toFixed(2),
    row.ratio.toFixed(2),
    (row.money.dollarsPerMonth / bestOf(row)).toFixed(2),
    (row.worth.dollarsPerMonth / bestOf(row)).toFixed(2),
    row.controller.overhead.toFixed(3),
  ]);
  const mean = [
    ['controller, money', result.controllerCost.toFixed(3)],
    [`static ${result.oneForAll} for the whole grid`, result.oneForAllCost.toFixed(3)],
  ];
  const swings = result.swings.map((swing) => [
    String(swing.delayDays),
    String(swing.stepPerDay),
    swing.peakToPeak.toFixed(3),
    swing.overhead.toFixed(3),
  ]);
  return [
    { title: 'Dollars a month that the threshold can change', rows: [head, ...rows] },
    { title: 'Mean of cost / best static threshold of each price', rows: [['choice', 'mean ratio'], ...mean] },
    {
      title: 'Swing of the threshold in the last 100 of 300 days',
      rows: [['delay, days', 'step a day', 'peak to peak', 'overhead'], ...swings],
    },
  ];
}

export function tunePage(result: TuneResult): string {
  const groups = [...new Set(result.rows.map(nameOf))];
  const rates = [...new Set(result.rows.map(({ cell }) => cell.deletesPerMonth))];
  const colors = rates.map((rate, color) => ({ name: `${rate * 100} % deleted a month`, color }));
  const charts = groups.map((group) => {
    const lines: Line[] = result.rows
      .filter((row) => nameOf(row) === group)
      .map((row, color) => {
        const best = Math.min(...row.statics.map(({ dollarsPerMonth }) => dollarsPerMonth));
        const points = row.statics
          .map((cost, t) => [result.settings.thresholds[t] as number, cost.dollarsPerMonth / best] as const)
          .filter(([, ratio]) => ratio <= 6);
        return { name: colors[color]?.name ?? '', color, points };
      });
    const frame = { title: group, xLabel: 'static threshold', yLabel: 'cost / best static', dots: true };
    return lineChart({ ...frame, fromZero: true, level: { y: 1, name: 'best static' } }, lines);
  });
  return reportHtml({
    title: 'Thresholds in dollars',
    lead: 'Storage of what is not live plus the cost of moving, per static threshold, beside the controller with the money objective. Ratios over 6 are not drawn.',
    legend: colors,
    charts,
    tables: tuneTables(result),
    settings: { ...result.settings },
  });
}

export function whatIfTable({ rows }: WhatIf): ReportTable {
  const head = ['strategies', 'threshold', 'runs', 'overhead', 'after', 'freed', 'read', 'rows', '$ now', '$ saved'];
  return {
    title: 'What the planner would do now',
    rows: [
      head,
      ...rows.map((row) => [
        row.strategies,
        row.threshold.toFixed(2),
        String(row.runs),
        row.overheadBefore.toFixed(3),
        row.overheadAfter.toFixed(3),
        String(row.volumesFreed),
        `${shortText(row.bytesRead)}B`,
        shortText(row.metadataWrites),
        row.dollars.toFixed(6),
        row.savedDollars.toFixed(6),
      ]),
    ],
  };
}

export function whatIfPage(result: WhatIf): string {
  const names = [...new Set(result.rows.map(({ strategies }) => strategies))];
  const lines: Line[] = names.map((name, color) => ({
    name,
    color,
    points: result.rows
      .filter(({ strategies }) => strategies === name)
      .map(({ bytesRead, overheadAfter }) => [bytesRead, overheadAfter] as const)
      .sort((a, b) => a[0] - b[0]),
  }));
  return reportHtml({
    title: 'What if this store were compacted now',
    lead: `Store ${result.store}, preset ${result.preset}: ${result.volumes} sealed volumes, one point per threshold.`,
    legend: lines,
    charts: [
      lineChart(
        { title: 'Overhead for bytes read', xLabel: 'bytes read', yLabel: 'overhead after', dots: true },
        lines,
      ),
    ],
    tables: [whatIfTable(result)],
    settings: { store: result.store, preset: result.preset },
  });
}
