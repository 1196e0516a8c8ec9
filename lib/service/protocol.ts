// What a client says to the frontend function by lambda:Invoke, and what it hears: one JSON object each way, checked on
// both sides. Bytes travel as base64. A failure is an answer, not a function error, so that its kind and code survive.
import * as z from 'zod';
import { codeFrom } from '../foundation/error-codes.ts';
import { type ErrorKind, isPocketfulError, notMet, PocketfulError, unknownOutcome } from '../foundation/errors.ts';
import { LIST_LIMIT_MAX } from '../limits/frontend.ts';
import {
  BASE64_CHARACTERS_MAX,
  GATHER_OBJECTS_MAX,
  GATHER_PARTS_MAX,
  KEY_CHARACTERS_MAX,
  METADATA_CHARACTERS_MAX,
  OBJECTS_PER_REQUEST_MAX,
  PART_BYTES_MAX,
} from '../limits/stage.ts';

const key = z.string().max(KEY_CHARACTERS_MAX);
const namespace = z.string().max(64);
const count = z.int().nonnegative();
const body = z.base64().max(BASE64_CHARACTERS_MAX);
const metadata = z.string().max(METADATA_CHARACTERS_MAX);
const version = z.string().regex(/^[0-9a-f]{24}$/, 'a version is 24 hex digits');
const ifVersion = z.union([version, z.literal('absent')]);
const range = z.strictObject({ offset: count, length: count });

const newObject = z.strictObject({ key, body, metadata: metadata.optional(), ifVersion: ifVersion.optional() });
const stagedPart = z.strictObject({
  part: z.string().regex(/^[0-9a-f]{96}$/, 'a part is called as its answer said'),
  bytes: z.int().min(1).max(PART_BYTES_MAX),
});
/** Its bytes are among those of the parts together. */
const gathered = z.strictObject({
  key,
  offset: count,
  sizeBytes: count,
  metadata: metadata.optional(),
  ifVersion: ifVersion.optional(),
});
const oldObject = z.strictObject({ key, ifVersion: version.optional() });
const many = <T extends z.ZodType>(one: T) => z.array(one).min(1).max(OBJECTS_PER_REQUEST_MAX);

const requestSchema = z.discriminatedUnion('op', [
  /** One result per object, in order: a batch is not atomic. */
  z.strictObject({ op: z.literal('put'), namespace, objects: many(newObject) }),
  /** `version` pins the later ranges of an object to the version of its first. */
  z.strictObject({ op: z.literal('get'), namespace, key, range: range.optional(), version: version.optional() }),
  z.strictObject({ op: z.literal('head'), namespace, key }),
  z.strictObject({ op: z.literal('delete'), namespace, objects: many(oldObject) }),
  z.strictObject({
    op: z.literal('list'),
    namespace,
    prefix: key.optional(),
    delimiter: z.string().max(16).optional(),
    /** The `next` of the page before. */
    from: key.optional(),
    limit: z.int().min(1).max(LIST_LIMIT_MAX).optional(),
  }),
  /**
   * An object larger than one request: begin, parts in any order, finish. An upload that is never finished is released.
   */
  z.strictObject({ op: z.literal('uploadBegin'), namespace, key }),
  z.strictObject({ op: z.literal('uploadPart'), upload: version, offset: count, body }),
  z.strictObject({
    op: z.literal('uploadFinish'),
    upload: version,
    namespace,
    key,
    sizeBytes: count,
    metadata: metadata.optional(),
    ifVersion: ifVersion.optional(),
  }),
  z.strictObject({ op: z.literal('uploadAbort'), upload: version }),
  /**
   * Much at once: parts in any order, each with bytes of any number of objects, then what they hold, which goes into
   * large groups. Parts that nobody gathers are deleted after a day.
   */
  z.strictObject({ op: z.literal('bulkBegin'), namespace }),
  z.strictObject({ op: z.literal('bulkPart'), namespace, body }),
  z.strictObject({
    op: z.literal('bulkGather'),
    namespace,
    parts: z.array(stagedPart).max(GATHER_PARTS_MAX),
    objects: z.array(gathered).min(1).max(GATHER_OBJECTS_MAX),
  }),
  /**
   * More of a long object, between `uploadBegin` and `uploadFinish`: what the parts have from `offset` on belongs at
   * `at`, a multiple of the block size. The answer says how many bytes there was time for; ask again for the rest.
   */
  z.strictObject({
    op: z.literal('bulkExtend'),
    namespace,
    upload: version,
    at: count,
    parts: z.array(stagedPart).min(1).max(GATHER_PARTS_MAX),
    offset: count,
  }),
  /** The storage watcher's turn, on its schedule: it reads plaintext, which no other function can. */
  z.strictObject({ op: z.literal('sample'), msMax: count }),
]);
export type FrontendRequest = z.infer<typeof requestSchema>;
export type FrontendOperation = FrontendRequest['op'];
export type RequestOf<Op extends FrontendOperation> = Extract<FrontendRequest, { op: Op }>;

