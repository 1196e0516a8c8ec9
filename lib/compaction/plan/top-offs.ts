// Whether dense volumes are topped off (L1) or streamed (L2). A top-off rewrites its host for every byte it gains, and
// what it takes out of a donor is gained only when the donor is empty, after several runs; a stream moves the same
// volumes whole into destinations that stay open, and costs a row for every bucket of theirs. So L1 keeps its range
// only where, over the whole sequence, a byte costs less by it than the same bytes would elsewhere.
import type { CodecName } from '../../codec/codec.ts';
import { dollarsOf } from '../../cost/cost-of.ts';
import type { PriceBook } from '../../cost/price-book.ts';
import { codecAt, type FleetView } from '../facts/fleet.ts';
import { fullestFill, type PlanSettings } from '../facts/plan-settings.ts';
import { type Budgets, budgetUsed, isLimited, type Spending, spendingOf } from './budget.ts';
import { rangesOf } from './selector.ts';
import { typicalVolumes } from './waiting.ts';
import { pricingOf, workOf } from './work.ts';

export interface Prices {
  readonly threshold: number;
  readonly budgets: Budgets;
  readonly book: PriceBook;
}

/** A volume as most are. */
export interface TypicalVolume {
  readonly codec: CodecName;
  readonly capacityBytes: number;
  readonly bucketsPerByte: number;
}

/** The settings to plan by: L2's range reaches to the top where top-offs do not pay. */
export function withPayingRanges(view: FleetView, settings: PlanSettings, prices: Prices): PlanSettings {
  const [most] = typicalVolumes(view).sort((a, b) => b.liveBytes - a.liveBytes);
  if (most === undefined) return settings;
  return payingRanges(settings, prices, {
    codec: codecAt(view, most.example),
    capacityBytes: view.capacityBytes[most.example] as number,
    bucketsPerByte: most.buckets,
  });
}

export function payingRanges(settings: PlanSettings, prices: Prices, typical: TypicalVolume): PlanSettings {
  const { strategies, topOffs, unpacked, l1UpTo } = settings;
  const { l2, l1 } = rangesOf(settings, prices.threshold);
  const isGiven =
    topOffs === 'always' || unpacked === 'wait' || l1 <= l2 || !strategies.includes('l1') || !strategies.includes('l2');
  return isGiven || topOffsPay(settings, prices, typical, (l2 + l1) / 2) ? settings : { ...settings, l2UpTo: l1UpTo };
}

/** Of volumes of this fill, for each byte that is gained in the end. */
function topOffsPay(settings: PlanSettings, prices: Prices, typical: TypicalVolume, fill: number): boolean {
  const full = fullestFill(settings);
  const bucketsOf = (part: number): number => part * typical.capacityBytes * typical.bucketsPerByte;
  const costOf = (copied: number, moved: number, newVolumes: number): number => {
    const moves = {
      codec: typical.codec,
      copiedBytes: copied * typical.capacityBytes,
      copiedBuckets: bucketsOf(copied),
      movedBuckets: bucketsOf(moved),
      freedVolumes: 1,
      newVolumes,
      queued: false,
    };
    const work = workOf(moves, settings);
    return costWeighed(spendingOf(work, dollarsOf(work, pricingOf(settings, prices.book)).total), settings, prices);
  };
  const topOffGains = full - fill;
  const streamGains = 1 - fill / full;
  return costOf(full, topOffGains, 1) / topOffGains < costOf(fill, fill, fill / full) / streamGains;
}

/** Dollars if they are what counts; or else what is scarcest, which is bytes unless a budget says otherwise. */
function costWeighed(spending: Spending, { objective }: PlanSettings, { budgets }: Prices): number {
  if (objective === 'money') return spending.dollars;
  return isLimited(budgets) ? budgetUsed(budgets, spending) : spending.bytesRead;
}
