// A seed as data: which store, which processes, who does what, and what befalls them. A plan may be cut down, and is what a run takes.
import { SeededRandomness, shuffled } from '../../../lib/foundation/randomness.ts';
import { type Disaster, drawnRates, type Profile, type Rates } from '../faults/profile.ts';
import { drawnTargets, type Target } from '../faults/target.ts';
import { SHARED_BODIES } from '../model/bodies.ts';
import {
  drawnOperation,
  operationsAgainst,
  operationsInOrder,
  operationsTowards,
  type PlannedOperation,
  type Role,
} from './operations.ts';
import { preludeTo } from './preludes.ts';
import type { Mourning, Prelude } from './scene.ts';
import { VARIANTS } from './variants.ts';

export const TEMPLATES_EACH = 4;

export interface Worker {
  readonly role: Role;
  /** Workers of one number share a process. */
  readonly process: number;
  readonly operations: readonly PlannedOperation[];
  /** It begins when a step was hit that the plan aims at, and those who could take over may. */
  readonly isFollower: boolean;
  /** It brings about what is aimed at. */
  readonly leads?: boolean;
}

/** By a backup, by a backup and what is found on the drives, or by the journal on the drives, of a machine or of a stage. */
export type Way = 'restore' | 'rebuild' | 'journal' | 'stream';

export interface PutBack {
  readonly savedAtMs: number;
  readonly by: Way;
}

export interface Plan {
  readonly seed: number;
  readonly profile: string;
  readonly variant: number;
  readonly template: number;
  readonly mourning: Mourning;
  /** Processes that stand still may be taken for dead. */
  readonly misjudges: boolean;
  readonly isBeyondPromise: boolean;
  /** Whether a plain write costs half of one in a transaction; each process says so or not, unless told. */
  readonly paysByWrite: boolean | undefined;
  /** So many names that clients meet at. */
  readonly hotKeys: number;
  /** Bodies that are put again and again: the first, and how many. The first ones are in the store already. */
  readonly bodies: { readonly first: number; readonly count: number };
  readonly workers: readonly Worker[];
  readonly rates: Rates;
  readonly targets: readonly Target[];
  readonly disasters: readonly Disaster[];
  /** The drives that disasters strike: no more than the code tolerates, unless the profile says so. */
  readonly struckDrives: readonly number[];
  /** Panda gets lost at the end, and comes back from what was saved at a time of the run. */
  readonly putBack: PutBack | undefined;
  /** Somebody ships the journal of the metadata to the drives. */
  readonly ships: 'commits' | 'stream' | undefined;
  /** So much as two blocks is a bulk put. */
  readonly putsBulk: boolean;
  /** One of the two namespaces has volumes of its own, but for what was there before. */
  readonly keepsApart: boolean;
  readonly faultsMax: number;
  readonly deathsMax: number;
}

const DURATION_MS = 30_000;
const OTHERS: readonly Role[] = ['client', 'client', 'mover', 'keeper', 'keeper'];
const OPERATIONS_MAX: Readonly<Record<Role, number>> = {
  client: 9,
  mover: 4,
  keeper: 4,
  keys: 4,
  operator: 7,
  shipper: 6,
  streamer: 6,
};
const TARGETS_MAX = 2;
/** Numbers of processes below it belong to those that have nothing to do with a target. */
const ROLES_MAX = 8;
const OPERATORS_FROM = 40;
const STREAMERS_FROM = 44;
/** Between what those do who lead to a step. */
const LEADERS_PAUSE_MS = 60;

/** `aim`: which steps of the protocols are aimed at, any unless told. */
export function planOf(seed: number, profile: Profile, aim?: RegExp): Plan {
  const random = new SeededRandomness(seed);
  const count = aim === undefined ? random.below(TARGETS_MAX) : 1 + random.below(TARGETS_MAX);
  const drawn = drawnTargets(random, { seed, count, outcomes: profile.crashes, aim });
  const prelude = preludeTo(profile.beyondPermille === 0 ? undefined : drawn[0], random);
  const aimed = drawn.map((target, i) => (i === 0 ? { ...target, ...prelude.timing } : target));
  const kinds = prelude.variants ?? VARIANTS.map((_, i) => i);
  const variant = kinds[random.below(kinds.length)] as number;
  const { drives, tolerated } = VARIANTS[variant] as (typeof VARIANTS)[number];
  const order = shuffled(
    Array.from({ length: drives }, (_, i) => i),
    random,
  );
  const isBeyondPromise = prelude.isBeyondPromise || random.below(1000) < profile.beyondPermille;
  const struck = isBeyondPromise ? drives : 1 + random.below(tolerated);
  const misjudges = profile.misjudges && random.below(5) < 2;
  const workers = drawnWorkers(aimed, prelude, aim !== undefined, random);
  if (profile.hasOperator) workers.push(...drawnPairOf('operator', random));
  if (profile.ships === 'commits') workers.push(...drawnPairOf('shipper', random));
  if (profile.ships === 'stream')
    workers.push(...drawnPairOf('streamer', random), ...drawnPairOf('streamer', random, STREAMERS_FROM));
  return {
    seed,
    profile: profile.name,
    variant,
    template: random.below(TEMPLATES_EACH),
    mourning: prelude.mourning ?? (random.below(2) === 0 ? 'at once' : 'late'),
    misjudges: prelude.misjudges ?? misjudges,
    isBeyondPromise,
    paysByWrite: prelude.paysByWrite,
    hotKeys: 1 + random.below(5),
    bodies: drawnBodies(prelude, random),
    workers,
    rates: drawnRates(profile, random),
    targets: [...prelude.targets, ...aimed],
    disasters: [...prelude.disasters, ...drawnDisasters(profile, isBeyondPromise && random.below(2) === 0, random)],
    struckDrives: order.slice(0, struck),
    putBack: drawnPutBack(profile, workers, random),
    ships: profile.ships,
    putsBulk: profile.putsBulk === true,
    keepsApart: seed % 3 === 0,
    faultsMax: Number.MAX_SAFE_INTEGER,
    deathsMax: 1 + random.below(6),
  };
}

