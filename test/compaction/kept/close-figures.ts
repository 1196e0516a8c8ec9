// Figures that plans go by, each by itself: at a bound, a little below it and a little above, and of nothing at all.
import { FLEET_STATES, type FleetView, fleetOf } from '../../../lib/compaction/facts/fleet.ts';
import { lostIn } from '../../../lib/compaction/facts/lost.ts';
import { earningMs, type PlanSettings, planSettingsOf } from '../../../lib/compaction/facts/plan-settings.ts';
import { FLOW_LIMITS, flowOf } from '../../../lib/compaction/move/l3/flow.ts';
import { type Budgets, budgetsOf } from '../../../lib/compaction/plan/budget.ts';
import { Kin } from '../../../lib/compaction/plan/kin.ts';
import { rangesOf, strategyOf } from '../../../lib/compaction/plan/selector.ts';
import { payingRanges, withPayingRanges } from '../../../lib/compaction/plan/top-offs.ts';
import {
  opensWhatItFrees,
  ownWaits,
  typicalVolumes,
  waitingAt,
  waitingFills,
} from '../../../lib/compaction/plan/waiting.ts';
import { workOf } from '../../../lib/compaction/plan/work.ts';
import * as worth from '../../../lib/compaction/plan/worth.ts';
import { stepThreshold, THRESHOLD_SETTINGS, type ThresholdState } from '../../../lib/compaction/threshold/law.ts';
import { PRICE_BOOK } from '../../../lib/cost/price-book.ts';
import { DAY_MS } from '../../../lib/foundation/durations.ts';
import { SeededRandomness } from '../../../lib/foundation/randomness.ts';
import { SeededRows, textOf } from '../../golden/seeded-rows.ts';
import { volumeOf } from '../fleets.ts';

const rowsOf = (seed: number): SeededRows => new SeededRows(new SeededRandomness(seed));
/** Enough digits to tell any two of them apart, few enough for a reader. */
const shown = (value: number): number => Number(value.toPrecision(12));

function worthLines(): string[] {
  const fills = [-0.1, 0, 1e-9, 0.1, 0.5, 0.9, 0.999, 1, 1.2];
  const bounds = [0, 1e-6, 0.3, 1, 10, Number.POSITIVE_INFINITY];
  const rates = [0, 1e-9, 1 / 36_500, 1 / 36_499, 0.01, 2];
  return [
    `worth of ${fills}: ${fills.map((fill) => shown(worth.worthIndex(fill)))}`,
    ...rates.map((rate) => `rank at ${rate}: ${fills.map((fill) => shown(worth.worthRank(fill, rate)))}`),
    `fill worth ${bounds}: ${bounds.map((bound) => shown(worth.fillWorthRewriting(bound)))}`,
    `holes at ${fills}: ${fills.map((fill) => shown(worth.holePrice(fill)))}`,
    `floors: ${[2, 3, 10].map((sources) => shown(worth.packingFloor(sources)))}`,
    ...[0.5, 1, 1.001, 1.2, 2, 5].map(
      (overhead) =>
        `at overhead ${overhead}: ${shown(worth.lambertBound(overhead))} ${shown(worth.victimFill(overhead))}`,
    ),
    ...[
      [100, 100, 0, 0],
      [100, 100, 10, 0.01],
      [100, 50, 10, 0.01],
      [100, 0, 10, 0.01],
      [50, 100, 10, 0.01],
      [100, 1, 0, 0.5],
    ].map((of) => `own rate ${of}: ${shown(worth.ownRatePerDay(...(of as [number, number, number, number])))}`),
    `earning: ${[0, 1e-10, 0.001, 0.1, 30].map((rate) => earningMs(planSettingsOf({ horizonMs: 500 * DAY_MS }), rate))}`,
  ];
}

function rangeLines(): string[] {
  const settings = [{}, { reserve: 0.1 }, { l1UpTo: 0.86 }, { l3UpTo: 0.4, l2UpTo: 0.5 }].map((changes) =>
    planSettingsOf(changes),
  );
  return settings.flatMap((one) =>
    [0.02, 0.1, 0.14, 0.5, 0.9].map((threshold) => {
      const ranges = rangesOf(one, threshold);
      const ends = [ranges.l3, ranges.l2, ranges.l1].flatMap((end) => [end, end + 1e-9]);
      return `ranges ${one.reserve} ${one.l1UpTo} ${one.l3UpTo} ${threshold}: ${textOf(ranges)} ${ends.map((fill) => strategyOf(fill, ranges) ?? 'none')}`;
    }),
  );
}

