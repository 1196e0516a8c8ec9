// The frontend function asked over its URL, on memory bodies: methods, ranges, conditions, names, and errors as statuses.
import { describe, expect, it } from 'vitest';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { listVolumes } from '../../lib/volume/rows/read-rows.ts';
import { TINY } from '../store/harness.ts';
import { type Deployed, deploy, type HttpRequest, httpEvent } from './events.ts';

interface Answer {
  readonly statusCode: number;
  readonly headers: Record<string, string>;
  readonly body?: string;
  readonly isBase64Encoded?: boolean;
}

const asker =
  ({ invoke }: Deployed) =>
  async (request: HttpRequest): Promise<Answer> =>
    (await invoke(httpEvent(request))) as Answer;

const bytesIn = ({ body = '', isBase64Encoded }: Answer): Buffer => {
  expect(isBase64Encoded).toBe(true);
  return Buffer.from(body, 'base64');
};

const BODY = Buffer.from(new SeededRandomness(9).bytes(3000));
const METADATA = '{"name":"Käse"}';

async function withObject(): Promise<{ ask: ReturnType<typeof asker>; etag: string }> {
  const ask = asker(deploy(21));
  const headers = { 'x-pocketful-metadata': encodeURIComponent(METADATA) };
  const { headers: stored } = await ask({ method: 'PUT', path: '/objects/a%2Fb/%C3%A9%20%23', headers, body: BODY });
  return { ask, etag: stored['etag'] ?? '' };
}
const path = '/objects/a/b/%C3%A9%20%23';