/** Not where keys are destroyed, unless all comes back: what they alone wrapped is gone for good, as it should be. */
function drawnPutBack(profile: Profile, workers: readonly Worker[], random: SeededRandomness): PutBack | undefined {
  const isDrawn = random.below(1000) < profile.putBackPermille;
  const savedAtMs = random.below(random.below(3) === 0 ? 3 * DURATION_MS : 400);
  const by = profile.putBackBy[random.below(profile.putBackBy.length)] ?? 'restore';
  return isDrawn && (by === 'stream' || !workers.some(({ role }) => role === 'keys')) ? { savedAtMs, by } : undefined;
}

function drawnBodies({ putsKnown, putsOneBody }: Prelude, random: SeededRandomness): Plan['bodies'] {
  if (putsOneBody) return { first: 60, count: 1 };
  return random.below(2) === 0 || putsKnown
    ? { first: 0, count: SHARED_BODIES }
    : { first: 60, count: 1 + random.below(3) };
}

/** Where all is aimed at a few steps, fewer have anything else to do. */
function drawnWorkers(
  targets: readonly Target[],
  { followers, leaders }: Prelude,
  isAimed: boolean,
  random: SeededRandomness,
): Worker[] {
  const roles: Role[] = isAimed ? ['client'] : ['client', 'mover'];
  for (let more = random.below(isAimed ? 2 : 4); more > 0; more--)
    roles.push(OTHERS[random.below(OTHERS.length)] as Role);
  if (random.below(8) === 0) roles.push('keys');
  const isShared = random.below(4) === 0;
  const workers = roles.map((role, i) => ({
    role,
    process: isShared ? random.below(2) : i,
    operations: Array.from({ length: 1 + random.below(OPERATIONS_MAX[role]) }, () => drawnOperation(role, random)),
    isFollower: false,
  }));
  const asked = followers.map(([role, ...names], i) => ({
    ...operationsInOrder(role, names, random),
    process: ROLES_MAX + 5 * TARGETS_MAX + 5 + i,
    isFollower: true,
  }));
  const leading = leaders.map(([role, ...names], i) => ({
    ...operationsInOrder(role, names, random, (drawing) => drawing.below(LEADERS_PAUSE_MS)),
    process: ROLES_MAX + 5 * TARGETS_MAX + 10 + i,
    isFollower: false,
    leads: true,
  }));
  const towardsThem = targets.flatMap((target, i) => towards(target, ROLES_MAX + 5 * i, random));
  return [...workers, ...towardsThem, ...asked, ...leading];
}

/** One or two: the second does the same beside the first. */
function drawnPairOf(
  role: 'operator' | 'shipper' | 'streamer',
  random: SeededRandomness,
  from = OPERATORS_FROM,
): Worker[] {
  return Array.from({ length: 1 + random.below(2) }, (_, i) => ({
    role,
    process: from + i,
    operations: Array.from({ length: 2 + random.below(OPERATIONS_MAX[role]) }, () => drawnOperation(role, random)),
    isFollower: false,
  }));
}

/** One that leads to the step that is aimed at, and two that begin when it was hit: one that does the like, and one that does whatever. */
function towards({ step }: Target, process: number, random: SeededRandomness): Worker[] {
  const found: Worker[] = [];
  for (const isFollower of [false, true])
    for (const [i, one] of operationsTowards(step, random).entries())
      if (random.below(4) > 0) found.push({ ...one, process: process + (isFollower ? 2 : 0) + i, isFollower });
  const rivals = operationsAgainst(step, random);
  return [...found, { ...rivals, process: process + 4, isFollower: true }];
}

/** Where nothing is lost for good, everything has to be there when the drives are back, however many were away. */
function drawnDisasters(profile: Profile, losesNothing: boolean, random: SeededRandomness): Disaster[] {
  const { disasters, disastersMax } = profile;
  const isLossy = (kind: Disaster['kind']): boolean => kind === 'old' || kind === 'rot' || kind === 'lose';
  const kinds = disasters.filter((kind) => random.below(2) === 0 && !(losesNothing && isLossy(kind)));
  if (kinds.length === 0) return [];
  return Array.from({ length: random.below(disastersMax + 1) }, () => ({
    atMs: random.below(DURATION_MS),
    kind: kinds[random.below(kinds.length)] as Disaster['kind'],
    forMs: 1000 + random.below(DURATION_MS),
  })).sort((a, b) => a.atMs - b.atMs);
}
