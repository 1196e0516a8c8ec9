// Verification: what the verifiers look at, how long they may take, and what they found, for both engines. A command
// takes the time it needs; a schedule has a share of the time between its passes, which bounds the share of I/O, and
// each pass goes on where the last one ended.
import { readOperating } from '../../compaction/run/operating-row.ts';
import type { Clock } from '../../foundation/clock.ts';
import { given } from '../../foundation/given.ts';
import type { VolumeId } from '../../foundation/ids.ts';
import type { LadderScrub } from '../../journal/scrub-ladder.ts';
import { INDEX_SCAN_MS, JOURNAL_SCRUB_MS, TRASH_INSPECTION_MS, VERIFY_SHARE_PERMILLE } from '../../limits/verify.ts';
import { type Finding, Findings, type Level } from '../../verify/findings.ts';
import { type IndexScanReport, scanIndex } from '../../verify/index-scan.ts';
import { type SampleReport, sampleBlocks } from '../../verify/sample.ts';
import { type ScanStart, scanStart } from '../../verify/scan-start.ts';
import { type ScrubReport, scrub } from '../../verify/scrub.ts';
import { inspectTrash, type TrashReport } from '../../verify/trash.ts';
import { VERIFIERS, type VerifierName, type VerifierRow } from '../../verify/verifier-row.ts';
import { readVerifier, writeVerifier } from '../../verify/verifier-state.ts';
import type { Components } from '../../volume/rows/components.ts';
import { findDriveFaults } from '../status/drive-faults.ts';
import type { EngineJournal, EngineStore } from '../wire/engine-store.ts';

type Verified = Pick<EngineStore, 'volumes' | 'frontend'> & {
  readonly journal?: Pick<EngineJournal, 'scrub'> | undefined;
};

export interface VerifyRequest {
  /** Which verifiers; all of them if none is named. */
  readonly what?: readonly VerifierName[] | undefined;
  /** The scrubber looks at these only. */
  readonly volumes?: readonly VolumeId[] | undefined;
  /** Everything that was not looked at since then; undefined: what is due. */
  readonly allSinceMs?: number | undefined;
  /** Ask every drive first whether it works (default); else a drive that does not shows when it is read. */
  readonly probesDrives?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: VerifyProgress) => void) | undefined;
}

export interface VerifyProgress {
  readonly verifier: VerifierName;
  readonly looked: number;
  readonly bytes?: number | undefined;
  readonly totalBytes?: number | undefined;
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
  readonly index?: IndexScanReport | undefined;
  readonly sample?: SampleReport | undefined;
  readonly trash?: TrashReport | undefined;
  readonly journal?: LadderScrub | undefined;
  /** False: a pass was cut, and the next one goes on. */
  readonly done: boolean;
}

/** One pass of each verifier: the small ones first, so that the large ones keep none of them from its turn. */
export async function verifyStore(
  store: Verified,
  request: VerifyRequest = {},
  pace?: VerifyPace,
): Promise<VerifyReport> {
  const { components } = store.volumes;
  await components.mayWrite?.();
  const { what = VERIFIERS, probesDrives = true } = request;
  const findings = new Findings();
  const drivesAway = probesDrives ? await findDriveFaults(store.volumes, findings) : [];
  const away = new Set(drivesAway.map(({ id }) => id));
  const slice = new Slice(components.clock, request.signal, pace && (await paceOf(components, pace)));
  const pass = new Passes(store, request, findings, slice);
  const trash = what.includes('trash') ? await pass.trash() : undefined;
  const journal = what.includes('journal') ? await pass.journal() : undefined;
  const sample = what.includes('sample') ? await pass.sample() : undefined;
  const index = what.includes('index') ? await pass.index() : undefined;
  const scrubbed = what.includes('scrub') ? await pass.scrub(away, pace?.everyMs) : undefined;
  return {
    level: findings.level,
    findings: findings.list,
    moreFindings: findings.more,
    scrub: scrubbed,
    index,
    sample,
    trash,
    journal,
    done: pass.isDone,
  };
}

