// A small disk fills up.
import { mkdirSync, writeFileSync } from 'node:fs';
import { type Attack, Faults } from './attack.ts';
import { cannotMount, mounted } from './mounted.ts';
import type { World } from './world.ts';

const FILES = 1600;
const PUT_SECONDS_MAX = 30;
const SCRIPT = `
mkdir disk && mount -t tmpfs -o size=16m tmpfs disk
step() { name=$1; shift; pocketful "$@" >out 2>talk; echo "step $name $? $(wc -l < talk)"; cat out talk >> said; }
step init init --settings settings.json --drives 11
step kept put kept --prefix kept
step fill put fill --prefix fill
dd if=/dev/zero of=disk/filler bs=1k 2>/dev/null
begun=$(date +%s)
step full put more --prefix more
echo "seconds $(($(date +%s) - begun))"
step ls ls -r
step get get kept/ --to back
step rm rm -r fill --yes
step gc gc
step again put more --prefix more
step doctor doctor --read
cat said
`;

function filesIn(world: World, folder: string, count: number): void {
  mkdirSync(world.at(folder));
  for (let i = 0; i < count; i++) writeFileSync(world.at(folder, `${i}`), world.random.bytes(6_000));
}

const fullDisk: Attack = {
  name: 'disk full under drives and metadata',
  right: 'put stops in one line (5); ls, get, rm, gc go on and make room; nothing acknowledged is lost',
  impossible: cannotMount,
  async run(world) {
    const faults = new Faults();
    for (const [folder, count] of [
      ['kept', 20],
      ['fill', FILES],
      ['more', 100],
    ] as const)
      filesIn(world, folder, count);
    const { stdout } = mounted(world, SCRIPT, world.at('disk', 's'));
    const steps = new Map(
      [...stdout.matchAll(/^step (\S+) (\d+) (\d+)$/gm)].map(([, name = '', code, lines]) => [
        name,
        { code: Number(code), lines: Number(lines) },
      ]),
    );
    const wanted = { kept: 0, fill: 5, full: 5, ls: 0, get: 0, rm: 0, gc: 0, again: 0, doctor: 0 };
    for (const [name, code] of Object.entries(wanted))
      faults.unless(steps.get(name)?.code === code, `${name} ended with ${steps.get(name)?.code}, not ${code}`);
    faults.unless(steps.get('full')?.lines === 1, `put on a full disk said ${steps.get('full')?.lines} lines`);
    const seconds = Number(/^seconds (\d+)$/m.exec(stdout)?.[1]);
    faults.unless(seconds < PUT_SECONDS_MAX, `put took ${seconds} s to fail`);
    return { detected: /DISK_FULL|PANDA_FULL/.test(stdout) ? 'put (DISK_FULL)' : undefined, faults: faults.list };
  },
};

export const ON_DISKS: readonly Attack[] = [fullDisk];
