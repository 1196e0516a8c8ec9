// Push: what another store does not have, of every namespace; again it goes on, and what differs is replaced.
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { beforeAll, describe, expect, it } from 'vitest';
import { EmbeddedClient } from '../../lib/client/file/embedded-client.ts';
import { push } from '../../lib/client/push.ts';
import { createEmbedded, openEmbedded } from '../../lib/engine/wire/embedded.ts';
import { DRIVES, SMALL } from '../engine/small-store.ts';
import { pocketful } from './cli.ts';
import { temporaryFolder } from './temporary-folder.ts';

const cwd = temporaryFolder();
const at = (name: string): string => join(cwd, name);

async function ran(...args: string[]) {
  const done = await pocketful(cwd, args);
  expect(done.code, done.stderr).toBe(0);
  return done.stdout;
}
const pushed = async () => JSON.parse(await ran('push', 'file:from', 'file:to', '--json'));
const cat = (store: string, key: string, ...more: string[]) => ran('cat', key, '--store', store, ...more);

beforeAll(async () => {
  for (const name of ['from', 'to'])
    await (await createEmbedded(at(name), { settings: SMALL, drives: DRIVES })).close();
  mkdirSync(at('tree'));
  for (let i = 0; i < 30; i++) writeFileSync(at(`tree/${i}`), `${i} `.repeat(i * 40));
  await ran('put', 'tree', '--store', 'file:from');
  mkdirSync(at('few'));
  writeFileSync(at('few/7'), '7 '.repeat(280));
  await ran('put', 'few', '--store', 'file:from', '--namespace', 'other');
});

describe('push', () => {
  it('brings every object of every namespace over, and nothing the second time', async () => {
    const { namespaces } = await pushed();
    expect(namespaces).toMatchObject([
      { namespace: 'default', objects: 30, same: 0, pushed: 30, failed: [] },
      { namespace: 'other', objects: 1, pushed: 1 },
    ]);
    for (let i = 0; i < 30; i++) expect(await cat('file:to', `${i}`)).toBe(`${i} `.repeat(i * 40));
    expect(await cat('file:to', '7', '--namespace', 'other')).toBe('7 '.repeat(280));
    expect((await pushed()).namespaces).toMatchObject([
      { same: 30, pushed: 0 },
      { same: 1, pushed: 0 },
    ]);
  });

  it('replaces what differs, and leaves what only the other has', async () => {
    writeFileSync(at('tree/3'), 'changed');
    writeFileSync(at('mine'), 'only there');
    await ran('put', 'tree', '--store', 'file:from');
    await ran('put', 'mine', '--store', 'file:to');
    expect((await pushed()).namespaces[0]).toMatchObject({ objects: 30, same: 29, pushed: 1 });
    expect(await cat('file:to', '3')).toBe('changed');
    expect(await cat('file:to', 'mine')).toBe('only there');
  });

  it('goes on where it was cut off', async () => {
    await (await createEmbedded(at('third'), { settings: SMALL, drives: DRIVES })).close();
    const opened = async (name: string) =>
      new EmbeddedClient(`file:${at(name)}`, await openEmbedded(at(name)), 'default');
    const [from, to] = [await opened('from'), await opened('third')];
    const stop = new AbortController();
    const first = await push(from, to, {
      signal: stop.signal,
      onProgress: ({ objects }) => {
        if (objects === 10) stop.abort();
      },
    });
    expect(first.pushed).toBeGreaterThan(0);
    expect(first.pushed).toBeLessThan(30);
    const second = await push(from, to);
    expect(second).toMatchObject({ objects: 30, same: first.pushed, pushed: 30 - first.pushed, failed: [] });
    await from.close();
    await to.close();
  });

  it('says which name has a damaged row, and brings all others over', async () => {
    await (await createEmbedded(at('fourth'), { settings: SMALL, drives: DRIVES })).close();
    cpSync(at('from'), at('damaged'), { recursive: true });
    const database = new DatabaseSync(at('damaged/panda.sqlite'));
    database.prepare("UPDATE rows SET value = '[1,{}]' WHERE partition = 'object/default' AND sort = '7'").run();
    database.close();
    const done = await pocketful(cwd, ['push', 'file:damaged', 'file:fourth', '--json']);
    expect(JSON.parse(done.stdout).namespaces[0]).toMatchObject({
      ...{ objects: 30, same: 0, pushed: 29 },
      failed: [{ key: '7', code: 'ROW_MALFORMED' }],
    });
    expect(done.code).toBe(3);
    expect(done.stderr).toContain('pocketful: 7: ');
  });

  it('into itself is refused', async () => {
    expect((await pocketful(cwd, ['push', 'file:from', 'file:from'])).code).toBe(2);
  });
});
