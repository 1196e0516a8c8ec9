// A seed as data: which store, which processes, who does what, and what befalls them. A plan may be cut down, and is what a run takes.
import { SeededRandomness, shuffled } from '../../../lib/foundation/randomness.ts';
import { type Disaster, drawnRates, type Profile, type Rates } from '../faults/profile.ts';
import { drawnOperation, type PlannedOperation, type Role } from './operations.ts';
import { VARIANTS } from './variants.ts';

export const TEMPLATES_EACH = 4;

/** When others count a process that died as dead: at once (processes of one machine), or when its time must be over (functions). */
export type Mourning = 'at once' | 'late';

export interface Worker {
  readonly role: Role;
  /** Workers of one number share a process. */
  readonly process: number;
  readonly operations: readonly PlannedOperation[];
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
  readonly workers: readonly Worker[];
  readonly rates: Rates;
  readonly disasters: readonly Disaster[];
  /** The drives that disasters strike: no more than the code tolerates, unless the profile says so. */
  readonly struckDrives: readonly number[];
  readonly faultsMax: number;
  readonly deathsMax: number;
}

const DURATION_MS = 30_000;
const OTHERS: readonly Role[] = ['client', 'client', 'mover', 'keeper', 'keeper'];
const OPERATIONS_MAX: Readonly<Record<Role, number>> = { client: 9, mover: 4, keeper: 4, keys: 3 };

export function planOf(seed: number, profile: Profile): Plan {
  const random = new SeededRandomness(seed);
  const variant = random.below(VARIANTS.length);
  const { drives, tolerated } = VARIANTS[variant] as (typeof VARIANTS)[number];
  const order = shuffled(
    Array.from({ length: drives }, (_, i) => i),
    random,
  );
  const struck = profile.isBeyondPromise ? drives : 1 + random.below(tolerated);
  return {
    seed,
    profile: profile.name,
    variant,
    template: random.below(TEMPLATES_EACH),
    mourning: random.below(2) === 0 ? 'at once' : 'late',
    misjudges: profile.misjudges && random.below(3) === 0,
    isBeyondPromise: profile.isBeyondPromise,
    workers: drawnWorkers(random),
    rates: drawnRates(profile, random),
    disasters: drawnDisasters(profile, random),
    struckDrives: order.slice(0, struck),
    faultsMax: Number.MAX_SAFE_INTEGER,
    deathsMax: 1 + random.below(6),
  };
}

function drawnWorkers(random: SeededRandomness): Worker[] {
  const roles: Role[] = ['client', 'mover'];
  for (let more = 1 + random.below(3); more > 0; more--) roles.push(OTHERS[random.below(OTHERS.length)] as Role);
  if (random.below(8) === 0) roles.push('keys');
  const isShared = random.below(4) === 0;
  return roles.map((role, i) => ({
    role,
    process: isShared ? random.below(2) : i,
    operations: Array.from({ length: 1 + random.below(OPERATIONS_MAX[role]) }, () => drawnOperation(role, random)),
  }));
}

function drawnDisasters(profile: Profile, random: SeededRandomness): Disaster[] {
  const { disasters, disastersMax } = profile;
  const kinds = disasters.filter(() => random.below(2) === 0);
  if (kinds.length === 0) return [];
  return Array.from({ length: random.below(disastersMax + 1) }, () => ({
    atMs: random.below(DURATION_MS),
    kind: kinds[random.below(kinds.length)] as Disaster['kind'],
    forMs: 1000 + random.below(DURATION_MS),
  })).sort((a, b) => a.atMs - b.atMs);
}
