// An installed package at work: what its command does with a store, from a folder that is not its own.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';

export function run(command: string, cwd: string, args: readonly string[], node = process.execPath) {
  const env = { ...process.env, NODE_OPTIONS: '', XDG_CACHE_HOME: join(cwd, '.cache') };
  const { status, stdout, stderr } = spawnSync(node, [command, ...args], { cwd, env, encoding: 'utf8' });
  return { status, stdout, stderr };
}

/** Puts, lists and gets a file; what needs the repository says so. */
export function expectWorking(command: string, cwd: string): void {
  mkdirSync(join(cwd, 'tree/a'), { recursive: true });
  writeFileSync(join(cwd, 'tree/a/file'), 'bytes');
  const document = (args: readonly string[]) => {
    const ran = run(command, cwd, [...args, '--json']);
    expect([ran.status, ran.stderr], args[0]).toEqual([0, expect.not.stringContaining('rror')]);
    return JSON.parse(ran.stdout);
  };
  expect(document(['put', 'tree', '--preset', 'demo'])).toMatchObject({ stored: 1, failed: [] });
  expect(document(['ls', '-r']).objects).toMatchObject([{ key: 'a/file', sizeBytes: 5 }]);
  expect(document(['get', 'a', '--to', 'back'])).toMatchObject({ files: 1 });
  expect(readFileSync(join(cwd, 'back/a/file'), 'utf8')).toBe('bytes');
  const deploy = run(command, cwd, ['deploy', 'dev']);
  expect([deploy.status, deploy.stdout]).toEqual([4, '']);
  expect(deploy.stderr).toMatch(/^pocketful: [^\n]*clone of the repository[^\n]* \(REPOSITORY_NEEDED\)\n$/);
}
