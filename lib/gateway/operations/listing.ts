// Listings of objects: V1, V2, and of versions, of which each object has one.
import { afterPrefix } from '../../frontend/object-keys.ts';
import type { ObjectRow } from '../../panda/rows/object-row.ts';
import { compareUtf8 } from '../../panda/sort-order.ts';
import { S3Fault } from '../../s3/fault.ts';
import { encodingOf, fromToken, limitOf, tokenOf } from '../../s3/request/listing.ts';
import type { XmlNode } from '../../s3/xml/write.ts';
import type { Call } from '../exchange.ts';
import { isoDate, quoted } from '../exchange.ts';
import { etagOf, type GatewayObjects } from '../objects.ts';
import type { Handler } from '../parts.ts';
import { ownerOf, xmlAnswer } from './buckets.ts';

interface Listed {
  readonly objects: readonly ObjectRow[];
  readonly prefixes: readonly string[];
  /** Where the next page begins, the last name of this one behind it. */
  readonly next: string | undefined;
  readonly lastName: string | undefined;
}

interface Wanted {
  readonly prefix: string;
  readonly delimiter: string;
  readonly limit: number;
  /** Begins with this name. */
  readonly from?: string | undefined;
  /** Begins behind this name. */
  readonly after?: string | undefined;
}

async function listed(objects: GatewayObjects, namespace: string, wanted: Wanted): Promise<Listed> {
  const { prefix, delimiter, limit, after } = wanted;
  if (![prefix, delimiter, wanted.from ?? '', after ?? ''].every((text) => text.isWellFormed() && !text.includes('\0')))
    throw new S3Fault('InvalidArgument', 'prefix, delimiter and start must be Unicode without NUL');
  const none = { objects: [], prefixes: [], next: undefined, lastName: undefined };
  const from = startOf(wanted);
  // Beyond the last name there is nothing; and a page of none has nothing behind it.
  if (limit === 0 || from === undefined) return none;
  // What it must be behind may be there itself: one more is asked for, if there is room for one.
  const skips = after !== undefined && from === after;
  const page = await objects.list({
    namespace,
    prefix,
    delimiter,
    from,
    limit: Math.min(1000, limit + (skips ? 1 : 0)),
  });
  const kept = page.objects.filter(({ key }) => !skips || key !== after);
  const names = [...kept.map(({ key }) => key), ...page.commonPrefixes].sort(compareUtf8);
  const isLonger = names.length > limit;
  const inPage = new Set(names.slice(0, limit));
  return {
    objects: kept.filter(({ key }) => inPage.has(key)),
    prefixes: page.commonPrefixes.filter((name) => inPage.has(name)),
    next: isLonger ? names[limit] : await firstFrom(objects, { namespace, prefix, delimiter }, page.next),
    lastName: names[Math.min(limit, names.length) - 1],
  };
}

/** Where the next page begins, if there is anything in it: behind a common prefix there may be nothing more. */
async function firstFrom(
  objects: GatewayObjects,
  place: { readonly namespace: string; readonly prefix: string; readonly delimiter: string },
  from: string | undefined,
): Promise<string | undefined> {
  for (let at = from; at !== undefined; ) {
    const page = await objects.list({ ...place, from: at, limit: 1 });
    if (page.objects.length + page.commonPrefixes.length > 0) return at;
    at = page.next;
  }
  return undefined;
}

/** The first name that may be in the page; undefined if there is none. */
function startOf({ prefix, delimiter, from, after }: Wanted): string | undefined {
  if (from !== undefined) return from;
  if (after === undefined || compareUtf8(after, prefix) < 0) return prefix;
  // Behind a common prefix is behind all that it stands for.
  const isCommon = delimiter !== '' && after.startsWith(prefix) && after.slice(prefix.length).endsWith(delimiter);
  return isCommon ? afterPrefix(after) : after;
}

interface Written {
  readonly call: Call;
  readonly listed: Listed;
  readonly wanted: Wanted;
}

function common({ call, listed: { prefixes, next }, wanted }: Written): XmlNode {
  const encoding = encodingOf(call.query);
  return {
    Name: call.bucket,
    Prefix: encoding.write(wanted.prefix),
    Delimiter: wanted.delimiter === '' ? undefined : encoding.write(wanted.delimiter),
    MaxKeys: wanted.limit,
    EncodingType: encoding.type,
    IsTruncated: next !== undefined,
    CommonPrefixes: prefixes.map((one) => ({ Prefix: encoding.write(one) })),
  };
}

const contentOf = (object: ObjectRow, name: string, owner: XmlNode | undefined): XmlNode => ({
  Key: name,
  LastModified: isoDate(object.createdAtMs),
  ETag: quoted(etagOf(object)),
  Size: object.sizeBytes,
  StorageClass: 'STANDARD',
  Owner: owner,
});

const wantedOf = ({ query }: Call): Wanted => ({
  prefix: query.get('prefix') ?? '',
  delimiter: query.get('delimiter') ?? '',
  limit: limitOf(query),
});

export const listObjects: Handler = async ({ objects }, call) => {
  const wanted = wantedOf(call);
  const encoding = encodingOf(call.query);
  const marker = call.query.get('marker') ?? '';
  const found = await listed(objects, call.bucket, { ...wanted, after: marker === '' ? undefined : marker });
  const next = found.next !== undefined && wanted.delimiter !== '' ? found.lastName : undefined;
  return xmlAnswer('ListBucketResult', {
    ...common({ call, listed: found, wanted }),
    Marker: encoding.write(marker),
    NextMarker: next === undefined ? undefined : encoding.write(next),
    Contents: found.objects.map((object) => contentOf(object, encoding.write(object.key), ownerOf(call))),
  });
};

export const listObjectsV2: Handler = async ({ objects }, call) => {
  const wanted = wantedOf(call);
  const { query } = call;
  const encoding = encodingOf(query);
  const token = query.get('continuation-token');
  const after = query.get('start-after') ?? '';
  const start = !token ? { after: after === '' ? undefined : after } : { from: fromToken(token) };
  const found = await listed(objects, call.bucket, { ...wanted, ...start });
  const owner = query.get('fetch-owner') === 'true' ? ownerOf(call) : undefined;
  return xmlAnswer('ListBucketResult', {
    ...common({ call, listed: found, wanted }),
    KeyCount: found.objects.length + found.prefixes.length,
    ContinuationToken: token,
    NextContinuationToken: found.next === undefined ? undefined : tokenOf(found.next),
    StartAfter: after === '' ? undefined : encoding.write(after),
    Contents: found.objects.map((object) => contentOf(object, encoding.write(object.key), owner)),
  });
};

export const listObjectVersions: Handler = async ({ objects }, call) => {
  const wanted = wantedOf(call);
  const encoding = encodingOf(call.query);
  const marker = call.query.get('key-marker') ?? '';
  const found = await listed(objects, call.bucket, { ...wanted, after: marker === '' ? undefined : marker });
  return xmlAnswer('ListVersionsResult', {
    ...common({ call, listed: found, wanted }),
    KeyMarker: encoding.write(marker),
    VersionIdMarker: '',
    NextKeyMarker: found.next === undefined ? undefined : encoding.write(found.lastName ?? ''),
    NextVersionIdMarker: found.next === undefined ? undefined : 'null',
    Version: found.objects.map((object) => ({
      ...contentOf(object, encoding.write(object.key), ownerOf(call)),
      VersionId: 'null',
      IsLatest: true,
    })),
  });
};