function fleetByLot(rows: SeededRows, few: boolean): FleetView {
  return fleetOf(
    's',
    'c0',
    rows.list(few ? 2 + rows.below(4) : 12, (n) => {
      const capacityBytes = rows.pick([1000, 1000, 2000]);
      const usedBytes = rows.pick([capacityBytes, 900, 500, 0]);
      return volumeOf(n + 1, 0, {
        state: rows.pick(['sealed', 'sealed', 'open', ...FLEET_STATES]),
        codec: rows.pick(['rs-6-3', 'rs-6-3', 'xor-2-1']),
        capacityBytes,
        usedBytes,
        liveBytes: Math.floor(usedBytes * rows.pick([0, 0.1, 0.5, 0.85, 0.9, 1])),
        bucketCount: rows.pick([1, 5, 12]),
        ageMs: rows.pick([0, 1, 5, 50, 500]) * DAY_MS,
        ...(rows.once(3) ? { roomBytes: rows.pick([0, 1, 400]) } : {}),
      });
    }),
  );
}

function fleetLines(): string[] {
  const settings: readonly Partial<PlanSettings>[] = [
    {},
    { drainOrder: 'sparsest' },
    { finish: true },
    { objective: 'money' },
    { objective: 'money', storageClass: 'glacier-ir', deletesPerDay: [0.05, 0.01, 0.001, 0] },
    { reserve: 0 },
    { topOffs: 'always' },
    { unpacked: 'wait' },
    { strategies: ['l2', 'l3'] },
    { strategies: ['l1', 'l3'] },
  ];
  return Array.from({ length: 60 }, (_, seed) => {
    const rows = rowsOf(900 + seed);
    const view = fleetByLot(rows, seed % 2 === 0);
    const changes = rows.pick(settings);
    const one = planSettingsOf({ bucketsPerVolumeMax: 12, groupBytes: 500, readBytes: 100, ...changes });
    const threshold = rows.pick([0.1, 0.15, 0.5]);
    const all = <T>(of: (i: number) => T): T[] => view.ids.map((_id, i) => of(i));
    const bits = (of: (i: number) => boolean): string => all((i) => Number(of(i))).join('');
    const kin = new Kin(view);
    const wire = [...new Set(view.codec)].sort();
    const waits = waitingFills(view, one, PRICE_BOOK);
    const budgets = rows.pick([budgetsOf(), budgetsOf({ metadataWrites: 100 }), budgetsOf({ bytesRead: 1e4 })]);
    const paying = withPayingRanges(view, one, { threshold, budgets, book: PRICE_BOOK });
    return [
      `fleet ${seed} ${textOf(changes)} ${threshold}: ${all((i) => `${FLEET_STATES[view.state[i] as number]} ${view.codec[i]} ${view.liveBytes[i]}/${view.usedBytes[i]}/${view.capacityBytes[i]}`).join(', ')}`,
      `  typical ${textOf(typicalVolumes(view))}`,
      `  waits above ${wire.map((code) => [0, 1, 2, 3].map((age) => shown(waits[waitingAt(code, age)] as number)).join(' '))}, else ${waits[waitingAt(9, 0)]}`,
      `  own ${bits(ownWaits(view, one, threshold))} vain ${bits(opensWhatItFrees(view, one, (i) => i % 3 !== 1))} lost ${bits(lostIn(view, one, threshold))}`,
      `  kin ${all((i) => `${kin.classOf(i)} ${shown(kin.haste(i))} ${shown(kin.rank(i))} ${shown(kin.ratePerDay(i))}`).join(', ')}`,
      `  l2 up to ${paying.l2UpTo}`,
    ];
  }).flat();
}

/** Where between two values something begins to hold that does not hold before. */
function edgeOf(holds: (at: number) => boolean, from: number, to: number): number | string {
  if (holds(from) || !holds(to)) return `${holds(from)} ${holds(to)}`;
  let [low, high] = [from, to];
  for (let step = 0; step < 40; step++) {
    const middle = Math.sqrt(low * high);
    if (holds(middle)) high = middle;
    else low = middle;
  }
  return Number(high.toPrecision(8));
}

