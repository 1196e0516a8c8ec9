// Uploads in parts. A part is an object of its own until the upload is completed; completing one moves no byte.
import { createHash } from 'node:crypto';
import { PART_BYTES_MIN, PARTS_MAX } from '../../limits/gateway.ts';
import type { ObjectRow } from '../../panda/rows/object-row.ts';
import { compareUtf8 } from '../../panda/sort-order.ts';
import { ALGORITHMS, type Algorithm, algorithmOf, checkedType, headerOf, sumOfParts } from '../../s3/body/checksum.ts';
import { S3Fault } from '../../s3/fault.ts';
import { type Attributes, attributesFrom, attributesOf } from '../../s3/request/attributes.ts';
import { encodingOf, limitOf } from '../../s3/request/listing.ts';
import { copySpanOf } from '../../s3/request/range.ts';
import { childrenOf, malformedXml, textOf, type XmlElement } from '../../s3/xml/read.ts';
import { copiedBody, openBody, type VerifiedBody } from '../body.ts';
import { type Call, type GatewayAnswer, isoDate, quoted } from '../exchange.ts';
import { etagOf, factsOf, type GatewayObjects, PARTS } from '../objects.ts';
import type { GatewayParts, Handler } from '../parts.ts';
import { isGone, noSuchUpload, noteSource, type PartNote, partKey, type UploadNote } from '../uploads.ts';
import { ownerOf, xmlAnswer, xmlBody } from './buckets.ts';
import { checksumElements, checksumHeaders, partNumberIn } from './read.ts';
import { atVersion, copySource, versionWanted } from './write.ts';

const uploadIdOf = (call: Call): string => call.query.get('uploadId') ?? '';

export const createMultipartUpload: Handler = async ({ uploads }, call) => {
  const name = call.headers.get('x-amz-checksum-algorithm');
  const algorithm = name === undefined ? undefined : algorithmOf(name);
  const type = algorithm && checkedType(algorithm, call.headers.get('x-amz-checksum-type'));
  const id = await uploads.begin(call.bucket, {
    key: call.key,
    attributes: attributesOf(call.headers),
    ...(algorithm === undefined ? {} : { algorithm }),
    ...(type === undefined ? {} : { type }),
  });
  const answer = xmlAnswer('InitiateMultipartUploadResult', { Bucket: call.bucket, Key: call.key, UploadId: id });
  const sums = algorithm && { 'x-amz-checksum-algorithm': algorithm, 'x-amz-checksum-type': type ?? 'COMPOSITE' };
  return { ...answer, headers: { ...answer.headers, ...sums } };
};

function partNumberOf({ query }: Call): number {
  const text = query.get('partNumber') ?? '';
  return partNumberIn(text, { ArgumentName: 'partNumber', ArgumentValue: text.slice(0, 20) });
}

/** Stores a part, and sees that its upload is still there when it is: else it belongs to nothing. */
async function storePart(
  { objects, uploads }: GatewayParts,
  note: UploadNote,
  number: number,
  body: VerifiedBody,
): ReturnType<GatewayObjects['put']> {
  const key = partKey(note.id, number);
  const place = { namespace: PARTS, key };
  const done = await objects.put(place, body, ({ checksums }) => ({ c: checksums }));
  if ((await uploads.find(note.bucket, note.key, note.id)) === undefined) {
    await objects.delete(PARTS, key);
    throw noSuchUpload();
  }
  return done;
}

export const uploadPart: Handler = async (parts, call) => {
  const number = partNumberOf(call);
  const note = await parts.uploads.get(call.bucket, call.key, uploadIdOf(call));
  const { sums } = await storePart(parts, note, number, await openBody(call, note.algorithm));
  const { 'x-amz-checksum-type': _, ...checksums } = checksumHeaders({ c: sums.checksums });
  return { status: 200, headers: { etag: quoted(sums.md5), ...checksums } };
};

/**
 * Bytes of another object as a part. They pass through here, for its MD5 is new; blocks that are known are not stored.
 */
export const uploadPartCopy: Handler = async (parts, call) => {
  const number = partNumberOf(call);
  const note = await parts.uploads.get(call.bucket, call.key, uploadIdOf(call));
  const source = await copySource(parts, call);
  const header = call.headers.get('x-amz-copy-source-range');
  const span = header === undefined ? { offset: 0, length: source.sizeBytes } : copySpanOf(header, source.sizeBytes);
  const { object, body } = await parts.objects.get(source.namespace, source.key, () => span);
  if (object.version !== source.version) throw new S3Fault('PreconditionFailed', 'the source was changed meanwhile');
  const { sums } = await storePart(parts, note, number, await copiedBody(body, span.length, note.algorithm));
  return xmlAnswer('CopyPartResult', {
    LastModified: isoDate(parts.objects.nowMs),
    ETag: quoted(sums.md5),
    ...checksumElements(sums.checksums),
  });
};

