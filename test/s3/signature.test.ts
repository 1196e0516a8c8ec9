// Signature version 4 by the examples that AWS prints in its S3 API reference, and what is refused before a signature is looked at.
import { describe, expect, it } from 'vitest';
import type { RawRequest } from '../../lib/s3/auth/canonical.ts';
import { ChunkSigner, signingKey } from '../../lib/s3/auth/signature.ts';
import { senderOf } from '../../lib/s3/auth/verify.ts';
import { ChunkDecoder } from '../../lib/s3/body/aws-chunked.ts';

const ID = ['AKIA', 'IOSFODNN7EXAMPLE'].join(''); // AWS's own example
const SECRET = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';
const EMPTY = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
const NOW = Date.UTC(2013, 4, 24);
const SCOPE = { date: '20130524', region: 'us-east-1', service: 's3' };
const HOST = 'examplebucket.s3.amazonaws.com';

/** Of the first example, and of the presigned one. */
const SENDER = {
  key: { secret: SECRET },
  claim: { accessKeyId: ID, scope: SCOPE, timestamp: '20130524T000000Z', isPresigned: false, payloadHash: EMPTY },
};

const find = async (id: string) => (id === ID ? { secret: SECRET } : undefined);

function signed(method: string, target: string, headers: Record<string, string>, signature: string): RawRequest {
  const [path = '', query = ''] = target.split('?');
  const all = { host: HOST, 'x-amz-content-sha256': EMPTY, 'x-amz-date': '20130524T000000Z', ...headers };
  const names = Object.keys(all).sort();
  const authorization = `AWS4-HMAC-SHA256 Credential=${ID}/20130524/us-east-1/s3/aws4_request,SignedHeaders=${names.join(';')},Signature=${signature}`;
  return { method, path, query, headers: new Map(Object.entries({ ...all, authorization })) };
}

const verified = (request: RawRequest, nowMs = NOW) => senderOf(request, find, { nowMs });

const EXAMPLES: readonly (readonly [string, RawRequest])[] = [
  [
    'a GET of a range',
    signed(
      'GET',
      '/test.txt',
      { range: 'bytes=0-9' },
      'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
    ),
  ],
  [
    'a PUT of a name that is encoded',
    signed(
      'PUT',
      '/test$file.text',
      {
        date: 'Fri, 24 May 2013 00:00:00 GMT',
        'x-amz-storage-class': 'REDUCED_REDUNDANCY',
        'x-amz-content-sha256': '44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072',
      },
      '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
    ),
  ],
  [
    'a parameter without a value',
    signed('GET', '/?lifecycle', {}, 'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543'),
  ],
  [
    'parameters in another order',
    signed('GET', '/?prefix=J&max-keys=2', {}, '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7'),
  ],
];

describe('a signed request', () => {
  it.each(EXAMPLES)('of AWS: %s', async (_, request) => {
    expect((await verified(request))?.claim.accessKeyId).toBe(ID);
  });

  it.each(EXAMPLES)('is refused once a bit of it is another: %s', async (_, request) => {
    const other = { code: 'SignatureDoesNotMatch' };
    await expect(verified({ ...request, method: 'DELETE' })).rejects.toMatchObject(other);
    await expect(verified({ ...request, path: `${request.path}x` })).rejects.toMatchObject(other);
    await expect(verified({ ...request, query: `${request.query}&x` })).rejects.toMatchObject(other);
    for (const name of ['host', 'x-amz-content-sha256'])
      await expect(verified({ ...request, headers: new Map([...request.headers, [name, 'x']]) })).rejects.toMatchObject(
        other,
      );
  });

  it('is refused when its time is not now, its key is not there, or a header is not signed', async () => {
    const [, request] = EXAMPLES[0] as (typeof EXAMPLES)[number];
    const skewed = { code: 'RequestTimeTooSkewed' };
    await expect(verified(request, NOW + 15 * 60_000 + 1)).rejects.toMatchObject(skewed);
    await expect(verified(request, NOW - 15 * 60_000 - 1)).rejects.toMatchObject(skewed);
    await expect(verified(request, NOW + 15 * 60_000)).resolves.toMatchObject(SENDER);
    await expect(senderOf(request, async () => undefined, { nowMs: NOW })).rejects.toMatchObject({
      code: 'InvalidAccessKeyId',
    });
    const added = new Map([...request.headers, ['x-amz-meta-a', 'b']]);
    await expect(verified({ ...request, headers: added })).rejects.toMatchObject({ code: 'AccessDenied' });
  });

  it('passes for another host only if this server is called so', async () => {
    const [, request] = EXAMPLES[0] as (typeof EXAMPLES)[number];
    const behind = { ...request, headers: new Map([...request.headers, ['host', '10.0.0.1:9000']]) };
    await expect(verified(behind)).rejects.toMatchObject({ code: 'SignatureDoesNotMatch' });
    await expect(senderOf(behind, find, { nowMs: NOW, hosts: [HOST] })).resolves.toMatchObject(SENDER);
  });

  it('claims nobody without a signature, and is refused with an old or a broken one', async () => {
    const bare = (authorization?: string, query = ''): RawRequest => ({
      method: 'GET',
      path: '/',
      query,
      headers: new Map([
        ['host', HOST],
        ['x-amz-date', '20130524T000000Z'],
        ['x-amz-content-sha256', EMPTY],
        ...(authorization === undefined ? [] : [['authorization', authorization] as const]),
      ]),
    });
    expect(await verified(bare())).toBeUndefined();
    await expect(verified(bare('AWS AKID:sig'))).rejects.toMatchObject({ code: 'InvalidRequest' });
    for (const text of ['invalid', 'AWS2-HMAC-SHA1 Credential=a'])
      await expect(verified(bare(text))).rejects.toMatchObject({ code: 'InvalidArgument' });
    await expect(verified(bare(undefined, 'AWSAccessKeyId=a&Signature=b&Expires=1'))).rejects.toMatchObject({
      code: 'InvalidRequest',
    });
    for (const text of [
      'AWS4-HMAC-SHA256',
      'Bearer x',
      'AWS4-HMAC-SHA256 Credential',
      'AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host',
    ])
      await expect(verified(bare(text))).rejects.toMatchObject({ status: 400 });
  });
});

