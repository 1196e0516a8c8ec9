// What workers do, by role: names with weights. What an operation is done to is drawn from a number of its own, so that leaving one out of
// a plan changes no other.
import { type SeededRandomness, shuffled } from '../../../lib/foundation/randomness.ts';

export const ROLES = {
  client: {
    put: 6,
    get: 6,
    range: 2,
    head: 1,
    delete: 5,
    'put-many': 3,
    'put-long': 1,
    'put-absent': 1,
    upload: 2,
    'delete-many': 1,
    list: 1,
    twins: 1,
    'get-many': 1,
    'get-again': 1,
    'put-crowd': 1,
    'put-again': 1,
    // Asked for by scenes only.
    'put-plain': 0,
    restore: 2,
    // Asked for by scenes only.
    'put-named': 0,
    'put-named-crowd': 0,
    'delete-named': 0,
    'put-one-long': 0,
    'delete-one-long': 0,
    'put-new': 0,
  },
  mover: {
    encode: 4,
    'seal-warm': 2,
    drain: 2,
    'compact-l1': 3,
    'compact-l2': 3,
    'compact-l3': 2,
    merge: 3,
    'merge-twice': 1,
    compact: 2,
    'plan-runs': 3,
    'step-runs': 4,
    'step-same': 2,
    'drain-pass': 4,
    'drain-work': 5,
    'drain-twice': 1,
    'end-drains': 1,
    'encode-stage': 2,
    'compact-store': 2,
    'dead-letters': 1,
  },
  keeper: {
    gc: 8,
    free: 4,
    recover: 4,
    sweep: 3,
    tune: 1,
    examine: 2,
    doctor: 3,
    'sweep-stage': 2,
    tend: 2,
    status: 1,
    recycle: 1,
    'delete-gc': 1,
    'empty-trash': 1,
    // Asked for by scenes only.
    'delete-all-gc': 0,
    'gc-recurring': 0,
    wreck: 0,
    'abandon-old': 0,
    'void-ends': 0,
    'name-back': 0,
  },
  keys: { rotate: 2, rewrap: 4, destroy: 2, replace: 2, count: 1 },
  shipper: { ship: 3, 'ship-on': 4, 'tend-ladder': 3, snapshot: 1 },
  streamer: {
    deliver: 3,
    'deliver-on': 5,
    'deliver-late': 2,
    'deliver-over-keys': 1,
    'tend-stage': 1,
    'snapshot-stage': 1,
  },
  operator: {
    repair: 6,
    'drain-drive': 3,
    'lose-drive': 2,
    'return-drive': 3,
    discard: 2,
    drives: 1,
    watch: 4,
    balance: 3,
  },
} as const;

export type Role = keyof typeof ROLES;
export type OperationName = { [R in Role]: keyof (typeof ROLES)[R] }[Role];

export interface PlannedOperation {
  readonly name: OperationName;
  /** Everything it draws comes from this. */
  readonly draw: number;
  readonly pauseMs: number;
}

/** What is to be done so that a step happens at all: the first that fits the step's name. Any other step happens by itself. */
const REACHED_BY: readonly (readonly [RegExp, Role, readonly OperationName[]])[] = [
  [/^(14|15|journal COMMIT)/, 'mover', ['compact-l1', 'compact-l1', 'step-runs', 'step-same']],
  [/^21/, 'mover', ['merge', 'merge-twice']],
  [/^(9|10|11|journal)/, 'mover', ['compact', 'step-runs', 'drain-pass', 'end-drains', 'encode', 'drain-twice']],
  [/^stream/, 'mover', ['drain-pass', 'drain-work', 'drain-work', 'drain-pass', 'end-drains', 'dead-letters']],
  [/^6/, 'mover', ['encode', 'seal-warm']],
  [/^keys destroy|^key version retiring/, 'keys', ['destroy']],
  [/^key/, 'keys', ['rotate', 'rewrap', 'destroy']],
  [/^rewrap/, 'keys', ['rotate', 'rewrap']],
  [/^7 row/, 'client', ['put-long', 'upload']],
  [/^(7|8)/, 'client', ['upload', 'put-long', 'delete', 'put-long']],
  [/^RESTORE/, 'client', ['delete', 'restore', 'restore', 'delete-many', 'restore']],
  [/^12 grace/, 'mover', ['drain', 'compact', 'encode', 'drain']],
  [/^20c/, 'keeper', ['name-back', 'name-back', 'gc']],
  [/^20f/, 'keeper', ['void-ends', 'void-ends', 'gc']],
  [/^20/, 'keeper', ['gc', 'gc', 'sweep-stage', 'delete-gc', 'recycle']],
  [/^(12|drive erase)/, 'keeper', ['gc', 'free', 'sweep-stage']],
  [/^quarantine/, 'keeper', ['sweep', 'sweep', 'free']],
  [/^5/, 'keeper', ['recover', 'sweep']],
  [/^damage/, 'keeper', ['doctor', 'doctor', 'recover']],
  [/^18 RENEW in trash/, 'client', ['put-again']],
  [/^18 RENEW/, 'client', ['put-many', 'put', 'delete', 'put-many']],
  [/^4 new object/, 'client', ['put-absent', 'put-absent', 'delete']],
  [/^19 (last )?reference/, 'client', ['twins', 'delete', 'twins', 'put']],
  [/^1 LEASE/, 'client', ['put', 'put-many', 'put']],
  [/^4 INDEX, the last, of known/, 'client', ['put-crowd']],
  [/^4 INDEX/, 'client', ['put-crowd', 'put', 'put-many']],
  [/^(4|18|19)/, 'client', ['put', 'put-many', 'delete']],
  [/^panda (getMany|get bucket)|^drive read/, 'client', ['get-many', 'get-many', 'get', 'range', 'put-many']],
  [/^panda get dead/, 'mover', ['encode', 'compact', 'merge']],
  [/^panda query (trash|segment|work)/, 'keeper', ['gc', 'recover', 'recycle']],
];

