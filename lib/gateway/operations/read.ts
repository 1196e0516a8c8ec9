// Reading an object: whole, by a range or a part's number, under conditions; its head alone; its attributes.
import { partAt, partsOf } from '../../frontend/compose/block-layout.ts';
import { PARTS_MAX } from '../../limits/gateway.ts';
import type { ObjectRow } from '../../panda/rows/object-row.ts';
import { type Algorithm, headerOf } from '../../s3/body/checksum.ts';
import { S3Fault } from '../../s3/fault.ts';
import { type Attributes, attributeHeaders, attributesFrom, overridesIn } from '../../s3/request/attributes.ts';
import { checkRead } from '../../s3/request/conditions.ts';
import { limitIn } from '../../s3/request/listing.ts';
import { type ByteSpan, spanOf } from '../../s3/request/range.ts';
import { type Call, type GatewayAnswer, httpDate, quoted } from '../exchange.ts';
import { etagOf } from '../objects.ts';
import type { Handler } from '../parts.ts';
import { xmlAnswer } from './buckets.ts';

export const presentOf = (object: ObjectRow) => ({
  etag: etagOf(object),
  version: object.version,
  createdAtMs: object.createdAtMs,
});

/** Throws InvalidArgument. */
export function partNumberIn(text: string, details: Readonly<Record<string, string>> = {}): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) < 1 || Number(text) > PARTS_MAX)
    throw new S3Fault(
      'InvalidArgument',
      `part number must be an integer between 1 and ${PARTS_MAX}, inclusive`,
      details,
    );
  return Number(text);
}

/** Which bytes are wanted; undefined: all of them. */
function spanWanted({ headers, query }: Call, object: ObjectRow): ByteSpan | undefined {
  const text = query.get('partNumber');
  if (text === undefined) return spanOf(headers.get('range'), object.sizeBytes);
  const number = partNumberIn(text);
  if (headers.has('range'))
    throw new S3Fault('InvalidRequest', 'cannot specify both Range header and partNumber query');
  const part = partsOf(object) === 0 && number === 1 ? { start: 0, bytes: object.sizeBytes } : partAt(object, number);
  if (part === undefined)
    throw new S3Fault('InvalidPartNumber', 'the requested partnumber is not satisfiable', {
      ActualPartCount: String(Math.max(1, partsOf(object))),
      PartNumberRequested: text,
    });
  return part.bytes === 0 ? undefined : { offset: part.start, length: part.bytes };
}

function answerOf(call: Call, object: ObjectRow, span: ByteSpan | undefined): GatewayAnswer {
  const attributes = attributesFrom(object.system);
  const parts = partsOf(object);
  const { offset = 0, length = object.sizeBytes } = span ?? {};
  const headers = {
    ...attributeHeaders(attributes),
    ...overridesIn(call.query),
    'accept-ranges': 'bytes',
    'content-length': String(length),
    etag: quoted(etagOf(object)),
    'last-modified': httpDate(object.createdAtMs),
    ...(span === undefined ? {} : { 'content-range': `bytes ${offset}-${offset + length - 1}/${object.sizeBytes}` }),
    ...(call.query.has('partNumber') && parts > 0 ? { 'x-amz-mp-parts-count': String(parts) } : {}),
    ...(span === undefined && call.headers.get('x-amz-checksum-mode')?.toUpperCase() === 'ENABLED'
      ? checksumHeaders(attributes)
      : {}),
  };
  return { status: span === undefined ? 200 : 206, headers };
}

export function checksumHeaders({ c = {}, ct }: Attributes): Record<string, string> {
  const out: Record<string, string> = {};
  for (const [algorithm, value] of Object.entries(c)) out[headerOf(algorithm as Algorithm)] = value;
  if (Object.keys(out).length > 0) out['x-amz-checksum-type'] = ct ?? 'FULL_OBJECT';
  return out;
}

/** The same as elements of a document. */
export const checksumElements = (c: Attributes['c'] = {}): Record<string, string> =>
  Object.fromEntries(Object.entries(c).map(([algorithm, value]) => [`Checksum${algorithm}`, value]));

export const headObject: Handler = async ({ objects }, call) => {
  const object = await objects.head(call.bucket, call.key);
  checkRead(call.headers, presentOf(object));
  return answerOf(call, object, spanWanted(call, object));
};

export const getObject: Handler = async ({ objects }, call) => {
  let span: ByteSpan | undefined;
  const { object, body } = await objects.get(call.bucket, call.key, (found) => {
    checkRead(call.headers, presentOf(found));
    span = spanWanted(call, found);
    return span;
  });
  return { ...answerOf(call, object, span), body: await begun(body) };
};

/** Its first piece is there before the answer says that all is well. */
async function begun(body: AsyncIterable<Uint8Array>): Promise<AsyncIterable<Uint8Array>> {
  const rest = body[Symbol.asyncIterator]();
  let first: IteratorResult<Uint8Array> | undefined = await rest.next();
  return {
    [Symbol.asyncIterator]: () => ({
      next: async () => {
        const now = first ?? (await rest.next());
        first = undefined;
        return now;
      },
      return: async () => (await rest.return?.()) ?? { done: true, value: undefined },
    }),
  };
}

/** Numbers and lengths of its parts, a page of them. */
function partsPage({ headers }: Call, object: ObjectRow, parts: number) {
  const most = limitIn(headers.get('x-amz-max-parts'), 'max-parts');
  const marker = Number(/^\d{1,6}$/.exec(headers.get('x-amz-part-number-marker') ?? '0')?.[0] ?? Number.NaN);
  if (Number.isNaN(marker)) throw new S3Fault('InvalidArgument', 'x-amz-part-number-marker must be a number');
  const last = Math.min(parts, marker + most);
  const page = Array.from({ length: Math.max(0, last - marker) }, (_, i) => marker + 1 + i);
  return {
    PartsCount: parts,
    PartNumberMarker: marker,
    NextPartNumberMarker: last,
    MaxParts: most,
    IsTruncated: last < parts,
    Part: page.map((number) => ({ PartNumber: number, Size: partAt(object, number)?.bytes })),
  };
}

export const getObjectAttributes: Handler = async ({ objects }, call) => {
  const object = await objects.head(call.bucket, call.key);
  checkRead(call.headers, presentOf(object));
  const wanted = (call.headers.get('x-amz-object-attributes') ?? '').split(',').map((one) => one.trim());
  if (wanted.length === 1 && wanted[0] === '')
    throw new S3Fault(
      'InvalidArgument',
      'the x-amz-object-attributes header specifying the attributes to be retrieved is missing',
    );
  const { c = {}, ct } = attributesFrom(object.system);
  const parts = partsOf(object);
  const answer = xmlAnswer('GetObjectAttributesResponse', {
    ETag: wanted.includes('ETag') ? etagOf(object) : undefined,
    Checksum:
      wanted.includes('Checksum') && Object.keys(c).length > 0
        ? { ...checksumElements(c), ChecksumType: ct ?? 'FULL_OBJECT' }
        : undefined,
    ObjectParts: wanted.includes('ObjectParts') && parts > 0 ? partsPage(call, object, parts) : undefined,
    StorageClass: wanted.includes('StorageClass') ? 'STANDARD' : undefined,
    ObjectSize: wanted.includes('ObjectSize') ? object.sizeBytes : undefined,
  });
  return { ...answer, headers: { ...answer.headers, 'last-modified': httpDate(object.createdAtMs) } };
};
