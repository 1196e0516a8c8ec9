// A disk that is full: drives and metadata on one small file system. What was acknowledged before stays, what does not fit is refused
// with "try again later", and once there is room the store goes on.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { SMALL } from '../engine/small-store.ts';
import { temporaryFolder } from './temporary-folder.ts';

const MIB = 1024 * 1024;
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
  expect(ran.stdout).toMatch(
    /again\nsmall\nexit 0\n(fixed.*\n)?all 6 drives are on one disk.*\nredundancy: (\d+) of \2 volumes? complete\n(without .*\n)*healthy/,
  );
});

const MANY = `
set -u
mkdir disk2 && mount -t tmpfs -o size=24m tmpfs disk2
free() { df -k --output=avail disk2 | tail -1; }
run() { "$NODE" --disable-warning=ExperimentalWarning "$PROGRAM" "$@" --store file:disk2/s 2>talk >out; echo "exit $? lines $(wc -l < talk) $*"; cat talk >> talks; cat out; }
run init --settings day.json --drives 6
run put kept --as kept
run put many --prefix many
dd if=/dev/zero of=disk2/filler bs=1k 2>/dev/null
begun=$(date +%s)
run put fresh300 --prefix fresh
echo "seconds $(($(date +%s) - begun))"
run ls
run cat kept
run rm -r many --yes
run gc
run rm -r many --yes
run gc
echo "free $(free)"
run put fresh300 --prefix fresh
run doctor --fix --read
run get fresh --to back
run put stays --prefix stays
dd if=/dev/zero of=disk2/filler2 bs=1k 2>/dev/null
run gc
`;

it.skipIf(way === undefined)('a full disk refuses puts at once and in one line; rm and gc go on, and make room', () => {
  // Groups so large that no put here goes past the hot tier: what it stores is four times its bytes.
  const large = { extentBytes: 4 * MIB, groupBytesMin: 2 * MIB };
  const settings = { ...SMALL, ...large, encodeAfterMs: 86_400_000, trashGraceMs: 86_400_000 };
  writeFileSync(join(cwd, 'day.json'), JSON.stringify(settings));
  writeFileSync(join(cwd, 'kept'), 'kept\n');
  const random = new SeededRandomness(2);
  for (const [folder, count] of [
    ['many', 3000],
    ['fresh300', 300],
    ['stays', 3000],
  ] as const) {
    mkdirSync(join(cwd, folder));
    for (let i = 0; i < count; i++) writeFileSync(join(cwd, folder, `${i}`), random.bytes(2000));
  }
  const env = { ...process.env, NODE: process.execPath, PROGRAM };
  const ran = spawnSync('unshare', [...(way ?? []), 'sh', '-c', MANY], { cwd, env, encoding: 'utf8' });
  const said = ran.stdout + ran.stderr + spawnSync('cat', ['talks'], { cwd, encoding: 'utf8' }).stdout;
  const exits = [...ran.stdout.matchAll(/^exit (\d+) lines (\d+) (\S+)/gm)].map(
    ([, code, , what]) => `${what} ${code}`,
  );
  // The first put fills the disk, the second meets a full one; the last gc has nothing to free but what is hot.
  expect(
    exits.filter((exit) => !exit.startsWith('rm')),
    said,
  ).toEqual([
    ...[
      'init 0',
      'put 0',
      'put 5',
      'put 5',
      'ls 0',
      'cat 0',
      'gc 0',
      'gc 0',
      'put 0',
      'doctor 0',
      'get 0',
      'put 5',
      'gc 0',
    ],
  ]);
  // As many as can be shipped, which is all unless the put left much to ship; what is left goes after gc.
  expect(['rm 0,rm 4', 'rm 5,rm 0'], said).toContain(exits.filter((exit) => exit.startsWith('rm')).join());
  expect(said).toMatch(/lines 1 put fresh300/);
  expect(said).toMatch(/deleted [\d,]+ objects/);
  expect(Number(/^seconds (\d+)$/m.exec(ran.stdout)?.[1])).toBeLessThan(20);
  expect(Number(/^free +(\d+)$/m.exec(ran.stdout)?.[1])).toBeGreaterThan(8_000);
  for (const name of readdirSync(join(cwd, 'fresh300')))
    expect(readFileSync(join(cwd, 'back/fresh', name)).equals(readFileSync(join(cwd, 'fresh300', name))), name).toBe(
      true,
    );
});

const TINY = `
set -u
mkdir disk3 && mount -t tmpfs -o size=48m tmpfs disk3
free() { df -k --output=avail disk3 | tail -1; }
run() { "$NODE" --disable-warning=ExperimentalWarning "$PROGRAM" "$@" --store file:disk3/s 2>talk >out; echo "exit $? $*"; cat talk >> talks3; cat out; }
run init --settings day.json --drives 6
run put tiny --prefix tiny
dd if=/dev/zero of=disk3/filler bs=1k 2>/dev/null
for round in 1 2 3 4 5; do
  run rm -r tiny --yes
  cat talk
  run gc
done
run ls
run doctor
`;

it.skipIf(way === undefined)('of thousands of tiny objects on a full disk as many are deleted as gc can free', () => {
  const large = { extentBytes: 4 * MIB, groupBytesMin: 2 * MIB };
  writeFileSync(join(cwd, 'day.json'), JSON.stringify({ ...SMALL, ...large, encodeAfterMs: 86_400_000 }));
  for (let i = 0; i < 9000; i++) {
    const folder = join(cwd, 'tiny', `${Math.floor(i / 1000)}`);
    if (i % 1000 === 0) mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `${i}`), `tiny object number ${i}, ${Math.sin(i)}`);
  }
  const env = { ...process.env, NODE: process.execPath, PROGRAM };
  const ran = spawnSync('unshare', [...(way ?? []), 'sh', '-c', TINY], { cwd, env, encoding: 'utf8' });
  const said = ran.stdout + ran.stderr + spawnSync('cat', ['talks3'], { cwd, encoding: 'utf8' }).stdout;
  const exits = (what: string) =>
    [...ran.stdout.matchAll(/^exit (\d+) (\S+)/gm)].flatMap(([, code, of]) => (of === what ? [Number(code)] : []));
  // It stops, says what helps, and that helps: in a few rounds everything is gone.
  expect(exits('rm')[0], said).toBe(5);
  expect(said).toMatch(/no space left on the disks of .* to delete more: run pocketful gc/);
  expect(said).not.toMatch(/JOURNAL_UNSHIPPED|is not freed yet/);
  expect(exits('rm').slice(1), said).toContain(0);
  // Exit code 5: it did what it could, and the disk is as good as full all the same.
  expect(
    exits('gc').every((code) => code === 0 || code === 5),
    said,
  ).toBe(true);
  expect(exits('gc').at(-1), said).toBe(0);
  expect(said).toMatch(/healthy: 0 objects, 0 blocks/);
});
