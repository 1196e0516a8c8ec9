// Figures that are reckoned from few numbers: sizes, rates, thresholds, budgets.
import { sparsestFirst } from '../../lib/compaction/do/drain.ts';
import { hostRoomBytes } from '../../lib/compaction/facts/crowded.ts';
import { deleteRatesOf } from '../../lib/compaction/facts/delete-rates.ts';
import { fleetOf } from '../../lib/compaction/facts/fleet.ts';
import { learn } from '../../lib/compaction/facts/measured-rates.ts';
import {
  BUDGET_LINES,
  budgetsLeft,
  budgetsOf,
  budgetUsed,
  type Spending,
  subtractSpending,
} from '../../lib/compaction/plan/budget.ts';
import { budgetsFor, derivedRates, runsAtOnce } from '../../lib/compaction/plan/operating-settings.ts';
import {
  stepNaively,
  stepThreshold,
  THRESHOLD_SETTINGS,
  type ThresholdState,
  thresholdStart,
} from '../../lib/compaction/threshold/law.ts';
import { DAY_MS } from '../../lib/foundation/durations.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { RATE_SAMPLE_MAX } from '../../lib/limits/compaction.ts';
import { worstLosses } from '../../lib/volume/check/worst-loss.ts';
import { planBalance } from '../../lib/volume/repair/balance-plan.ts';
import { shapedFills, volumeName, volumeOf } from '../compaction/fleets.ts';
import { SeededRows, textOf } from './seeded-rows.ts';

