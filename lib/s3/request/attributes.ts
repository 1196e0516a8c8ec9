// What S3 keeps of an object apart from its bytes: in headers of requests and answers, and as the text in its row.
import {
  TAG_NAME_CHARACTERS_MAX,
  TAG_VALUE_CHARACTERS_MAX,
  TAGS_MAX,
  USER_METADATA_BYTES_MAX,
} from '../../limits/gateway.ts';
import { queryPairs } from '../auth/canonical.ts';
import type { Algorithm, ChecksumType } from '../body/checksum.ts';
import { S3Fault } from '../fault.ts';

/** As it is stored, in JSON: short names, as each object has one. */
export interface Attributes {
  /** Content type. */
  readonly t?: string;
  /** System headers, by name. */
  readonly h?: Readonly<Record<string, string>>;
  /** Users' metadata, by the name behind `x-amz-meta-`. */
  readonly m?: Readonly<Record<string, string>>;
  /** Tags. */
  readonly g?: Readonly<Record<string, string>>;
  /** Checksums, base64. */
  readonly c?: Readonly<Partial<Record<Algorithm, string>>>;
  readonly ct?: ChecksumType;
  /** How many parts its ETag speaks of. */
  readonly n?: number;
  /** The upload it was completed from: a second Complete is answered as the first. */
  readonly u?: string;
}

export const DEFAULT_TYPE = 'binary/octet-stream';
const SYSTEM_HEADERS = [
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'expires',
  'x-amz-website-redirect-location',
];
const META = 'x-amz-meta-';
/** What ends a header line, or is no character of one. */
const UNSAFE = /(?!\t)\p{Cc}/u;

type Headers = ReadonlyMap<string, string>;

/** Of a request that writes an object. Throws MetadataTooLarge. */
export function attributesOf(headers: Headers): Attributes {
  const system: Record<string, string> = {};
  for (const name of SYSTEM_HEADERS) {
    const value = name === 'content-encoding' ? ownEncoding(headers.get(name)) : headers.get(name);
    if (value !== undefined && value !== '') system[name] = value;
  }
  const user = metadataOf(headers);
  const tags = headers.get('x-amz-tagging');
  const type = headers.get('content-type');
  return {
    ...(type === undefined || type === '' ? {} : { t: type }),
    ...(Object.keys(system).length === 0 ? {} : { h: system }),
    ...(Object.keys(user).length === 0 ? {} : { m: user }),
    ...(tags === undefined || tags === '' ? {} : { g: checkedTags(queryPairs(tags)) }),
  };
}

/** `aws-chunked` is how the body travels, not what it is. */
function ownEncoding(value: string | undefined): string | undefined {
  const left = value
    ?.split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '' && one.toLowerCase() !== 'aws-chunked')
    .join(', ');
  return left === '' ? undefined : left;
}

function metadataOf(headers: Headers): Record<string, string> {
  const user: Record<string, string> = {};
  let bytes = 0;
  for (const [name, value] of headers) {
    if (!name.startsWith(META)) continue;
    user[name.slice(META.length)] = value;
    bytes += name.length - META.length + Buffer.byteLength(value);
  }
  if (bytes > USER_METADATA_BYTES_MAX)
    throw new S3Fault('MetadataTooLarge', 'your metadata headers exceed the maximum allowed metadata size');
  return user;
}

/** Throws InvalidTag. */
export function checkedTags(pairs: readonly (readonly [string, string])[]): Record<string, string> {
  const tags: Record<string, string> = {};
  if (pairs.length > TAGS_MAX) throw new S3Fault('InvalidTag', `object tags cannot be greater than ${TAGS_MAX}`);
  for (const [name, value] of pairs) {
    if (name === '' || name.length > TAG_NAME_CHARACTERS_MAX || value.length > TAG_VALUE_CHARACTERS_MAX)
      throw new S3Fault('InvalidTag', 'the tag provided was not a valid tag: its key or value is empty or too long');
    if (Object.hasOwn(tags, name)) throw new S3Fault('InvalidTag', 'cannot provide multiple tags with the same key');
    tags[name] = value;
  }
  return tags;
}

/** Undefined where there is nothing to keep. */
export function attributesText(attributes: Attributes): string | undefined {
  const text = JSON.stringify(attributes);
  return text === '{}' ? undefined : text;
}

/** What `attributesText` wrote; nothing for an object that came another way. */
export function attributesFrom(text: string | undefined): Attributes {
  return text === undefined ? {} : (JSON.parse(text) as Attributes);
}

/** Headers of an answer, but for those of the body's length, ETag and checksums. */
export function attributeHeaders({ t = DEFAULT_TYPE, h = {}, m = {}, g = {} }: Attributes): Record<string, string> {
  const tags = Object.keys(g).length;
  const out: Record<string, string> = { 'content-type': t, ...h };
  for (const [name, value] of Object.entries(m)) out[META + name] = value;
  if (tags > 0) out['x-amz-tagging-count'] = String(tags);
  return out;
}

const OVERRIDES: Readonly<Record<string, string>> = {
  'response-cache-control': 'cache-control',
  'response-content-disposition': 'content-disposition',
  'response-content-encoding': 'content-encoding',
  'response-content-language': 'content-language',
  'response-content-type': 'content-type',
  'response-expires': 'expires',
};

/** Headers that a signed request wants to have in its answer. Throws InvalidArgument for what would be more of them. */
export function overridesIn(query: ReadonlyMap<string, string>): Record<string, string> {
  const out: Record<string, string> = {};
  for (const [name, header] of Object.entries(OVERRIDES)) {
    const value = query.get(name);
    if (value === undefined) continue;
    if (UNSAFE.test(value)) throw new S3Fault('InvalidArgument', `${name} holds what no header may hold`);
    out[header] = value;
  }
  return out;
}
