// A request of each kind out of a seed, and what may be answered: as clients send them, and spoiled in some place.
import { createHash } from 'node:crypto';
import type { SeededRandomness } from '../../../lib/foundation/randomness.ts';
import { sha256Hex } from '../../../lib/s3/auth/canonical.ts';
import { chunked, crc32Of, type Key, MODES, type Plain, signed } from './signed.ts';

export interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface Case {
  readonly kind: string;
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly pieces: readonly Uint8Array[];
  /** What is wrong with the answer; undefined: nothing. */
  check(answer: Answered): string | undefined;
}

export interface Setting {
  readonly random: SeededRandomness;
  readonly key: Key;
  readonly nowMs: number;
  /** Contents that are there as /photos/pool-0, pool-1 …: what is put is one of them, so that nothing grows. */
  readonly pool: readonly Uint8Array[];
  /** Counts cases: splits go through all places one after the other. */
  readonly index: number;
}

const pick = <T>(random: SeededRandomness, from: readonly T[]): T => from[random.below(from.length)] as T;
const chance = (random: SeededRandomness, percent: number): boolean => random.below(100) < percent;

/** One to three bytes changed, gone, doubled or put in, or all from some place on gone. */
function spoiled(random: SeededRandomness, bytes: Uint8Array): Buffer {
  let out = Buffer.from(bytes);
  for (let i = 0; i <= random.below(3); i++) {
    const at = random.below(out.length + 1);
    const what = random.below(5);
    if (what === 0 && at < out.length) out[at] = random.below(256);
    else if (what === 1) out = Buffer.concat([out.subarray(0, at), out.subarray(at + 1 + random.below(9))]);
    else if (what === 2) out = Buffer.concat([out.subarray(0, at), out.subarray(Math.max(0, at - random.below(40)))]);
    else if (what === 3) out = Buffer.concat([out.subarray(0, at), pick(random, JUNK), out.subarray(at)]);
    else out = Buffer.from(out.subarray(0, at));
  }
  return out;
}

const JUNK = [
  '\r\n',
  '\n',
  '0',
  'ffffffffffffffff',
  ';',
  ':',
  '\0',
  '\u00ff',
  '0\r\n\r\n',
  '-1',
  ' ',
  ';a=b',
  '&#0;',
  '<',
  ']]>',
  '%',
].map((text) => Buffer.from(text));

const spoiledText = (random: SeededRandomness, text: string): string =>
  spoiled(random, Buffer.from(text)).toString('latin1');

/** One cut at each place in turn, some anywhere, or each byte alone. */
function split(random: SeededRandomness, bytes: Buffer, index: number): Uint8Array[] {
  const how = random.below(8);
  if (how === 0 && bytes.length < 600) return [...bytes].map((byte) => Uint8Array.of(byte));
  const at = how < 6 ? [index % (bytes.length + 1)] : [random.below(bytes.length + 1), random.below(bytes.length + 1)];
  const places = [0, ...at.sort((a, b) => a - b), bytes.length];
  return places.slice(1).map((to, i) => bytes.subarray(places[i], to));
}

function of(kind: string, plain: Plain, pieces: readonly Uint8Array[], setting: Setting, check: Case['check']): Case {
  const { headers, method, path, query } = signed(plain, setting.key, setting.nowMs);
  return { kind, method, path, query, headers: new Map(Object.entries(headers)), pieces, check };
}

const md5 = (content: Uint8Array): string => `"${createHash('md5').update(content).digest('hex')}"`;

/** A PUT in chunks. What is sound is stored as it is; of what is spoiled nothing else is ever stored. */
function chunkedPut(setting: Setting): Case {
  const { random, pool, key, nowMs, index } = setting;
  const mode = pick(random, MODES);
  const content = pick(random, pool);
  const trailer: Record<string, string> =
    mode === 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD' ? {} : { 'x-amz-trailer': 'x-amz-checksum-crc32' };
  const plain: Plain = {
    method: 'PUT',
    path: `/photos/k${random.below(8)}`,
    query: '',
    headers: { 'content-encoding': 'aws-chunked', 'x-amz-decoded-content-length': String(content.length), ...trailer },
    payloadHash: mode,
  };
  const from = signed(plain, key, nowMs);
  const cuts = Array.from({ length: random.below(4) }, () => 1 + random.below(content.length + 1));
  const sound = chunked(content, cuts, mode, from, key);
  const body = chance(random, 70) ? spoiled(random, sound) : sound;
  const isSound = body.equals(sound);
  const headers = new Map(Object.entries({ ...from.headers, 'content-length': String(body.length) }));
  return {
    ...{ kind: 'chunked', method: 'PUT', path: plain.path, query: '', headers, pieces: split(random, body, index) },
    check({ status, headers: { etag } }) {
      if (isSound && status !== 200) return `a sound body was answered ${status}`;
      return status === 200 && etag !== md5(content) ? 'other content than was sent was stored' : undefined;
    },
  };
}

