// Answers one HTTP request to the function's URL out of the use-cases:
//   PUT | GET | HEAD | DELETE /objects/KEY, GET /objects?prefix=…&delimiter=…&from=…&limit=…, `namespace=` with each.
// and the calls of bulk puts (http-bulk.ts). KEY is percent-encoded UTF-8. GET knows Range (one range). GET, HEAD, PUT
// and DELETE know If-Match and If-None-Match: what is not as a client wants it is answered with 412, also when it was
// changed in between. Errors are JSON {kind, code, message}.
import * as z from 'zod';
import type { ErrorCode } from '../foundation/error-codes.ts';
import { type ErrorKind, invalid, isKind, isPocketfulError, type PocketfulError } from '../foundation/errors.ts';
import { given } from '../foundation/given.ts';
import { LIST_LIMIT_MAX } from '../limits/frontend.ts';
import { BODY_BYTES_MAX } from '../limits/stage.ts';
import { answerBulk, isBulkPath } from './http-bulk.ts';
import { hasReadCondition, isWanted, wantedVersion } from './http-conditions.ts';
import type { ListRequest, ObjectInfo } from './object-info.ts';
import { toBase64, toWire } from './protocol.ts';
import type { FrontendService, OpenService } from './service.ts';

/** What is read of a Function URL's event, payload format 2.0. */
const eventSchema = z.object({
  rawPath: z.string(),
  rawQueryString: z.string().default(''),
  headers: z.record(z.string(), z.string()).default({}),
  body: z.string().optional(),
  isBase64Encoded: z.boolean().default(false),
  requestContext: z.object({
    http: z.object({ method: z.string() }),
    /** Who signed the request, as IAM found. */
    authorizer: z.object({ iam: z.object({ userArn: z.string().nullish() }).nullish() }).nullish(),
  }),
});
type HttpEvent = z.infer<typeof eventSchema>;

export interface HttpAnswer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly isBase64Encoded?: boolean;
}

/** Not a direct Invoke, whoever it is. */
const NOBODY = '';
const DEFAULT_NAMESPACE = 'default';
const METADATA_HEADER = 'x-pocketful-metadata';
const PATH = /^\/objects(?:\/(.*))?$/s;

const STATUS: Readonly<Record<ErrorKind, number>> = {
  invalid: 400,
  denied: 403,
  missing: 404,
  conflict: 409,
  unknown: 500,
  corrupt: 500,
  retry: 503,
};
const STATUS_OF_CODE: Readonly<Partial<Record<ErrorCode, number>>> = {
  METHOD_NOT_ALLOWED: 405,
  REQUEST_TOO_LARGE: 413,
  RANGE_INVALID: 416,
  VERSION_MISMATCH: 412,
  BODY_TOO_LONG: 413,
};

export const isHttpEvent = (event: unknown): boolean =>
  z.object({ requestContext: z.object({ http: z.unknown() }) }).safeParse(event).success;

/** Typed errors become statuses; anything else is thrown, and the caller gets 502. */
export async function answerHttp(open: OpenService, event: unknown): Promise<HttpAnswer> {
  try {
    return await route(await open(), eventSchema.parse(event));
  } catch (error) {
    if (!isPocketfulError(error)) throw error;
    return failure(error);
  }
}

async function route(service: FrontendService, event: HttpEvent): Promise<HttpAnswer> {
  const { method } = event.requestContext.http;
  const matched = PATH.exec(event.rawPath);
  const isBulk = isBulkPath(event.rawPath);
  if (matched === null && !isBulk) throw invalid('PATH_UNKNOWN', 'paths are /objects, /objects/KEY and /bulk');
  const query = new URLSearchParams(event.rawQueryString);
  const namespace = query.get('namespace') ?? DEFAULT_NAMESPACE;
  const caller = event.requestContext.authorizer?.iam?.userArn ?? NOBODY;
  await service.admit(namespace, !isBulk && (method === 'GET' || method === 'HEAD') ? 'read' : 'write', caller);
  if (isBulk) {
    const body = (): Uint8Array => bodyOf(event);
    return json(200, await answerBulk(service, { method, path: event.rawPath, namespace, body }));
  }
  const key = matched?.[1] === undefined || matched[1] === '' ? undefined : decodedKey(matched[1]);
  if (key === undefined) {
    if (method !== 'GET') throw invalid('METHOD_NOT_ALLOWED', `${method} needs a key: /objects/KEY`);
    const { damaged, ...page } = await service.list(namespace, listRequest(query));
    const told = damaged?.map((one) => ({ key: one.key, error: toWire(one.error) }));
    return json(200, told === undefined ? page : { ...page, damaged: told });
  }
  switch (method) {
    case 'PUT': {
      const object = { key, body: bodyOf(event), metadata: metadataOf(event) };
      const ifVersion = await wantedVersion(event.headers, () => present(service, namespace, key));
      const stored = await service.putOne(namespace, { ...object, ...given({ ifVersion }) });
      const { ok: _, ...answer } = stored;
      return json(200, answer, { etag: quoted(stored.etag), 'x-pocketful-version': stored.version });
    }
    case 'GET':
      return get(service, namespace, key, event);
    case 'HEAD': {
      const object = await service.head(namespace, key);
      if (!isWanted(event.headers, object)) return { statusCode: 304, headers: headersOf(object) };
      return { statusCode: 200, headers: { ...headersOf(object), 'x-pocketful-size': String(object.sizeBytes) } };
    }
    case 'DELETE': {
      const ifVersion = await wantedVersion(event.headers, () => present(service, namespace, key));
      const [outcome] = await service.delete(namespace, [{ key, ...given({ ifVersion }) }]);
      if (outcome !== undefined && 'error' in outcome) throw outcome.error;
      return { statusCode: 204, headers: {} };
    }
    default:
      throw invalid('METHOD_NOT_ALLOWED', `${method} is not one of PUT, GET, HEAD, DELETE`);
  }
}

