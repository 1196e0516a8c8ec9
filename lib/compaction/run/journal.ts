// The journal of compaction runs: one work row a run, from before its first lease until after its last. It says what
// was planned and how far it came; what is true is in the volume and bucket rows, so a row may be old but never wrong
// in a way that matters.
import { isKind } from '../../foundation/errors.ts';
import type { RunId, VolumeId } from '../../foundation/ids.ts';
import { RUN_REMNANTS_MAX } from '../../limits/panda.ts';
import type { Write } from '../../panda/panda.ts';
import type { Components } from '../../volume/rows/components.ts';
import { rowsOf } from '../../volume/rows/read-rows.ts';
import { transact } from '../../volume/rows/transact.ts';
import { ownerOf, PARKED_OWNER } from '../../volume/runs/runs.ts';
import type { MergePlan } from '../plan/merges/merge-plan.ts';
import type { PlannedRun } from '../plan/plan.ts';
import {
  isOwnVersion,
  JOURNAL,
  type JournalRow,
  type JournalTask,
  journalAttributes,
  journalFromRow,
  journalKey,
  phaseIs,
  runIs,
} from './journal-row.ts';

export const taskOf = (plan: string, run: PlannedRun): JournalTask => ({
  strategy: run.strategy,
  plan,
  name: run.name,
  host: run.host?.volume ?? null,
  sources: run.sources.map(({ volume }) => volume),
  planned: [...(run.host === null ? [] : [run.host]), ...run.sources].map(({ generation, buckets }) => [
    generation,
    buckets,
  ]),
});

/** A plan of merges as a run; undefined when there is nothing to merge in volumes that nobody has taken. */
export function mergeTaskOf(plan: MergePlan, taken: ReadonlySet<string> = new Set()): JournalTask | undefined {
  const merges: MergePlan['merges'][number][] = [];
  let remnants = 0;
  for (const merge of plan.merges) {
    if (merge.sources.some(({ volume }) => taken.has(volume))) continue;
    remnants += merge.sources.length;
    if (remnants > RUN_REMNANTS_MAX && merges.length > 0) break;
    merges.push(merge);
  }
  if (merges.length === 0) return undefined;
  const named = new Set(merges.flatMap(({ sources }) => sources.map(({ volume }) => volume)));
  const volumes = plan.volumes.filter(({ volume }) => named.has(volume));
  const placeOf = new Map(volumes.map(({ volume }, place) => [volume, place]));
  return {
    strategy: 'merge',
    plan: plan.digest,
    name: 'merge-0001',
    host: null,
    sources: volumes.map(({ volume }) => volume),
    planned: volumes.map(({ generation, buckets }) => [generation, buckets]),
    merges: merges.map(({ sources }) => sources.map(({ bucket, volume }) => [bucket, placeOf.get(volume) as number])),
  };
}

export const volumesOf = (task: JournalTask): VolumeId[] =>
  [...(task.host === null ? [] : [task.host]), ...task.sources] as VolumeId[];

/** Before anything is leased. */
export async function beginJournal(components: Components, run: RunId, task: JournalTask): Promise<JournalRow> {
  const row: JournalRow = {
    id: run,
    run,
    phase: 'PREPARE',
    startedAtMs: Math.max(0, components.clock.nowMs()),
    task,
    copied: undefined,
  };
  const put: Write = { kind: 'put', ...journalKey(run), attributes: journalAttributes(row), if: ['absent'] };
  await transact(components, [put], async () => (await components.panda.get(journalKey(run))) !== undefined);
  return row;
}

/** The next phase, or another run id; undefined when somebody else took the run over. */
export async function advance(
  components: Components,
  row: JournalRow,
  change: Partial<Pick<JournalRow, 'run' | 'phase' | 'copied' | 'progressAtMs'>>,
): Promise<JournalRow | undefined> {
  const next = { ...row, ...change };
  const held = [runIs(row.run), phaseIs(row.phase)];
  const put: Write = { kind: 'put', ...journalKey(row.id), attributes: journalAttributes(next), if: held };
  try {
    await transact(components, [put], async () => {
      const now = await readJournal(components, row.id);
      return now?.run === next.run && now.phase === next.phase;
    });
    return next;
  } catch (error) {
    if (isKind(error, 'conflict')) return undefined;
    throw error;
  }
}

/** Of a step that moved something, however far the run is from its end. */
export const progressed = ({ clock }: Components): Pick<JournalRow, 'progressAtMs'> => ({
  progressAtMs: Math.max(0, clock.nowMs()),
});

/** DONE. */
export async function endJournal(components: Components, row: JournalRow): Promise<void> {
  const end: Write = { kind: 'delete', ...journalKey(row.id), if: [runIs(row.run)] };
  try {
    await transact(components, [end], async () => (await components.panda.get(journalKey(row.id))) === undefined);
  } catch (error) {
    if (!isKind(error, 'conflict')) throw error; // taken over, or ended by whoever did
  }
}

export async function readJournal(components: Components, id: RunId): Promise<JournalRow | undefined> {
  const row = await components.panda.get(journalKey(id));
  return row === undefined ? undefined : journalFromRow(row);
}

/** The code of a step that ends because its time is used up: no fault, somebody goes on. */
export const STEP_TIME_UP = 'STEP_TIME_UP';

/**
 * Runs somebody has begun and nobody has ended. Those of another release are passed over: they stand in the way of
 * compaction only.
 */
export async function listJournal(components: Components): Promise<JournalRow[]> {
  const rows: JournalRow[] = [];
  for await (const row of rowsOf(components.panda, JOURNAL)) if (isOwnVersion(row)) rows.push(journalFromRow(row));
  return rows;
}

/** The same, for who wants to plan or run anything. Throws `invalid` JOURNAL_VERSION when one is of another release. */
export async function requireJournal(components: Components): Promise<JournalRow[]> {
  const rows: JournalRow[] = [];
  for await (const row of rowsOf(components.panda, JOURNAL)) rows.push(journalFromRow(row));
  return rows;
}

/** Whether runs of another release are there, whose volumes nobody here can name. */
export async function hasForeignJournal(components: Components): Promise<boolean> {
  for await (const row of rowsOf(components.panda, JOURNAL)) if (!isOwnVersion(row)) return true;
  return false;
}

/**
 * Runs of the drainer belong to no process, so nobody takes them for dead: its journals are what says whether they go
 * on.
 */
export const DRAINER_OWNER = 'drainer';

/** True if nobody works on it: it was parked, or the process that did is known to be dead. */
export function isDeadRun(components: Components, run: RunId): boolean {
  const owner = ownerOf(run);
  return owner === PARKED_OWNER || (owner !== components.owner && components.isOwnerGone(owner));
}
