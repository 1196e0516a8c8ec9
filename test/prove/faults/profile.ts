// Faults as data. A profile names what may happen; each seed takes some of its kinds, each at a rate of its own (swarm testing: a fault that is
// always there hides what only shows without it).
import type { SeededRandomness } from '../../../lib/foundation/randomness.ts';
import { CRASHES, type Crash } from './target.ts';

/** Of 10,000 calls each, unless it says otherwise. */
export interface Rates {
  /** The call fails, and nothing was done. */
  readonly failsBefore: number;
  /** The call is done, but answers that it failed. */
  readonly failsAfter: number;
  /** The call answers that it failed, and is done a while later. */
  readonly doneLate: number;
  /** The call takes seconds to minutes: longer than any lease. */
  readonly slow: number;
  /** It is done at once, but the answer takes that long. */
  readonly slowAnswer: number;
  /** The process dies at the call: before it, or after it. */
  readonly dies: number;
  /** The process stands still for minutes, and goes on as if nothing had been. */
  readonly freezes: number;
  /** Of eventually consistent rows: an older one. */
  readonly stale: number;
  /** Of transactions: refused, nothing written. */
  readonly throttled: number;
  /** Of transactions that meet another one under way on the same row: refused. */
  readonly collides: number;
  /** Of messages. */
  readonly lost: number;
  readonly doubled: number;
  readonly delayed: number;
}

export type RateName = keyof Rates;

/** What befalls a drive or a clock at a time of the plan. */
export type DisasterKind =
  | 'away'
  | 'full'
  | 'read-only'
  | 'old'
  | 'rot'
  | 'lose'
  /** Nothing is left of it: another drive is in its place. */
  | 'wipe'
  /** Somebody wrote into a zone long after it was erased. */
  | 'stray'
  | 'clock'
  /** A week passes, on all clocks. */
  | 'week'
  | 'two-die'
  /** One drive more is away than every volume survives, for a while: nothing is lost by it. */
  | 'cable';
export interface Disaster {
  readonly atMs: number;
  readonly kind: DisasterKind;
  readonly forMs: number;
}

export interface Profile {
  readonly name: string;
  /** The most that a rate may be. */
  readonly ratesMax: Rates;
  readonly disasters: readonly DisasterKind[];
  readonly disastersMax: number;
  /** Of a thousand seeds, in so many drives may be damaged beyond what the code promises: then errors must be loud, never bytes wrong. */
  readonly beyondPermille: number;
  /** Of a thousand seeds, in so many Panda gets lost and comes back from a backup. */
  readonly putBackPermille: number;
  /** And by what. */
  readonly putBackBy: readonly ('restore' | 'rebuild' | 'journal' | 'stream')[];
  /** How a step may be cut off that a plan aims at. */
  readonly crashes: readonly Crash[];
  /** Whether processes that are only frozen may be taken for dead. */
  readonly misjudges: boolean;
  /** Whether somebody gives drives up, empties them, takes them back, and repairs. */
  readonly hasOperator?: boolean;
  /** Whether somebody ships the journal of the metadata, and of what: COMMITs, or batches of a table's stream. */
  readonly ships?: 'commits' | 'stream';
  /** Whether puts of several bodies are bulk ones, which go past the hot tier. */
  readonly putsBulk?: boolean;
}

export const NO_RATES: Rates = {
  failsBefore: 0,
  failsAfter: 0,
  doneLate: 0,
  slow: 0,
  slowAnswer: 0,
  dies: 0,
  freezes: 0,
  stale: 0,
  throttled: 0,
  collides: 0,
  lost: 0,
  doubled: 0,
  delayed: 0,
};

const ALL: Rates = {
  failsBefore: 400,
  failsAfter: 600,
  doneLate: 300,
  slow: 200,
  slowAnswer: 200,
  dies: 150,
  freezes: 100,
  stale: 5000,
  throttled: 1000,
  collides: 5000,
  lost: 2000,
  doubled: 3000,
  delayed: 3000,
};

const DRIVES: readonly DisasterKind[] = ['away', 'full', 'read-only', 'old', 'rot', 'lose'];