const headSchema = z.object({
  key: z.string(),
  version: z.string(),
  sizeBytes: count,
  etag: z.string(),
  createdAtMs: count,
  metadata: z.string().optional(),
});
export type WireHead = z.infer<typeof headSchema>;

const storedSchema = z.object({
  key: z.string(),
  version: z.string(),
  sizeBytes: count,
  etag: z.string(),
  newBytes: count,
  dedupedBlocks: count,
});

const KINDS = [
  'invalid',
  'missing',
  'conflict',
  'retry',
  'unknown',
  'corrupt',
  'denied',
] as const satisfies ErrorKind[];
const errorSchema = z.object({ kind: z.enum(KINDS), code: z.string(), message: z.string() });
export type WireError = z.infer<typeof errorSchema>;
const failureSchema = z.object({ error: errorSchema });

const putResults = z.object({ results: z.array(z.union([failureSchema, storedSchema])) });

const results = {
  put: putResults,
  get: z.object({ object: headSchema, offset: count, body: z.string() }),
  head: z.object({ object: headSchema }),
  delete: z.object({ results: z.array(z.union([failureSchema, z.object({ key: z.string() })])) }),
  list: z.object({
    objects: z.array(headSchema),
    commonPrefixes: z.array(z.string()),
    next: z.string().optional(),
    damaged: z.array(z.object({ key: z.string(), error: errorSchema })).optional(),
  }),
  uploadBegin: z.object({ upload: z.string(), partBytesMax: count }),
  uploadPart: z.object({}),
  uploadFinish: z.object({ object: headSchema }),
  uploadAbort: z.object({}),
  /** `takesMore`: long objects, and conditions. A stage of an earlier release does not say so. */
  bulkBegin: z.object({ gatherBytesMax: count, partBytesMax: count, takesMore: z.boolean().optional() }),
  bulkPart: z.object({ part: z.string() }),
  bulkGather: putResults,
  bulkExtend: z.object({ storedBytes: count }),
  sample: z.object({
    level: z.enum(['healthy', 'degraded', 'wrong']),
    sampled: count,
    read: count,
    bytes: count,
    findings: count,
    done: z.boolean(),
  }),
} as const satisfies Record<FrontendOperation, z.ZodType>;

export type ResultOf<Op extends FrontendOperation> = z.infer<(typeof results)[Op]>;
export type FrontendAnswer = ResultOf<FrontendOperation> | { readonly error: WireError };

/** Throws `invalid` REQUEST_INVALID naming the field. */
export function parseRequest(event: unknown): FrontendRequest {
  const parsed = requestSchema.safeParse(event);
  if (parsed.success) return parsed.data;
  throw notMet('REQUEST_INVALID', 'request', parsed.error);
}

/** The result in an answer; throws the error it carries as it was thrown over there. */
export function resultOf<Op extends FrontendOperation>(op: Op, answer: unknown): ResultOf<Op> {
  const failed = failureSchema.safeParse(answer);
  if (failed.success) throw fromWire(failed.data.error);
  const parsed = results[op].safeParse(answer);
  if (parsed.success) return parsed.data as ResultOf<Op>;
  const message = `the frontend's answer to ${op} is not one this client knows: is the stage another version?`;
  throw unknownOutcome('ANSWER_MALFORMED', message, parsed.error);
}

export const fromWire = ({ kind, code, message }: WireError): PocketfulError =>
  new PocketfulError(kind, codeFrom(code), message);

/** Only typed errors travel: anything else is a fault of ours and must fail the invocation. */
export function toWire(error: unknown): WireError {
  if (!isPocketfulError(error)) throw error;
  return { kind: error.kind, code: error.code, message: error.message };
}

export const toBase64 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
export const fromBase64 = (text: string): Uint8Array => Buffer.from(text, 'base64');
