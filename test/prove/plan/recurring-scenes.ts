// Scenes about the same few bodies again and again (actors/recurring.ts): who gives references back, shreds or recovers, beside who puts the same once
// more; and requests that are done just before they are sent again.
import { FROZEN, LATE, NO_GRACES, type Scene, SHORTLY, target } from './scene.ts';

const REMOVES_NAMED = ['client', 'put-named', 'delete-named'] as const;
const COLLECTS = ['keeper', 'gc-recurring', 'gc'] as const;

export const RECURRING_SCENES: readonly Scene[] = [
  // A slot was noted, and before its block's row goes somebody refers to the block again.
  [
    /^20c block row/,
    LATE,
    {
      timing: { ...SHORTLY, skipped: 0 },
      variants: NO_GRACES,
      paysByWrite: true,
      leaders: [REMOVES_NAMED, COLLECTS],
      followers: [['client', 'put-named']],
    },
  ],
  // The same, and GC is cut off there.
  [
    /^20c block row/,
    /^(dies|fails|done)/,
    {
      timing: { skipped: 0, by: 'keeper-leads' },
      variants: NO_GRACES,
      paysByWrite: true,
      leaders: [REMOVES_NAMED, COLLECTS],
    },
  ],
  // Doomed when it was read, and back when its row is to go.
  [
    /^20 of trash/,
    LATE,
    {
      timing: { ...SHORTLY, skipped: 0 },
      variants: NO_GRACES,
      leaders: [['client', 'put-one-long', 'delete-one-long'], COLLECTS],
      followers: [['client', 'put-one-long']],
    },
  ],
  // Whoever reads the blocks late finds that another has given them back, who dies before the slots do.
  [
    /^panda getMany block/,
    LATE,
    {
      targets: [{ ...target('20c block row gone', 'dies-after', 1), isRightAfter: true, repeats: 3 }],
      timing: {
        ...FROZEN,
        by: 'keeper-leads',
        skipped: 0,
        repeats: 6,
        outcome: 'comes-late',
        lateMs: 15_000,
        followersAfterMs: 1,
      },
      variants: NO_GRACES,
      misjudges: false,
      paysByWrite: true,
      leaders: [REMOVES_NAMED, COLLECTS],
      followers: [['keeper', 'gc']],
    },
  ],
  // Done between the look whether it was done and when it is sent again.
  [
    /^4 new object/,
    /^done-late/,
    {
      targets: [{ ...target('4 new object', 'comes-late', 1), isRightAfter: true }],
      timing: { skipped: 0, doneAfterMs: 300, by: 'client' },
      leaders: [['client', 'put-new', 'put-new']],
    },
  ],
];
