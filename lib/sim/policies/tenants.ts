// Two tenants, one of which leaves: what it is worth to keep their data apart, in buckets (then only survivors can be
// packed by tenant, since buckets are moved whole; no store does that) or in a lane each, by the planner as it ships.
// Compared at equal bytes with a store that mixes them, as every store does in which nobody says otherwise.
import type { Separated } from '../fleet/world.ts';
import { lowerHull, overheadAt, type Point } from './compare.ts';
import { FIXED, type NamedPolicy, SHIPPED } from './policies.ts';
import { sizeFor, type TrialSize, tried } from './trial.ts';
import { TENANTS, type Workload } from './workloads.ts';

/** Bytes moved over live bytes. */
const MOVED = [0.25, 0.5, 1, 1.5] as const;
const KEPT_APART = ['mixed', 'bucket', 'lane'] as const;

export interface TenantsCurve {
  readonly workload: string;
  readonly separated: Separated | 'mixed';
  readonly shipped: Point;
  /** At each of MOVED: least overhead that any policy, or a mixture of them, holds. */
  readonly overheads: readonly number[];
  /** Those over what a store that mixes tenants holds. */
  readonly againstMixed: readonly number[];
}

export function tenantsCompared(liveVolumes: number, seed = 1): TenantsCurve[] {
  return TENANTS.flatMap((workload) => {
    const curves = KEPT_APART.map((separated) => {
      const its = separated === 'mixed' ? workload : { ...workload, separated };
      const [shipped, ...fixed] = [SHIPPED, ...FIXED].map((policy) => pointOf(its, policy, sizeFor(liveVolumes, seed)));
      const points = [shipped as Point, ...fixed];
      const overheads = MOVED.map((moved) => overheadAt(lowerHull(points), moved));
      return { workload: workload.name, separated, shipped: shipped as Point, overheads };
    });
    const mixed = curves[0]?.overheads ?? [];
    return curves.map((curve) => ({
      ...curve,
      againstMixed: curve.overheads.map((overhead, at) => overhead / (mixed[at] as number)),
    }));
  });
}

function pointOf(workload: Workload, { choice }: NamedPolicy, size: TrialSize): Point {
  const { movedPerLive: moved, overhead } = tried(workload, choice, size);
  return { moved, overhead };
}

const NAMES: Readonly<Record<TenantsCurve['separated'], string>> = {
  mixed: 'mixed, as in any store unless told',
  bucket: 'in buckets of their own, survivors packed by tenant',
  lane: 'a lane each (`namespacesApart`)',
};

export function tenantsTable(curves: readonly TenantsCurve[]): string[] {
  const heads = ['workload', 'tenants', 'as shipped: overhead, moved', ...MOVED.map((moved) => `at ${moved} moved`)];
  const rows = curves.map(({ workload, separated, shipped, overheads, againstMixed }) => [
    workload,
    NAMES[separated],
    `${shipped.overhead.toFixed(3)}, ${shipped.moved.toFixed(2)}`,
    ...overheads.map((overhead, at) => `${overhead.toFixed(3)} (${againstMixed[at]?.toFixed(2)})`),
  ]);
  return [heads, heads.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
}