/** From how many buckets to a byte on top-offs pay, and up to which threshold they do. */
function topOffLines(): string[] {
  const pays = (
    threshold: number,
    bucketsPerByte: number,
    changes: Partial<PlanSettings>,
    scarce: Partial<Budgets>,
  ) => {
    const prices = { threshold, budgets: budgetsOf(scarce), book: PRICE_BOOK };
    const typical = { codec: 'rs-6-3' as const, capacityBytes: 384 * 1024 ** 2, bucketsPerByte };
    return payingRanges(planSettingsOf(changes), prices, typical).l2UpTo !== 1;
  };
  const lines: string[] = [];
  for (const changes of [{}, { objective: 'money' as const }, { reserve: 0.03, l2UpTo: 0.7 }])
    for (const scarce of [
      {},
      { metadataWrites: 1000 },
      { requests: 900 },
      { bytesWritten: 1e9, metadataWrites: 9e4 },
    ]) {
      const edges = [0.02, 0.05, 0.1].map((threshold) =>
        edgeOf((buckets) => pays(threshold, buckets, changes, scarce), 1e-11, 1e-5),
      );
      const most = [1e-8, 1e-7].map((buckets) =>
        edgeOf((threshold) => pays(threshold, buckets, changes, scarce), 0.02, 0.4),
      );
      lines.push(`top-offs ${textOf(changes)} ${textOf(scarce)}: from ${edges} buckets a byte, from threshold ${most}`);
    }
  return lines;
}

function workLines(): string[] {
  const settings = planSettingsOf({ groupBytes: 1000, readBytes: 300, moveBytesPerSecond: 500 });
  return [0, 1, 1000, 1001, 2500].flatMap((copiedBytes) =>
    [true, false].map((queued) => {
      const moves = { copiedBytes, copiedBuckets: 7, movedBuckets: 5, freedVolumes: 2, newVolumes: 0.3, queued };
      return `work ${copiedBytes} ${queued}: ${textOf(workOf({ codec: 'rs-6-3', ...moves }, settings))}`;
    }),
  );
}

function flowLines(): string[] {
  const limits = { ...FLOW_LIMITS, depthMax: 10, ageMaxMs: 50, deadMax: 3, deadHoldMax: 5, coderWaitingBytesMax: 100 };
  const stalled = { code: 'STORE_FULL', text: 'no zone' } as const;
  return [0, 4, 9, 10, 11].flatMap((ready) =>
    [0, 1].flatMap((inFlight) =>
      [
        {},
        { oldestAgeMs: 50 },
        { oldestAgeMs: 51 },
        { dead: 2 },
        { dead: 3 },
        { dead: 4 },
        { dead: 5 },
        { coderWaitingBytes: 99 },
        { coderWaitingBytes: 100 },
        { coderStalled: stalled },
        { coderStalled: stalled, oldestAgeMs: 51 },
        { coderStalled: stalled, dead: 5 },
        { metadataWritesLeft: -1 },
        { metadataWritesLeft: 2 },
        { metadataWritesLeft: 3 },
        { metadataWritesLeft: 17 },
        { metadataWritesLeft: 29 },
        { metadataWritesLeft: 90 },
      ].map((changes) => {
        const { oldestAgeMs = 0, dead = 0, ...rest } = changes as { oldestAgeMs?: number; dead?: number };
        const stream = { ready, inFlight, oldestAgeMs, dead };
        const input = { coderWaitingBytes: 0, coderStalled: undefined, metadataWritesLeft: null, ...rest };
        const { send, receive, holdWriters, reason } = flowOf({ stream, ...input }, limits);
        return `flow ${ready}+${inFlight} ${textOf(changes)}: send ${send} take ${receive}${holdWriters ? ' hold' : ''} ${reason.code}: ${reason.text}`;
      }),
    ),
  );
}

function lawLines(): string[] {
  const { busy, idle, targetOverhead, band } = THRESHOLD_SETTINGS;
  return Array.from({ length: 150 }, (_, seed) => {
    const rows = rowsOf(70 + seed);
    const slow = rows.pick([1.3, 1.2, targetOverhead]);
    const state: ThresholdState = {
      threshold: rows.pick([0.05, 0.0505, 0.3, 0.7499, 0.75]),
      quick: rows.once(15) ? null : slow + rows.pick([-2 * band, -band / 2, 0, band / 2, 2 * band, 0.1]),
      slow: rows.once(15) ? null : slow,
      atMs: rows.once(15) ? null : DAY_MS,
    };
    const input = {
      nowMs: DAY_MS + rows.pick([-1, 0, 0.25, 0.5, 1, 1, 1, 5].map((days) => days * DAY_MS)),
      overhead: rows.pick([slow, slow + 0.05, slow - 0.05, 1]),
      budgetUsed: rows.pick([0, 0, 0.5, idle, (idle + busy) / 2, busy, 1, 1]),
      sealedVolumes: rows.once(15) ? 9 : 10,
    };
    return `law ${textOf(state)} ${textOf(input)}: ${textOf(stepThreshold(state, input, THRESHOLD_SETTINGS))}`;
  });
}

export const closeFigureLines = (): readonly string[] => [
  ...worthLines(),
  ...rangeLines(),
  ...fleetLines(),
  ...topOffLines(),
  ...workLines(),
  ...flowLines(),
  ...lawLines(),
];