const TAGS = [
  'Delete',
  'Object',
  'Key',
  'Quiet',
  'CompleteMultipartUpload',
  'Part',
  'PartNumber',
  'ETag',
  'Tagging',
  'TagSet',
  'Tag',
  'Value',
  'VersionId',
];
const TEXTS = [
  'a',
  '1',
  '',
  'true',
  '&amp;',
  '&lt;',
  '&#65;',
  '&#x41;',
  '&nope;',
  '&',
  '<!--x-->',
  '<![CDATA[x]]>',
  '\u00e9',
  '9'.repeat(30),
  'x'.repeat(1100),
];

function xmlOf(random: SeededRandomness, depth: number): string {
  if (depth === 0 || chance(random, 25)) return pick(random, TEXTS);
  const name = pick(random, TAGS);
  const inner = Array.from({ length: random.below(4) }, () => xmlOf(random, depth - 1)).join('');
  return `<${name}${chance(random, 10) ? ' xmlns="x" a=\'b\'' : ''}>${inner}</${chance(random, 95) ? name : pick(random, TAGS)}>`;
}

function xml(setting: Setting): Case {
  const { random } = setting;
  const prolog = pick(random, ['', '', '<?xml version="1.0"?>', '<!DOCTYPE x [<!ENTITY a "b">]>', '\ufeff']);
  const text = prolog + xmlOf(random, 1 + random.below(20));
  const body = chance(random, 40) ? spoiled(random, Buffer.from(text)) : Buffer.from(text);
  const [method, target, query] = pick(random, [
    ['POST', '/photos', 'delete='],
    ['POST', '/photos/m', `uploadId=${'0'.repeat(32)}`],
    ['PUT', '/photos/pool-0', 'tagging='],
    ['PUT', '/photos', ''],
    ['PUT', '/photos', 'versioning='],
  ] as const);
  const headers = {
    'content-length': String(body.length),
    'content-md5': createHash('md5').update(body).digest('base64'),
    'x-amz-checksum-crc32': crc32Of(body),
  };
  const plain = { method, path: target, query, headers, payloadHash: sha256Hex(body) };
  return of('xml', plain, split(random, body, setting.index), setting, () => undefined);
}

/** What a range gives is that part of the content, as its answer says. */
function range(setting: Setting): Case {
  const { random, pool } = setting;
  const number = () =>
    pick(random, ['', '0', '1', String(random.below(4000)), '99999999999999999999', '-1', ' 1', '1e3', '0x1']);
  const at = random.below(pool.length);
  const content = Buffer.from(pool[at] as Uint8Array);
  const text = `${pick(random, ['bytes=', 'bytes=', 'bytes=', 'Bytes=', 'bytes', 'items=', ''])}${number()}-${number()}${pick(random, ['', '', ',0-1', ',', ' '])}`;
  const headers = { range: chance(random, 15) ? spoiledText(random, text) : text };
  const plain = {
    method: pick(random, ['GET', 'GET', 'HEAD']),
    path: `/photos/pool-${at}`,
    query: '',
    headers,
    payloadHash: sha256Hex(''),
  };
  return of('range', plain, [], setting, ({ status, headers: said, body }) => {
    if (plain.method === 'HEAD') return body.length > 0 ? 'a HEAD has a body' : undefined;
    if (status === 200) return body.equals(content) ? undefined : 'other content than is there';
    if (status !== 206) return undefined;
    const [, from, to, of_] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(said['content-range'] ?? '') ?? [];
    if (Number(of_) !== content.length) return `the length of the whole is ${of_}`;
    return body.equals(content.subarray(Number(from), Number(to) + 1)) ? undefined : 'another part than it says';
  });
}

/** A sound signature spoiled somewhere: with another signature, key or time nothing is answered. */
function signature(setting: Setting): Case {
  const { random, key, nowMs } = setting;
  const skewMs = pick(random, [0, 0, 0, 899_000, 901_000, -901_000, 86_400_000]);
  const plain = {
    method: 'GET',
    path: '/photos/pool-0',
    query: pick(random, ['', 'x=y', 'versionId=null']),
    headers: {},
    payloadHash: pick(random, [sha256Hex(''), 'UNSIGNED-PAYLOAD']),
  };
  const from = signed(plain, key, nowMs - skewMs);
  const headers = new Map(Object.entries(from.headers));
  const what = random.below(6);
  const authorization = headers.get('authorization') as string;
  if (what === 0)
    headers.set(
      'authorization',
      authorization.replace(/.$/, (last) => (last === '0' ? '1' : '0')),
    );
  if (what === 1) headers.set('authorization', spoiledText(random, authorization));
  if (what === 2) headers.set('x-amz-date', spoiledText(random, from.timestamp));
  if (what === 3) headers.set('authorization', authorization.replace(key.id, `PF${'A'.repeat(16)}`));
  if (what === 4) headers.delete(pick(random, [...headers.keys()]));
  const isWrong = what === 0 || what === 3 || Math.abs(skewMs) > 900_000;
  return {
    ...{ kind: 'signature', method: 'GET', path: plain.path, query: plain.query, headers, pieces: [] },
    check: ({ status }) => (isWrong && status < 400 ? `${status} to a wrong signature` : undefined),
  };
}

