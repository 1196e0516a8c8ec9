// What a scene is made of: a step that is aimed at, how it is cut off, and what comes together there.
import type { Disaster } from '../faults/profile.ts';
import type { Target } from '../faults/target.ts';
import type { OperationName, Role } from './operations.ts';

/** When others count a process that died as dead: at once (processes of one machine), or when its time must be over (functions). */
export type Mourning = 'at once' | 'late';

export interface Prelude {
  readonly targets: readonly Target[];
  readonly disasters: readonly Disaster[];
  /** More is lost than the code promises to survive. */
  readonly isBeyondPromise: boolean;
  /** What is put is what is in the store already. */
  readonly putsKnown: boolean;
  /** What is put is always the same. */
  readonly putsOneBody: boolean;
  /** Stores of these kinds only. */
  readonly variants: readonly number[] | undefined;
  /** Processes that stand still are taken for dead, or never are. */
  readonly misjudges: boolean | undefined;
  /** When others count a process that died as dead. */
  readonly mourning: Mourning | undefined;
  /** Whether objects are put by plain writes; half of the processes do unless told. */
  readonly paysByWrite: boolean | undefined;
  /** Of what is aimed at. */
  readonly timing: Partial<Target>;
  /** Those who act while it is late: operations of one role, in this order. */
  readonly followers: readonly (readonly [Role, ...OperationName[]])[];
  /** Those who lead to it, from the beginning: each in a process of its own. */
  readonly leaders: readonly (readonly [Role, ...OperationName[]])[];
}

export const NONE: Prelude = {
  targets: [],
  disasters: [],
  isBeyondPromise: false,
  putsKnown: false,
  putsOneBody: false,
  variants: undefined,
  misjudges: undefined,
  mourning: undefined,
  paysByWrite: undefined,
  timing: {},
  followers: [],
  leaders: [],
};
/** With two open volumes of a kind: whoever cannot have one takes the other. */
export const WIDE = [1, 3];
/** Two columns of three gone is too much. */
export const SINGLE_TIER = [3];
/** Trash has a grace. */
export const GRACES = [1];
export const NO_GRACES = [0, 2, 3];
export const at = (atMs: number, kind: Disaster['kind']): Disaster => ({ atMs, kind, forMs: 400 });
export const target = (step: string, outcome: Target['outcome'], followersAfterMs: number): Target => ({
  step,
  outcome,
  skipped: 0,
  lateMs: 5000,
  freezes: false,
  followersAfterMs,
});
export const loses = (times: readonly number[]): Disaster[] => times.map((ms) => at(ms, 'lose'));

/** Beyond a lease, and others are there for it. */
export const BEYOND_LEASE: Partial<Target> = { lateMs: 100_000, followersAfterMs: 64_000, freezes: false };
/** Others are quick. */
export const SHORTLY: Partial<Target> = { lateMs: 6000, followersAfterMs: 1, freezes: false };
export const FROZEN: Partial<Target> = { lateMs: 100_000, followersAfterMs: 2000, freezes: true };

export type Scene = readonly [step: RegExp, outcomes: RegExp, prelude: Partial<Prelude>];
export const LATE = /^(comes-late|answered-late)$/;
export const ANY = /./;
