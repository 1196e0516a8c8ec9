// What has to come together for a step of the protocols to be done at all, or for its conditions to matter, where no operation alone leads to it:
// faults before it, who acts meanwhile, and when.
import type { SeededRandomness } from '../../../lib/foundation/randomness.ts';
import type { Target } from '../faults/target.ts';
import { RECURRING_SCENES } from './recurring-scenes.ts';
import {
  ANY,
  at,
  BEYOND_LEASE,
  FROZEN,
  GRACES,
  LATE,
  loses,
  NO_GRACES,
  NONE,
  type Prelude,
  type Scene,
  SHORTLY,
  SINGLE_TIER,
  target,
  WIDE,
} from './scene.ts';

const NEEDED: readonly Scene[] = [
  // It is found, a week old, when it is about to be published.
  [
    /^7 row of a published/,
    ANY,
    {
      targets: [
        { ...target('7 segment', 'fails-after', 1), repeats: 2 },
        { ...target('panda query work', 'answered-late', 100), lateMs: 60_000, by: 'keeper', repeats: 2 },
      ],
      misjudges: false,
      followers: [['keeper', 'abandon-old', 'abandon-old', 'abandon-old']],
    },
  ],
  // Who indexes the last part of a batch dies over it; by transactions, as plain writes are none.
  [
    /^4 INDEX, the last, of known/,
    /^dies/,
    { paysByWrite: false, timing: { skipped: 0, by: 'client' }, leaders: [['client', 'put-crowd', 'put-crowd']] },
  ],
  // Rows of blocks are there, and those of the objects never come.
  [/^20f/, ANY, { targets: [target('4 new object', 'dies-before', 100), target('4 new object', 'dies-before', 100)] }],
  // Extents were claimed for a flip, and whoever did it is gone before the flip.
  [
    /^14 next extents/,
    ANY,
    {
      targets: [target('15 FLIP', 'dies-before', 100), { ...target('15 FLIP', 'dies-before', 100), skipped: 1 }],
      mourning: 'at once',
      leaders: [
        ['mover', 'compact-l1', 'step-same', 'compact-l1', 'step-same'],
        ['mover', 'compact-l1', 'compact-l1'],
      ],
      followers: [['keeper', 'recover', 'recover']],
    },
  ],
  // Deleted by a clock that was ahead.
  [
    /^20 grace of removed/,
    ANY,
    {
      disasters: [0, 30, 200, 900].map((ms) => at(ms, 'clock')),
      timing: { skipped: 0 },
      leaders: [
        ['client', 'delete', 'delete', 'delete-many', 'delete'],
        ['client', 'put-named', 'delete-named'],
        ['keeper', 'gc', 'gc', 'gc', 'gc', 'gc', 'gc', 'gc', 'gc'],
      ],
    },
  ],
  // Retired by a clock that was ahead.
  [/grace begins again/, ANY, { disasters: [0, 30, 200, 900].map((ms) => at(ms, 'clock')) }],
  [
    /^quarantine/,
    ANY,
    {
      disasters: [at(0, 'stray'), at(1, 'stray'), at(1500, 'week'), at(20_000, 'week')],
      timing: { skipped: 0 },
      leaders: [['keeper', ...Array.from({ length: 24 }, () => 'sweep' as const)]],
    },
  ],
  [
    /^18 RENEW in trash/,
    ANY,
    {
      isBeyondPromise: true,
      putsOneBody: true,
      variants: SINGLE_TIER,
      disasters: [100, 200, 300, 600, 700, 800, 1200, 1300, 1400].map((ms) => at(ms, 'wipe')),
    },
  ],
  [/^RESTORE/, ANY, { variants: GRACES }],
  [/^18 RENEW/, ANY, { isBeyondPromise: true, putsKnown: true, disasters: loses([0, 1, 2, 3, 4, 5, 6, 7]) }],
  [/^damage/, ANY, { disasters: loses([0, 50, 100]) }],
];

