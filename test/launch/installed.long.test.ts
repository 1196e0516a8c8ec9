// The bundle that a package ships, laid out as npm would below node_modules, where Node strips no types.
import { once } from 'node:events';
import { cpSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';
import { ROOT } from '../../lib/infra/bundle.ts';
import { bundleCli } from '../../lib/infra/cli/bundle-cli.ts';
import { SqlitePanda } from '../../lib/panda/sqlite/sqlite-panda.ts';
import type { ThreadData } from '../../lib/panda/sqlite/sqlite-thread.ts';
import { temporaryFolder } from '../cli/temporary-folder.ts';
import { expectWorking } from './installed.ts';

const folder = temporaryFolder();

it('an installed pocketful puts, lists and gets, and says what it has not', async () => {
  const installed = join(folder, 'lib/node_modules/pocketful');
  mkdirSync(join(installed, 'bin'), { recursive: true });
  const { bytes } = await bundleCli(join(installed, 'dist'));
  expect(bytes).toBeLessThan(4_000_000);
  // What a short command loads is in one file, each more is a millisecond; it has only the small half of zod, the
  // other is ten.
  const program = readFileSync(join(installed, 'dist/program.mjs'), 'utf8');
  expect(program).not.toMatch(/from"\.\//);
  expect(program).toContain('"ZodMiniString"');
  expect(program).not.toContain('"ZodString"');
  for (const file of [
    'package.json',
    'bin/pocketful.mjs',
    'bin/cli.mjs',
    'bin/launch.mjs',
    'bin/install-lock.mjs',
    'bin/ready-made.mjs',
  ])
    cpSync(join(ROOT, file), join(installed, file));
  mkdirSync(join(folder, 'work'));
  expectWorking(join(installed, 'bin/pocketful.mjs'), join(folder, 'work'));
});

it('its thread that commits is one of its files, and starts', async () => {
  const dist = join(folder, 'thread');
  await bundleCli(dist);
  const path = join(folder, 'panda.sqlite');
  await (await SqlitePanda.open(path)).close();
  const workerData: ThreadData = { path, attempts: 1, attemptMs: 100, openTimeoutMs: 1000, bytesMax: undefined };
  const worker = new Worker(join(dist, 'sqlite-commit-thread.mjs'), { workerData });
  try {
    expect(await once(worker, 'message')).toEqual(['open']);
  } finally {
    await worker.terminate();
  }
});