interface ListedPart {
  readonly number: number;
  readonly etag: string;
  readonly checksums: ReadonlyMap<Algorithm, string>;
}

function listedParts(root: XmlElement): ListedPart[] {
  const listed = childrenOf(root, 'Part').map((part): ListedPart => {
    const [number, etag] = [textOf(part, 'PartNumber')?.trim() ?? '', textOf(part, 'ETag')?.trim()];
    if (!/^\d{1,5}$/.test(number) || etag === undefined) throw malformedXml();
    const sums = ALGORITHMS.map((one) => [one, textOf(part, `Checksum${one}`)] as const);
    const checksums = new Map(sums.filter((one): one is [Algorithm, string] => one[1] !== undefined));
    return { number: Number(number), etag: etag.replace(/^"(.*)"$/, '$1'), checksums };
  });
  if (listed.length === 0 || listed.length > PARTS_MAX) throw malformedXml();
  for (const [i, { number }] of listed.entries())
    if (i > 0 && number < (listed[i - 1] as ListedPart).number)
      throw new S3Fault('InvalidPartOrder', 'the list of parts was not in ascending order');
  // Of a part that was sent twice the one that was named last.
  return [...new Map(listed.map((part) => [part.number, part])).values()];
}

const invalidPart = (number: number): S3Fault =>
  new S3Fault('InvalidPart', 'one or more of the specified parts could not be found, or its entity tag did not match', {
    PartNumber: String(number),
  });

async function chosenParts(
  { uploads }: GatewayParts,
  note: UploadNote,
  listed: readonly ListedPart[],
): Promise<PartNote[]> {
  const there = new Map<number, PartNote>();
  for await (const part of uploads.parts(note.id)) there.set(part.number, part);
  const chosen = listed.map(({ number, etag, checksums }) => {
    const part = there.get(number);
    if (part === undefined || part.etag !== etag) throw invalidPart(number);
    for (const [algorithm, value] of checksums)
      if (part.attributes.c?.[algorithm] !== undefined && part.attributes.c[algorithm] !== value)
        throw invalidPart(number);
    return part;
  });
  const small = chosen.slice(0, -1).find(({ sizeBytes }) => sizeBytes < PART_BYTES_MIN);
  if (small === undefined) return chosen;
  throw new S3Fault('EntityTooSmall', 'your proposed upload is smaller than the minimum allowed object size', {
    ProposedSize: String(small.sizeBytes),
    MinSizeAllowed: String(PART_BYTES_MIN),
    PartNumber: String(small.number),
    ETag: small.etag,
  });
}

export const completeMultipartUpload: Handler = async (parts, call) => {
  const { objects, uploads } = parts;
  const id = uploadIdOf(call);
  const listed = listedParts(await xmlBody(call, 'CompleteMultipartUpload'));
  const note = await uploads.find(call.bucket, call.key, id);
  if (note === undefined) return completedBefore(parts, call, id);
  const ifVersion = await versionWanted(objects, call);
  const chosen = await chosenParts(parts, note, listed);
  const size = call.headers.get('x-amz-mp-object-size');
  if (size !== undefined && Number(size) !== chosen.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0))
    throw new S3Fault('InvalidRequest', 'the size of the object is not what x-amz-mp-object-size says');
  const attributes = await completeAttributes(call, note, chosen);
  const md5 = createHash('md5');
  for (const { etag } of chosen) md5.update(etag, 'hex');
  try {
    const object = await atVersion(call, () =>
      objects.compose({
        namespace: call.bucket,
        key: call.key,
        sources: chosen.map(({ key, version }) => ({ namespace: PARTS, key, version })),
        areParts: true,
        facts: factsOf(md5.digest('hex'), attributes),
        ifVersion,
        ends: noteSource(note),
      }),
    );
    await uploads.dropParts(id);
    return completed(call, object);
  } catch (error) {
    // Another Complete of the same upload was faster, or it was aborted, or one of its parts was sent again.
    if ((await uploads.find(call.bucket, call.key, id)) === undefined) return completedBefore(parts, call, id);
    throw isGone(error) ? invalidPart(chosen[0]?.number ?? 1) : error;
  }
};

async function completeAttributes(call: Call, note: UploadNote, chosen: readonly PartNote[]): Promise<Attributes> {
  const { algorithm, type = 'COMPOSITE', id } = note;
  const base: Attributes = { ...note.attributes, n: chosen.length, u: id };
  if (algorithm === undefined) return base;
  const sums = chosen.map(({ attributes, sizeBytes }) => ({
    value: attributes.c?.[algorithm] ?? '',
    bytes: sizeBytes,
  }));
  if (sums.some(({ value }) => value === '')) return base;
  const value = await sumOfParts(algorithm, type, sums);
  const said = call.headers.get(headerOf(algorithm));
  if (said !== undefined && said !== value && said !== value.split('-')[0])
    throw new S3Fault('BadDigest', `the ${algorithm} you specified did not match the calculated checksum`);
  return { ...base, c: { [algorithm]: value }, ct: type };
}

