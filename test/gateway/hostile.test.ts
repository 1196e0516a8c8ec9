// What nobody sends in good faith: bodies that are cut off, keys with few rights, names of the store's own, noise.
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseRule } from '../../lib/access/policy.ts';
import { systemRandomness } from '../../lib/foundation/randomness.ts';
import { expectAnswered } from './noise.ts';
import { ServedStore } from './served-store.ts';
import { type RawAnswer, type RawCall, send, signedHeaders } from './signed-request.ts';

let store: ServedStore;

beforeAll(async () => {
  store = await ServedStore.make();
  await call({ method: 'PUT', target: '/photos' });
});
afterAll(() => store.close());

const call = (one: RawCall): Promise<RawAnswer> =>
  send(store.endpoint, signedHeaders(store.endpoint, one.key ?? store.key, one), one);

const names = async (namespace: string): Promise<string[]> => {
  const found: string[] = [];
  for await (const { key } of store.open.objects.listAll(namespace)) found.push(key);
  return found;
};

describe('a body that is cut off', () => {
  it.each([
    ['small', 1000],
    ['large', 3_000_000],
  ])('leaves nothing: a %s one', async (name, bytes) => {
    const one: RawCall = { method: 'PUT', target: `/photos/cut-${name}`, payloadHash: 'UNSIGNED-PAYLOAD' };
    const headers = { ...signedHeaders(store.endpoint, store.key, one), 'content-length': String(bytes) };
    const cut = send(store.endpoint, headers, one, (request) => {
      request.write(Buffer.alloc(bytes - 1, 'x'), () => setTimeout(() => request.destroy(), 100));
    });
    await expect(cut).rejects.toThrow();
    await expect.poll(() => store.client.engine.frontend.abandonUploads()).toBe(0);
    expect(await names('photos')).toEqual([]);
    const uploads: unknown[] = [];
    await expect
      .poll(async () => {
        uploads.length = 0;
        for await (const rows of store.client.engine.components.panda.scan())
          uploads.push(...rows.filter(({ partition }) => partition === 'work/upload'));
        return uploads.length;
      })
      .toBe(0);
  });

  it('is none when it comes in chunks of HTTP itself and ends as they do', async () => {
    const one: RawCall = { method: 'PUT', target: '/photos/chunks', payloadHash: 'UNSIGNED-PAYLOAD' };
    const headers = { ...signedHeaders(store.endpoint, store.key, one), 'transfer-encoding': 'chunked' };
    const put = await send(store.endpoint, headers, one, (request) => {
      request.write('hello ');
      request.end('chunks');
    });
    expect(put.status).toBe(200);
    expect((await call({ target: '/photos/chunks' })).body).toBe('hello chunks');
    await call({ method: 'DELETE', target: '/photos/chunks' });
  });

  it('is not read on when its request is refused, unless it is short', async () => {
    for (const [bytes, connection] of [
      [100_000, 'keep-alive'],
      [1_200_000, 'close'],
    ] as const) {
      const one: RawCall = {
        method: 'PUT',
        target: '/nobucket/x',
        body: 'x'.repeat(bytes),
        payloadHash: 'UNSIGNED-PAYLOAD',
      };
      const headers = { ...signedHeaders(store.endpoint, store.key, one), connection: 'keep-alive' };
      const answer = await send(store.endpoint, headers, one).catch(() => undefined);
      if (answer !== undefined) expect([answer.code, answer.headers.connection]).toEqual(['NoSuchBucket', connection]);
      else expect(connection).toBe('close');
    }
  });

  it('or longer than it says is refused', async () => {
    const one: RawCall = {
      method: 'PUT',
      target: '/photos/long',
      payloadHash: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
      headers: { 'x-amz-decoded-content-length': '3' },
      body: '5\r\nhello\r\n0\r\n\r\n',
    };
    expect((await call(one)).code).toBe('IncompleteBody');
    expect((await call({ ...one, headers: { 'x-amz-decoded-content-length': '7' } })).code).toBe('IncompleteBody');
    expect((await call({ ...one, headers: {} })).code).toBe('MissingContentLength');
    expect(await names('photos')).toEqual([]);
  });

  it('or with two checksums, or another than it announces, is refused', async () => {
    const length = { 'x-amz-decoded-content-length': '5', 'x-amz-trailer': 'x-amz-checksum-crc32' };
    const one: RawCall = {
      method: 'PUT',
      target: '/photos/sums',
      payloadHash: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
      headers: length,
      body: '5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n',
    };
    const two = { ...length, 'x-amz-checksum-sha1': 'qvTGHdzF6KLavt4PO0gs2a6pQ00=' };
    expect((await call({ ...one, headers: two })).code).toBe('InvalidRequest');
    const another = { ...length, 'x-amz-sdk-checksum-algorithm': 'SHA1' };
    expect((await call({ ...one, headers: another })).code).toBe('InvalidRequest');
    const bare = { ...one, headers: { 'x-amz-decoded-content-length': '5' } };
    expect((await call(bare)).code).toBe('MalformedTrailerError');
    expect(await names('photos')).toEqual([]);
    expect((await call({ ...one, headers: { ...length, 'x-amz-sdk-checksum-algorithm': 'CRC32' } })).status).toBe(200);
    expect((await call({ method: 'DELETE', target: '/photos/sums' })).status).toBe(204);
  });
});