export function figureLines(): string[] {
  const lines: string[] = [];
  for (let seed = 1; seed <= 12; seed++) {
    const rows = new SeededRows(new SeededRandomness(seed));
    const volumes = rows.list(9, (n) => ({ liveBytes: rows.below(9) * 10, volume: { id: volumeName((n * 5) % 9) } }));
    for (const options of [
      {},
      { fillPermilleMax: 300 },
      { sourcesMax: 3 },
      { sourcesMax: 0 },
      { fillPermilleMax: 1000, targetOverhead: 1.2 },
      { fillPermilleMax: 1000, targetOverhead: 2 },
    ])
      lines.push(
        `sparsest ${seed} ${textOf(options)}: ${sparsestFirst(volumes, 100, options)
          .map(({ volume, liveBytes }) => `${Number.parseInt(volume.id, 16)}:${liveBytes}`)
          .join(' ')}`,
      );
    const volume = rows.volume({ codec: rows.pick(['rs-6-3', 'xor-2-1']), directoriesPending: seed % 5 === 0 });
    const notes = new Map(
      rows.once(2) ? [[volume.id as string, { generation: volume.generation + rows.below(2), liveBytes: 1000 }]] : [],
    );
    for (const live of [0, 949, 950, 951, 1000, 300_000])
      lines.push(`room ${seed} ${live}: ${hostRoomBytes({ extentBytes: 65_536 }, volume, live, notes)}`);
    const drives = rows.list(12, (drive) => ({
      drive,
      label: `d${drive}`,
      domain: rows.once(3) ? undefined : `m${drive % 4}`,
    }));
    const held = rows.list(5, () => rows.volume({ codec: rows.pick(['rs-6-3', 'xor-2-1', 'replica-4']) }, 12));
    lines.push(
      `loss ${seed}: ${textOf(worstLosses({ volumes: held, damage: [], drives, gone: new Set(rows.once(2) ? [3] : []) }))}`,
    );
    const fleet = (part: number) =>
      fleetOf(
        's',
        'c',
        [...shapedFills(new SeededRandomness(seed), 'mixed', 60)].map((fill, n) =>
          volumeOf(n + 1, fill * part, {
            ageMs: ((n * 3) % 90) * DAY_MS,
            generation: n % 17 === 0 && part < 1 ? 2 : 1,
          }),
        ),
      );
    const days = [0, 0.5, 1, 9][seed % 4] as number;
    lines.push(
      `rates ${seed}: ${textOf(deleteRatesOf(fleet(1), fleet(0.9), days * DAY_MS, [9, 9, 9, 9], seed))} ${textOf(deleteRatesOf(fleet(0.9), fleet(1), DAY_MS, [9, 9, 9, 9]))}`,
    );
    const first = learn(undefined, fleet(1), 0);
    const second = learn({ atMs: 0, learnt: first }, fleet(0.9), DAY_MS);
    const { sample, ...third } = learn({ atMs: DAY_MS, learnt: second }, fleet(0.8), 4 * DAY_MS);
    lines.push(
      `learnt ${seed}: ${textOf([first.perDay, second.perDay, second.daysMeasured, third])} ${sample.length} ${textOf(sample.slice(0, 2))}`,
    );
  }
  const large = [RATE_SAMPLE_MAX - 1, RATE_SAMPLE_MAX, RATE_SAMPLE_MAX + 1].map((count) => {
    const fills = Array.from({ length: count }, (_, n) => volumeOf(n + 1, 0.5));
    return learn(undefined, fleetOf('s', 'c', fills), 0).sample.length;
  });
  lines.push(`samples ${large}`);
  lines.push(`balance of nothing: ${textOf(planBalance({ volumes: [], drives: new Map(), usable: [] }))}`);
  for (const [name, use] of [
    ['busy', 0.98],
    ['between', 0.93],
    ['idle', 0.5],
  ] as const)
    for (const slope of [-0.01, -0.0005, 0, 0.0005, 0.01]) {
      let state: ThresholdState = thresholdStart(0.25);
      const moves: string[] = [];
      for (let day = 0; day < 12; day++) {
        const step = stepThreshold(
          state,
          {
            nowMs: day * DAY_MS * (day === 5 ? 0.5 : 1),
            overhead: 1.3 + slope * day,
            budgetUsed: use,
            sealedVolumes: day === 7 ? 3 : 20,
          },
          THRESHOLD_SETTINGS,
        );
        state = step.state;
        moves.push(`${step.moved} ${step.reason.code}`);
      }
      lines.push(`threshold ${name} ${slope}: ${textOf(state)} ${moves.join(', ')}`);
    }
  for (const threshold of [0.02, 0.5, 0.94])
    lines.push(
      `naively ${threshold}: ${stepNaively(threshold, true, 0.05, 1)} ${stepNaively(threshold, false, 0.05, 2)}`,
    );
  const GIB = 1024 ** 3;
  for (const live of [0, 639 * GIB, 640 * GIB, 999 * GIB, 1000 * GIB, 9999 * GIB])
    lines.push(`derived ${live}: ${textOf(derivedRates(live))} ${textOf(budgetsFor({}, live, DAY_MS))}`);
  const operating = {
    bytesReadPerDay: 5,
    dollarsPerMonth: null,
    metadataWritesPerSecond: 2,
    l1Share: 0.5,
    l2Share: 0.3,
    l3Share: 0.2,
  };
  lines.push(
    `budgets ${textOf(budgetsFor(operating, 5, DAY_MS / 2))} ${textOf(budgetsFor(operating, 5, DAY_MS, budgetsOf({ requests: 8, dollars: 2 })))} ${textOf(budgetsFor({}, 5, DAY_MS, budgetsOf()))}`,
  );
  for (const bytesWritten of [null, 1, 1000, 1001, 3500, 9000])
    lines.push(
      `at once ${bytesWritten}: ${[{}, { runsAtOnce: 7 }].map((set) => runsAtOnce(set, budgetsOf({ bytesWritten }), 1000, { moveBytesPerSecond: 1000, atMost: 4 }))}`,
    );
  const spent = Object.fromEntries(BUDGET_LINES.map((line, i) => [line, i + 1])) as Spending;
  for (const budgets of [
    budgetsOf(),
    budgetsOf({ bytesRead: 1 }),
    budgetsOf({ bytesRead: 1.5, dollars: 12 }),
    budgetsOf({ computeMs: 4 }),
  ])
    lines.push(
      `left ${textOf(budgetsLeft(budgets, spent) ?? 'nothing')} ${budgetUsed(budgets, spent)} ${textOf(subtractSpending(spent, spent))}`,
    );
  return lines;
}