async function get(service: FrontendService, namespace: string, key: string, event: HttpEvent): Promise<HttpAnswer> {
  const wanted = event.headers['range'];
  const isHeld = hasReadCondition(event.headers);
  // A range from the end, and a condition, need the size or the ETag first; other reads cost one lookup.
  const object = wanted === undefined && !isHeld ? undefined : await service.head(namespace, key);
  if (object !== undefined && !isWanted(event.headers, object)) return { statusCode: 304, headers: headersOf(object) };
  const range = object === undefined || wanted === undefined ? undefined : rangeOf(wanted, object.sizeBytes);
  const { object: read, offset, body } = await service.read(namespace, key, { range, version: object?.version });
  const last = offset + body.byteLength - 1;
  return {
    statusCode: range === undefined ? 200 : 206,
    headers: {
      ...headersOf(read),
      'content-type': 'application/octet-stream',
      'accept-ranges': 'bytes',
      ...(range === undefined ? {} : { 'content-range': `bytes ${offset}-${last}/${read.sizeBytes}` }),
    },
    body: toBase64(body),
    isBase64Encoded: true,
  };
}

async function present(service: FrontendService, namespace: string, key: string): Promise<ObjectInfo | undefined> {
  try {
    return await service.head(namespace, key);
  } catch (error) {
    if (isKind(error, 'missing')) return undefined;
    throw error;
  }
}

/** `bytes=a-b`, `bytes=a-` or `bytes=-n` of an object of `sizeBytes`; any other header is ignored, as HTTP wants it. */
function rangeOf(header: string, sizeBytes: number): { offset: number; length: number } | undefined {
  const matched = /^bytes=(\d*)-(\d*)$/.exec(header);
  if (matched === null || (matched[1] === '' && matched[2] === '')) return undefined;
  const fromEnd = matched[1] === '';
  const first = fromEnd ? Math.max(0, sizeBytes - Number(matched[2])) : Number(matched[1]);
  const last = fromEnd || matched[2] === '' ? sizeBytes - 1 : Math.min(Number(matched[2]), sizeBytes - 1);
  if (!fromEnd && matched[2] !== '' && Number(matched[2]) < first) return undefined;
  if (first > last) throw invalid('RANGE_INVALID', `${header} is not within the object's ${sizeBytes} bytes`);
  return { offset: first, length: last - first + 1 };
}

function listRequest(query: URLSearchParams): ListRequest {
  const limit = query.get('limit');
  if (limit !== null && !(/^\d{1,4}$/.test(limit) && Number(limit) >= 1 && Number(limit) <= LIST_LIMIT_MAX))
    throw invalid('REQUEST_INVALID', `limit is a number from 1 to ${LIST_LIMIT_MAX}`);
  return {
    prefix: query.get('prefix') ?? undefined,
    delimiter: query.get('delimiter') ?? undefined,
    from: query.get('from') ?? undefined,
    limit: limit === null ? undefined : Number(limit),
  };
}

function decodedKey(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch (cause) {
    throw invalid('KEY_INVALID', 'the key in the path is not percent-encoded UTF-8', cause);
  }
}

function bodyOf(event: HttpEvent): Uint8Array {
  const body = Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8');
  if (body.byteLength > BODY_BYTES_MAX)
    throw invalid('REQUEST_TOO_LARGE', `a body is at most ${BODY_BYTES_MAX} bytes, not ${body.byteLength}`);
  return body;
}

/** Metadata is JSON text of any language, and headers are ASCII: percent-encoded both ways. */
function metadataOf(event: HttpEvent): string | undefined {
  const text = event.headers[METADATA_HEADER];
  try {
    return text === undefined ? undefined : decodeURIComponent(text);
  } catch (cause) {
    throw invalid('METADATA_INVALID', `${METADATA_HEADER} is not percent-encoded UTF-8`, cause);
  }
}

const quoted = (etag: string): string => `"${etag}"`;

const headersOf = (object: ObjectInfo): Record<string, string> => ({
  etag: quoted(object.etag),
  'last-modified': new Date(object.createdAtMs).toUTCString(),
  'x-pocketful-version': object.version,
  ...(object.metadata === undefined ? {} : { [METADATA_HEADER]: encodeURIComponent(object.metadata) }),
});

const json = (statusCode: number, value: unknown, headers: Record<string, string> = {}): HttpAnswer => ({
  statusCode,
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(value),
});

function failure(error: PocketfulError): HttpAnswer {
  const { kind, code, message } = error;
  const answer = json(STATUS_OF_CODE[code] ?? STATUS[kind], { kind, code, message });
  return kind === 'retry' ? { ...answer, headers: { ...answer.headers, 'retry-after': '1' } } : answer;
}