/** Whose doings are in the way of a step that comes late: the first that fits. */
const RIVALS: readonly (readonly [RegExp, readonly (readonly [Role, readonly OperationName[]])[]])[] = [
  [
    /^(7 row|damage|quarantine)/,
    [
      ['keeper', ['recover', 'doctor', 'sweep', 'doctor', 'sweep']],
      ['mover', ['compact', 'drain']],
    ],
  ],
  [
    /^(19|21|panda getMany)/,
    [
      ['mover', ['merge', 'compact']],
      ['client', ['delete', 'put', 'delete-many']],
      ['keeper', ['gc']],
    ],
  ],
  [
    /^(20|panda query trash)/,
    [
      ['client', ['put', 'delete', 'put']],
      ['keeper', ['gc', 'recover']],
      ['mover', ['merge']],
    ],
  ],
  [
    /^(1 |4|18)/,
    [
      ['keys', ['rotate', 'destroy', 'replace']],
      ['keeper', ['recover', 'gc', 'delete-gc']],
      ['client', ['delete-many', 'put', 'delete']],
      ['mover', ['encode']],
    ],
  ],
  [
    /^(key|rewrap)/,
    [
      ['client', ['delete-many', 'put', 'put-many']],
      ['keeper', ['gc', 'gc']],
      ['keys', ['rotate', 'rewrap', 'destroy', 'replace']],
    ],
  ],
  [
    /^RESTORE/,
    [
      ['client', ['restore', 'restore', 'put', 'delete']],
      ['keeper', ['empty-trash', 'gc']],
    ],
  ],
  [
    /^(7|8)/,
    [
      ['keeper', ['recover', 'sweep-stage']],
      ['client', ['delete-many', 'put-long']],
    ],
  ],
  [
    /^(2|3|5|6|9|10|11)/,
    [
      ['mover', ['seal-warm', 'encode', 'compact', 'drain', 'end-drains', 'drain-work', 'step-same']],
      ['keeper', ['recover', 'free']],
    ],
  ],
  [
    /^(12|14|15|drive erase)/,
    [
      ['keeper', ['recover', 'free', 'sweep']],
      ['mover', ['compact-l1', 'compact', 'drain', 'step-same']],
    ],
  ],
  [
    /^(panda|drive)/,
    [
      ['mover', ['merge', 'compact', 'drain', 'encode']],
      ['keeper', ['gc', 'free', 'recover']],
      ['client', ['delete', 'put']],
    ],
  ],
];

/** There is a journal, of a machine or of a stage, only where a profile says that it is shipped. */
const ANYWHERE = (Object.keys(ROLES) as Role[]).filter((role) => role !== 'shipper' && role !== 'streamer');

type Operations = { readonly role: Role; readonly operations: readonly PlannedOperation[] };

/** Who has to act besides, so that a step is reached. */
const AND_BY: typeof REACHED_BY = [
  [/^RESTORE/, 'client', ['put', 'delete', 'delete-many']],
  [/^12 grace/, 'keeper', ['free', 'free', 'sweep-stage']],
  [/^20 grace/, 'client', ['delete', 'delete-many']],
  [/^panda (getMany block|get dead)/, 'keeper', ['recycle', 'gc', 'recycle']],
  [/^drive read/, 'mover', ['encode', 'compact', 'merge', 'drain']],
  [/^(12 ERASING|drive erase)/, 'client', ['get-again']],
  [/^20f/, 'client', ['put-plain', 'put-plain', 'put-plain']],
  [/^(20|panda query trash)/, 'client', ['put', 'delete', 'put', 'delete-many']],
  [/^18 RENEW in trash/, 'client', ['put-again', 'put-again', 'put-again']],
  [/^damage healed/, 'mover', ['drain', 'compact', 'encode']],
];

/** A role and operations of it that may lead to a step. */
export function operationsTowards(step: string, random: SeededRandomness): Operations[] {
  return [REACHED_BY, AND_BY].flatMap((table) => {
    const found = table.find(([pattern]) => pattern.test(step));
    return found === undefined ? [] : [operationsOf(found[1], found[2], random)];
  });
}

const drawable = (role: Role): OperationName[] =>
  (Object.entries(ROLES[role]) as [OperationName, number][]).flatMap(([name, weight]) => (weight > 0 ? [name] : []));

export function operationsAgainst(step: string, random: SeededRandomness): Operations {
  const roles = RIVALS.find(([pattern]) => pattern.test(step))?.[1] ?? [];
  const chosen = random.below(4) === 0 ? undefined : roles[random.below(Math.max(1, roles.length))];
  const role = shuffled(ANYWHERE, random)[0] as Role;
  return operationsOf(...(chosen ?? [role, drawable(role)]), random);
}

/** All of them, one after the other, and at once unless told. */
export const operationsInOrder = (
  role: Role,
  names: readonly OperationName[],
  random: SeededRandomness,
  pausesMs = (drawing: SeededRandomness): number => drawing.below(12),
): Operations => ({
  role,
  operations: names.map((name) => ({ name, draw: random.uint32(), pauseMs: pausesMs(random) })),
});

const operationsOf = (role: Role, names: readonly OperationName[], random: SeededRandomness): Operations => ({
  role,
  operations: Array.from({ length: 1 + random.below(3) }, () => ({
    name: names[random.below(names.length)] as OperationName,
    draw: random.uint32(),
    pauseMs: random.below(random.below(3) === 0 ? 5000 : 40),
  })),
});

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
