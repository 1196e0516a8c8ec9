// The web view in a real Chromium, beside a store that S3 clients use: every page in light and dark, wide and narrow,
// held against axe-core; what is done by hand, by keyboard, without scripts, and by a page of another site.
//   node bin/launch.mjs test/s3-clients/web-view.ts ADMIN_URL [FOLDER]     screenshots into FOLDER
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { Chromium, type Tab } from './chromium.ts';

const [admin = '', folder] = process.argv.slice(2);
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const HOSTILE = "\"><img src=x onerror=document.title='pwned'><script>alert(1)</script>\u202e.txt";
const LOOKS = [
  { width: 1280, isDark: false },
  { width: 1280, isDark: true },
  { width: 390, isDark: false },
  { width: 390, isDark: true },
];
const PATIENCE_MS = 30_000;

const clientOf = (accessKeyId: string, secretAccessKey: string): S3Client =>
  new S3Client({
    endpoint: process.env['endpoint'] ?? '',
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
  });
const s3 = clientOf(process.env['AWS_ACCESS_KEY_ID'] ?? '', process.env['AWS_SECRET_ACCESS_KEY'] ?? '');
const Bucket = 'web';

async function fill(): Promise<void> {
  await s3.send(new CreateBucketCommand({ Bucket })).catch(() => {});
  for (const Key of [HOSTILE, 'photos/2024/a.jpg', 'photos/2024/b.jpg', 'notes.txt', 'gone.txt'])
    await s3.send(new PutObjectCommand({ Bucket, Key, Body: `body of ${Key}`, Metadata: { owner: 'me' } }));
  await s3.send(new DeleteObjectCommand({ Bucket, Key: 'gone.txt' }));
}

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  for (const endMs = Date.now() + PATIENCE_MS; Date.now() < endMs; await new Promise((done) => setTimeout(done, 200)))
    if (await isSo()) return;
  assert.fail(`${what}: not within ${PATIENCE_MS} ms`);
}

interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
}

async function everyPage(tab: Tab): Promise<void> {
  await tab.open(`${admin}/ui/fleet`);
  const volume = await tab.value<string>(`document.querySelector('.map .cell').getAttribute('href')`);
  const object = `/ui/object?${new URLSearchParams({ bucket: Bucket, key: HOSTILE })}`;
  const pages = [
    '',
    '/fleet',
    '/plan',
    '/objects',
    `/objects?bucket=${Bucket}`,
    `/trash?bucket=${Bucket}`,
    '/watch',
    '/access',
  ];
  for (const page of [...pages.map((one) => `/ui${one}`), volume, object, '/ui/nothing'])
    for (const look of LOOKS) {
      await tab.look(look);
      await tab.open(admin + page);
      await tab.value(AXE);
      const found = await tab.value<Violation[]>(`axe.run().then(({ violations }) => violations)`);
      assert.deepEqual(
        found.map(({ id, nodes }) => [id, nodes[0]?.html, nodes[0]?.failureSummary]),
        [],
        `${page} ${JSON.stringify(look)}`,
      );
      const [wide, inner] = await tab.value<[number, number]>('[document.documentElement.scrollWidth, innerWidth]');
      assert.ok(wide <= inner, `${page} is ${wide} wide in ${inner}`);
      if (folder === undefined) continue;
      const name = `${page.replaceAll(/[^a-z]+/gi, '-').slice(1, 40)}-${look.width}-${look.isDark ? 'dark' : 'light'}.png`;
      writeFileSync(join(folder, name), await tab.screenshot());
    }
  assert.notEqual(await tab.value('document.title'), 'pwned');
}

async function figuresFollow(tab: Tab): Promise<void> {
  await tab.open(`${admin}/ui`);
  const live = `document.querySelector('[data-live=live]').textContent`;
  const before = await tab.value<string>(live);
  await s3.send(new PutObjectCommand({ Bucket, Key: 'large', Body: crypto.getRandomValues(new Uint8Array(60_000)) }));
  await s3.send(new PutObjectCommand({ Bucket, Key: 'larger', Body: Buffer.alloc(9_000_000, crypto.randomUUID()) }));
  for (let i = 0; i < 60; i++)
    await s3.send(
      new PutObjectCommand({ Bucket, Key: `more/${i}`, Body: crypto.getRandomValues(new Uint8Array(65_536)) }),
    );
  await until('the figure of live data', async () => (await tab.value(live)) !== before);
  assert.equal(await tab.value(`document.querySelector('[data-beat]').textContent`), 'live');
}

/** More pages than a browser has connections to one server. */
async function manyPages(_: Tab): Promise<void> {
  const tabs: Tab[] = [];
  for (let i = 0; i < 8; i++) {
    const one = await chromium.tab();
    tabs.push(one);
    await one.open(`${admin}/ui`);
    await one.ask('Page.bringToFront');
    await until(
      `page ${i + 1} live`,
      async () => (await one.value(`document.querySelector('[data-beat]').textContent`)) === 'live',
    );
  }
  for (const one of tabs) await one.close();
}

