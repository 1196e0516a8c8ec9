// Faults that other S3 servers had, each of them once: what their users found is not found here.
import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseRule } from '../../lib/access/policy.ts';
import { systemRandomness } from '../../lib/foundation/randomness.ts';
import { ServedStore } from './served-store.ts';
import { type RawAnswer, type RawCall, send, signedHeaders } from './signed-request.ts';

let store: ServedStore;
const PROXY = 's3.example.com';

beforeAll(async () => {
  store = await ServedStore.make({ hosts: [PROXY] });
  await call({ method: 'PUT', target: '/photos' });
});
afterAll(() => store.close());

const call = (one: RawCall): Promise<RawAnswer> =>
  send(store.endpoint, signedHeaders(store.endpoint, one.key ?? store.key, one), one);
const put = (key: string, body = 'x', headers: Record<string, string> = {}): Promise<RawAnswer> =>
  call({ method: 'PUT', target: `/photos/${key}`, body, headers });
const get = (key: string, headers: Record<string, string> = {}): Promise<RawAnswer> =>
  call({ target: `/photos/${key}`, headers });
const md5 = (text: string): string => createHash('md5').update(text).digest('hex');
const texts = (xml: string, name: string): string[] =>
  [...xml.matchAll(new RegExp(`<${name}>([^<]*)</${name}>`, 'g'))].map(([, text = '']) => text);
const sumOf = (text: string): string => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32(text));
  return bytes.toString('base64');
};

const trailed = (content: string, sum = sumOf(content)): RawCall => ({
  method: 'PUT',
  target: '/photos/trailed',
  payloadHash: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
  headers: {
    'content-encoding': 'gzip,aws-chunked',
    'x-amz-decoded-content-length': String(content.length),
    'x-amz-trailer': 'x-amz-checksum-crc32',
  },
  body: `${content.length.toString(16)}\r\n${content}\r\n0\r\nx-amz-checksum-crc32:${sum}\r\n\r\n`,
});

describe('bodies', () => {
  it('1-3 in unsigned chunks with a trailer are taken without signatures of chunks, and aws-chunked is not kept as an encoding', async () => {
    expect((await call(trailed('hello'))).status).toBe(200);
    const { body, headers } = await get('trailed');
    expect([body, headers['content-encoding']]).toEqual(['hello', 'gzip']);
    expect((await call(trailed('other', sumOf('hello')))).code).toBe('BadDigest');
    expect((await get('trailed')).body).toBe('hello');
  });

  it('4 that are not what their payload hash says are refused', async () => {
    const one = { method: 'PUT', target: '/photos/hash', body: 'hello' };
    const headers = signedHeaders(store.endpoint, store.key, one);
    expect((await send(store.endpoint, headers, { ...one, body: 'jello' })).code).toBe('XAmzContentSHA256Mismatch');
    expect((await get('hash')).status).toBe(404);
  });

  it('5 of DeleteObjects need no Content-MD5', async () => {
    const body = '<Delete><Object><Key>none</Key></Object></Delete>';
    const sum = { 'x-amz-checksum-crc32': sumOf(body), 'x-amz-sdk-checksum-algorithm': 'CRC32' };
    for (const headers of [{}, sum])
      expect((await call({ method: 'POST', target: '/photos?delete', body, headers })).status).toBe(200);
  });

  it('18 wait for 100 Continue, which comes only to who may send one', async () => {
    const one = { method: 'PUT', target: '/photos/continued', body: 'hello', headers: { expect: '100-continue' } };
    const answer = (key = store.key): Promise<RawAnswer & { readonly continued: boolean }> => {
      let continued = false;
      const headers = { ...signedHeaders(store.endpoint, key, one), 'content-length': '5' };
      return send(store.endpoint, headers, one, (request) => {
        request.on('continue', () => {
          continued = true;
          request.end('hello');
        });
        request.flushHeaders();
      }).then((got) => ({ ...got, continued }));
    };
    expect(await answer()).toMatchObject({ status: 200, continued: true });
    expect(await answer({ ...store.key, secret: 'x'.repeat(40) })).toMatchObject({ status: 403, continued: false });
  });
});

