// A disk that is full: drives and metadata on one small file system. What was acknowledged before stays, what does not fit is refused
// with "try again later", and once there is room the store goes on.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { SMALL } from '../engine/small-store.ts';
import { temporaryFolder } from './temporary-folder.ts';

const cwd = temporaryFolder();
const PROGRAM = fileURLToPath(new URL('../../bin/cli.mjs', import.meta.url));
const ways = [['--mount'], ['--mount', '--user', '--map-root-user']];
const way = ways.find(
  (flags) => spawnSync('unshare', [...flags, 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).status === 0,
);

const SCRIPT = `
set -u
mkdir disk && mount -t tmpfs -o size=24m tmpfs disk
run() { "$NODE" --disable-warning=ExperimentalWarning "$PROGRAM" "$@" --store file:disk/s 2>>talk; echo "exit $?"; }
run init --settings settings.json --drives 6
run put small --as small
# SQLite needs a little room even to read: its shared-memory file.
dd if=/dev/zero of=disk/slack bs=64k count=4 2>/dev/null
dd if=/dev/zero of=disk/filler bs=64k 2>/dev/null
rm disk/slack
run put large --as large
run cat small
rm disk/filler
run put fresh --as again
run ls
run doctor --fix --read
`;

it(`on ${way === undefined ? 'a system that cannot mount: nothing to see' : 'a real full disk nothing acknowledged is lost'}`, () => {
  if (way === undefined) return expect(ways.map((flags) => spawnSync('unshare', flags).status)).not.toContain(null);
  writeFileSync(join(cwd, 'settings.json'), JSON.stringify(SMALL));
  writeFileSync(join(cwd, 'small'), 'small\n');
  writeFileSync(join(cwd, 'fresh'), 'fresh\n');
  writeFileSync(join(cwd, 'large'), new SeededRandomness(1).bytes(4_000_000));
  const env = { ...process.env, NODE: process.execPath, PROGRAM };
  const ran = spawnSync('unshare', [...way, 'sh', '-c', SCRIPT], { cwd, env, encoding: 'utf8' });
  const talk = spawnSync('cat', ['talk'], { cwd, encoding: 'utf8' }).stdout;
  const exits = [...ran.stdout.matchAll(/^exit (\d+)$/gm)].map(([, code]) => Number(code));
  expect(exits, ran.stdout + talk).toEqual([0, 0, 5, 0, 0, 0, 0]);
  expect(ran.stdout).toContain('\nsmall\nexit 0');
  expect(ran.stdout).toMatch(/again\nsmall\nexit 0\n(fixed.*\n)?healthy/);
});
