// Requests without a key: refused, whatever they ask for, unless an S3 bucket was made public on purpose; and then only
// what was said of it.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { publicRule } from '../../lib/gateway/public-buckets.ts';
import { ServedStore } from './served-store.ts';
import { type RawAnswer, type RawCall, send, signedHeaders } from './signed-request.ts';

let store: ServedStore;
beforeAll(async () => {
  store = await ServedStore.make();
  for (const bucket of ['site', 'other']) {
    await signed({ method: 'PUT', target: `/${bucket}` });
    for (const key of ['pub/a', 'pub/b', 'secret'])
      await signed({ method: 'PUT', target: `/${bucket}/${key}`, body: `${bucket} ${key}` });
  }
});
afterAll(() => store.close());
beforeEach(async () => {
  for (const bucket of ['site', 'other']) await store.open.anybody.close(bucket);
});

const signed = (one: RawCall): Promise<RawAnswer> =>
  send(store.endpoint, signedHeaders(store.endpoint, store.key, one), one);
const bare = (target: string, one: Partial<RawCall> = {}): Promise<RawAnswer> =>
  send(store.endpoint, { ...one.headers }, { ...one, target });
const codeOf = async (target: string, one: Partial<RawCall> = {}): Promise<string | number | undefined> => {
  const { code, status } = await bare(target, one);
  return code ?? status;
};

/** Everything but reading an object and listing. */
const OTHERS: readonly (readonly [method: string, target: string])[] = [
  ['GET', '/'],
  ['PUT', '/site'],
  ['PUT', '/mine'],
  ['DELETE', '/site'],
  ['HEAD', '/site'],
  ['GET', '/site?location'],
  ['GET', '/site?versioning'],
  ['GET', '/site?acl'],
  ['GET', '/site?versions'],
  ['GET', '/site?uploads'],
  ['GET', '/site?policy'],
  ['POST', '/site?delete'],
  ['PUT', '/site/pub/a'],
  ['PUT', '/site/pub/new'],
  ['DELETE', '/site/pub/a'],
  ['POST', '/site/pub/m?uploads'],
  ['GET', '/site/pub/a?tagging'],
  ['PUT', '/site/pub/a?tagging'],
  ['GET', '/site/pub/a?acl'],
  ['GET', '/site/pub/a?attributes'],
  ['GET', '/site/pub/a?uploadId=x'],
];

describe('a request without a key', () => {
  it('is refused where nothing was made public', async () => {
    for (const target of ['/site/pub/a', '/site', '/site?list-type=2', '/nowhere/x', '/'])
      expect(await codeOf(target), target).toBe('AccessDenied');
    for (const [method, target] of OTHERS) expect((await bare(target, { method })).status, target).toBe(403);
  });

  it('reads the objects of a public bucket, and does nothing else', async () => {
    await store.open.anybody.open(publicRule('site', false));
    const got = await bare('/site/pub/a');
    expect([got.status, got.body]).toEqual([200, 'site pub/a']);
    expect((await bare('/site/pub/a', { headers: { range: 'bytes=5-' } })).body).toBe('pub/a');
    expect((await bare('/site/pub/a', { method: 'HEAD' })).headers['content-length']).toBe('10');
    for (const target of ['/site', '/site?list-type=2&prefix=pub/', '/other/pub/a', '/other'])
      expect(await codeOf(target), target).toBe('AccessDenied');
    // Who may not list is not told what is missing.
    expect(await codeOf('/site/pub/none')).toBe('AccessDenied');
    for (const [method, target] of OTHERS) expect((await bare(target, { method })).status, target).toBe(403);
    expect((await signed({ target: '/site/pub/a' })).body).toBe('site pub/a');
    expect(await codeOf('/site/pub/a?response-content-type=text/html')).toBe('InvalidRequest');
    expect(await codeOf('/site/pub/a', { headers: { authorization: 'Bearer x' } })).not.toBe(200);
    const copied = await bare('/site/pub/c', { method: 'PUT', headers: { 'x-amz-copy-source': '/site/pub/a' } });
    expect(copied.status).toBe(403);
  });

  it('lists only where that was said, and only below the prefix that was', async () => {
    await store.open.anybody.open(publicRule('site/pub/', true));
    expect((await bare('/site?list-type=2&prefix=pub/')).body).toMatch(/<Key>pub\/a<.*<Key>pub\/b</s);
    expect((await bare('/site?prefix=pub/')).status).toBe(200);
    for (const target of ['/site', '/site?list-type=2', '/site?prefix=pu', '/site/secret'])
      expect(await codeOf(target), target).toBe('AccessDenied');
    expect(await codeOf('/site/pub/none')).toBe('NoSuchKey');
    for (const [method, target] of OTHERS) expect((await bare(target, { method })).status, target).toBe(403);
  });

  it('is refused again once the bucket is private, or was deleted and made anew', async () => {
    await store.open.anybody.open(publicRule('site', true));
    expect((await bare('/site/pub/a')).status).toBe(200);
    expect(await store.open.anybody.close('site')).toBe(true);
    expect(await codeOf('/site/pub/a')).toBe('AccessDenied');
    await signed({ method: 'PUT', target: '/again' });
    await store.open.anybody.open(publicRule('again', true));
    expect((await bare('/again')).status).toBe(200);
    expect((await signed({ method: 'DELETE', target: '/again' })).status).toBe(204);
    expect((await signed({ method: 'PUT', target: '/again' })).status).toBe(200);
    expect(await codeOf('/again')).toBe('AccessDenied');
  });
});

describe('what may be public', () => {
  it('is one bucket by its name', () => {
    expect(() => publicRule('*', true)).toThrow(/which S3 bucket/);
    expect(() => publicRule('', false)).toThrow(expect.objectContaining({ code: 'RULE_INVALID' }));
    expect(publicRule('site/pub/', false)).toEqual({ rights: ['read'], bucket: 'site', prefix: 'pub/' });
  });

  it('is no key: nobody signs as it, and no list of keys has it', async () => {
    await store.open.anybody.open(publicRule('site', true));
    const ids: string[] = [];
    for await (const { id } of store.open.keys.list()) ids.push(id);
    expect(ids).toEqual([store.key.id]);
    const forged = await send(
      store.endpoint,
      signedHeaders(store.endpoint, { id: 'anybody', secret: '' }, { target: '/site/pub/a' }),
      { target: '/site/pub/a' },
    );
    expect(forged.status).toBe(403);
    const rules: unknown[] = [];
    for await (const rule of store.open.anybody.list()) rules.push(rule);
    expect(rules).toEqual([publicRule('site', true)]);
  });
});
