// The policies that are compared: as shipped, as shipped less one strategy, and fixed ones, whose threshold stands
// still. `none` moves nothing: with it and others every smaller number of bytes can be had.
import type { PlanSettings } from '../../compaction/facts/plan-settings.ts';
import { THRESHOLD_MAX } from '../../limits/compaction.ts';
import type { Choice } from './keepers.ts';

export interface NamedPolicy {
  readonly name: string;
  readonly choice: Choice;
}

export const SHIPPED: NamedPolicy = { name: 'as shipped', choice: {} };

const WITHOUT_L1: Partial<PlanSettings> = { strategies: ['l2', 'l3'], l2UpTo: 1 };
/** What was L2's is L3's as far as L1's range. */
const WITHOUT_L2: Partial<PlanSettings> = { strategies: ['l1', 'l3'], l3UpTo: 0.849, l2UpTo: 0.85 };
const WITHOUT_L3: Partial<PlanSettings> = { strategies: ['l1', 'l2'] };

/** The neighbours take over what the strategy removed would have had. */
export const ABLATIONS: readonly NamedPolicy[] = [
  { name: 'without L1', choice: { changes: WITHOUT_L1 } },
  { name: 'without L2', choice: { changes: WITHOUT_L2 } },
  { name: 'without L3', choice: { changes: WITHOUT_L3 } },
];

const NOTHING: NamedPolicy = {
  name: 'none',
  choice: { changes: { l1UpTo: 0.11, l2UpTo: 0.11 }, threshold: THRESHOLD_MAX },
};

const L3_ALONE: Partial<PlanSettings> = { strategies: ['l3'], l3UpTo: 0.98, l2UpTo: 0.99 };
const FAMILIES: readonly (readonly [name: string, changes: Partial<PlanSettings>, thresholds: readonly number[]])[] = [
  ['L3 alone', L3_ALONE, [0.06, 0.09, 0.13, 0.2, 0.4]],
  ['L3 alone, sparsest first', { ...L3_ALONE, drainOrder: 'sparsest' }, [0.08, 0.12, 0.2]],
  ['L2 + L3', WITHOUT_L1, [0.1, 0.15]],
  ['L1 + L2 + L3, top-offs always', { topOffs: 'always', unpacked: 'wait' }, [0.1, 0.2]],
  ['L1 from 0.75, top-offs always', { topOffs: 'always', unpacked: 'wait', l2UpTo: 0.75 }, [0.1]],
  [
    'k -> 1, max-fill, as published',
    { objective: 'max-fill', destinationsMax: 1, topOffs: 'always', unpacked: 'wait' },
    [0.1],
  ],
];

export const FIXED: readonly NamedPolicy[] = [
  NOTHING,
  ...FAMILIES.flatMap(([name, changes, thresholds]) =>
    thresholds.map((threshold) => ({ name: `${name}, from ${threshold} dead`, choice: { changes, threshold } })),
  ),
];

/** An ablation's own curve: the same with a threshold that stands still. */
export const curveOf = ({ name, choice }: NamedPolicy): readonly NamedPolicy[] => [
  { name, choice },
  ...[0.08, 0.12, 0.2].map((threshold) => ({
    name: `${name}, from ${threshold} dead`,
    choice: { ...choice, threshold },
  })),
];
