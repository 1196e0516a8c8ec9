// Much at once over HTTP: the calls of a bulk put (bulk-puts.ts) for who signs requests to the function's URL.
//   GET /bulk                  how much one gathering takes
//   POST /bulk/parts           bytes of a part, 4 MiB at the most: {part}
//   POST /bulk                 what they hold, {parts, objects} as in protocol.ts: {results}
// `namespace=` with each; who may write there may do all three.
import { invalid } from '../foundation/errors.ts';
import { PART_BYTES_MAX } from '../limits/stage.ts';
import { type FrontendOperation, parseRequest, type RequestOf, toWire } from './protocol.ts';
import type { FrontendService } from './service.ts';

const PATH = /^\/bulk(\/parts)?$/;

export const isBulkPath = (path: string): boolean => PATH.test(path);

export interface BulkRequest {
  readonly method: string;
  readonly path: string;
  readonly namespace: string;
  readonly body: () => Uint8Array;
}

/** The answer as JSON. Throws `invalid` METHOD_NOT_ALLOWED, REQUEST_INVALID, REQUEST_TOO_LARGE, KEY_TWICE. */
export async function answerBulk(service: FrontendService, request: BulkRequest): Promise<object> {
  const { method, path, namespace } = request;
  const isPart = path.endsWith('/parts');
  if (method === 'GET' && !isPart) return service.bulk.begin();
  if (method !== 'POST')
    throw invalid('METHOD_NOT_ALLOWED', `${method} ${path}: bulk puts know GET and POST /bulk, POST /bulk/parts`);
  return isPart ? stage(service, namespace, request.body()) : gather(service, namespace, request.body());
}

async function stage(service: FrontendService, namespace: string, bytes: Uint8Array): Promise<object> {
  if (bytes.byteLength === 0 || bytes.byteLength > PART_BYTES_MAX)
    throw invalid('REQUEST_TOO_LARGE', `a part has 1 to ${PART_BYTES_MAX} bytes, not ${bytes.byteLength}`);
  return { part: await service.bulk.stage(namespace, bytes) };
}

async function gather(service: FrontendService, namespace: string, body: Uint8Array): Promise<object> {
  const op = 'bulkGather' satisfies FrontendOperation;
  const request = parseRequest({ ...fieldsOf(body), op, namespace }) as RequestOf<typeof op>;
  const outcomes = await service.bulkGather(request);
  return {
    results: outcomes.map((one) => {
      if (!one.ok) return { key: one.key, error: toWire(one.error) };
      const { ok: _, ...stored } = one;
      return stored;
    }),
  };
}

function fieldsOf(body: Uint8Array): object {
  try {
    const read: unknown = JSON.parse(Buffer.from(body).toString('utf8'));
    if (typeof read === 'object' && read !== null) return read;
  } catch (cause) {
    throw invalid('REQUEST_INVALID', 'request: the body is not JSON', cause);
  }
  throw invalid('REQUEST_INVALID', 'request: the body is not an object of JSON');
}