/** The share as it was asked for, or as it is set. */
async function paceOf(
  components: Pick<Components, 'panda'>,
  { everyMs, sharePermille }: VerifyPace,
): Promise<VerifyPace> {
  return { everyMs, sharePermille: sharePermille ?? (await readOperating(components)).verifySharePermille };
}

const LEVELS: readonly Level[] = ['healthy', 'degraded', 'wrong'];

/** Two passes one after the other, as one: of what both looked at, the later one says how it is. */
export const joined = (one: VerifyReport, next: VerifyReport): VerifyReport => ({
  ...one,
  ...given(next),
  level: LEVELS[Math.max(LEVELS.indexOf(one.level), LEVELS.indexOf(next.level))] as Level,
  findings: [...one.findings, ...next.findings],
  moreFindings: one.moreFindings + next.moreFindings,
  done: next.done,
});

/** What a pass may take of the time. */
class Slice {
  readonly #clock: Clock;
  readonly #signal: AbortSignal | undefined;
  readonly #startedMs: number;
  readonly #ms: number;

  constructor(clock: Clock, signal: AbortSignal | undefined, pace: VerifyPace | undefined) {
    this.#clock = clock;
    this.#signal = signal;
    this.#startedMs = clock.monotonicMs();
    const { everyMs = Number.POSITIVE_INFINITY, sharePermille = VERIFY_SHARE_PERMILLE } = pace ?? {};
    this.#ms = (everyMs * sharePermille) / 1000;
  }

  readonly isOver = (): boolean => this.#signal?.aborted === true || this.#usedMs >= this.#ms;
  /** Half of what is left at `sinceMs` is used: what was gathered by then can still be worked off. */
  halfOfRest(): () => boolean {
    const endMs = this.#usedMs + (this.#ms - this.#usedMs) / 2;
    return () => this.isOver() || this.#usedMs >= endMs;
  }

  get #usedMs(): number {
    return this.#clock.monotonicMs() - this.#startedMs;
  }
}

interface PassDone<T> {
  readonly report: T;
  readonly looked: number;
  readonly bytes: number;
  /** Nothing that is due is left. */
  readonly isDone: boolean;
  readonly cursor?: string | undefined;
}

/** The verifiers one by one, and what each pass came to in its row. */
class Passes {
  readonly #store: Verified;
  readonly #request: VerifyRequest;
  readonly #findings: Findings;
  readonly #slice: Slice;
  isDone = true;

  constructor(store: Verified, request: VerifyRequest, findings: Findings, slice: Slice) {
    this.#store = store;
    this.#request = request;
    this.#findings = findings;
    this.#slice = slice;
  }