async function byKeyboard(tab: Tab): Promise<void> {
  await tab.open(`${admin}/ui`);
  const focused = () => tab.value<string>(`document.activeElement.textContent.trim()`);
  await tab.key('Tab', 9);
  assert.equal(await focused(), 'Skip to content');
  await tab.key('Enter', 13);
  await until('the focus in the content', async () => (await tab.value(`document.activeElement.id`)) === 'main');
  await tab.open(`${admin}/ui`);
  for (let i = 0; i < 4; i++) await tab.key('Tab', 9);
  assert.equal(await focused(), 'Fleet');
  const outline = await tab.value<string>(`getComputedStyle(document.activeElement).outlineStyle`);
  assert.equal(outline, 'solid');
}

async function withoutScripts(tab: Tab): Promise<void> {
  await tab.look({ width: 1280, isDark: false, hasScripts: false });
  await tab.open(`${admin}/ui`);
  const { root } = (await tab.ask('DOM.getDocument')) as { root: { nodeId: number } };
  const { nodeId } = await tab.ask('DOM.querySelector', { nodeId: root.nodeId, selector: 'main' });
  const { outerHTML } = (await tab.ask('DOM.getOuterHTML', { nodeId: nodeId as number })) as { outerHTML: string };
  assert.match(outerHTML, /<dt>Live data<\/dt><dd><span data-live="live">[\d.]+ [KM]?B</);
  await tab.look({ width: 1280, isDark: false });
}

async function aKey(tab: Tab): Promise<void> {
  await tab.open(`${admin}/ui/access`);
  await tab.value(`document.querySelector('form[action="/ui/access/add"] [name=name]').value = 'by hand'`);
  await tab.value(`document.querySelector('form[action="/ui/access/add"] [name=rules]').value = 'list:${Bucket}'`);
  await tab.click('form[action="/ui/access/add"] button');
  const [id = '', secret = ''] = await tab.value<string[]>(
    `[...document.querySelectorAll('.secret')].map((one) => one.textContent)`,
  );
  const client = clientOf(id, secret);
  assert.ok(((await client.send(new ListObjectsV2Command({ Bucket }))).KeyCount ?? 0) > 3);
  await assert.rejects(client.send(new GetObjectCommand({ Bucket, Key: 'notes.txt' })), { name: 'AccessDenied' });
  await tab.open(`${admin}/ui/access`);
  assert.ok(!(await tab.value<string>('document.documentElement.outerHTML')).includes(secret));
  await tab.click(`form[action="/ui/access/remove"]:has([value="${id}"]) button`);
  await until('the key removed', () =>
    client.send(new ListObjectsV2Command({ Bucket })).then(
      () => false,
      ({ name }) => name === 'InvalidAccessKeyId',
    ),
  );
}

async function restored(tab: Tab): Promise<void> {
  await tab.open(`${admin}/ui/trash?bucket=${Bucket}`);
  await tab.click('form[action="/ui/trash/restore"]:has([name=key][value="gone.txt"]) button');
  assert.match(await tab.value<string>(`document.querySelector('.notice').textContent`), /Restored/);
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: 'gone.txt' }));
  assert.equal(await Body?.transformToString(), 'body of gone.txt');
}

/** A page of another site, in the same browser. */
async function otherSites(tab: Tab): Promise<void> {
  const evil = createServer((_, response) => {
    response.setHeader('content-type', 'text/html');
    response.end(
      `<iframe src="${admin}/ui"></iframe><form method="post" action="${admin}/ui/access/add"><input name="name" value="evil"><input name="rules" value="all"><input name="form" value="${'0'.repeat(48)}"><button>x</button></form>`,
    );
  });
  await new Promise<void>((done) => evil.listen(0, '127.0.0.1', done));
  try {
    await tab.open(`http://localhost:${(evil.address() as AddressInfo).port}/`);
    assert.equal(await tab.value(`fetch('${admin}/ui/access').then(() => 'read', () => 'refused')`), 'refused');
    assert.equal(await tab.value(`document.querySelector('iframe').contentDocument`), null);
    tab.complaints.length = 0; // of the frame and the fetch
    await tab.click('button');
    assert.equal(await tab.value(`document.querySelector('h1').textContent`), 'Not done');
    tab.complaints.length = 0; // 403
    await tab.open(`${admin}/ui/access`);
    assert.ok(!(await tab.value<string>('document.body.textContent')).includes('evil'));
  } finally {
    evil.close();
    evil.closeAllConnections();
  }
}

if (folder !== undefined) mkdirSync(folder, { recursive: true });
await fill();
const chromium = await Chromium.start();
try {
  const tab = await chromium.tab();
  for (const look of [everyPage, figuresFollow, manyPages, byKeyboard, withoutScripts, aKey, restored, otherSites]) {
    await look(tab);
    // What is not there is said so by its status, which the browser notes.
    const complaints = tab.complaints.splice(0).filter((one) => !one.includes('/ui/nothing'));
    assert.deepEqual(complaints, [], look.name);
    process.stdout.write(`${look.name}: ok\n`);
  }
} finally {
  await chromium.close();
}
