// Who may see the web view and who may act: hosts, tokens, forms of other pages.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SimulatedClock } from '../../../lib/foundation/clock.ts';
import { SeededRandomness } from '../../../lib/foundation/randomness.ts';
import { Guard, isSameOrigin } from '../../../lib/gateway/web/guard.ts';
import { EVENT_STREAMS_MAX, FORM_BYTES_MAX } from '../../../lib/limits/web.ts';
import { HOST, WebStore } from './web-store.ts';

const TOKEN = 'a-token-that-somebody-chose';
let store: WebStore;
let closed: WebStore;

beforeAll(async () => {
  store = await WebStore.make();
  closed = WebStore.over(store, { token: TOKEN, clock: new SimulatedClock(Date.now()) });
});
afterAll(() => store.close());

describe('without a token', () => {
  it.each(['localhost:9001', '127.0.0.1', '127.1.2.3:80', '[::1]:9001', 'LOCALHOST'])(
    '%s is this machine',
    async (host) => {
      expect((await store.get('/ui', { host })).status).toBe(200);
    },
  );

  it.each(['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example:9001', '10.0.0.1', ''])(
    '%s is not: a page elsewhere may have given its name our address',
    async (host) => {
      const { status, text } = await store.get('/ui', { host });
      expect([status, text]).toEqual([403, expect.not.stringContaining('data-live="live"')]);
    },
  );
});

describe('what acts', () => {
  const add = (headers: Readonly<Record<string, string>>, form?: string) =>
    store.post('/ui/access/add', { name: 'x', rules: 'all', ...(form === undefined ? {} : { form }) }, headers);
  const keys = async (): Promise<number> => {
    let count = 0;
    for await (const _ of store.served.open.keys.list()) count += 1;
    return count;
  };

  it.each([
    ['another site', { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }],
    ['another site in a browser that says no origin', { 'sec-fetch-site': 'cross-site' }],
    ['another port of this machine', { 'sec-fetch-site': 'same-site', origin: 'http://127.0.0.1:8080' }],
    ['another origin in an old browser', { 'sec-fetch-site': 'same-origin', origin: 'http://evil.example' }],
    ['a sandboxed frame', { 'sec-fetch-site': 'same-origin', origin: 'null' }],
    ['an address that was typed', { 'sec-fetch-site': 'none' }],
  ])('is refused from %s', async (_, headers) => {
    const before = await keys();
    expect((await add(headers)).status).toBe(403);
    expect(await keys()).toBe(before);
  });

  it('is refused without the token of our forms, with another, and without a word of where it is from', async () => {
    expect((await add({}, '')).status).toBe(403);
    expect((await add({}, '0'.repeat(48))).status).toBe(403);
    expect(isSameOrigin(new Map([['host', HOST]]))).toBe(false);
    expect(
      isSameOrigin(
        new Map([
          ['host', HOST],
          ['origin', `http://${HOST}`],
        ]),
      ),
    ).toBe(true);
  });

  it('is a POST of a form that is not too long', async () => {
    expect((await store.get('/ui/access/add?name=x&rules=all')).status).toBe(404);
    expect((await store.get('/ui/plan/run')).status).toBe(404);
    expect((await add({ 'content-type': 'text/plain' })).status).toBe(413);
    expect((await store.post('/ui/access/add', { name: 'x'.repeat(FORM_BYTES_MAX), rules: 'all' })).status).toBe(413);
    expect((await store.answer('PUT', '/ui/access/add')).status).toBe(405);
  });
});

describe('with a token', () => {
  it('shows nothing to who does not know it, on any page, and acts for nobody', async () => {
    for (const page of ['', '/fleet', '/events', '/download?bucket=default&key=a', '/access'])
      expect([page, (await closed.get(`/ui${page}`)).status]).toEqual([page, 401]);
    const acted = await closed.answer('POST', '/ui/access/add', { cookie: 'pocketful_admin=wrong' });
    expect(acted.status).toBe(401);
    expect(closed.web.mayRead(new Map())).toBe(false);
    expect(store.web.mayRead(new Map())).toBe(true);
    expect((await closed.get('/ui/style.css')).status).toBe(200);
  });

  it('lets who knows it in, by a cookie that scripts and other sites do not get, or as programs say it', async () => {
    const send = { 'content-type': 'application/x-www-form-urlencoded', host: 'store.example' };
    const wrong = await closed.answer('POST', '/ui/login', send, 'token=guess');
    expect([wrong.status, wrong.headers['set-cookie']]).toEqual([403, undefined]);
    const { status, headers } = await closed.answer('POST', '/ui/login', send, `token=${TOKEN}`);
    const cookie = headers['set-cookie'] as string;
    expect([status, cookie]).toEqual([
      303,
      expect.stringMatching(/^pocketful_admin=[0-9a-f]{48}; Path=\/; HttpOnly; SameSite=Strict$/),
    ]);
    expect(cookie).not.toContain(TOKEN);
    const entered = { cookie: `other=1; ${cookie.split(';')[0]}`, host: 'store.example' };
    expect((await closed.get('/ui', entered)).status).toBe(200);
    const bearer = new Map([['authorization', `Bearer ${TOKEN}`]]);
    expect(closed.web.mayRead(bearer)).toBe(true);
    expect(closed.web.mayRead(new Map([['authorization', 'Bearer guess']]))).toBe(false);
  });

  it('thinks about a wrong one for a while', async () => {
    const clock = new SimulatedClock();
    const guard = new Guard({ token: TOKEN, clock, randomness: new SeededRandomness(1) });
    expect(await guard.login('guess', false)).toBeUndefined();
    expect(clock.monotonicMs()).toBeGreaterThanOrEqual(1000);
    expect(await guard.login(TOKEN, true)).toContain('; Secure');
  });
});

it('tells only so many open pages of new figures, and one more when another is closed', async () => {
  const streams = await Promise.all(
    Array.from({ length: EVENT_STREAMS_MAX }, async () => {
      const { body } = await store.answer('GET', '/ui/events');
      const events = (body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
      await events.next();
      return events;
    }),
  );
  expect((await store.answer('GET', '/ui/events')).status).toBe(204);
  await streams[0]?.return?.();
  expect((await store.answer('GET', '/ui/events')).status).toBe(200);
  for (const stream of streams) await stream.return?.();
});