  async scrub(away: ReadonlySet<number>, everyMs: number | undefined): Promise<ScrubReport> {
    const { volumes, allSinceMs, onProgress } = this.#request;
    const report = await this.#pass('scrub', async () => {
      const done = await scrub(this.#store.volumes, {
        findings: this.#findings,
        away,
        isOver: this.#slice.isOver,
        volumes: volumes === undefined ? undefined : new Set(volumes),
        allSinceMs,
        everyMs,
        onProgress: ({ objects, ...bytes }) => onProgress?.({ verifier: 'scrub', looked: objects, ...bytes }),
      });
      return { report: done, looked: done.objects, bytes: done.bytes, isDone: done.left.volumes === 0 };
    });
    return report;
  }

  /** A scan begins once a week and goes on in every pass until it is done; undefined: none is due. */
  async index(): Promise<IndexScanReport | undefined> {
    const start = await this.#scanStart('index', INDEX_SCAN_MS);
    if (start === undefined) return undefined;
    return this.#pass('index', async () => {
      const report = await scanIndex(this.#store.volumes, {
        findings: this.#findings,
        cursor: start.cursor,
        isLate: this.#slice.halfOfRest(),
        isOver: this.#slice.isOver,
        onProgress: (looked) => this.#request.onProgress?.({ verifier: 'index', looked }),
      });
      const { blocks, cursor } = report;
      return { report, looked: blocks, bytes: 0, isDone: cursor === undefined, cursor, beganAtMs: start.beganAtMs };
    });
  }

  async sample(): Promise<SampleReport> {
    const { volumes, frontend } = this.#store;
    return this.#pass('sample', async () => {
      const report = await sampleBlocks(volumes.components, (id) => frontend.readBlock(id), {
        findings: this.#findings,
        isAll: this.#request.allSinceMs !== undefined,
        isOver: this.#slice.isOver,
        onProgress: (looked, bytes) => this.#request.onProgress?.({ verifier: 'sample', looked, bytes }),
      });
      return { report, looked: report.read, bytes: report.bytes, isDone: report.done };
    });
  }

  /** Once a day, as it reads all that the volumes held; undefined: it was done today. */
  async trash(): Promise<TrashReport | undefined> {
    if (!(await this.#isDue('trash', TRASH_INSPECTION_MS))) return undefined;
    return this.#pass('trash', async () => {
      const report = await inspectTrash(this.#store.volumes, {
        findings: this.#findings,
        isOver: this.#slice.isOver,
      });
      return { report, looked: report.buckets, bytes: 0, isDone: report.done };
    });
  }

  /** Once a day, and on in every pass until it is done; undefined: it was done today, or there is none. */
  async journal(): Promise<LadderScrub | undefined> {
    const { journal } = this.#store;
    const start = journal && (await this.#scanStart('journal', JOURNAL_SCRUB_MS));
    if (journal === undefined || start === undefined) return undefined;
    return this.#pass('journal', async () => {
      const report = await journal.scrub({
        after: start.cursor,
        isOver: this.#slice.isOver,
        onProgress: (looked, bytes) => this.#request.onProgress?.({ verifier: 'journal', looked, bytes }),
        onDamage: ({ place, name, error, isReplaced }) =>
          this.#findings.add(
            'degraded',
            'journal',
            `segment ${name} on ${place}: ${error.message}${isReplaced ? '; written anew from another drive' : ''}`,
          ),
      });
      const { objects, bytes, done, cursor } = report;
      return { report, looked: objects, bytes, isDone: done, cursor, beganAtMs: start.beganAtMs };
    });
  }

  async #scanStart(name: VerifierName, everyMs: number): Promise<ScanStart | undefined> {
    const before = await readVerifier(this.#store.volumes.components, name);
    return scanStart(before, { nowMs: this.#nowMs, everyMs, allSinceMs: this.#request.allSinceMs });
  }

  async #isDue(name: VerifierName, everyMs: number): Promise<boolean> {
    const before = await readVerifier(this.#store.volumes.components, name);
    const sinceMs = before?.wholeAtMs ?? Number.NEGATIVE_INFINITY;
    const isFresh = sinceMs <= this.#nowMs && this.#nowMs - sinceMs < everyMs;
    return this.#request.allSinceMs !== undefined || !isFresh;
  }

  get #nowMs(): number {
    return Math.max(0, this.#store.volumes.components.clock.nowMs());
  }

  /** Runs one verifier, and keeps what its pass came to. */
  async #pass<T>(name: VerifierName, work: () => Promise<PassDone<T> & { readonly beganAtMs?: number }>): Promise<T> {
    const { components } = this.#store.volumes;
    const before = await readVerifier(components, name);
    const beganAtMs = this.#nowMs;
    const startedMs = components.clock.monotonicMs();
    const countBefore = this.#found;
    const { report, looked, bytes, isDone, cursor, beganAtMs: wholeBeganAtMs = beganAtMs } = await work();
    const since = before === undefined || before.beganAtMs > beganAtMs ? undefined : beganAtMs - before.beganAtMs;
    this.isDone &&= isDone;
    const row: VerifierRow = {
      beganAtMs,
      sinceBeforeMs: since,
      workMs: Math.round(components.clock.monotonicMs() - startedMs),
      looked,
      bytes,
      findings: this.#found - countBefore,
      cursor,
      wholeAtMs: isDone ? wholeBeganAtMs : before?.wholeAtMs,
      underWayAtMs: cursor === undefined ? undefined : wholeBeganAtMs,
    };
    await writeVerifier(components, name, row);
    return report;
  }

  get #found(): number {
    return this.#findings.list.length + this.#findings.more;
  }
}