describe('an access key', () => {
  it('may do what its rules grant, on decoded names, and nothing else', async () => {
    const key = await store.open.keys.add(
      { name: 'few', rules: [parseRule('read,list:photos/a/'), parseRule('write:other')] },
      { randomness: systemRandomness, nowMs: 0 },
    );
    const as = (method: string, target: string, body = ''): Promise<RawAnswer> => call({ method, target, body, key });
    await call({ method: 'PUT', target: '/photos/a/1', body: 'x' });
    await call({ method: 'PUT', target: '/photos/b/1', body: 'x' });
    expect((await as('GET', '/photos/a/1')).status).toBe(200);
    expect((await as('GET', '/photos/%61/1')).status).toBe(200);
    expect((await as('GET', '/photos?list-type=2&prefix=a/')).status).toBe(200);
    for (const [method, target] of [
      ['GET', '/photos/b/1'],
      ['GET', '/photos/a'],
      ['GET', '/photos?list-type=2'],
      ['GET', '/photos?list-type=2&prefix=a'],
      ['PUT', '/photos/a/1'],
      ['DELETE', '/photos/a/1'],
      ['PUT', '/newbucket'],
      ['DELETE', '/other'],
      ['GET', '/photos?uploads'],
      ['POST', '/photos/a/1?uploads'],
    ] as const)
      expect([method, target, (await as(method, target)).code]).toEqual([method, target, 'AccessDenied']);
    const many = '<Delete><Object><Key>a/1</Key></Object></Delete>';
    expect((await as('POST', '/photos?delete', many)).body).toContain('<Code>AccessDenied</Code>');
    expect((await as('GET', '/')).body).not.toContain('<Name>default');
    await store.open.keys.setRules(key.id, []);
    expect((await call({ target: '/photos/a/1' })).status).toBe(200);
    await call({ method: 'DELETE', target: '/photos/a/1' });
    await call({ method: 'DELETE', target: '/photos/b/1' });
  });

  it('is the owner of all that it sees, and refused if it expects another', async () => {
    const expecting = (owner: string): Promise<RawAnswer> =>
      call({ target: '/photos?list-type=2', headers: { 'x-amz-expected-bucket-owner': owner } });
    expect([(await expecting(store.key.id)).status, (await expecting('other')).code]).toEqual([200, 'AccessDenied']);
  });

  it.each(['/+access', '/%2Baccess/x', '/+buckets', '/+uploads'])(
    'names nothing of the store itself: %s',
    async (target) => {
      for (const method of ['GET', 'PUT', 'DELETE'])
        expect((await call({ method, target })).code).toBe('InvalidBucketName');
      const headers = { 'x-amz-copy-source': `${target}/${store.key.id}` };
      expect((await call({ method: 'PUT', target: '/photos/stolen', headers })).code).toBe('InvalidBucketName');
    },
  );

  it('that is removed is refused, and its secret is in no row', async () => {
    const key = await store.open.keys.add(
      { name: 'gone', rules: [parseRule('all')] },
      { randomness: systemRandomness, nowMs: 0 },
    );
    for await (const rows of store.client.engine.components.panda.scan())
      for (const row of rows)
        for (const one of Object.values(row.attributes))
          expect(one instanceof Uint8Array ? Buffer.from(one).toString('latin1') : String(one)).not.toContain(
            key.secret,
          );
    await store.open.keys.remove(key.id);
    expect((await call({ target: '/photos', key })).code).toBe('InvalidAccessKeyId');
    await expect(store.open.keys.remove(key.id)).rejects.toMatchObject({ code: 'ACCESS_KEY_MISSING' });
  });
});

describe('noise', () => {
  it('that is signed is answered at once, and never by a fault of the server', async () => {
    await expectAnswered(call, { numRuns: 600, seed: 19 });
    expect(store.internal).toEqual([]);
  });

  it.each([
    ['no HTTP', 'hello\r\n\r\n'],
    [
      'both lengths',
      'PUT /photos/x HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['no host', 'GET / HTTP/1.1\r\n\r\n'],
    ['headers without end', `GET / HTTP/1.1\r\nhost: x\r\n${'a: b\r\n'.repeat(5000)}`],
    ['a target without end', `GET /${'x'.repeat(20_000)} HTTP/1.1\r\nhost: x\r\n\r\n`],
    ['a target too long', `GET /${'x'.repeat(9000)} HTTP/1.1\r\nhost: x\r\n\r\n`],
  ])('on a socket is refused: %s', async (_, text) => {
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect(store.server.port, '127.0.0.1', () => socket.write(text));
      let got = '';
      socket.on('data', (data) => {
        got += String(data);
        socket.end();
      });
      socket.on('error', reject);
      socket.on('close', () => resolve(got));
    });
    expect(answer).toMatch(/^HTTP\/1.1 4\d\d /);
  });
});