describe('conditions', () => {
  it('6-9 are told as S3 tells them, on ETags quoted or not', async () => {
    await put('c', '1');
    expect(await put('c', '2', { 'if-none-match': '*' })).toMatchObject({ status: 412, code: 'PreconditionFailed' });
    expect(await put('absent', '2', { 'if-match': '"x"' })).toMatchObject({ status: 404, code: 'NoSuchKey' });
    expect(await put('c', '2', { 'if-match': '"x"' })).toMatchObject({ status: 412 });
    expect((await get('c')).body).toBe('1');
    expect((await get('c', { 'if-none-match': md5('1') })).status).toBe(304);
    expect((await get('c', { 'if-none-match': `"${md5('1')}"` })).headers.etag).toBe(`"${md5('1')}"`);
    expect((await put('c', '2', { 'if-match': md5('1') })).status).toBe(200);
    expect((await put('c', '3', { 'if-match': `"${md5('2')}"` })).status).toBe(200);
    expect((await call({ method: 'DELETE', target: '/photos/c', headers: { 'if-match': md5('2') } })).status).toBe(412);
    expect((await call({ method: 'DELETE', target: '/photos/c', headers: { 'if-match': md5('3') } })).status).toBe(204);
  });
});

describe('listings', () => {
  const list = (query: string): Promise<RawAnswer> => call({ target: `/listed?list-type=2&${query}` });
  const keys = ['a+b c', 'd/1', 'd/2', 'd/e/3', 'f/4', 'g'];

  beforeAll(async () => {
    await call({ method: 'PUT', target: '/listed' });
    for (const key of keys) await call({ method: 'PUT', target: `/listed/${encodeURIComponent(key)}` });
  });

  it('11-13 go on by tokens that are there as long as there is more, each another, and count prefixes', async () => {
    const tokens: string[] = [];
    const names: string[] = [];
    for (let token = ''; ; ) {
      const { body } = await list(
        `max-keys=1&delimiter=%2F${token && `&continuation-token=${encodeURIComponent(token)}`}`,
      );
      expect(texts(body, 'KeyCount')).toEqual(['1']);
      names.push(...texts(body, 'Key'), ...texts(body.replace(/<Prefix><\/Prefix>/, ''), 'Prefix'));
      token = texts(body, 'NextContinuationToken')[0] ?? '';
      expect(texts(body, 'IsTruncated')).toEqual([String(token !== '')]);
      if (token === '') break;
      tokens.push(token);
    }
    expect(names).toEqual(['a+b c', 'd/', 'f/', 'g']);
    expect(new Set(tokens).size).toBe(3);
  });

  it('end with the last common prefix, if nothing is behind it', async () => {
    for (const query of ['max-keys=3&delimiter=%2F&prefix=d%2F', 'max-keys=2&delimiter=%2F&start-after=d%2F'])
      expect(texts((await list(query)).body, 'IsTruncated'), query).toEqual(['false']);
    expect(
      texts((await call({ target: '/listed?max-keys=1&delimiter=e%2F&prefix=d%2Fe' })).body, 'IsTruncated'),
    ).toEqual(['false']);
  });

  it('14 do not begin at a token that is none', async () => {
    expect((await list('continuation-token=bad')).code).toBe('InvalidArgument');
    expect(texts((await list('continuation-token=')).body, 'Key')).toEqual(keys);
  });

  it('15-17 have nested keys without a delimiter, encode a plus, and take a slash behind the bucket', async () => {
    expect(texts((await list('')).body, 'Key')).toEqual(keys);
    expect(texts((await list('encoding-type=url&prefix=a')).body, 'Key')).toEqual(['a%2Bb%20c']);
    expect(texts((await call({ target: '/listed/?list-type=2' })).body, 'Key')).toEqual(keys);
    expect((await call({ method: 'HEAD', target: '/listed/' })).status).toBe(200);
  });
});

describe('requests', () => {
  it('19 pass through a proxy that changes their host, if the server is told what it is called', async () => {
    const one = { target: '/photos?location', host: PROXY };
    const headers = signedHeaders(store.endpoint, store.key, one);
    expect((await send(store.endpoint, { ...headers, host: '127.0.0.1' }, one)).status).toBe(200);
    const other = signedHeaders(store.endpoint, store.key, { ...one, host: 'other.example.com' });
    expect((await send(store.endpoint, { ...other, host: '127.0.0.1' }, one)).code).toBe('SignatureDoesNotMatch');
  });

  it('24 that are denied say the region', async () => {
    const answer = await send(store.endpoint, {}, { target: '/photos' });
    expect([answer.status, answer.headers['x-amz-bucket-region']]).toEqual([403, 'us-east-1']);
    expect(answer.body).toContain(`<RequestId>${answer.headers['x-amz-request-id']}</RequestId>`);
  });
});

