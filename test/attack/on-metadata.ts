// The metadata is rolled back, damaged, lost, or its keys are old ones.
import {
  closeSync,
  copyFileSync,
  existsSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { type Attack, Faults, type Outcome } from './attack.ts';
import { codeIn, type World } from './world.ts';

const PAGE_BYTES = 4096;

const panda = (world: World): string => join(world.store, 'panda.sqlite');
const keys = (world: World): string => join(world.store, 'keys.json');

async function all(world: World, faults: Faults, what: string): Promise<void> {
  const { wrong, unreadable } = await world.readAll();
  faults.unless(wrong.length === 0, `${what}: wrong bytes: ${wrong[0]}`);
  faults.unless(unreadable.length === 0, `${what}: ${unreadable.length} unreadable: ${unreadable[0]}`);
}

/** Everything from the drives and a backup, into the place of the metadata. */
async function rebuild(world: World, backup: string, faults: Faults): Promise<void> {
  for (const suffix of ['', '-wal', '-shm'])
    if (existsSync(panda(world) + suffix)) renameSync(panda(world) + suffix, world.at(`aside${suffix}`));
  const ran = await world.run('restore', backup, '--rebuild');
  faults.unless(ran.code === 0, `restore --rebuild ended with ${ran.code} (${codeIn(ran.stderr)})`);
  if (ran.code !== 0) return;
  await all(world, faults, 'after restore --rebuild');
  const { code } = await world.doctor('--read');
  faults.unless(code === 0, `doctor --read after restore --rebuild ended with ${code}`);
}

const ROLLED_BACK = { name: 'PANDA_BEHIND', code: 6 };

/** What an older Panda may not do, and what it has to say. */
async function rolledBack(
  world: World,
  faults: Faults,
  known: ReadonlyMap<string, Buffer>,
): Promise<string | undefined> {
  const before = world.chunks().length;
  const examined = await world.doctor();
  faults.unless(examined.code === ROLLED_BACK.code || examined.code === 1, `doctor ended with ${examined.code}`);
  await world.doctor('--fix');
  writeFileSync(world.at('strange'), 'strange\n');
  for (const command of [['put', 'strange'], ['gc'], ['encode', '--all'], ['compact'], ['daemon', '--once']]) {
    const { code, stderr, stdout } = await world.run(...command);
    const said = codeIn(stderr + stdout);
    faults.unless(code === ROLLED_BACK.code, `${command[0]} ended with ${code} (${said}), not 6 (PANDA_BEHIND)`);
  }
  const left = world.chunks().length;
  faults.unless(left >= before, `${before - left} of ${before} objects were erased from the drives`);
  const { wrong, unreadable } = await world.readAll(known);
  faults.unless(wrong.length === 0, `wrong bytes: ${wrong[0]}`);
  faults.unless(
    unreadable.length === 0,
    `${unreadable.length} of what the old metadata knows is unreadable: ${unreadable[0]}`,
  );
  return examined.code === 0 ? undefined : `doctor (${examined.code})`;
}

const rollback = (name: string, between: (world: World) => Promise<unknown>, keepsOld: boolean): Attack => ({
  name: `panda.sqlite rolled back, ${name} between`,
  right: 'PANDA_BEHIND: nothing is written or erased, reads go on, restore --rebuild brings all back',
  async run(world) {
    const faults = new Faults();
    copyFileSync(panda(world), world.at('old.sqlite'));
    const known = new Map(world.files);
    await between(world);
    await world.run('backup', 'newer.backup');
    copyFileSync(world.at('old.sqlite'), panda(world));
    const detected = await rolledBack(world, faults, keepsOld ? known : new Map());
    await rebuild(world, 'newer.backup', faults);
    return { detected, faults: faults.list };
  },
});

const corruptPages: Attack = {
  name: 'pages of panda.sqlite overwritten',
  right: 'doctor says so (6); puts and gc are refused; restore brings all back',
  async run(world) {
    const faults = new Faults();
    await world.run('backup', 'good.backup');
    const pages = Math.floor(statSync(panda(world)).size / PAGE_BYTES);
    const file = openSync(panda(world), 'r+');
    for (let page = 2; page < pages; page += 3)
      writeSync(file, world.random.bytes(PAGE_BYTES), 0, PAGE_BYTES, page * PAGE_BYTES);
    closeSync(file);
    return damagedFile(world, faults);
  },
};

const truncated: Attack = {
  name: 'panda.sqlite truncated to half',
  right: 'doctor says so (6); puts and gc are refused; restore brings all back',
  async run(world) {
    const faults = new Faults();
    await world.run('backup', 'good.backup');
    truncateSync(panda(world), Math.floor(statSync(panda(world)).size / PAGE_BYTES / 2) * PAGE_BYTES);
    return damagedFile(world, faults);
  },
};

async function damagedFile(world: World, faults: Faults): Promise<Outcome> {
  const examined = await world.doctor();
  faults.unless(examined.code === 6, `doctor ended with ${examined.code}, not 6`);
  faults.unless(examined.said.includes('restore'), 'doctor does not name restore');
  const put = await world.put('into-damage', 20);
  faults.unless(put.code === 6, `put ended with ${put.code} (${codeIn(put.stderr)}), not 6`);
  for (const key of world.files.keys()) if (key.startsWith('into-damage')) world.files.delete(key);
  const gc = await world.run('gc');
  faults.unless(gc.code !== 0, 'gc went on');
  await rebuild(world, 'good.backup', faults);
  return { detected: examined.code === 0 ? undefined : `doctor (${examined.code})`, faults: faults.list };
}

const malformedRow: Attack = {
  name: 'one row malformed',
  right: 'ls passes over it, names it, ends with 6; doctor names it',
  async run(world) {
    const faults = new Faults();
    const { DatabaseSync } = process.getBuiltinModule('node:sqlite');
    const database = new DatabaseSync(panda(world));
    const row = database.prepare("SELECT sort FROM rows WHERE partition = 'object/default' LIMIT 1 OFFSET 7").get();
    const name = String(row?.['sort']);
    database.prepare("UPDATE rows SET value = '{' WHERE partition = 'object/default' AND sort = ?").run(name);
    database.close();
    world.files.delete(name);
    const listed = await world.run('ls', '-r');
    faults.unless(listed.code === 6, `ls ended with ${listed.code}, not 6`);
    faults.unless(listed.stderr.includes(name), 'ls does not name the row');
    const names = new Set(listed.stdout.split('\n'));
    const missing = [...world.files.keys()].filter((key) => !names.has(key));
    faults.unless(missing.length === 0, `ls leaves out ${missing.length} sound objects`);
    const examined = await world.doctor();
    faults.unless(examined.said.includes(name), 'doctor does not name the row');
    await all(world, faults, 'the others');
    return { detected: examined.code === 0 ? undefined : `doctor (${examined.code})`, faults: faults.list };
  },
};

const lost: Attack = {
  name: 'panda.sqlite lost',
  right: 'every command says what happened and names restore; init leaves nothing; restore --rebuild brings all back',
  async run(world) {
    const faults = new Faults();
    await world.run('backup', 'good.backup');
    rmSync(panda(world));
    writeFileSync(world.at('strange'), 'strange\n');
    const codes: (number | null)[] = [];
    for (const command of [['ls'], ['put', 'strange'], ['doctor'], ['gc'], ['init'], ['init', '--drives', '11']]) {
      const { code, stderr, stdout } = await world.run(...command);
      codes.push(code);
      faults.unless(code !== 0, `${command.join(' ')} went on`);
      faults.unless(
        (stderr + stdout).includes('restore'),
        `${command.join(' ')} does not name restore: ${stderr.trim()}`,
      );
      faults.unless(!existsSync(panda(world)), `${command.join(' ')} left a panda.sqlite`);
      rmSync(panda(world), { force: true });
    }
    await rebuild(world, 'good.backup', faults);
    return { detected: codes.every((code) => code !== 0) ? `ls (${codes[0]})` : undefined, faults: faults.list };
  },
};

const oldKeys: Attack = {
  name: 'old keys.json after keys rotate',
  right: 'put and rotate are refused with KEYS_BEHIND (7)',
  async run(world) {
    const faults = new Faults();
    copyFileSync(keys(world), world.at('old-keys'));
    await world.run('keys', 'rotate');
    const current = readFileSync(keys(world));
    copyFileSync(world.at('old-keys'), keys(world));
    const put = await world.put('old-keys-put', 5);
    faults.unless(
      put.code === 7 && codeIn(put.stderr) === 'KEYS_BEHIND',
      `put ended with ${put.code} (${codeIn(put.stderr)})`,
    );
    const rotated = await world.run('keys', 'rotate');
    faults.unless(
      rotated.code === 7 && codeIn(rotated.stderr) === 'KEYS_BEHIND',
      `keys rotate ended with ${rotated.code} (${codeIn(rotated.stderr)})`,
    );
    writeFileSync(keys(world), current);
    await all(world, faults, 'with the new keys again');
    return { detected: put.code === 0 ? undefined : `put (${codeIn(put.stderr)})`, faults: faults.list };
  },
};

const lostKeys: Attack = {
  name: 'keys.json lost',
  right: 'doctor says so; puts are refused; with the copy all is back',
  async run(world) {
    const faults = new Faults();
    renameSync(keys(world), world.at('keys-aside'));
    const examined = await world.doctor();
    const put = await world.put('no-keys', 5);
    faults.unless(put.code !== 0, 'put went on without keys');
    faults.unless(!existsSync(keys(world)), 'another keys.json was made');
    renameSync(world.at('keys-aside'), keys(world));
    await all(world, faults, 'with the copy');
    return { detected: examined.code === 0 ? undefined : `doctor (${examined.code})`, faults: faults.list };
  },
};

export const ON_METADATA: readonly Attack[] = [
  rollback('puts', (world) => world.put('newer', 40, 20_000), true),
  rollback(
    'puts and encoding',
    async (world) => {
      await world.put('newer', 80, 20_000);
      await world.run('encode', '--all');
      await world.put('newest', 20);
    },
    false,
  ),
  corruptPages,
  truncated,
  malformedRow,
  lost,
  oldKeys,
  lostKeys,
];