describe('a presigned URL', () => {
  const query = (change: Record<string, string> = {}): string =>
    Object.entries({
      'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
      'X-Amz-Credential': `${ID}%2F20130524%2Fus-east-1%2Fs3%2Faws4_request`,
      'X-Amz-Date': '20130524T000000Z',
      'X-Amz-Expires': '86400',
      'X-Amz-SignedHeaders': 'host',
      'X-Amz-Signature': 'aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404',
      ...change,
    })
      .map(([name, value]) => `${name}=${value}`)
      .join('&');
  const request = (text = query()): RawRequest => ({
    method: 'GET',
    path: '/test.txt',
    query: text,
    headers: new Map([['host', HOST]]),
  });

  it('of AWS passes for as long as it says', async () => {
    expect((await verified(request()))?.claim).toMatchObject({ isPresigned: true, payloadHash: 'UNSIGNED-PAYLOAD' });
    await expect(verified(request(), NOW + 86_400_000)).resolves.toMatchObject({
      ...SENDER,
      claim: { ...SENDER.claim, isPresigned: true, payloadHash: 'UNSIGNED-PAYLOAD' },
    });
    await expect(verified(request(), NOW + 86_400_001)).rejects.toMatchObject({ code: 'AccessDenied' });
  });

  it.each([
    [{ 'X-Amz-Expires': '604801' }, 'AuthorizationQueryParametersError'],
    [{ 'X-Amz-Expires': '-1' }, 'AuthorizationQueryParametersError'],
    [{ 'X-Amz-Date': 'now' }, 'AuthorizationQueryParametersError'],
    [{ 'X-Amz-Signature': 'x' }, 'AuthorizationQueryParametersError'],
    [{ 'X-Amz-Expires': '86399' }, 'SignatureDoesNotMatch'],
  ])('with %j is refused as %s', async (change, code) => {
    await expect(verified(request(query(change)))).rejects.toMatchObject({ code });
  });
});

const A = (bytes: number): Buffer => Buffer.alloc(bytes, 'a');
const chunk = (data: Buffer, signature: string): Buffer =>
  Buffer.concat([
    Buffer.from(`${data.length.toString(16)};chunk-signature=${signature}\r\n`),
    data,
    Buffer.from('\r\n'),
  ]);
const signer = (seed: string): ChunkSigner =>
  new ChunkSigner(signingKey(SECRET, SCOPE), '20130524T000000Z', SCOPE, seed);

describe('signed chunks', () => {
  const SEED = '4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9';
  const SIGNATURES = [
    'ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648',
    '0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497',
    'b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9',
  ] as const;
  const body = (signatures: readonly string[] = SIGNATURES): Buffer =>
    Buffer.concat([
      chunk(A(65_536), signatures[0] as string),
      chunk(A(1024), signatures[1] as string),
      Buffer.from(`0;chunk-signature=${signatures[2]}\r\n\r\n`),
    ]);
  const read = (bytes: Buffer): Buffer => {
    const decoder = new ChunkDecoder({ signer: signer(SEED), trailers: [] });
    const out = Buffer.concat([...decoder.push(bytes)]);
    decoder.end();
    return out;
  };

  it('of AWS are read', () => expect(Buffer.compare(read(body()), A(66_560))).toBe(0));

  it('are refused when one is signed otherwise, changed, or left out', () => {
    const refused = { code: 'SignatureDoesNotMatch' };
    const [a, b, c] = SIGNATURES;
    expect(() => read(body([a, a, c]))).toThrow(expect.objectContaining(refused));
    expect(() => read(body([b, a, c]))).toThrow(expect.objectContaining(refused));
    const changed = body();
    changed[200] = 98;
    expect(() => read(changed)).toThrow(expect.objectContaining(refused));
    expect(() => read(Buffer.concat([chunk(A(65_536), a), Buffer.from(`0;chunk-signature=${c}\r\n\r\n`)]))).toThrow(
      expect.objectContaining(refused),
    );
    expect(() => read(Buffer.from('0\r\n\r\n'))).toThrow(expect.objectContaining({ code: 'AccessDenied' }));
  });

  it('of AWS with a signed trailer are read, and refused with another one', () => {
    const trailed = (sum: string): ReadonlyMap<string, string> => {
      const decoder = new ChunkDecoder({
        signer: signer('106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e'),
        trailers: ['x-amz-checksum-crc32c'],
      });
      const bytes = Buffer.concat([
        chunk(A(65_536), 'b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2'),
        chunk(A(1024), '1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7'),
        Buffer.from('0;chunk-signature=2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992\r\n'),
        Buffer.from(`x-amz-checksum-crc32c:${sum}\r\n`),
        Buffer.from('x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435\r\n\r\n'),
      ]);
      for (const _ of decoder.push(bytes));
      return decoder.end();
    };
    expect([...trailed('sOO8/Q==')]).toEqual([['x-amz-checksum-crc32c', 'sOO8/Q==']]);
    expect(() => trailed('sOO8/A==')).toThrow(expect.objectContaining({ code: 'SignatureDoesNotMatch' }));
  });
});
