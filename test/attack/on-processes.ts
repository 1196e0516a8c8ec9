// kill -9 of commands at random moments. What was acknowledged stays, nothing is left lying about, and the store is sound after it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { systemClock } from '../../lib/foundation/clock.ts';
import { pocketful } from '../cli/cli.ts';
import { bodyOf } from '../engine/body.ts';
import { type Attack, Faults } from './attack.ts';
import type { World } from './world.ts';

const VICTIM = fileURLToPath(new URL('../engine/victim.ts', import.meta.url));
const KILLS = 3;
const TRIES_MAX = 12;
/** A command needs about so much to begin, on a quiet machine. */
const BEGIN_MS = 100;
const ALIVE_MS_MAX = 900;

/** Starts a command and kills it; false if it was done before. */
async function killed(world: World, args: readonly string[], soonness: number): Promise<boolean> {
  const aliveMs = (BEGIN_MS + world.random.below(ALIVE_MS_MAX)) / soonness;
  const { signal } = await pocketful(world.dir, [...args, '--store', `file:${world.store}`], {
    inChild: true,
    onStart: (child) => void systemClock.sleep(aliveMs).then(() => child.kill('SIGKILL')),
  });
  return signal === 'SIGKILL';
}

/** After the next command of any kind. */
async function soundAfter(world: World, faults: Faults): Promise<void> {
  await world.run('ls');
  faults.unless(world.leftovers().length === 0, `left behind: ${world.leftovers().join(', ')}`);
  const fixed = await world.doctor('--fix', '--read');
  faults.unless(fixed.code === 0, `doctor --fix --read ended with ${fixed.code}: ${fixed.said.slice(0, 200)}`);
  const { wrong, unreadable } = await world.readAll();
  faults.unless(wrong.length === 0, `wrong bytes: ${wrong[0]}`);
  faults.unless(unreadable.length === 0, `false acknowledgement: ${unreadable.length} unreadable: ${unreadable[0]}`);
}

const kill = (
  name: string,
  commands: (world: World, kill: number) => readonly string[],
  before?: Attack['run'],
): Attack => ({
  name: `kill -9 of ${name}`,
  right: 'nothing acknowledged is lost, nothing is left, doctor --read is healthy',
  isHarmless: true,
  async run(world) {
    const faults = new Faults();
    await before?.(world);
    let kills = 0;
    let soonness = 1;
    for (let i = 0; i < TRIES_MAX && kills < KILLS; i++) {
      // One that is done before it is killed is killed sooner the next time.
      if (await killed(world, commands(world, i), soonness)) kills += 1;
      else soonness *= 1.5;
    }
    faults.unless(kills > 0, 'it was never killed: nothing was tried');
    await soundAfter(world, faults);
    return { detected: undefined, faults: faults.list };
  },
});

async function someDeleted(world: World) {
  await world.delete(80);
  return { detected: undefined, faults: [] };
}

/** Files that nobody saw acknowledged: they are there whole or not at all. */
function strangeFiles(world: World, i: number): string {
  const folder = `strange-${i}`;
  mkdirSync(world.at(folder));
  for (let n = 0; n < 150; n++) writeFileSync(world.at(folder, `${n}`), world.random.bytes(8_000));
  return folder;
}

/** A process that says what is acknowledged at once, line by line. */
const acknowledging: Attack = {
  name: 'kill -9 of a process that puts, deletes, encodes and frees',
  right: 'every line that said "did" holds',
  isHarmless: true,
  async run(world) {
    const faults = new Faults();
    const mayBe = new Map<string, Set<string>>();
    for (let i = 0; i < KILLS; i++) {
      const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', VICTIM, world.store, `${2 * i}`]);
      let out = '';
      child.stdout.on('data', (bytes: Buffer) => {
        out += bytes;
      });
      const closed = once(child, 'close');
      await systemClock.sleep(5 * BEGIN_MS + world.random.below(2 * ALIVE_MS_MAX));
      child.kill('SIGKILL');
      await closed;
      for (const line of out.slice(0, out.lastIndexOf('\n')).split('\n')) {
        const [verb, key = '', body = '-'] = line.split(' ');
        if (verb === 'put') mayBe.set(key, new Set([...(mayBe.get(key) ?? ['-']), body]));
        if (verb === 'did') mayBe.set(key, new Set([body]));
      }
    }
    for (const [key, bodies] of mayBe) {
      const { code, bytes } = await world.run('cat', key);
      const held = [...bodies].some((body) => (body === '-' ? code === 4 : code === 0 && bytes.equals(bodyOf(body))));
      faults.unless(held, `false acknowledgement: ${key} holds none of ${[...bodies].join(', ')}`);
    }
    await soundAfter(world, faults);
    return { detected: undefined, faults: faults.list };
  },
};

export const ON_PROCESSES: readonly Attack[] = [
  kill('put', (world, i) => ['put', strangeFiles(world, i), '--prefix', `strange-${i}`]),
  kill('backup', (_world, i) => ['backup', `killed-${i}.backup`]),
  kill('doctor', () => ['doctor', '--read']),
  kill('gc', () => ['gc'], someDeleted),
  kill('encode', () => ['encode', '--all']),
  kill('compact', () => ['compact', '--until-stable'], someDeleted),
  acknowledging,
];