describe('objects', () => {
  it('20 that are copied with REPLACE have the new metadata only', async () => {
    await put('old', 'x', { 'x-amz-meta-old': '1', 'cache-control': 'no-store' });
    const headers = {
      'x-amz-copy-source': '/photos/old',
      'x-amz-metadata-directive': 'REPLACE',
      'x-amz-meta-new': '2',
    };
    expect((await put('new', '', headers)).status).toBe(200);
    const got = (await get('new')).headers;
    expect([got['x-amz-meta-old'], got['x-amz-meta-new'], got['cache-control']]).toEqual([undefined, '2', undefined]);
  });

  it('21 are copied from where the decoded source is, which the sender must be allowed to read', async () => {
    await put(encodeURIComponent('secret/ä b'), 'hidden');
    await put('public/x', 'seen');
    const some = await store.open.keys.add(
      { name: 'some', rules: [parseRule('read:photos/public/'), parseRule('write:photos/mine/')] },
      { randomness: systemRandomness, nowMs: 0 },
    );
    const copy = (source: string, key = some): Promise<RawAnswer> =>
      call({ method: 'PUT', target: '/photos/mine/copy', headers: { 'x-amz-copy-source': source }, key });
    expect((await copy('photos/public/x')).status).toBe(200);
    for (const source of ['photos/secret/%C3%A4%20b', '/photos/%73ecret/%C3%A4%20b', 'photos%2Fsecret%2F%C3%A4%20b'])
      expect((await copy(source)).code).toBe('AccessDenied');
    expect((await copy('photos%2Fsecret%2F%C3%A4%20b', store.key)).status).toBe(200);
    expect((await get('mine/copy')).body).toBe('hidden');
  });

  it('10, 22 of parts have an ETag of their parts, and are completed twice with one answer', async () => {
    const begun = await call({ method: 'POST', target: '/photos/multi?uploads' });
    const [id] = texts(begun.body, 'UploadId');
    const part = 'p'.repeat(3_000_000);
    const sent = await call({ method: 'PUT', target: `/photos/multi?partNumber=7&uploadId=${id}`, body: part });
    const body = `<CompleteMultipartUpload><Part><PartNumber>7</PartNumber><ETag>${sent.headers.etag}</ETag></Part></CompleteMultipartUpload>`;
    const both = await Promise.all(
      [1, 2].map(() => call({ method: 'POST', target: `/photos/multi?uploadId=${id}`, body })),
    );
    const etag = `&quot;${createHash('md5').update(md5(part), 'hex').digest('hex')}-1&quot;`;
    for (const one of [...both, await call({ method: 'POST', target: `/photos/multi?uploadId=${id}`, body })])
      expect([one.status, texts(one.body, 'ETag')]).toEqual([200, [etag]]);
  });

  it('23 answer a HEAD of a range with 206 and its length', async () => {
    await put('ranged', '0123456789');
    const head = await call({ method: 'HEAD', target: '/photos/ranged', headers: { range: 'bytes=2-4' } });
    expect([head.status, head.headers['content-length'], head.headers['content-range']]).toEqual([
      206,
      '3',
      'bytes 2-4/10',
    ]);
  });

  it('25 have metadata in lower case and the content type of S3', async () => {
    const one: RawCall = { method: 'PUT', target: '/photos/Meta', body: 'x', headers: { 'x-amz-meta-CamelCase': 'V' } };
    const headers = signedHeaders(store.endpoint, store.key, { ...one, headers: { 'x-amz-meta-camelcase': 'V' } });
    const { 'x-amz-meta-camelcase': value = '', ...rest } = headers;
    await send(store.endpoint, { ...rest, 'X-Amz-Meta-CamelCase': value }, one);
    const got = (await get('Meta')).headers;
    expect([got['x-amz-meta-camelcase'], got['content-type']]).toEqual(['V', 'binary/octet-stream']);
  });
});

it('had no fault that nobody expected', () => expect(store.internal).toEqual([]));
