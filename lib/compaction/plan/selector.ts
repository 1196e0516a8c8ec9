// The one owner of the boundaries between strategies: every volume of a snapshot gets exactly one strategy, or one
// stated reason for none. Planners only ever see what this file gave them.

import { VERDICT_REASONS } from '../../foundation/codes/reasons.ts';
import { FLEET_STATES, type FleetView } from '../facts/fleet.ts';
import { fullestFill, type PlanSettings, type Strategy } from '../facts/plan-settings.ts';
import { opensWhatItFrees, ownWaits, waitingAt } from './waiting.ts';

/** One letter per verdict: a plan holds them as one string, in the order of the snapshot's ids. */
export const VERDICTS = {
  // What the selector says.
  l1: { letter: '1', text: VERDICT_REASONS.VERDICT_L1 },
  l2: { letter: '2', text: VERDICT_REASONS.VERDICT_L2 },
  l3: { letter: '3', text: VERDICT_REASONS.VERDICT_L3 },
  open: { letter: 'o', text: VERDICT_REASONS.VERDICT_OPEN },
  hot: { letter: 'h', text: VERDICT_REASONS.VERDICT_HOT },
  leased: { letter: 'r', text: VERDICT_REASONS.VERDICT_LEASED },
  trash: { letter: 't', text: VERDICT_REASONS.VERDICT_TRASH },
  dense: { letter: 'd', text: VERDICT_REASONS.VERDICT_DENSE },
  young: { letter: 'y', text: VERDICT_REASONS.VERDICT_YOUNG },
  waits: { letter: 'w', text: VERDICT_REASONS.VERDICT_WAITS },
  // What planning makes of the first three.
  planned: { letter: 'p', text: VERDICT_REASONS.VERDICT_PLANNED },
  budget: { letter: 'b', text: VERDICT_REASONS.VERDICT_BUDGET },
  unfit: { letter: 'u', text: VERDICT_REASONS.VERDICT_UNFIT },
  crowded: { letter: 'c', text: VERDICT_REASONS.VERDICT_CROWDED },
  later: { letter: 'n', text: VERDICT_REASONS.VERDICT_LATER },
  target: { letter: 'g', text: VERDICT_REASONS.VERDICT_TARGET },
  unpaid: { letter: 'x', text: VERDICT_REASONS.VERDICT_UNPAID },
  unasked: { letter: 'z', text: VERDICT_REASONS.VERDICT_UNASKED },
} as const satisfies Record<string, { letter: string; text: string }>;

/**
 * Whether the budgets did not carry what a plan would have done next. A run is of whole volumes, so a budget may be
 * spent by half and stop everything all the same.
 */
export const isShort = ({ verdicts }: { readonly verdicts: string }): boolean =>
  verdicts.includes(VERDICTS.budget.letter);

export type Verdict = keyof typeof VERDICTS;
export const verdictReason = (verdict: Verdict): keyof typeof VERDICT_REASONS =>
  `VERDICT_${verdict.toUpperCase() as Uppercase<Verdict>}`;
export const VERDICT_NAMES = Object.keys(VERDICTS) as readonly Verdict[];
/** Code of a verdict in a Uint8Array: its place in VERDICT_NAMES. */
export const verdictCode = (verdict: Verdict): number => VERDICT_NAMES.indexOf(verdict);

const OF_STATE: Readonly<Record<(typeof FLEET_STATES)[number], Verdict | undefined>> = {
  open: 'open',
  sealed: undefined,
  hot: 'hot',
  leased: 'leased',
  trash: 'trash',
};

export interface Ranges {
  /** Upper end (included) of each strategy's range; a range is empty when it ends where the one below it does. */
  readonly l3: number;
  readonly l2: number;
  readonly l1: number;
}

/**
 * The ranges in force: no strategy rewrites a volume of which less than the threshold is dead. What no volume ever
 * holds is not dead, and rewriting does not gain it.
 */
export function rangesOf(settings: PlanSettings, threshold: number): Ranges {
  const top = Math.min(settings.l1UpTo, (1 - threshold) * fullestFill(settings));
  return { l3: Math.min(settings.l3UpTo, top), l2: Math.min(settings.l2UpTo, top), l1: top };
}

/** The strategy that owns a fill, if any does. */
export function strategyOf(fill: number, ranges: Ranges): Strategy | undefined {
  if (fill <= ranges.l3) return 'l3';
  if (fill <= ranges.l2) return 'l2';
  if (fill <= ranges.l1) return 'l1';
  return undefined;
}

/**
 * A verdict code per volume. `waitAbove` holds, by codec and age class (waiting.ts), the fill above which waiting beats
 * rewriting.
 */
export function classify(
  view: FleetView,
  settings: PlanSettings,
  threshold: number,
  waitAbove: Float64Array,
): Uint8Array {
  const ranges = rangesOf(settings, threshold);
  const ofState = FLEET_STATES.map((state) => {
    const verdict = OF_STATE[state];
    return verdict === undefined ? -1 : verdictCode(verdict);
  });
  const codes = { l1: verdictCode('l1'), l2: verdictCode('l2'), l3: verdictCode('l3') };
  const dense = verdictCode('dense');
  const young = verdictCode('young');
  const waits = verdictCode('waits');
  const verdicts = new Uint8Array(view.count);
  const waitsLonger = ownWaits(view, settings, threshold);
  for (let i = 0; i < view.count; i++) {
    const byState = ofState[view.state[i] as number] as number;
    if (byState >= 0) {
      verdicts[i] = byState;
      continue;
    }
    const fill = (view.liveBytes[i] as number) / (view.capacityBytes[i] as number);
    const strategy = strategyOf(fill, ranges);
    if (strategy === undefined) verdicts[i] = dense;
    else if ((view.ageMs[i] as number) < settings.minAgeMs) verdicts[i] = young;
    else if (fill > (waitAbove[waitingAt(view.codec[i] as number, view.ageClass[i] as number)] as number))
      verdicts[i] = waits;
    else if (waitsLonger(i)) verdicts[i] = waits;
    else verdicts[i] = codes[strategy];
  }
  const streams = (i: number): boolean => verdicts[i] === codes.l2 || verdicts[i] === codes.l3;
  const isVain = opensWhatItFrees(view, settings, streams);
  for (let i = 0; i < view.count; i++) if (streams(i) && isVain(i)) verdicts[i] = waits;
  return verdicts;
}
