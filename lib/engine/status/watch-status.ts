// What `watch` says: of each verifier its last pass, how far it is, what it took, and what is damaged now.
import { FINDINGS_MAX } from '../../limits/engine.ts';
import { INDEX_SCAN_MS, JOURNAL_SCRUB_MS, TRASH_INSPECTION_MS } from '../../limits/verify.ts';
import type { FindingRow } from '../../verify/finding-row.ts';
import { listFindings } from '../../verify/keep-findings.ts';
import { SAMPLE_AGES_MS } from '../../verify/sample-plan.ts';
import { scrubFacts, scrubPeriods } from '../../verify/scrub.ts';
import { planScrub, type ScrubFigures, scrubFigures } from '../../verify/scrub-plan.ts';
import { VERIFIERS, type VerifierName, type VerifierRow } from '../../verify/verifier-row.ts';
import { readVerifier } from '../../verify/verifier-state.ts';
import type { Components } from '../../volume/rows/components.ts';
import { allDamage } from '../../volume/rows/damage.ts';

export interface VerifierStatus {
  readonly verifier: VerifierName;
  /** Everything is looked at within this. */
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
  /** Of everything, what was looked at within the period (of a scan under way, in it), 0..1; null: not known. */
  readonly progress: number | null;
  /** Nothing was last looked at, or written, longer ago than this; null: not known. */
  readonly oldestAgeMs: number | null;
  /** It is looked at later than it should be. */
  readonly isBehind: boolean;
  /** What it found, and has not found sound again since. */
  readonly openFindings: number;
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
  /** What the other verifiers found, the first of it. */
  readonly findings: readonly FindingRow[];
}

type Progress = Pick<VerifierStatus, 'periodMs' | 'progress' | 'oldestAgeMs' | 'isBehind'>;

export async function collectWatch(components: Components): Promise<WatchStatus> {
  const nowMs = Math.max(0, components.clock.nowMs());
  const { volumes, rows } = await scrubFacts(components);
  const periods = scrubPeriods(components);
  const figures = scrubFigures(volumes, rows, { nowMs, sweepMs: periods.sweepMs });
  const plan = planScrub(volumes, rows, { nowMs, periods });
  const due = { volumes: plan.due, bytes: plan.items.reduce((sum, { bytes }) => sum + bytes, 0) };
  const damage = await damageByKind(components);
  const verifiers: VerifierStatus[] = [];
  const findings: FindingRow[] = [];
  for (const verifier of VERIFIERS) {
    const row = await readVerifier(components, verifier);
    const open = await listFindings(components, verifier);
    findings.push(...open);
    const damaged = verifier === 'scrub' ? Object.values(damage).reduce((sum, count) => sum + count, 0) : 0;
    const progress =
      verifier === 'scrub' ? scrubProgress(figures, nowMs, periods.sweepMs) : scanProgress(verifier, row, nowMs);
    verifiers.push({ verifier, ...progress, lastPass: lastPassOf(row), openFindings: open.length + damaged });
  }
  const { volumes: count, bytes, never, missed } = figures;
  return {
    verifiers,
    scrub: { volumes: count, bytes, never, due, missedVolumes: missed },
    damage,
    findings: findings.slice(0, FINDINGS_MAX),
  };
}

function scrubProgress(
  { bytes, withinPeriodBytes, oldestAtMs }: ScrubFigures,
  nowMs: number,
  periodMs: number,
): Progress {
  const oldestAgeMs = oldestAtMs === undefined ? null : Math.max(0, nowMs - oldestAtMs);
  const progress = bytes === 0 ? null : withinPeriodBytes / bytes;
  return { periodMs, progress, oldestAgeMs, isBehind: oldestAgeMs !== null && oldestAgeMs > periodMs };
}

const PERIODS_MS: Readonly<Record<Exclude<VerifierName, 'scrub'>, number>> = {
  index: INDEX_SCAN_MS,
  sample: SAMPLE_AGES_MS.at(-1) as number,
  trash: TRASH_INSPECTION_MS,
  journal: JOURNAL_SCRUB_MS,
};

/** Of those that look at everything in one go, cut or not. */
function scanProgress(verifier: Exclude<VerifierName, 'scrub'>, row: VerifierRow | undefined, nowMs: number): Progress {
  const periodMs = PERIODS_MS[verifier];
  const { wholeAtMs, cursor } = row ?? {};
  const oldestAgeMs = wholeAtMs === undefined ? null : Math.max(0, nowMs - wholeAtMs);
  // That of the index scanner is the beginning of a block's id; the journal's says nothing of how much is left.
  const reached =
    cursor === undefined || verifier !== 'index'
      ? undefined
      : Number.parseInt(cursor.slice(0, 4).padEnd(4, '0'), 16) / 0x1_0000;
  const progress = reached ?? (oldestAgeMs === null ? null : oldestAgeMs <= periodMs ? 1 : 0);
  // A scan takes its time after it has begun.
  return { periodMs, progress, oldestAgeMs, isBehind: oldestAgeMs !== null && oldestAgeMs > 2 * periodMs };
}

function lastPassOf(row: VerifierRow | undefined): VerifierStatus['lastPass'] {
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
