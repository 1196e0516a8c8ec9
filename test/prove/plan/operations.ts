// What workers do, by role: names with weights. What an operation is done to is drawn from a number of its own, so that leaving one out of
// a plan changes no other.
import type { SeededRandomness } from '../../../lib/foundation/randomness.ts';

export const ROLES = {
  client: {
    put: 6,
    get: 6,
    range: 2,
    delete: 5,
    'put-many': 3,
    'put-absent': 1,
    'delete-many': 1,
    list: 1,
  },
  mover: {
    encode: 4,
    'seal-warm': 2,
    drain: 2,
    'compact-l1': 3,
    'compact-l2': 3,
    'compact-l3': 2,
    merge: 3,
    compact: 2,
    'plan-runs': 3,
    'step-runs': 4,
    'drain-pass': 4,
    'drain-work': 5,
    'end-drains': 1,
  },
  keeper: { gc: 8, free: 4, recover: 4, sweep: 3, tune: 1, examine: 2, status: 1 },
  keys: { rotate: 2, rewrap: 4, destroy: 2 },
} as const;

export type Role = keyof typeof ROLES;
export type OperationName = { [R in Role]: keyof (typeof ROLES)[R] }[Role];

export interface PlannedOperation {
  readonly name: OperationName;
  /** Everything it draws comes from this. */
  readonly draw: number;
  readonly pauseMs: number;
}

export function drawnOperation(role: Role, random: SeededRandomness): PlannedOperation {
  const weights = Object.entries(ROLES[role]) as [OperationName, number][];
  let at = random.below(weights.reduce((sum, [, weight]) => sum + weight, 0));
  const found = weights.find(([, weight]) => {
    at -= weight;
    return at < 0;
  });
  const pauseMs = random.below(10) === 0 ? random.below(20_000) : random.below(random.below(4) === 0 ? 400 : 12);
  return { name: (found as [OperationName, number])[0], draw: random.uint32(), pauseMs };
}
