// pocketful trash, as somebody who deleted too much meets it.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { json, pocketful } from './cli.ts';
import { temporaryFolder } from './temporary-folder.ts';

const cwd = temporaryFolder();
const STORE = ['--store', 'file:s'];
const run = <T>(args: string[], code = 0): Promise<T> => json<T>(cwd, [...STORE, ...args], { code });
interface Listed {
  objects: { key: string; version: string; isOverwritten: boolean; removedAtMs: number; keptUntilMs: number }[];
  isMore: boolean;
}
const listed = async (...args: string[]): Promise<string[]> =>
  (await run<Listed>(['trash', 'ls', ...args])).objects.map(({ key }) => key);

beforeAll(async () => {
  await pocketful(cwd, ['init', ...STORE, '--preset', 'thrifty']);
  mkdirSync(join(cwd, 'd'));
  for (let i = 0; i < 3; i++) writeFileSync(join(cwd, 'd', `f${i}`), `content ${i}`);
  await pocketful(cwd, [...STORE, 'put', 'd', '--as', 'd']);
});

it('brings back a folder, a version, and nothing after it was emptied', async () => {
  await run(['rm', '-r', 'd', '--yes']);
  expect((await listed()).sort()).toEqual(['d/f0', 'd/f1', 'd/f2']);
  expect(await listed('d/f1')).toEqual(['d/f1']);
  expect(await run(['trash', 'ls', '--limit', '1'])).toMatchObject({ isMore: true });
  writeFileSync(join(cwd, 'd', 'f1'), 'newer');
  await run(['put', 'd/f1', '--as', 'd/f1']);
  // What is there now is left alone.
  expect(await run(['trash', 'restore', '-r', 'd/'])).toMatchObject({ restored: 2, failed: [] });
  expect(await run(['trash', 'restore', 'd/f1'], 1)).toMatchObject({ failed: [{ code: 'NAME_TAKEN' }] });
  const { objects } = await run<Listed>(['trash', 'ls']);
  expect(objects).toMatchObject([{ key: 'd/f1', isOverwritten: false }]);
  const [gone] = objects;
  expect((gone?.keptUntilMs ?? 0) - (gone?.removedAtMs ?? 0)).toBe(86_400_000);
  await run(['trash', 'restore', 'd/f1', '--object-version', gone?.version ?? '', '--overwrite']);
  await run(['get', 'd/f1', 'back']);
  expect(readFileSync(join(cwd, 'back'), 'utf8')).toBe('content 1');
  expect(await run<{ objects: unknown[] }>(['trash', 'ls'])).toMatchObject({ objects: [{ isOverwritten: true }] });
  expect(await run(['trash', 'empty'], 2)).toMatchObject({ error: { code: 'NOT_CONFIRMED' } });
  expect(await run(['trash', 'empty', '--yes'])).toMatchObject({ objects: 1, slots: 1 });
  expect(await run(['trash', 'restore', 'd/f1'], 4)).toMatchObject({ failed: [{ code: 'NOT_IN_TRASH' }] });
  expect(await run(['trash', 'restore', '-r', 'd'], 4)).toMatchObject({ error: { code: 'NOT_IN_TRASH' } });
  expect(await run(['trash', 'restore', 'a', 'b', '--as', 'c'], 2)).toMatchObject({ error: { code: 'NAME_FOR_ONE' } });
  expect(await run(['doctor'])).toMatchObject({ level: 'healthy' });
});
