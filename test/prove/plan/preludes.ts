// What has to have happened before a step of the protocols can be done at all, where no operation alone leads to it.
import type { Disaster } from '../faults/profile.ts';
import type { Target } from '../faults/target.ts';

export interface Prelude {
  readonly targets: readonly Target[];
  readonly disasters: readonly Disaster[];
  /** More is lost than the code promises to survive. */
  readonly isBeyondPromise: boolean;
  /** What is put is what is in the store already. */
  readonly putsKnown: boolean;
}

const NONE: Prelude = { targets: [], disasters: [], isBeyondPromise: false, putsKnown: false };
const at = (atMs: number, kind: Disaster['kind']): Disaster => ({ atMs, kind, forMs: 400 });
const target = (step: string, outcome: Target['outcome'], followersAfterMs: number): Target => ({
  step,
  outcome,
  skipped: 0,
  lateMs: 5000,
  freezes: false,
  followersAfterMs,
});

const PRELUDES: readonly (readonly [RegExp, Partial<Prelude>])[] = [
  // Its row is written again, late, and its process is gone.
  [
    /^7 row of a published/,
    { targets: [target('7 upload begins', 'done-late', 70_000), target('7 PUBLISH', 'dies-after', 70_000)] },
  ],
  // Retired or deleted by a clock that was ahead.
  [/grace begins again/, { disasters: [0, 30, 200, 900].map((ms) => at(ms, 'clock')) }],
  [/^quarantine/, { disasters: [at(0, 'stray'), at(1, 'stray'), at(1500, 'week'), at(20_000, 'week')] }],
  [
    /^18 RENEW in trash/,
    { isBeyondPromise: true, disasters: [20, 60, 120, 240, 480, 960, 1900, 3800].map((ms) => at(ms, 'lose')) },
  ],
  [
    /^18 RENEW/,
    { isBeyondPromise: true, putsKnown: true, disasters: [0, 1, 2, 3, 4, 5, 6, 7].map((ms) => at(ms, 'lose')) },
  ],
  [/^damage/, { disasters: [0, 50, 100].map((ms) => at(ms, 'lose')) }],
];

/** For the first target of a plan. */
export const preludeTo = (step: string | undefined): Prelude => ({
  ...NONE,
  ...(step === undefined ? {} : PRELUDES.find(([pattern]) => pattern.test(step))?.[1]),
});
