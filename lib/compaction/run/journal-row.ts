// work/run | run id: the journal of one compaction run, from before its first lease until after its last.
import * as z from 'zod';
import { corrupt, invalid } from '../../foundation/errors.ts';
import { given } from '../../foundation/given.ts';
import type { BucketId, RunId, VolumeId } from '../../foundation/ids.ts';
import type { Attributes, Clause, Key, Row } from '../../panda/panda.ts';
import { countIn, optionalString, stringIn, wordIn } from '../../panda/rows/row-reader.ts';

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
  /** When a step of it last moved something; absent: none has, or only steps of earlier releases. */
  readonly progressAtMs?: number | undefined;
  readonly task: JournalTask;
  readonly copied: Copied | undefined;
}

export const JOURNAL = 'work/run';
export const journalKey = (id: RunId): Key => ({ partition: JOURNAL, sort: id });

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
    ...given({ progressAtMs: row.attributes['p'] === undefined ? undefined : countIn(row, 'p') }),
    task: parsed(row, namedSchema, stringIn(row, 'j')),
    copied: copied === undefined ? undefined : (parsed(row, copiedSchema, copied) as unknown as Copied),
  };
}

/** Written by a release that knows the same journals. */
export const isOwnVersion = ({ attributes }: Row): boolean => VERSIONS_KNOWN.includes(attributes['f']);

function parsed<T>(row: Row, schema: z.ZodType<T>, json: string): T {
  try {
    return schema.parse(JSON.parse(json));
  } catch (cause) {
    throw corrupt('ROW_MALFORMED', `row ${row.partition}: the task of run ${row.sort} cannot be read`, cause);
  }
}

export const journalAttributes = (row: JournalRow): Attributes => ({
  f: JOURNAL_VERSION,
  r: row.run,
  s: row.phase,
  a: row.startedAtMs,
  ...given({ p: row.progressAtMs }),
  j: JSON.stringify(row.task),
  ...(row.copied === undefined ? {} : { c: JSON.stringify(row.copied) }),
});

/** Nobody has taken the run over. */
export const runIs = (run: RunId): Clause => ({ attribute: 'r', equals: run });

/** The run is as far as it was when it was read. */
export const phaseIs = (phase: Phase): Clause => ({ attribute: 's', equals: phase });