function presignedAddress(setting: Setting): Case {
  const { random, key, nowMs } = setting;
  const expires = pick(random, ['60', '1', '604800', '604801', '-1', '0', 'x', '']);
  const { headers } = signed(
    { method: 'GET', path: '/photos/pool-0', query: '', headers: {}, payloadHash: 'UNSIGNED-PAYLOAD' },
    key,
    nowMs,
  );
  const date = headers['x-amz-date'] as string;
  const query = [
    'X-Amz-Algorithm=AWS4-HMAC-SHA256',
    `X-Amz-Credential=${key.id}%2F${date.slice(0, 8)}%2Fus-east-1%2Fs3%2Faws4_request`,
    `X-Amz-Date=${date}`,
    `X-Amz-Expires=${expires}`,
    'X-Amz-SignedHeaders=host',
    `X-Amz-Signature=${'0'.repeat(64)}`,
  ];
  if (chance(random, 60)) query[random.below(query.length)] = spoiledText(random, pick(random, query));
  if (chance(random, 20)) query.push(pick(random, query));
  return {
    ...{
      kind: 'presigned',
      method: 'GET',
      path: '/photos/pool-0',
      query: query.join('&'),
      headers: new Map([['host', HOST_NAME]]),
      pieces: [],
    },
    check: ({ status }) => (status < 400 ? `${status} to a signature of zeros` : undefined),
  };
}
const HOST_NAME = '127.0.0.1:9000';

const NAMES = [
  ...[
    'if-match',
    'if-none-match',
    'if-modified-since',
    'if-unmodified-since',
    'content-md5',
    'content-type',
    'expect',
    'x-amz-acl',
  ],
  ...[
    'x-amz-copy-source',
    'x-amz-copy-source-range',
    'x-amz-tagging',
    'x-amz-meta-a',
    'x-amz-trailer',
    'x-amz-decoded-content-length',
  ],
  ...[
    'x-amz-checksum-crc32',
    'x-amz-checksum-sha256',
    'x-amz-sdk-checksum-algorithm',
    'x-amz-metadata-directive',
    'x-amz-object-attributes',
  ],
  ...[
    'x-amz-server-side-encryption',
    'x-amz-expected-bucket-owner',
    'x-amz-max-parts',
    'cache-control',
    'content-encoding',
  ],
];
const VALUES = [
  '',
  '*',
  'x',
  '"x"',
  '-1',
  '0',
  '99999999999999999999',
  'photos/pool-0',
  '/photos/pool-0?versionId=null',
  '%',
  '%00',
  'a=b&a=b',
  'aws-chunked',
  'COPY',
  'REPLACE',
  'AES256',
  'Mon, 01 Jan 2024 00:00:00 GMT',
  'AAAAAA==',
  '\u00ff\u0000',
  'ETag,',
  'x'.repeat(3000),
];
const QUERIES = [
  '',
  'list-type=2',
  'uploads',
  'uploads=',
  'versions',
  'acl',
  'tagging',
  'attributes',
  'location',
  'partNumber=1',
  'partNumber=1&uploadId=x',
  'max-keys=0',
  'max-keys=-1',
  'prefix=%ff',
  'delimiter=%00',
  'continuation-token=x',
  'encoding-type=url',
  'list-type=2&delimiter=/&start-after=k',
  'response-content-type=%0d%0a',
  '%',
  '=',
  '&&&',
];

function headers(setting: Setting): Case {
  const { random, pool } = setting;
  const content = pick(random, pool);
  const method = pick(random, ['GET', 'PUT', 'POST', 'DELETE', 'HEAD', 'PATCH', '']);
  const body = method === 'PUT' || method === 'POST' ? content : new Uint8Array(0);
  const some = Array.from({ length: 1 + random.below(4) }, () => [
    pick(random, NAMES),
    chance(random, 25) ? spoiledText(random, pick(random, VALUES)) : pick(random, VALUES),
  ]);
  const name = pick(random, [
    '',
    '/',
    '/photos',
    '/photos/',
    '/photos/k1',
    '/photos/k2',
    '/none/k',
    '/photos/%2e%2e',
    '/photos/%',
    '//',
    `/photos/${'x'.repeat(1100)}`,
    '/+access/x',
    '/photos/%00',
  ]);
  const plain: Plain = {
    ...{
      method,
      path: name,
      query: pick(random, QUERIES),
      payloadHash: pick(random, [sha256Hex(body), 'UNSIGNED-PAYLOAD', 'x']),
    },
    headers: { 'content-length': String(body.length), ...Object.fromEntries(some) },
  };
  return of('headers', plain, split(random, Buffer.from(body), setting.index), setting, () => undefined);
}

const KINDS: readonly (readonly [percent: number, of: (setting: Setting) => Case])[] = [
  [35, chunkedPut],
  [20, xml],
  [15, range],
  [10, signature],
  [5, presignedAddress],
  [15, headers],
];

export function caseOf(setting: Setting): Case {
  let left = setting.random.below(100);
  for (const [percent, of_] of KINDS) {
    if (left < percent) return of_(setting);
    left -= percent;
  }
  return headers(setting);
}
