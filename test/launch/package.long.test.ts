// `npm pack`, and `npm install -g` of what it made, without a network and for any folder.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ROOT } from '../../lib/infra/bundle.ts';
import { temporaryFolder } from '../cli/temporary-folder.ts';
import { expectWorking, run } from './installed.ts';

const folder = temporaryFolder();
const OLD_NODE = '/usr/bin/node';

it('a packed pocketful is small, installs offline, and works', () => {
  const npm = (args: readonly string[]): void => {
    execFileSync('npm', args, { cwd: ROOT, stdio: 'pipe', env: { ...process.env, npm_config_offline: 'true' } });
  };
  npm(['pack', '--pack-destination', folder]);
  const [archive = ''] = readdirSync(folder).filter((name) => name.endsWith('.tgz'));
  expect(statSync(join(folder, archive)).size).toBeLessThan(2_000_000);
  npm(['install', '--global', '--prefix', join(folder, 'global'), '--no-audit', join(folder, archive)]);
  const installed = join(folder, 'global/lib/node_modules/pocketful');
  for (const absent of ['test', 'lib', 'functions', 'node_modules', 'bin/app.ts'])
    expect(existsSync(join(installed, absent)), absent).toBe(false);
  mkdirSync(join(folder, 'work'));
  expectWorking(join(folder, 'global/bin/pocketful'), join(folder, 'work'));
  if (!existsSync(OLD_NODE)) return;
  const major = Number.parseInt(execFileSync(OLD_NODE, ['--version'], { encoding: 'utf8' }).slice(1), 10);
  if (major >= 24 || major < 20) return;
  // Offline the optional package with Node 24 was left out.
  const old = run(join(folder, 'global/bin/pocketful'), join(folder, 'work'), ['ls'], OLD_NODE);
  expect(old.status).toBe(1);
  expect(old.stderr).toMatch(/^pocketful: Pocketful runs on Node 24 or newer.*npm install -g --include=optional/);
});