export const PROFILES: readonly Profile[] = [
  {
    name: 'calm',
    ratesMax: NO_RATES,
    disasters: [],
    disastersMax: 0,
    beyondPermille: 0,
    putBackPermille: 0,
    putBackBy: ['restore'],
    crashes: [],
    misjudges: false,
  },
  {
    name: 'swarm',
    ratesMax: ALL,
    disasters: [...DRIVES, 'stray', 'clock', 'week', 'two-die'],
    disastersMax: 5,
    beyondPermille: 100,
    putBackPermille: 60,
    putBackBy: ['restore'],
    crashes: CRASHES,
    misjudges: true,
  },
  {
    name: 'crashes',
    ratesMax: { ...NO_RATES, dies: 300, freezes: 150, slow: 200, slowAnswer: 200, collides: 5000 },
    disasters: ['two-die', 'clock'],
    disastersMax: 4,
    beyondPermille: 0,
    putBackPermille: 0,
    putBackBy: ['restore'],
    crashes: ['dies-before', 'dies-after', 'comes-late'],
    misjudges: true,
  },
  {
    name: 'beyond',
    ratesMax: ALL,
    disasters: DRIVES,
    disastersMax: 8,
    beyondPermille: 1000,
    putBackPermille: 60,
    putBackBy: ['restore'],
    crashes: CRASHES,
    misjudges: true,
  },
  {
    name: 'behind',
    ratesMax: ALL,
    disasters: [...DRIVES, 'stray', 'clock', 'two-die'],
    disastersMax: 3,
    beyondPermille: 20,
    putBackPermille: 1000,
    putBackBy: ['restore'],
    crashes: CRASHES,
    misjudges: true,
  },
  {
    name: 'drives',
    ratesMax: ALL,
    disasters: [...DRIVES, 'away', 'away', 'cable', 'cable', 'wipe', 'stray', 'clock', 'two-die'],
    disastersMax: 6,
    beyondPermille: 120,
    putBackPermille: 0,
    putBackBy: ['restore'],
    crashes: CRASHES,
    misjudges: true,
    hasOperator: true,
  },
  {
    name: 'rebuild',
    ratesMax: ALL,
    disasters: [...DRIVES, 'stray', 'clock', 'two-die'],
    disastersMax: 3,
    beyondPermille: 20,
    putBackPermille: 1000,
    putBackBy: ['rebuild'],
    crashes: CRASHES,
    misjudges: true,
  },
  {
    name: 'journal',
    ratesMax: ALL,
    disasters: ['away', 'full', 'read-only', 'rot', 'lose', 'week', 'clock', 'two-die'],
    disastersMax: 4,
    beyondPermille: 0,
    putBackPermille: 1000,
    putBackBy: ['journal'],
    crashes: CRASHES,
    misjudges: true,
    ships: 'commits',
  },
  {
    name: 'stream',
    ratesMax: ALL,
    disasters: ['away', 'full', 'read-only', 'rot', 'lose', 'week', 'clock', 'two-die'],
    disastersMax: 4,
    beyondPermille: 0,
    putBackPermille: 1000,
    putBackBy: ['stream'],
    crashes: CRASHES,
    misjudges: true,
    ships: 'stream',
  },
  {
    name: 'bulk',
    ratesMax: ALL,
    disasters: [...DRIVES, 'stray', 'clock', 'week', 'two-die'],
    disastersMax: 5,
    beyondPermille: 60,
    putBackPermille: 0,
    putBackBy: ['restore'],
    crashes: CRASHES,
    misjudges: true,
    putsBulk: true,
  },
];

/** Some of a profile's kinds, each at full, a third, or a twelfth of its rate. */
export function drawnRates(profile: Profile, random: SeededRandomness): Rates {
  const drawn = Object.entries(profile.ratesMax).map(([name, most]) => {
    const share = [0, 0, 1, 3, 12][random.below(5)] as number;
    return [name, share === 0 ? 0 : Math.ceil(most / share)];
  });
  return Object.fromEntries(drawn) as unknown as Rates;
}