/** A Complete that was sent again, whose first answer may have got lost. Throws NoSuchUpload. */
async function completedBefore({ objects }: GatewayParts, call: Call, id: string): Promise<GatewayAnswer> {
  const object = await objects.find(call.bucket, call.key);
  if (object === undefined || id === '' || attributesFrom(object.system).u !== id) throw noSuchUpload();
  return completed(call, object);
}

function completed(call: Call, object: ObjectRow): GatewayAnswer {
  const { c, ct } = attributesFrom(object.system);
  return xmlAnswer('CompleteMultipartUploadResult', {
    Location: `/${call.bucket}/${call.key}`,
    Bucket: call.bucket,
    Key: call.key,
    ETag: quoted(etagOf(object)),
    ...checksumElements(c),
    ChecksumType: ct,
  });
}

export const abortMultipartUpload: Handler = async ({ uploads }, call) => {
  await uploads.end(await uploads.get(call.bucket, call.key, uploadIdOf(call)));
  return { status: 204, headers: {} };
};

export const listParts: Handler = async ({ uploads }, call) => {
  const note = await uploads.get(call.bucket, call.key, uploadIdOf(call));
  const limit = limitOf(call.query, 'max-parts');
  const marker = Number(/^\d{1,9}$/.exec(call.query.get('part-number-marker') ?? '0')?.[0] ?? Number.NaN);
  if (Number.isNaN(marker)) throw new S3Fault('InvalidArgument', 'part-number-marker must be a number');
  const behind: PartNote[] = [];
  for await (const part of uploads.parts(note.id)) if (part.number > marker) behind.push(part);
  const page = behind.slice(0, limit);
  const isTruncated = behind.length > page.length;
  return xmlAnswer('ListPartsResult', {
    Bucket: call.bucket,
    Key: call.key,
    UploadId: note.id,
    Initiator: ownerOf(call),
    Owner: ownerOf(call),
    StorageClass: 'STANDARD',
    PartNumberMarker: marker,
    NextPartNumberMarker: page.at(-1)?.number ?? 0,
    MaxParts: limit,
    IsTruncated: isTruncated,
    ChecksumAlgorithm: note.algorithm,
    ChecksumType: note.type,
    Part: page.map(({ number, createdAtMs, etag, sizeBytes, attributes }) => ({
      PartNumber: number,
      LastModified: isoDate(createdAtMs),
      ETag: quoted(etag),
      Size: sizeBytes,
      ...checksumElements(attributes.c),
    })),
  });
};

export const listMultipartUploads: Handler = async ({ uploads }, call) => {
  const { query } = call;
  const encoding = encodingOf(query);
  const limit = limitOf(query, 'max-uploads');
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const [keyMarker, idMarker] = [query.get('key-marker') ?? '', query.get('upload-id-marker') ?? ''];
  const notes = (await uploads.list(call.bucket, prefix)).filter(
    ({ key, id }) => compareUtf8(key, keyMarker) > 0 || (key === keyMarker && idMarker !== '' && id > idMarker),
  );
  const page: UploadNote[] = [];
  const prefixes: string[] = [];
  let rest = 0;
  for (const note of notes) {
    const cut = delimiter === '' ? -1 : note.key.indexOf(delimiter, prefix.length);
    const common = cut < 0 ? undefined : note.key.slice(0, cut + delimiter.length);
    if (common !== undefined && prefixes.includes(common)) continue;
    if (page.length + prefixes.length >= limit) rest += 1;
    else if (common !== undefined) prefixes.push(common);
    else page.push(note);
  }
  const last = page.at(-1);
  return xmlAnswer('ListMultipartUploadsResult', {
    Bucket: call.bucket,
    KeyMarker: encoding.write(keyMarker),
    UploadIdMarker: idMarker,
    NextKeyMarker: rest > 0 ? encoding.write(last?.key ?? prefixes.at(-1) ?? '') : undefined,
    NextUploadIdMarker: rest > 0 ? last?.id : undefined,
    Prefix: encoding.write(prefix),
    Delimiter: delimiter === '' ? undefined : encoding.write(delimiter),
    MaxUploads: limit,
    EncodingType: encoding.type,
    IsTruncated: rest > 0,
    Upload: page.map(({ key, id, createdAtMs }) => ({
      Key: encoding.write(key),
      UploadId: id,
      Initiator: ownerOf(call),
      Owner: ownerOf(call),
      StorageClass: 'STANDARD',
      Initiated: isoDate(createdAtMs),
    })),
    CommonPrefixes: prefixes.map((one) => ({ Prefix: encoding.write(one) })),
  });
};
