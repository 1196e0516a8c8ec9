// The pages of the web view over a real store: what they show is what the store says, and what they act is done.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { publicRule } from '../../../lib/gateway/public-buckets.ts';
import { WEB_CELLS_MAX, WEB_LINES_MAX } from '../../../lib/limits/web.ts';
import { WebStore } from './web-store.ts';

let store: WebStore;
const HOSTILE = '"><script>alert(1)<script>\u202e\u0007&amp;\'<img src=x onerror=alert(2)>';

beforeAll(async () => {
  store = await WebStore.make({ operations: async () => '### drive-away\n\n**Meaning.** `x < y`\n\n- one\n  more\n' });
  await store.put('default', 'kept.txt', 'it is here');
  await store.put('default', HOSTILE, 'x');
  await store.put('default', `folder/${HOSTILE}`, 'x');
});
afterAll(() => store.close());

const PAGES = ['', '/fleet', '/plan', '/objects', '/objects?bucket=default', '/trash', '/watch', '/access'];

describe('the pages', () => {
  it.each(PAGES)('/ui%s is a page in which nothing is inline and nothing comes from elsewhere', async (page) => {
    const { status, headers, text } = await store.get(`/ui${page}`);
    expect([status, headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
    expect(headers['content-security-policy']).toContain("default-src 'none'; style-src 'self'; script-src 'self';");
    expect(headers['content-security-policy']).not.toContain('unsafe');
    expect([headers['x-content-type-options'], headers['x-frame-options'], headers['cache-control']]).toEqual([
      'nosniff',
      'DENY',
      'no-store',
    ]);
    expect(text).toMatch(/^<!doctype html>\n<html lang="en">/);
    expect(text).not.toMatch(
      / style=| on[a-z]+="|<script(?! src="\/ui\/live.js" defer><\/script>)|(src|href)="(?!\/ui|#)/,
    );
    expect(text.match(/<h1>/g)).toHaveLength(1);
  });

  it('shows figures of the store, and tells them to open pages in the same words', async () => {
    const { text } = await store.get('/ui');
    const status = await store.served.client.admin.status();
    expect(text).toContain(`<span data-live="live">${status.liveBytes} B</span>`);
    expect(text).toContain('10 drives');
    const { status: code, headers, body } = await store.answer('GET', '/ui/events');
    expect([code, headers['content-type']]).toEqual([200, 'text/event-stream']);
    const events = (body as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
    const said = Buffer.from((await events.next()).value).toString();
    await events.return?.();
    expect(JSON.parse(said.replace(/^event: figures\ndata: /, ''))).toMatchObject({
      live: `${status.liveBytes} B`,
      job: '',
    });
  });

  it('says what is alarming, with the words of its runbook', async () => {
    const { admin } = store.served.client;
    const status = await admin.status();
    const away = { name: 'drive-away', text: 'drive <7> is away' } as const;
    const keeping = { ...status.keeping, alarms: [away] } as typeof status.keeping;
    const web = WebStore.over(store, {
      admin: {
        status: async () => ({ ...status, keeping }),
        drives: () => admin.drives(),
        history: () => admin.history(),
      } as typeof admin,
      operations: async () =>
        '# x\n### drive-away\n\n**Meaning.** `x < y`\n\n- one\n  more\n\n```sh\nls <here>\n```\n### other\n\nnot this\n',
    });
    const { text } = await web.get('/ui');
    expect(text).toContain('<p>drive &lt;7&gt; is away</p>');
    expect(text).toContain(
      '<p><strong>Meaning.</strong> <code>x &lt; y</code></p><ul><li>one more</li></ul><pre tabindex="0"><code>ls &lt;here&gt;</code></pre>',
    );
    expect(text).not.toContain('not this');
  });

  it('leads from the map of the fleet to a volume, its columns and its plan', async () => {
    const { text } = await store.get('/ui/fleet');
    const id = /volume\?id=([0-9a-f]{16})" title="[^"]*" aria-label="Volume [^"]*: hot, open, \d+ % full"/.exec(
      text,
    )?.[1];
    const volume = await store.get(`/ui/volume?id=${id}`);
    expect(volume.text.match(/<th scope="row">(data|parity) \d+<\/th>/g)).toHaveLength(4);
    expect(volume.text).toContain('verdict');
    expect((await store.get('/ui/volume?id=0000000000000000')).status).toBe(404);
    expect((await store.get('/ui/volume?id=../x')).status).toBe(404);
    expect((await store.get('/ui/fleet?kind=nonsense&page=999999')).status).toBe(200);
    expect(WEB_CELLS_MAX).toBeLessThanOrEqual(1000);
  });

  it('has pages only, and objects only, that are there', async () => {
    for (const page of [
      '/nothing',
      '/objects?bucket=none',
      '/download?bucket=default&key=none',
      '/objects?bucket=%2baccess',
    ])
      expect([page, (await store.get(`/ui${page}`)).status]).toEqual([page, 404]);
    expect((await store.get('/ui/object?bucket=default&key=none')).text).toContain('not there now');
    expect(store.failures).toEqual([]);
  });
});

describe('objects', () => {
  it('are text, whatever their names are', async () => {
    const query = new URLSearchParams({ bucket: 'default', key: HOSTILE });
    for (const page of ['/objects?bucket=default', '/objects?bucket=default&prefix=folder%2F', `/object?${query}`]) {
      const { text } = await store.get(`/ui${page}`);
      expect(text).not.toMatch(/<script>|<img src=x|\u202e|&#x7;/);
      expect(text).toContain('&quot;&gt;&lt;script&gt;alert(1)&lt;script&gt;\ufffd\ufffd&amp;amp;');
    }
    const prefix = new URLSearchParams({ bucket: 'default', prefix: HOSTILE });
    expect((await store.get(`/ui/objects?${prefix}`)).text).not.toContain('<script>alert');
  });

  it('are downloaded, never opened', async () => {
    const query = new URLSearchParams({ bucket: 'default', key: HOSTILE });
    const { text, headers } = await store.get(`/ui/download?${query}`);
    expect([text, headers['content-type'], headers['content-length']]).toEqual(['x', 'application/octet-stream', '1']);
    expect(headers['content-disposition']).toMatch(/^attachment; filename\*=UTF-8''[A-Za-z0-9%._~!-]+$/);
  });

  it('come in pages', async () => {
    await store.served.open.buckets.create('many', 'x');
    const bodies = Array.from({ length: WEB_LINES_MAX + 5 }, (_, i) => `n${String(i).padStart(4, '0')}`);
    for (const key of bodies) await store.put('many', key, 'same');
    const first = await store.get('/ui/objects?bucket=many');
    expect(first.text.match(/>Download</g)).toHaveLength(WEB_LINES_MAX);
    const next = /href="(\/ui\/objects\?bucket=many&amp;from=[^"]*)">Next page/
      .exec(first.text)?.[1]
      ?.replaceAll('&amp;', '&');
    const second = await store.get(next as string);
    expect(second.text.match(/>Download</g)).toHaveLength(5);
    expect(second.text).not.toContain('Next page');
  });

  it('that were deleted or overwritten are restored from the trash of their bucket', async () => {
    const { open } = store.served;
    await open.buckets.create('photos', 'x');
    await store.put('photos', 'a', 'first');
    await store.put('photos', 'a', 'second');
    await open.objects.delete('photos', 'a');
    const trash = await store.get('/ui/trash?bucket=photos');
    const versions = [...trash.text.matchAll(/name="version" value="([0-9a-f]+)"/g)].map(([, version]) => version);
    expect(versions).toHaveLength(2);
    expect((await store.get('/ui/trash')).text).not.toContain('name="version"');
    const done = await store.post('/ui/trash/restore', { bucket: 'photos', key: 'a', version: versions[0] as string });
    expect([done.status, done.headers['location']]).toEqual([303, '/ui/object?bucket=photos&key=a&said=1']);
    expect((await store.get('/ui/download?bucket=photos&key=a')).text).toBe('first');
    expect((await store.get(done.headers['location'] as string)).text).toContain('Restored, as it was.');
    expect((await store.get(done.headers['location'] as string)).text).not.toContain('Restored, as it was.');
    const gone = await store.post('/ui/trash/restore', { bucket: 'photos', key: 'a', version: 'f'.repeat(24) });
    expect([gone.status, gone.text]).toEqual([404, expect.stringContaining('NOT_IN_TRASH')]);
  });
});

describe('access keys', () => {
  it('are made with a secret that is shown once, get other rules, and are removed', async () => {
    const made = await store.post('/ui/access/add', {
      name: 'laptop',
      rules: 'read,list:photos/2024/\r\nwrite:photos\r\n',
    });
    const secret = /Secret access key<\/dt><dd><code class="secret">([^<]+)</.exec(made.text)?.[1] as string;
    const id = /Access key id<\/dt><dd><code class="secret">([^<]+)</.exec(made.text)?.[1] as string;
    expect(await store.served.open.keys.find(id)).toMatchObject({ secret, name: 'laptop' });
    const page = await store.get('/ui/access');
    expect(page.text).toContain('<code>read,list:photos/2024/</code> <code>write:photos</code>');
    expect(page.text).not.toContain(secret);
    const refused = await store.post('/ui/access/rules', { id, rules: 'fly:here' });
    expect([refused.status, refused.text]).toEqual([400, expect.stringContaining('RULE_INVALID')]);
    expect((await store.post('/ui/access/rules', { id, rules: ' \n' })).status).toBe(400);
    expect((await store.post('/ui/access/rules', { id, rules: 'all' })).status).toBe(303);
    expect((await store.served.open.keys.find(id))?.rules).toHaveLength(1);
    expect((await store.post('/ui/access/remove', { id })).status).toBe(303);
    expect(await store.served.open.keys.find(id)).toBeUndefined();
    expect((await store.post('/ui/access/remove', { id })).status).toBe(404);
  });
});

it('what is public without a key is seen, and taken back', async () => {
  expect((await store.get('/ui/access')).text).toContain('Nothing is public');
  await store.served.open.anybody.open(publicRule('photos/2024/', true));
  const page = await store.get('/ui/access');
  expect(page.text).toContain('Anybody may <code>read,list:photos/2024/</code>');
  expect((await store.post('/ui/access/private', { bucket: 'photos' })).status).toBe(303);
  expect(await store.served.open.anybody.rule('photos')).toBeUndefined();
  expect((await store.get('/ui/access')).text).toContain('Nothing is public');
});

it('a plan that was not shown, or long ago, is not carried out', async () => {
  const unknown = await store.post('/ui/plan/run', { digest: '0'.repeat(64) });
  expect((await store.get(unknown.headers['location'] as string)).text).toContain('not known any more');
  expect((await store.get('/ui/plan')).text).toContain('data-live="job" hidden');
});

it('tells nobody what nobody expected, but the log', async () => {
  const broken = WebStore.over(store, {
    admin: { watch: () => Promise.reject(new Error('secret')) } as never,
  });
  const { status, text } = await broken.get('/ui/watch');
  expect([status, text]).toEqual([500, expect.not.stringContaining('secret')]);
  expect(broken.failures).toMatchObject([{ message: 'secret' }]);
});
