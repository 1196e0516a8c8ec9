// The journal of compaction runs: one work row a run, from before its first lease until after its last. It says what
// was planned and how far it came; what is true is in the volume and bucket rows, so a row may be old but never wrong
// in a way that matters.
import * as z from 'zod';
import { corrupt, invalid, isKind } from '../../foundation/errors.ts';
import type { BucketId, RunId, VolumeId } from '../../foundation/ids.ts';
import type { Attributes, Key, Row, Write } from '../../panda/panda.ts';
import { countIn, optionalString, stringIn, wordIn } from '../../panda/rows/row-reader.ts';
import type { Components } from '../../volume/rows/components.ts';
import { rowsOf } from '../../volume/rows/read-rows.ts';
import { transact } from '../../volume/rows/transact.ts';
import { ownerOf, PARKED_OWNER } from '../../volume/runs/runs.ts';
import type { MergePlan } from '../plan/merge-propose.ts';
import type { PlannedRun } from '../plan/plan.ts';

/**
 * Of the row. A run of an unknown version is left to the release that knows it. 2: a top-off says group by group what
 * it has copied; what 1 had begun begins anew. 3: a run says what its volumes were when it was planned, and a merge
 * which remnants it is to merge; without that a merge ends.
 */
const JOURNAL_VERSION = 3;
const VERSIONS_KNOWN: readonly unknown[] = [1, 2, JOURNAL_VERSION];
export const PHASES = ['PREPARE', 'COPY', 'COMMIT', 'CLEANUP'] as const;
/** DONE is the row's absence: there is nothing left for anyone to finish. */
export type Phase = (typeof PHASES)[number];

const namedSchema = z.strictObject({
  strategy: z.enum(['l1', 'l2', 'l3', 'merge']),
  plan: z.string(),
  name: z.string(),
  host: z.string().nullable(),
  sources: z.array(z.string()),
  /** Generation and number of buckets that each volume had, the host first; absent: whatever it is. */
  planned: z.array(z.tuple([z.int(), z.int()])).optional(),
  /** Of a merge: remnants that are to become one bucket, each with the place of its volume in `sources`. */
  merges: z.array(z.array(z.tuple([z.string(), z.int()]))).optional(),
});
/** What a run works on; enough for anybody to take it over. */
export type JournalTask = Readonly<z.infer<typeof namedSchema>>;

/** A donor's bucket copied into the next generation of an L1 host, to be committed after the flip. */
export interface CopiedBucket {
  readonly bucket: BucketId;
  readonly source: VolumeId;
  readonly move: number;
  readonly seq: number;
}
/** A group stored in the next generation, and which of the host's own buckets are in it. */
export interface CopiedGroup {
  readonly seq: number;
  readonly own: readonly BucketId[];
}
export interface Copied {
  readonly generation: number;
  readonly token: number;
  readonly buckets: readonly CopiedBucket[];
  /** Of the next generation, by column: no other run's next has the same. */
  readonly extents?: readonly string[] | undefined;
  readonly groups?: readonly CopiedGroup[] | undefined;
}
const copiedSchema = z.strictObject({
  generation: z.int().positive(),
  token: z.int().nonnegative(),
  buckets: z.array(
    z.strictObject({
      bucket: z.string(),
      source: z.string(),
      move: z.int().nonnegative(),
      seq: z.int().positive(),
    }),
  ),
  extents: z.array(z.string()).optional(),
  groups: z.array(z.strictObject({ seq: z.int().positive(), own: z.array(z.string()) })).optional(),
});

export interface JournalRow {
  /** The first run id of the task; the row's key for good. */
  readonly id: RunId;
  /** Under which the volumes are leased now: another one after a take-over. */
  readonly run: RunId;
  readonly phase: Phase;
  readonly startedAtMs: number;
  readonly task: JournalTask;
  readonly copied: Copied | undefined;
}

const JOURNAL = 'work/run';
const keyOf = (id: RunId): Key => ({ partition: JOURNAL, sort: id });

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

/** Remnants of one run; its row must fit Panda. What is beyond is for the next run. */
const REMNANTS_MAX = 8192;

