// What a client says to the frontend function by lambda:Invoke, and what it hears: one JSON object each way, checked on both
// sides. Bytes travel as base64. A failure is an answer, not a function error, so that its kind and code survive.
import * as z from 'zod';
import { type ErrorKind, isPocketfulError, PocketfulError } from '../foundation/errors.ts';

/** Lambda takes and gives 6 MiB of JSON; base64 makes 4 out of 3, and the rest is left for names and metadata. */
export const PAYLOAD_BYTES_MAX = 6 * 1024 * 1024;
/** Plain bytes of all bodies of one request or answer. */
export const BODY_BYTES_MAX = 4 * 1024 * 1024 + 64 * 1024;
export const OBJECTS_PER_BATCH_MAX = 256;
export const LIST_LIMIT_MAX = 1000;

const KEY_CHARACTERS_MAX = 4096; // the frontend counts bytes and says what is wrong; this only bounds the work before it does
const BASE64_CHARACTERS_MAX = Math.ceil(BODY_BYTES_MAX / 3) * 4;

const key = z.string().max(KEY_CHARACTERS_MAX);
const namespace = z.string().max(64);
const count = z.int().nonnegative();
const body = z.base64().max(BASE64_CHARACTERS_MAX);
/** The caller's own JSON text. */
const metadata = z.string().max(2048);
const version = z.string().regex(/^[0-9a-f]{24}$/);
const range = z.strictObject({ offset: count, length: count });
const upload = z.string().max(128);

const newObject = z.strictObject({ key, body, metadata: metadata.optional() });

export const requestSchema = z.discriminatedUnion('op', [
  z.strictObject({ op: z.literal('put'), namespace, ...newObject.shape }),
  z.strictObject({
    op: z.literal('putMany'),
    namespace,
    objects: z.array(newObject).min(1).max(OBJECTS_PER_BATCH_MAX),
  }),
  /** `version` pins the later ranges of an object to the version of its first. */
  z.strictObject({
    op: z.literal('get'),
    namespace,
    key,
    range: range.optional(),
    version: version.optional(),
  }),
  z.strictObject({ op: z.literal('head'), namespace, key }),
  z.strictObject({ op: z.literal('delete'), namespace, key }),
  z.strictObject({
    op: z.literal('list'),
    namespace,
    prefix: z.string().max(KEY_CHARACTERS_MAX).optional(),
    delimiter: z.string().min(1).max(16).optional(),
    /** The `next` of the page before. */
    from: z.string().max(KEY_CHARACTERS_MAX).optional(),
    limit: z.int().min(1).max(LIST_LIMIT_MAX).optional(),
  }),
  /** Objects larger than one request: begin, parts in order, finish. An upload that is never finished is released. */
  z.strictObject({ op: z.literal('uploadBegin'), namespace, key, metadata: metadata.optional() }),
  z.strictObject({ op: z.literal('uploadPart'), upload, offset: count, body }),
  z.strictObject({ op: z.literal('uploadFinish'), upload, sizeBytes: count }),
  z.strictObject({ op: z.literal('uploadAbort'), upload }),
]);
export type FrontendRequest = z.infer<typeof requestSchema>;
export type FrontendOperation = FrontendRequest['op'];

const headSchema = z.object({
  key: z.string(),
  version: z.string(),
  sizeBytes: count,
  etag: z.string(),
  createdAtMs: count,
  metadata: z.string().optional(),
});
export type WireHead = z.infer<typeof headSchema>;

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

const failure = z.object({ error: errorSchema });
const objectSchema = z.object({ object: headSchema });

const results = {
  put: objectSchema,
  putMany: z.object({ results: z.array(z.union([objectSchema, failure])) }),
  get: z.object({ object: headSchema, offset: count, body: z.string() }),
  head: objectSchema,
  delete: z.object({ deleted: z.boolean() }),
  list: z.object({
    objects: z.array(headSchema),
    commonPrefixes: z.array(z.string()),
    next: z.string().optional(),
  }),
  uploadBegin: z.object({ upload: z.string(), partBytesMax: count }),
  uploadPart: z.object({ nextOffset: count }),
  uploadFinish: objectSchema,
  uploadAbort: z.object({}),
} as const satisfies Record<FrontendOperation, z.ZodType>;

export type FrontendResult<Op extends FrontendOperation> = z.infer<(typeof results)[Op]>;
export type FrontendAnswer = FrontendResult<FrontendOperation> | { readonly error: WireError };

/** The result in an answer; throws the error it carries as it was thrown over there. */
export function resultOf<Op extends FrontendOperation>(op: Op, answer: unknown): FrontendResult<Op> {
  const failed = failure.safeParse(answer);
  if (failed.success) throw fromWire(failed.data.error);
  const parsed = results[op].safeParse(answer);
  if (parsed.success) return parsed.data as FrontendResult<Op>;
  throw new PocketfulError(
    'unknown',
    'ANSWER_MALFORMED',
    `the frontend's answer to ${op} is not one this client knows: is the stage another version?`,
    parsed.error,
  );
}

/** Throws `invalid` REQUEST_INVALID naming the field. */
export function parseRequest(event: unknown): FrontendRequest {
  const parsed = requestSchema.safeParse(event);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const where = issue?.path.join('.') || 'request';
  throw new PocketfulError('invalid', 'REQUEST_INVALID', `request: ${where}: ${issue?.message ?? 'invalid'}`);
}

export const fromWire = ({ kind, code, message }: WireError): PocketfulError => new PocketfulError(kind, code, message);

/** Only typed errors travel: anything else is a fault of ours and must fail the invocation. */
export function toWire(error: unknown): WireError {
  if (!isPocketfulError(error)) throw error;
  return { kind: error.kind, code: error.code, message: error.message };
}

export const toBase64 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
export const fromBase64 = (text: string): Uint8Array => Buffer.from(text, 'base64');