/** Of those that fit one is drawn, or none. */
const SCENES: readonly Scene[] = [
  // A group is committed between the look at its volume and the lease of whoever seals it.
  [
    /^6 SEAL/,
    LATE,
    {
      targets: [
        { ...target('3 COMMIT to a bucket', 'comes-late', 64_000), lateMs: 90_000 },
        { ...target('1 LEASE', 'comes-late', 64_000), isRightAfter: true },
      ],
      misjudges: false,
      followers: [['mover', 'encode', 'seal-warm']],
    },
  ],
  // What it copies to is sealed meanwhile, or another worker of the same run has the same message.
  [
    /^11 COMMIT of a move/,
    LATE,
    { timing: BEYOND_LEASE, misjudges: false, followers: [['mover', 'seal-warm', 'encode']] },
  ],
  [
    /^11 COMMIT of a move/,
    LATE,
    {
      timing: { ...BEYOND_LEASE, followersAfterMs: 31_000 },
      variants: WIDE,
      followers: [['mover', 'drain-work', 'drain-work']],
    },
  ],
  // Two functions have the same batch at the same time.
  [/^11 COMMIT of a move/, LATE, { timing: SHORTLY, variants: WIDE, followers: [['mover', 'drain-twice']] }],
  // The same, and its source is not retired yet when it comes.
  [
    /^11 COMMIT of a move/,
    LATE,
    {
      targets: [{ ...target('12 RETIRE', 'fails-before', 100), repeats: 12 }],
      timing: { ...BEYOND_LEASE, followersAfterMs: 31_000 },
      variants: WIDE,
      misjudges: false,
      followers: [['mover', 'drain-work', 'step-same', 'drain-work', 'step-same']],
    },
  ],
  // A zombie, and who took over its run.
  [
    /^(9 TAKE|10|11|14|15|journal)/,
    LATE,
    {
      timing: { ...FROZEN, followersAfterMs: 22_000 },
      misjudges: true,
      followers: [['mover', 'step-same', 'step-same']],
    },
  ],
  [/^20c block row/, LATE, { timing: SHORTLY, putsOneBody: true, followers: [['client', 'put', 'put-many', 'put']] }],
  [
    /^panda getMany block/,
    LATE,
    {
      timing: { ...FROZEN, by: 'client' },
      followers: [
        ['mover', 'merge', 'compact', 'merge'],
        ['keeper', 'free'],
      ],
    },
  ],
  [/^panda getMany block/, LATE, { timing: { ...FROZEN, by: 'client' }, followers: [['keys', 'replace']] }],
  [
    /^(panda get (bucket|volume)|drive read)/,
    LATE,
    {
      timing: { ...FROZEN, by: 'client' },
      followers: [
        ['mover', 'encode', 'compact', 'drain'],
        ['keeper', 'free', 'free'],
      ],
    },
  ],
  [
    /^panda (query trash|getMany block|get dead)/,
    LATE,
    { timing: { ...FROZEN, by: 'keeper' }, putsOneBody: true, followers: [['keeper', 'recycle', 'recycle']] },
  ],
  [
    /^panda (getMany block|get dead)/,
    LATE,
    {
      timing: { ...FROZEN, by: 'keeper', skipped: 0, outcome: 'comes-late' },
      putsOneBody: true,
      variants: NO_GRACES,
      followers: [['keeper', 'recycle', 'recycle']],
    },
  ],
  // Nothing of a group or of its directory can be read for a while, and whoever moves it must not go on without.
  [/^drive read/, ANY, { timing: { outcome: 'fails-before', by: 'mover', skipped: 8, repeats: 30 } }],
  [/^5 RECOVER, slots/, LATE, { timing: SHORTLY, followers: [['keeper', 'delete-gc']] }],
  [/^1 LEASE/, LATE, { timing: SHORTLY, followers: [['keys', 'replace']] }],
  [/^21 MERGE/, LATE, { timing: FROZEN, variants: WIDE, misjudges: true, followers: [['mover', 'merge', 'merge']] }],
  // Somebody of the same process takes the merge over.
  [/^21 MERGE/, LATE, { timing: { ...SHORTLY, skipped: 0 }, variants: WIDE, misjudges: false }],
  [
    /^12 RETIRE/,
    ANY,
    {
      isBeyondPromise: true,
      variants: GRACES,
      followers: [['keeper', 'wreck']],
      disasters: loses([100, 200, 400, 800, 1200, 1600, 2400, 3200, 6400]),
    },
  ],
  // Some of a group was indexed, and dies for good before the rest is settled.
  [
    /^4 INDEX$/,
    /^dies-after/,
    {
      variants: NO_GRACES,
      mourning: 'late',
      timing: { skipped: 0, followersAfterMs: 1, by: 'client' },
      paysByWrite: false,
      leaders: [['client', 'put-named-crowd']],
      followers: [['keeper', 'delete-all-gc', 'delete-all-gc']],
    },
  ],
  [/^4 INDEX$/, LATE, { timing: BEYOND_LEASE, misjudges: false, followers: [['keeper', 'recover', 'delete-gc']] }],
  [
    /^4 INDEX, the last/,
    /^(dies-before|fails-before|comes-late)/,
    { putsOneBody: true, timing: { followersAfterMs: 1 }, followers: [['keeper', 'delete-gc', 'recover']] },
  ],
  [
    /^4 INDEX, the last/,
    /^(dies-before|fails-before|comes-late)/,
    {
      putsOneBody: true,
      variants: NO_GRACES,
      timing: { followersAfterMs: 1, skipped: 0 },
      followers: [['keeper', 'delete-all-gc', 'delete-all-gc']],
    },
  ],
];

/** For the first target of a plan. */
export function preludeTo(aimed: Target | undefined, random: SeededRandomness): Prelude {
  if (aimed === undefined) return NONE;
  const fits = ([step, outcomes]: Scene): boolean => step.test(aimed.step) && outcomes.test(aimed.outcome);
  const needed = NEEDED.find(fits);
  if (needed !== undefined) return { ...NONE, ...needed[2] };
  const scenes = [...SCENES, ...RECURRING_SCENES].filter(fits);
  return { ...NONE, ...scenes[random.below(scenes.length + 1)]?.[2] };
}
