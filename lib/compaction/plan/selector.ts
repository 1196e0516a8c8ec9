// The one owner of the boundaries between strategies: every volume of a snapshot gets exactly one strategy, or one
// stated reason for none. Planners only ever see what this file gave them.
import { FLEET_STATES, type FleetView } from '../facts/fleet.ts';
import type { PlanSettings, Strategy } from '../facts/plan-settings.ts';
import { waitingAt } from './waiting.ts';

/** One letter per verdict: a plan holds them as one string, in the order of the snapshot's ids. */
export const VERDICTS = {
  // What the selector says.
  l1: { letter: '1', text: 'dense enough to be topped off or to top off others' },
  l2: { letter: '2', text: 'half empty: worth packing with others' },
  l3: { letter: '3', text: 'nearly empty: worth draining' },
  open: { letter: 'o', text: 'still open for writing' },
  hot: { letter: 'h', text: 'hot: encoding will move it' },
  leased: { letter: 'r', text: 'owned by another run, a repair or an encode' },
  trash: { letter: 't', text: 'already drained' },
  dense: { letter: 'd', text: 'its dead part is below the threshold, or it is denser than the last strategy' },
  young: { letter: 'y', text: 'written too recently' },
  waits: { letter: 'w', text: 'cheaper to let more of it die first' },
  // What planning makes of the first three.
  planned: { letter: 'p', text: 'part of a run of this plan' },
  budget: { letter: 'b', text: 'no budget left for it in this plan' },
  unfit: { letter: 'u', text: 'no combination with others fills a volume well enough yet' },
  crowded: { letter: 'c', text: 'its extents are too uneven for it to be topped off, and no other host takes it' },
  later: { letter: 'n', text: 'left for the next plan: this one has as many runs as it may' },
  target: { letter: 'g', text: 'the target overhead is reached without it' },
  unpaid: { letter: 'x', text: 'what it saves does not pay for the run' },
  unasked: { letter: 'z', text: 'its strategy was not asked for' },
} as const satisfies Record<string, { letter: string; text: string }>;

export type Verdict = keyof typeof VERDICTS;
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

/** The ranges in force: no strategy rewrites a volume whose dead part is below the threshold. */
export function rangesOf(settings: PlanSettings, threshold: number): Ranges {
  const top = Math.min(settings.l1UpTo, 1 - threshold);
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
    else verdicts[i] = codes[strategy];
  }
  return verdicts;
}
