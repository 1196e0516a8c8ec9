// Writing objects: put, copy, delete one or many, and their tags.
import { isGranted } from '../../access/policy.ts';
import { DELETED_AT_ONCE } from '../../limits/gateway.ts';
import type { ObjectRow } from '../../panda/rows/object-row.ts';
import { S3Fault } from '../../s3/fault.ts';
import { type Attributes, attributesFrom, attributesOf, checkedTags } from '../../s3/request/attributes.ts';
import { checkCopySource, hasWriteCondition, writeRace, writeVersion } from '../../s3/request/conditions.ts';
import { copySourceOf, isOtherVersion, noSuchVersion } from '../../s3/request/target.ts';
import { childrenOf, malformedXml, textOf } from '../../s3/xml/read.ts';
import { openBody } from '../body.ts';
import { type Call, isoDate, quoted } from '../exchange.ts';
import { accessDenied, faultOf } from '../faults.ts';
import { etagOf, factsOf, type GatewayObjects, isVersionMismatch } from '../objects.ts';
import type { GatewayParts, Handler } from '../parts.ts';
import { checkGranted, xmlAnswer, xmlBody } from './buckets.ts';
import { checksumElements, checksumHeaders, presentOf } from './read.ts';

/** At which version the object must be, looked up only if a condition asks. */
export async function versionWanted(objects: GatewayObjects, call: Call): Promise<string | undefined> {
  if (!hasWriteCondition(call.headers)) return undefined;
  const object = await objects.find(call.bucket, call.key);
  return writeVersion(call.headers, object && presentOf(object));
}

/** Runs a write that is held to a version; somebody else who was first shows as what a condition is told. */
export async function atVersion<T>(call: Call, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    throw isVersionMismatch(error) ? writeRace(call.headers) : error;
  }
}

export const putObject: Handler = async ({ objects }, call) => {
  const { bucket: namespace, key } = call;
  const attributes = attributesOf(call.headers);
  const ifVersion = await versionWanted(objects, call);
  const body = await openBody(call);
  const { sums } = await atVersion(call, () =>
    objects.put({ namespace, key, ifVersion }, body, ({ checksums }) => withSums(attributes, checksums)),
  );
  return { status: 200, headers: { etag: quoted(sums.md5), ...checksumHeaders({ c: sums.checksums }) } };
};

const withSums = (attributes: Attributes, c: NonNullable<Attributes['c']>): Attributes =>
  Object.keys(c).length === 0 ? attributes : { ...attributes, c };

/** The source of a copy, which its sender may read, under the conditions on it. */
export async function copySource({ objects, buckets }: GatewayParts, call: Call): Promise<ObjectRow> {
  const source = copySourceOf(call.headers.get('x-amz-copy-source') ?? '');
  checkGranted(call, 'read', source);
  await buckets.check(source.bucket);
  const object = await objects.head(source.bucket, source.key);
  checkCopySource(call.headers, presentOf(object));
  return object;
}

export const copyObject: Handler = async (parts, call) => {
  const { objects } = parts;
  const source = await copySource(parts, call);
  const directive = (call.headers.get('x-amz-metadata-directive') ?? 'COPY').toUpperCase();
  const tagging = (call.headers.get('x-amz-tagging-directive') ?? 'COPY').toUpperCase();
  if (![directive, tagging].every((one) => one === 'COPY' || one === 'REPLACE'))
    throw new S3Fault('InvalidArgument', 'unknown metadata or tagging directive');
  const isItself = source.namespace === call.bucket && source.key === call.key;
  if (isItself && directive === 'COPY' && tagging === 'COPY')
    throw new S3Fault(
      'InvalidRequest',
      "this copy request is illegal because it is trying to copy an object to itself without changing the object's metadata",
    );
  const given = attributesOf(call.headers);
  const old = attributesFrom(source.system);
  const kept = directive === 'COPY' ? old : { ...given, ...contentFacts(old) };
  const { g: _, ...rest } = kept;
  const tags = tagging === 'COPY' ? old.g : given.g;
  const object = await composedAs(objects, call, source, { ...rest, ...(tags === undefined ? {} : { g: tags }) });
  return xmlAnswer('CopyObjectResult', {
    LastModified: isoDate(object.createdAtMs),
    ETag: quoted(etagOf(object)),
    ...checksumElements(old.c),
    ChecksumType: old.c === undefined ? undefined : (old.ct ?? 'FULL_OBJECT'),
  });
};

