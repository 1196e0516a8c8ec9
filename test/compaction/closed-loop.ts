// A small cell in a closed loop with a threshold law: volumes die uniformly, fresh ones come, and a compactor that takes what is
// eligible in random order spends a byte budget a day. Deterministic for a seed; fills are real numbers, no blobs.
import type { SeededRandomness } from '../../lib/foundation/randomness.ts';

export interface LoopScenario {
  readonly days: number;
  /** Deletes (and as much ingest) per live byte and day. */
  readonly deletesPerDay: (day: number) => number;
  /** Volumes that may be moved per day. */
  readonly budget: (day: number) => number;
  readonly delayDays: number;
  /** Extra under-filled volumes per day. */
  readonly incident?: (day: number) => number;
  /** Relative error of a measured overhead. */
  readonly noise?: number;
}

export interface LoopDay {
  readonly overhead: number;
  readonly threshold: number;
  readonly budgetUsed: number;
}

/** Runs `law` against a cell of `liveVolumes` volumes' worth of data; the law sees the overhead of `delayDays` ago. */
export function closedLoop(
  randomness: SeededRandomness,
  scenario: LoopScenario,
  law: (day: number, measured: number, budgetUsed: number) => number,
): LoopDay[] {
  const liveVolumes = 400;
  // A start not far from a steady state of threshold 0.25.
  let fills = Array.from({ length: 450 }, (_, n) => 0.76 + (0.24 * n) / 450);
  let stream = 0;
  let threshold = 0.25;
  const out: LoopDay[] = [];
  const pour = (amount: number): void => {
    stream += amount;
    for (; stream >= 1; stream--) fills.push(1);
  };
  for (let day = 0; day < scenario.days; day++) {
    const rate = scenario.deletesPerDay(day);
    let live = 0;
    for (let i = 0; i < fills.length; i++) {
      fills[i] = (fills[i] as number) * Math.exp(-rate);
      live += fills[i] as number;
    }
    const extra = scenario.incident?.(day) ?? 0;
    for (let n = 0; n < extra; n++) fills.push(0.05);
    pour(Math.max(0, liveVolumes - live - stream - 0.05 * extra));
    const budget = scenario.budget(day);
    let used = 0;
    const order = fills.map((_, i) => i).filter((i) => 1 - (fills[i] as number) >= threshold);
    for (let n = order.length - 1; n > 0; n--) {
      const other = randomness.below(n + 1);
      [order[n], order[other]] = [order[other] as number, order[n] as number];
    }
    const gone = new Set<number>();
    for (const i of order) {
      if (used + (fills[i] as number) > budget) break;
      used += fills[i] as number;
      gone.add(i);
    }
    fills = fills.filter((_, i) => !gone.has(i));
    pour(used);
    const overhead = (fills.length + 1) / (fills.reduce((sum, fill) => sum + fill, 0) + stream);
    // A budget counts as used up when the next volume would not fit.
    const budgetUsed = gone.size < order.length ? 1 : used / budget;
    const past = out[Math.max(0, day - scenario.delayDays)]?.overhead ?? overhead;
    const noise = 1 + (scenario.noise ?? 0) * (randomness.below(2001) / 1000 - 1);
    out.push({ overhead, threshold, budgetUsed });
    threshold = law(day, Math.max(1, past * noise), budgetUsed);
  }
  return out;
}