/** A plan of merges as a run; undefined when there is nothing to merge in volumes that nobody has taken. */
export function mergeTaskOf(plan: MergePlan, taken: ReadonlySet<string> = new Set()): JournalTask | undefined {
  const merges: MergePlan['merges'][number][] = [];
  let remnants = 0;
  for (const merge of plan.merges) {
    if (merge.sources.some(({ volume }) => taken.has(volume))) continue;
    remnants += merge.sources.length;
    if (remnants > REMNANTS_MAX && merges.length > 0) break;
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

/** Throws `invalid` JOURNAL_VERSION for a row of another release, `corrupt` for one that cannot be read. */
export function journalFromRow(row: Row): JournalRow {
  if (!isOwnVersion(row))
    throw invalid(
      'JOURNAL_VERSION',
      `run ${row.sort} has journal version ${row.attributes['f']}, known here is ${JOURNAL_VERSION}: let the release that began it end it`,
    );
  const copied = optionalString(row, 'c');
  return {
    id: row.sort as RunId,
    run: stringIn(row, 'r') as RunId,
    phase: wordIn(row, 's', PHASES),
    startedAtMs: countIn(row, 'a'),
    task: parsed(row, namedSchema, stringIn(row, 'j')),
    copied: copied === undefined ? undefined : (parsed(row, copiedSchema, copied) as unknown as Copied),
  };
}

const isOwnVersion = ({ attributes }: Row): boolean => VERSIONS_KNOWN.includes(attributes['f']);

function parsed<T>(row: Row, schema: z.ZodType<T>, json: string): T {
  try {
    return schema.parse(JSON.parse(json));
  } catch (cause) {
    throw corrupt('ROW_MALFORMED', `row ${row.partition}: the task of run ${row.sort} cannot be read`, cause);
  }
}

const attributesOf = (row: JournalRow): Attributes => ({
  f: JOURNAL_VERSION,
  r: row.run,
  s: row.phase,
  a: row.startedAtMs,
  j: JSON.stringify(row.task),
  ...(row.copied === undefined ? {} : { c: JSON.stringify(row.copied) }),
});

/** Before anything is leased. */
export async function beginJournal(c: Components, run: RunId, task: JournalTask): Promise<JournalRow> {
  const row: JournalRow = {
    id: run,
    run,
    phase: 'PREPARE',
    startedAtMs: Math.max(0, c.clock.nowMs()),
    task,
    copied: undefined,
  };
  const put: Write = { kind: 'put', ...keyOf(run), attributes: attributesOf(row), if: ['absent'] };
  await transact(c, [put], async () => (await c.panda.get(keyOf(run))) !== undefined);
  return row;
}

/** The next phase, or another run id; undefined when somebody else took the run over. */
export async function advance(
  c: Components,
  row: JournalRow,
  change: Partial<Pick<JournalRow, 'run' | 'phase' | 'copied'>>,
): Promise<JournalRow | undefined> {
  const next = { ...row, ...change };
  const held: Write['if'] = [
    { attribute: 'r', equals: row.run },
    { attribute: 's', equals: row.phase },
  ];
  const put: Write = { kind: 'put', ...keyOf(row.id), attributes: attributesOf(next), if: held };
  try {
    await transact(c, [put], async () => {
      const now = await readJournal(c, row.id);
      return now?.run === next.run && now.phase === next.phase;
    });
    return next;
  } catch (error) {
    if (isKind(error, 'conflict')) return undefined;
    throw error;
  }
}

/** DONE. */
export async function endJournal(c: Components, row: JournalRow): Promise<void> {
  const end: Write = { kind: 'delete', ...keyOf(row.id), if: [{ attribute: 'r', equals: row.run }] };
  try {
    await transact(c, [end], async () => (await c.panda.get(keyOf(row.id))) === undefined);
  } catch (error) {
    if (!isKind(error, 'conflict')) throw error; // taken over, or ended by whoever did
  }
}

export async function readJournal(c: Components, id: RunId): Promise<JournalRow | undefined> {
  const row = await c.panda.get(keyOf(id));
  return row === undefined ? undefined : journalFromRow(row);
}

/** The code of a step that ends because its time is used up: no fault, somebody goes on. */
export const STEP_TIME_UP = 'STEP_TIME_UP';

/**
 * Runs somebody has begun and nobody has ended. Those of another release are passed over: they stand in the way of
 * compaction only.
 */
export async function listJournal(c: Components): Promise<JournalRow[]> {
  const rows: JournalRow[] = [];
  for await (const row of rowsOf(c.panda, JOURNAL)) if (isOwnVersion(row)) rows.push(journalFromRow(row));
  return rows;
}

/** The same, for who wants to plan or run anything. Throws `invalid` JOURNAL_VERSION when one is of another release. */
export async function requireJournal(c: Components): Promise<JournalRow[]> {
  const rows: JournalRow[] = [];
  for await (const row of rowsOf(c.panda, JOURNAL)) rows.push(journalFromRow(row));
  return rows;
}

/** Whether runs of another release are there, whose volumes nobody here can name. */
export async function hasForeignJournal(c: Components): Promise<boolean> {
  for await (const row of rowsOf(c.panda, JOURNAL)) if (!isOwnVersion(row)) return true;
  return false;
}

/**
 * Runs of the drainer belong to no process, so nobody takes them for dead: its journals are what says whether they go
 * on.
 */
export const DRAINER_OWNER = 'drainer';

/** True if nobody works on it: it was parked, or the process that did is known to be dead. */
export function isDeadRun(c: Components, run: RunId): boolean {
  const owner = ownerOf(run);
  return owner === PARKED_OWNER || (owner !== c.owner && c.isOwnerGone(owner));
}