/** What is said of the content, which a copy has too. */
function contentFacts({ c, ct, n }: Attributes): Attributes {
  return { ...(c === undefined ? {} : { c }), ...(ct === undefined ? {} : { ct }), ...(n === undefined ? {} : { n }) };
}

/** The content of an object under a name and attributes, no byte of it moved. */
async function composedAs(
  objects: GatewayObjects,
  call: Call,
  source: ObjectRow,
  attributes: Attributes,
  wanted?: string,
): Promise<ObjectRow> {
  const { u: _, ...kept } = attributes;
  const ifVersion = wanted ?? (await versionWanted(objects, call));
  const { namespace, key, version, md5, metadata } = source;
  return atVersion(call, () =>
    objects.compose({
      namespace: call.bucket,
      key: call.key,
      sources: [{ namespace, key, version }],
      metadata,
      facts: factsOf(md5, kept),
      ifVersion,
    }),
  );
}

export const deleteObject: Handler = async ({ objects }, call) => {
  const ifVersion = await versionWanted(objects, call);
  await atVersion(call, () => objects.delete(call.bucket, call.key, ifVersion));
  return { status: 204, headers: {} };
};

interface DeleteRequest {
  readonly key: string;
  readonly versionId: string | undefined;
}

export const deleteObjects: Handler = async ({ objects }, call) => {
  const root = await xmlBody(call, 'Delete');
  const wanted = childrenOf(root, 'Object').map((element): DeleteRequest => {
    const key = textOf(element, 'Key');
    if (key === undefined || key === '') throw malformedXml();
    return { key, versionId: textOf(element, 'VersionId') };
  });
  if (wanted.length === 0 || wanted.length > DELETED_AT_ONCE) throw malformedXml();
  const isQuiet = textOf(root, 'Quiet') === 'true';
  const failed = new Map<string, S3Fault>();
  for (const { key, versionId } of wanted) {
    const on = { bucket: call.bucket, key };
    if (!isGranted(call.sender.key.rules, 'delete', on)) failed.set(key, accessDenied());
    else if (isOtherVersion(versionId)) failed.set(key, noSuchVersion());
  }
  const keys = [...new Set(wanted.map(({ key }) => key))].filter((key) => !failed.has(key));
  for (const [key, error] of await objects.deleteMany(call.bucket, keys)) failed.set(key, faultOf(error));
  return xmlAnswer('DeleteResult', {
    Deleted: isQuiet
      ? []
      : wanted
          .filter(({ key }) => !failed.has(key))
          .map(({ key, versionId }) => ({ Key: key, VersionId: versionId || undefined })),
    Error: [...failed].map(([key, { code, message }]) => ({ Key: key, Code: code, Message: message })),
  });
};

export const getObjectTagging: Handler = async ({ objects }, call) => {
  const object = await objects.head(call.bucket, call.key);
  const tags = Object.entries(attributesFrom(object.system).g ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return xmlAnswer('Tagging', { TagSet: { Tag: tags.map(([Key, Value]) => ({ Key, Value })) } });
};

export const putObjectTagging: Handler = async ({ objects }, call) => {
  const root = await xmlBody(call, 'Tagging');
  const set = childrenOf(root, 'TagSet')[0];
  if (set === undefined) throw malformedXml();
  const pairs = childrenOf(set, 'Tag').map((tag): [string, string] => {
    const [key, value] = [textOf(tag, 'Key'), textOf(tag, 'Value')];
    if (key === undefined || value === undefined) throw malformedXml();
    return [key, value];
  });
  await retagged(objects, call, checkedTags(pairs));
  return { status: 200, headers: {} };
};

export const deleteObjectTagging: Handler = async ({ objects }, call) => {
  await retagged(objects, call, {});
  return { status: 204, headers: {} };
};

/** The same object once more, with other tags: at the version that was read, or not at all. */
async function retagged(objects: GatewayObjects, call: Call, tags: Record<string, string>): Promise<void> {
  const object = await objects.head(call.bucket, call.key);
  const { g: _, ...rest } = attributesFrom(object.system);
  const attributes = Object.keys(tags).length === 0 ? rest : { ...rest, g: tags };
  await composedAs(objects, call, object, attributes, object.version);
}
