// `pocketful serve` and `pocketful access` as a person runs them: a child process, a key, a stop, and what outlives it.
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pocketful, type Ran } from '../cli/cli.ts';
import { temporaryFolder } from '../cli/temporary-folder.ts';
import { type RawAnswer, type RawCall, send, signedHeaders } from './signed-request.ts';

interface Served {
  readonly endpoint: string;
  readonly admin: string;
  /** SIGTERM, and what it ended with. */
  stop(): Promise<Ran>;
}

describe('serve', () => {
  const folder = { path: '' };
  const root = temporaryFolder();
  const children: ChildProcess[] = [];
  let key: { id: string; secret: string };

  const run = (...args: string[]): Promise<Ran> => pocketful(folder.path, ['--store', 'file:s', ...args]);
  const json = async (...args: string[]) => JSON.parse((await run('--json', ...args)).stdout);

  beforeEach(async () => {
    folder.path = mkdtempSync(join(root, 'serve-'));
    await run('init', '--preset', 'demo');
    key = await json('access', 'add', 'laptop', '--allow', 'all');
  });
  afterEach(() => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
  });

  async function served(...more: string[]): Promise<Served> {
    const said = Promise.withResolvers<string>();
    const args = ['--store', 'file:s', '--json', 'serve', '--port', '0', '--admin-port', '0', ...more];
    const ended = pocketful(folder.path, args, {
      onStart(child) {
        children.push(child);
        createInterface({ input: child.stdout as NodeJS.ReadableStream }).once('line', said.resolve);
        void once(child, 'exit').then(() => said.reject(new Error('it ended')));
      },
    });
    const { endpoint, admin } = JSON.parse(await said.promise) as { endpoint: string; admin: string };
    return {
      endpoint,
      admin,
      stop() {
        children.at(-1)?.kill('SIGTERM');
        return ended;
      },
    };
  }

  const call = ({ endpoint }: Served, one: RawCall): Promise<RawAnswer> =>
    send(endpoint, signedHeaders(endpoint, key, one), one);

  it('answers until it is told to stop, and what was put, uploads that were begun and keys are there afterwards', async () => {
    const first = await served();
    expect((await call(first, { method: 'PUT', target: '/default/a', body: 'by S3' })).status).toBe(200);
    const begun = await call(first, { method: 'POST', target: '/default/m?uploads' });
    const id = /<UploadId>([^<]*)</.exec(begun.body)?.[1];
    const part = await call(first, { method: 'PUT', target: `/default/m?partNumber=1&uploadId=${id}`, body: 'part' });
    for (const [path, body] of [
      ['/healthz', 'ok\n'],
      ['/readyz', 'ready\n'],
    ] as const)
      expect(await (await fetch(first.admin + path)).text()).toBe(body);
    const metrics = await (await fetch(`${first.admin}/metrics`)).text();
    expect(metrics).toContain('pocketful_s3_requests_total{operation="PutObject",code="200"} 1');
    expect(metrics).toMatch(/^pocketful_live_bytes \d+$/m);
    expect((await first.stop()).stderr).not.toContain('failed');

    expect((await run('cat', 'a')).stdout).toBe('by S3');
    await pocketful(folder.path, ['--store', 'file:s', 'put', '-', '--as', 'b'], { input: 'by the CLI' });
    const second = await served('--no-daemon');
    const body = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${part.headers.etag}</ETag></Part></CompleteMultipartUpload>`;
    expect((await call(second, { method: 'POST', target: `/default/m?uploadId=${id}`, body })).status).toBe(200);
    expect((await call(second, { target: '/default/m' })).body).toBe('part');
    const b = await call(second, { target: '/default/b' });
    expect([b.body, b.headers.etag]).toEqual(['by the CLI', expect.stringMatching(/^"[0-9a-f]{32}-1"$/)]);
    expect((await second.stop()).stderr).not.toContain('without --cert');
    const open = await served('--no-daemon', '--host', '0.0.0.0');
    expect((await open.stop()).stderr).toContain('without --cert');
  });

  it('shows the web view to this machine, and elsewhere to who knows the token', async () => {
    const here = await served('--no-daemon');
    expect(await (await fetch(here.admin)).text()).toContain('<h1><bdi>Overview</bdi></h1>');
    expect((await here.stop()).stderr).not.toContain('token');
    const there = await served('--no-daemon', '--admin-host', '0.0.0.0');
    const at = async (path: string, headers = {}): Promise<number> =>
      (await fetch(there.admin + path, { headers })).status;
    expect([await at('/healthz'), await at('/ui'), await at('/metrics')]).toEqual([200, 401, 401]);
    const { stderr } = await there.stop();
    expect(stderr).toMatch(/token of the admin port, until it is started again: [\w-]{32}\n/);
    expect(stderr).toContain('can read the token');
    writeFileSync(join(folder.path, 'token'), 'a-token-that-somebody-chose\n');
    const asked = await served('--no-daemon', '--admin-token', 'token');
    const authorization = 'Bearer a-token-that-somebody-chose';
    for (const path of ['/ui', '/metrics']) {
      expect((await fetch(asked.admin + path)).status).toBe(401);
      expect((await fetch(asked.admin + path, { headers: { authorization } })).status).toBe(200);
    }
    await asked.stop();
    writeFileSync(join(folder.path, 'token'), 'short');
    expect((await run('serve', '--admin-token', 'token')).stderr).toContain('TOKEN_INVALID');
  });

  it('knows keys by their rules, which can be replaced, and not those that were removed', async () => {
    expect(await json('access', 'ls')).toMatchObject({ keys: [{ id: key.id, name: 'laptop', rules: ['all:*'] }] });
    expect(JSON.stringify(await json('access', 'ls'))).not.toContain(key.secret);
    expect(await json('access', 'policy', key.id, '--allow', 'read:default/x/')).toMatchObject({
      rules: ['read:default/x/'],
    });
    expect((await run('access', 'add', 'none')).code).toBe(2);
    expect((await run('access', 'add', 'wrong', '--allow', 'fly:here')).stderr).toContain('RULE_INVALID');
    const server = await served();
    expect((await call(server, { target: '/default?list-type=2' })).code).toBe('AccessDenied');
    const bare = async (path: string): Promise<number> => (await fetch(server.endpoint + path)).status;
    expect(await bare('/default/x/y')).toBe(403);
    expect((await run('access', 'public', '*')).stderr).toContain('RULE_INVALID');
    expect(await json('access', 'public', 'default/x/', '--list')).toEqual({ public: 'read,list:default/x/' });
    expect(await json('access', 'ls')).toMatchObject({ public: ['read,list:default/x/'] });
    expect(await json('access', 'private', 'default')).toEqual({ bucket: 'default', wasPublic: true });
    expect(await json('access', 'private', 'default')).toEqual({ bucket: 'default', wasPublic: false });
    await server.stop();
    expect((await run('access', 'rm', key.id)).code).toBe(0);
    expect((await run('access', 'rm', key.id)).code).toBe(4);
  });

  it('is refused with half of what TLS needs, a URL that is none, or a port that is taken', async () => {
    expect((await run('serve', '--cert', 'x')).stderr).toContain('TLS_INCOMPLETE');
    expect((await run('serve', '--external-url', 'ftp://x')).stderr).toContain('URL_INVALID');
    const server = await served();
    const { port } = new URL(server.endpoint);
    const ran = await pocketful(folder.path, ['--store', 'file:s', 'serve', '--port', port], { inChild: true });
    expect([ran.code, ran.stderr]).toEqual([1, expect.stringContaining('EADDRINUSE')]);
    const taken = await pocketful(folder.path, ['--store', 'file:s', 'serve', '--port', '0', '--admin-port', port], {
      inChild: true,
    });
    expect([taken.code, taken.stderr]).toEqual([1, expect.stringContaining('EADDRINUSE')]);
    await server.stop();
  });
});
