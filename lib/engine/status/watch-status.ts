// What `watch` says: of each verifier its last pass, how far it is, what it took, and what is damaged now.
import { SCRUB_PERIODS, scrubFacts } from '../../verify/scrub.ts';
import { planScrub, scrubFigures } from '../../verify/scrub-plan.ts';
import { VERIFIERS, type VerifierName } from '../../verify/verifier-row.ts';
import { readVerifier } from '../../verify/verifier-state.ts';
import type { Components } from '../../volume/rows/components.ts';
import { allDamage } from '../../volume/rows/damage.ts';

export interface VerifierStatus {
  readonly verifier: VerifierName;
  readonly periodMs: number;
  /** Null: never. */
  readonly lastPass: {
    readonly beganAtMs: number;
    readonly workMs: number;
    readonly looked: number;
    readonly bytes: number;
    readonly findings: number;
    /** Part of the time since the pass before it that it worked; null for the first. */
    readonly share: number | null;
  } | null;
  /** Of everything, what was looked at within the period, 0..1; null: there is nothing. */
  readonly progress: number | null;
  /** No byte was last read, or written, longer ago than this; null: there is none. */
  readonly oldestAgeMs: number | null;
  /** It is looked at later than it should be. */
  readonly isBehind: boolean;
}

export interface WatchStatus {
  readonly verifiers: readonly VerifierStatus[];
  readonly scrub: {
    readonly volumes: number;
    readonly bytes: number;
    readonly never: { readonly volumes: number; readonly bytes: number };
    readonly due: { readonly volumes: number; readonly bytes: number };
    /** Volumes of which some objects could not be looked at the last time. */
    readonly missedVolumes: number;
  };
  /** Objects noted as damaged, by kind. */
  readonly damage: Readonly<Record<string, number>>;
}

export async function collectWatch(components: Components): Promise<WatchStatus> {
  const nowMs = Math.max(0, components.clock.nowMs());
  const { volumes, rows } = await scrubFacts(components);
  const figures = scrubFigures(volumes, rows, { nowMs, sweepMs: SCRUB_PERIODS.sweepMs });
  const plan = planScrub(volumes, rows, { nowMs, periods: SCRUB_PERIODS });
  const due = { volumes: plan.due, bytes: plan.items.reduce((sum, { bytes }) => sum + bytes, 0) };
  const verifiers: VerifierStatus[] = [];
  for (const verifier of VERIFIERS)
    verifiers.push({
      verifier,
      periodMs: SCRUB_PERIODS.sweepMs,
      lastPass: await lastPassOf(components, verifier),
      progress: figures.bytes === 0 ? null : figures.withinPeriodBytes / figures.bytes,
      oldestAgeMs: figures.oldestAtMs === undefined ? null : Math.max(0, nowMs - figures.oldestAtMs),
      isBehind: figures.oldestAtMs !== undefined && nowMs - figures.oldestAtMs > SCRUB_PERIODS.sweepMs,
    });
  const { volumes: count, bytes, never, missed } = figures;
  return {
    verifiers,
    scrub: { volumes: count, bytes, never, due, missedVolumes: missed },
    damage: await damageByKind(components),
  };
}

async function lastPassOf(components: Components, name: VerifierName): Promise<VerifierStatus['lastPass']> {
  const row = await readVerifier(components, name);
  if (row === undefined) return null;
  const { beganAtMs, workMs, looked, bytes, findings, sinceBeforeMs } = row;
  const share = sinceBeforeMs === undefined || sinceBeforeMs === 0 ? null : Math.min(1, workMs / sinceBeforeMs);
  return { beganAtMs, workMs, looked, bytes, findings, share };
}

async function damageByKind(components: Components): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for await (const { kind } of allDamage(components, components.badRow ?? (() => {})))
    counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}