describe('the function URL', () => {
  it('gathers what is much, with conditions, and says what it takes', async () => {
    const deployed = deploy(22);
    const ask = asker(deployed);
    const jsonOf = async (request: HttpRequest) => JSON.parse((await ask(request)).body ?? '');
    const query = 'namespace=photos';
    const post = (path: string, body: Uint8Array) => ({ method: 'POST', path, query, body });
    const { partBytesMax } = await jsonOf({ method: 'GET', path: '/bulk', query });
    expect(partBytesMax).toBe(4 * 1024 * 1024);
    const bytes = Buffer.from(new SeededRandomness(10).bytes(120_000));
    const { part } = await jsonOf(post('/bulk/parts', bytes));
    const objects = Array.from({ length: 30 }, (_, i) => ({
      ...{ key: `f${i}`, offset: i * 4000, sizeBytes: 4000, metadata: METADATA },
      ifVersion: i === 7 ? '0'.repeat(24) : 'absent',
    }));
    const asked = Buffer.from(JSON.stringify({ parts: [{ part, bytes: 120_000 }], objects }));
    const { results } = await jsonOf(post('/bulk', asked));
    expect(results).toHaveLength(30);
    expect(results[7]).toMatchObject({ key: 'f7', error: { kind: 'conflict', code: 'VERSION_MISMATCH' } });
    expect(results[8]).toMatchObject({ key: 'f8', sizeBytes: 4000 });
    expect(bytesIn(await ask({ method: 'GET', path: '/objects/f29', query }))).toEqual(bytes.subarray(116_000));
    const volumes = await listVolumes(deployed.world.start().components.panda, TINY.cell);
    expect(volumes.map(({ class: cls }) => cls)).not.toContain('hot');
    const statuses = async (...requests: HttpRequest[]) =>
      Promise.all(requests.map(async (request) => (await ask(request)).statusCode));
    const wrong = [post('/bulk', Buffer.from('{')), post('/bulk', Buffer.from('[]')), post('/bulk/parts', Buffer.of())];
    expect(await statuses(...wrong)).toEqual([400, 400, 413]);
    expect(await statuses(post('/bulk/x', bytes), { method: 'PUT', path: '/bulk' })).toEqual([400, 405]);
  });

  it('stores and gives back, names percent-encoded', async () => {
    const { ask, etag } = await withObject();
    expect(etag).toMatch(/^"[0-9a-f]{64}-3"$/);
    const got = await ask({ method: 'GET', path });
    expect(got).toMatchObject({
      statusCode: 200,
      headers: { etag, 'accept-ranges': 'bytes', 'x-pocketful-metadata': encodeURIComponent(METADATA) },
    });
    expect(bytesIn(got)).toEqual(BODY);
    const listed = await ask({ method: 'GET', path: '/objects', query: 'prefix=a%2F' });
    expect(JSON.parse(listed.body ?? '')).toMatchObject({
      objects: [{ key: 'a/b/é #', sizeBytes: 3000, metadata: METADATA }],
    });
  });

  it('answers HEAD and DELETE', async () => {
    const { ask, etag } = await withObject();
    expect(await ask({ method: 'HEAD', path })).toMatchObject({
      statusCode: 200,
      headers: { etag, 'x-pocketful-size': '3000' },
    });
    expect((await ask({ method: 'DELETE', path })).statusCode).toBe(204);
    for (const method of ['HEAD', 'GET', 'DELETE']) expect((await ask({ method, path })).statusCode).toBe(404);
  });

  it.each([
    ['bytes=0-0', 0, 1],
    ['bytes=1000-1999', 1000, 2000],
    ['bytes=2990-', 2990, 3000],
    ['bytes=2990-9999', 2990, 3000],
    ['bytes=-10', 2990, 3000],
    ['bytes=-9999', 0, 3000],
  ])('answers the range %s', async (range, from, to) => {
    const { ask } = await withObject();
    const got = await ask({ method: 'GET', path, headers: { range } });
    expect(got).toMatchObject({ statusCode: 206, headers: { 'content-range': `bytes ${from}-${to - 1}/3000` } });
    expect(bytesIn(got)).toEqual(BODY.subarray(from, to));
  });

  it('refuses a range outside, and ignores one it does not understand', async () => {
    const { ask } = await withObject();
    expect((await ask({ method: 'GET', path, headers: { range: 'bytes=3000-' } })).statusCode).toBe(416);
    for (const range of ['bytes=5-2', 'lines=1-2', 'bytes=-', 'bytes=0-1,3-4'])
      expect((await ask({ method: 'GET', path, headers: { range } })).statusCode).toBe(200);
  });

  it('says that nothing changed', async () => {
    const { ask, etag } = await withObject();
    const got = await ask({ method: 'GET', path, headers: { 'if-none-match': `"x", ${etag}` } });
    expect(got.statusCode).toBe(304);
    expect(got.body).toBeUndefined();
    expect((await ask({ method: 'GET', path, headers: { 'if-none-match': '"x"' } })).statusCode).toBe(200);
  });

  it('writes and deletes only what is as the client says', async () => {
    const { ask, etag } = await withObject();
    const status = async (method: string, headers: Record<string, string>, to = path): Promise<number> =>
      (await ask({ method, path: to, headers, ...(method === 'PUT' ? { body: BODY.subarray(1) } : {}) })).statusCode;
    expect(await status('PUT', { 'if-none-match': '*' })).toBe(412);
    expect(await status('PUT', { 'if-match': '"x"' })).toBe(412);
    expect(await status('PUT', { 'if-match': etag }, '/objects/none')).toBe(404);
    expect(await status('PUT', { 'if-none-match': '"x"' })).toBe(400);
    expect(await status('DELETE', { 'if-match': '"x"' })).toBe(412);
    expect(await status('GET', { 'if-match': '"x"' })).toBe(412);
    expect(await status('HEAD', { 'if-match': '"x"' })).toBe(412);
    expect(await status('HEAD', { 'if-none-match': etag })).toBe(304);
    // Nothing of it has changed anything.
    expect(bytesIn(await ask({ method: 'GET', path, headers: { 'if-match': etag } }))).toEqual(BODY);
    expect(await status('PUT', { 'if-match': etag })).toBe(200);
    expect(await status('PUT', { 'if-match': etag })).toBe(412);
    expect(await status('PUT', { 'if-none-match': '*' }, '/objects/new')).toBe(200);
    expect(await status('DELETE', { 'if-match': '*' })).toBe(204);
    expect(await status('DELETE', { 'if-match': '*' })).toBe(404);
  });

  it('of many writers of a new name at once lets one be the first', async () => {
    const ask = asker(deploy(23));
    const put = async (i: number): Promise<number> =>
      (await ask({ method: 'PUT', path: '/objects/one', headers: { 'if-none-match': '*' }, body: Buffer.from(`${i}`) }))
        .statusCode;
    const statuses = await Promise.all(Array.from({ length: 8 }, (_, i) => put(i)));
    expect(statuses.sort()).toEqual([200, 412, 412, 412, 412, 412, 412, 412]);
  });

  it('cuts a page of the longest names where an answer ends, and leaves none out', async () => {
    const ask = asker(deploy(24));
    const keys = Array.from({ length: 400 }, (_, i) => `${String(i).padStart(4, '0')}${'"'.repeat(1000)}`);
    const metadata = encodeURIComponent(JSON.stringify({ m: '"'.repeat(1000) }));
    await Promise.all(
      keys.map(async (key) => {
        const to = `/objects/${encodeURIComponent(key)}`;
        const put = await ask({
          method: 'PUT',
          path: to,
          headers: { 'x-pocketful-metadata': metadata },
          body: Buffer.of(),
        });
        expect(put.statusCode).toBe(200);
      }),
    );
    const seen: string[] = [];
    let pages = 0;
    for (let from: string | undefined = ''; from !== undefined; pages++) {
      const answer = await ask({ method: 'GET', path: '/objects', query: `from=${encodeURIComponent(from)}` });
      expect(JSON.stringify(answer).length).toBeLessThan(6_000_000);
      const page = JSON.parse(answer.body ?? '') as { objects: { key: string }[]; next?: string };
      seen.push(...page.objects.map(({ key }) => key));
      from = page.next;
    }
    expect(seen).toEqual(keys);
    expect(pages).toBeGreaterThan(1);
  });

  it('keeps namespaces apart, and lists in pages', async () => {
    const { ask } = await withObject();
    for (const key of ['x', 'y', 'z'])
      await ask({ method: 'PUT', path: `/objects/${key}`, query: 'namespace=n2', body: Buffer.from(key) });
    expect((await ask({ method: 'GET', path: '/objects/x' })).statusCode).toBe(404);
    const page = JSON.parse((await ask({ method: 'GET', path: '/objects', query: 'namespace=n2&limit=2' })).body ?? '');
    expect(page.objects.map(({ key }: { key: string }) => key)).toEqual(['x', 'y']);
    const rest = await ask({
      method: 'GET',
      path: '/objects',
      query: `namespace=n2&from=${encodeURIComponent(page.next)}`,
    });
    expect(JSON.parse(rest.body ?? '').objects.map(({ key }: { key: string }) => key)).toEqual(['z']);
  });

  it.each<[string, HttpRequest, number, string]>([
    ['another path', { method: 'GET', path: '/' }, 400, 'PATH_UNKNOWN'],
    ['another method', { method: 'PATCH', path: '/objects/a' }, 405, 'METHOD_NOT_ALLOWED'],
    ['a put without a name', { method: 'PUT', path: '/objects/' }, 405, 'METHOD_NOT_ALLOWED'],
    ['a name that climbs', { method: 'GET', path: '/objects/a/%2E%2E/b' }, 400, 'NAME_INVALID'],
    ['a name that is not UTF-8', { method: 'GET', path: '/objects/%ff' }, 400, 'KEY_INVALID'],
    [
      'an unknown namespace form',
      { method: 'GET', path: '/objects/a', query: 'namespace=N' },
      400,
      'NAMESPACE_INVALID',
    ],
    ['a page of nothing', { method: 'GET', path: '/objects', query: 'limit=0' }, 400, 'REQUEST_INVALID'],
    [
      'a body too long',
      { method: 'PUT', path: '/objects/a', body: new Uint8Array(5_000_000) },
      413,
      'REQUEST_TOO_LARGE',
    ],
  ])('refuses %s', async (_, request, statusCode, code) => {
    const answer = await asker(deploy(22))(request);
    expect(answer.statusCode).toBe(statusCode);
    expect(JSON.parse(answer.body ?? '')).toMatchObject({ kind: 'invalid', code });
  });
});
