// Verification: what the verifiers look at, how long they may take, and what they found, for both engines. A command
// takes the time it needs; a schedule has a share of the time between its passes, which bounds the share of I/O, and
// each pass goes on where the last one ended.
import type { VolumeId } from '../../foundation/ids.ts';
import { VERIFY_SHARE_PERMILLE } from '../../limits/verify.ts';
import { type Finding, Findings, type Level } from '../../verify/findings.ts';
import { type ScrubProgress, type ScrubReport, scrub } from '../../verify/scrub.ts';
import { VERIFIERS, type VerifierName, type VerifierRow } from '../../verify/verifier-row.ts';
import { readVerifier, writeVerifier } from '../../verify/verifier-state.ts';
import { findDriveFaults } from '../status/drive-faults.ts';
import type { EngineStore } from '../wire/engine-store.ts';

type Verified = Pick<EngineStore, 'volumes'>;

export interface VerifyRequest {
  /** Which verifiers; all of them if none is named. */
  readonly what?: readonly VerifierName[] | undefined;
  /** The scrubber looks at these only. */
  readonly volumes?: readonly VolumeId[] | undefined;
  /** Everything that was not looked at since then; undefined: what is due. */
  readonly allSinceMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: VerifyProgress) => void) | undefined;
}

export interface VerifyProgress extends ScrubProgress {
  readonly verifier: VerifierName;
}

/** Of a schedule: passes come this often, and may work for a share of it. */
export interface VerifyPace {
  readonly everyMs: number;
  readonly sharePermille?: number | undefined;
}

export interface VerifyReport {
  readonly level: Level;
  readonly findings: readonly Finding[];
  /** Left out of `findings` because there were too many. */
  readonly moreFindings: number;
  readonly scrub?: ScrubReport | undefined;
  /** False: the pass was cut, and the next one goes on. */
  readonly done: boolean;
}

/** One pass of each verifier. */
export async function verifyStore(
  store: Verified,
  request: VerifyRequest = {},
  pace?: VerifyPace,
): Promise<VerifyReport> {
  const { components } = store.volumes;
  await components.mayWrite?.();
  const { signal, what = VERIFIERS } = request;
  const findings = new Findings();
  const drivesAway = await findDriveFaults(store.volumes, findings);
  const away = new Set(drivesAway.map(({ id }) => id));
  const startedMs = components.clock.monotonicMs();
  const sliceMs = pace === undefined ? Number.POSITIVE_INFINITY : sliceOf(pace);
  const isOver = (): boolean => signal?.aborted === true || components.clock.monotonicMs() - startedMs >= sliceMs;
  let scrubbed: ScrubReport | undefined;
  if (what.includes('scrub'))
    scrubbed = await onePass(store, 'scrub', findings, async () => {
      const report = await scrub(store.volumes, {
        findings,
        away,
        isOver,
        volumes: request.volumes === undefined ? undefined : new Set(request.volumes),
        allSinceMs: request.allSinceMs,
        everyMs: pace?.everyMs,
        onProgress: (progress) => request.onProgress?.({ verifier: 'scrub', ...progress }),
      });
      return { report, looked: report.objects, bytes: report.bytes, isDone: report.left.volumes === 0 };
    });
  return {
    level: findings.level,
    findings: findings.list,
    moreFindings: findings.more,
    scrub: scrubbed,
    done: scrubbed === undefined || scrubbed.left.volumes === 0,
  };
}

const sliceOf = ({ everyMs, sharePermille = VERIFY_SHARE_PERMILLE }: VerifyPace): number =>
  (everyMs * sharePermille) / 1000;

interface PassDone<T> {
  readonly report: T;
  readonly looked: number;
  readonly bytes: number;
  /** Nothing that is due is left. */
  readonly isDone: boolean;
}

/** Runs one verifier, and keeps what its pass came to. */
async function onePass<T>(
  { volumes: { components } }: Verified,
  name: VerifierName,
  findings: Findings,
  work: () => Promise<PassDone<T>>,
): Promise<T> {
  const before = await readVerifier(components, name);
  const beganAtMs = Math.max(0, components.clock.nowMs());
  const startedMs = components.clock.monotonicMs();
  const countBefore = findings.list.length + findings.more;
  const { report, looked, bytes, isDone } = await work();
  const since = before === undefined || before.beganAtMs > beganAtMs ? undefined : beganAtMs - before.beganAtMs;
  const row: VerifierRow = {
    beganAtMs,
    sinceBeforeMs: since,
    workMs: Math.round(components.clock.monotonicMs() - startedMs),
    looked,
    bytes,
    findings: findings.list.length + findings.more - countBefore,
    cursor: undefined,
    wholeAtMs: isDone ? beganAtMs : before?.wholeAtMs,
    underWayAtMs: undefined,
  };
  await writeVerifier(components, name, row);
  return report;
}
