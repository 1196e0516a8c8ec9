// Whole drives go, are emptied, swapped or shared.
import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Attack, Faults, type Outcome } from './attack.ts';
import { codeIn, type Examined, SETTINGS, World } from './world.ts';

const MARKER = 'pocketful-drive';

const drivesOf = (world: World): string[] =>
  readdirSync(join(world.store, 'drives')).map((name) => join(world.store, 'drives', name));

/** So many different drives, at random. */
function some(world: World, count: number): string[] {
  const drives = drivesOf(world).sort();
  while (drives.length > count) drives.splice(world.random.below(drives.length), 1);
  return drives;
}

const noticed = ({ code }: Examined): string | undefined => (code === 0 ? undefined : `doctor (${code})`);

/** Within what the code survives: degraded, everything readable, and what is put now is readable too. */
async function survives(world: World, faults: Faults): Promise<Examined> {
  const examined = await world.doctor();
  faults.unless(examined.code === 8, `doctor ended with ${examined.code}, not 8 (degraded)`);
  await world.put('after', 10);
  await readable(world, faults);
  return examined;
}

async function readable(world: World, faults: Faults): Promise<void> {
  const { wrong, unreadable } = await world.readAll();
  faults.unless(wrong.length === 0, `wrong bytes: ${wrong[0]}`);
  faults.unless(unreadable.length === 0, `false acknowledgement: ${unreadable.length} unreadable: ${unreadable[0]}`);
}

const lose = (count: number): Attack => ({
  name: `${count} of 11 drives deleted`,
  right: 'degraded, drives named, all readable, puts go on',
  async run(world) {
    const faults = new Faults();
    const gone = some(world, count);
    for (const drive of gone) rmSync(drive, { recursive: true });
    const examined = await survives(world, faults);
    for (const drive of gone) {
      faults.unless(examined.said.includes(drive), `doctor does not name ${drive}`);
      faults.unless(!existsSync(drive), `${drive} was made again`);
    }
    return { detected: noticed(examined), faults: faults.list };
  },
});

const beyondTheCode: Attack = {
  name: '6 of 11 drives deleted, originals put again',
  right: 'lost is said; what is acknowledged after that is readable',
  async run(world) {
    const faults = new Faults();
    for (const drive of some(world, 6)) rmSync(drive, { recursive: true });
    const examined = await world.doctor('--read');
    faults.unless(examined.code === 6, `doctor --read ended with ${examined.code}, not 6 (lost)`);
    const { wrong } = await world.readAll();
    faults.unless(wrong.length === 0, `wrong bytes: ${wrong[0]}`);
    const ran = await world.putAgain();
    faults.unless(ran.code === 0, `putting the originals again ended with ${ran.code} (${codeIn(ran.stderr)})`);
    await readable(world, faults);
    return { detected: noticed(examined), faults: faults.list };
  },
};

const everythingCut: Attack = {
  name: 'every object on every drive truncated, originals put again',
  right: 'lost is said; half deleted first: what is acknowledged after that is readable',
  async run(world) {
    const faults = new Faults();
    for (const { path } of world.chunks()) truncateSync(path, 100);
    const examined = await world.doctor();
    faults.unless(examined.code === 6, `doctor ended with ${examined.code}, not 6 (lost)`);
    const half = [...world.files.keys()].filter(() => world.random.below(2) === 0);
    const deleted = await world.run('rm', ...half);
    faults.unless(deleted.code === 0, `rm ended with ${deleted.code} (${codeIn(deleted.stderr)})`);
    const ran = await world.putAgain();
    faults.unless(ran.code === 0, `putting the originals again ended with ${ran.code} (${codeIn(ran.stderr)})`);
    await readable(world, faults);
    return { detected: noticed(examined), faults: faults.list };
  },
};

const emptyMountPoint: Attack = {
  name: 'empty mount points in the place of 2 drives',
  right: 'degraded, nothing is written there, all readable',
  async run(world) {
    const faults = new Faults();
    const gone = some(world, 2);
    for (const drive of gone) {
      rmSync(drive, { recursive: true });
      mkdirSync(drive);
    }
    const examined = await survives(world, faults);
    await world.run('encode', '--all');
    for (const drive of gone)
      faults.unless(readdirSync(drive).length === 0, `${drive} was written to: ${readdirSync(drive).join(', ')}`);
    await readable(world, faults);
    return { detected: noticed(examined), faults: faults.list };
  },
};

const wipedMarker: Attack = {
  name: 'marker of a drive wiped',
  right: 'the drive is not trusted: degraded, all readable',
  async run(world) {
    const faults = new Faults();
    const [drive] = some(world, 1) as [string];
    rmSync(join(drive, MARKER));
    // The folder for temporary files carries the identity, too.
    for (const name of readdirSync(drive)) if (name.startsWith('tmp-')) rmSync(join(drive, name), { recursive: true });
    const examined = await survives(world, faults);
    return { detected: noticed(examined), faults: faults.list };
  },
};

const swappedDrives: Attack = {
  name: 'two drives exchanged',
  right: 'neither is trusted: degraded, all readable',
  async run(world) {
    const faults = new Faults();
    const [one, other] = some(world, 2) as [string, string];
    renameSync(one, `${one}.swap`);
    renameSync(other, one);
    renameSync(`${one}.swap`, other);
    const examined = await survives(world, faults);
    return { detected: noticed(examined), faults: faults.list };
  },
};

/** Stores with drives elsewhere, so that a copy of the directory shares them. */
async function sharedStore(world: World): Promise<World> {
  const own = new World(world.at('shared'), world.random, new Map());
  mkdirSync(own.dir);
  writeFileSync(own.at('settings.json'), JSON.stringify(SETTINGS));
  const drives = Array.from({ length: 11 }, (_, i) => own.at(`d${i}`));
  const made = await own.run('init', '--settings', 'settings.json', ...drives.flatMap((drive) => ['--drive', drive]));
  if (made.code !== 0) throw new Error(made.stderr);
  await own.put('first', 40, 20_000);
  return own;
}

const copiedStore: Attack = {
  name: "copy of a store's directory shares its drives",
  right: 'the second one to write is refused, the first goes on, nothing is lost',
  async run(world): Promise<Outcome> {
    const faults = new Faults();
    const own = await sharedStore(world);
    cpSync(own.store, own.at('copy'), { recursive: true });
    await own.put('second', 10);
    writeFileSync(own.at('strange'), 'strange\n');
    const ran = await own.runOn(own.at('copy'), 'put', 'strange');
    const tended = await own.runOn(own.at('copy'), 'gc');
    const fixed = await own.runOn(own.at('copy'), 'doctor', '--fix');
    faults.unless(ran.code === 7 || ran.code === 6, `put by the copy ended with ${ran.code} (${codeIn(ran.stderr)})`);
    faults.unless(tended.code !== 0, 'gc by the copy went on');
    faults.unless(fixed.code !== 0, 'doctor --fix of the copy says healthy');
    const later = await own.put('third', 10);
    faults.unless(later.code === 0, `the first one cannot put any more: ${codeIn(later.stderr)}`);
    await readable(own, faults);
    return { detected: ran.code === 0 ? undefined : `put (${codeIn(ran.stderr)})`, faults: faults.list };
  },
};

export const ON_DRIVES: readonly Attack[] = [
  lose(1),
  lose(3),
  beyondTheCode,
  everythingCut,
  emptyMountPoint,
  wipedMarker,
  swappedDrives,
  copiedStore,
];
