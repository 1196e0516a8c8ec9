// Objects on one drive are damaged: less than the code survives, so everything stays readable, and doctor has to find every one.
import { copyFileSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Attack, Faults, type Outcome } from './attack.ts';
import type { Chunk, Examined, World } from './world.ts';

const VICTIMS = 8;

/** Objects of one drive, picked at random. */
function victims(world: World): Chunk[] {
  const chunks = world.chunks();
  const drives = [...new Set(chunks.map(({ drive }) => drive))];
  const drive = drives[world.random.below(drives.length)];
  const own = chunks.filter((chunk) => chunk.drive === drive);
  const picked: Chunk[] = [];
  while (picked.length < VICTIMS && own.length > 0) picked.push(...own.splice(world.random.below(own.length), 1));
  return picked;
}

const damaged = ({ document }: Examined): number => document?.damage?.length ?? 0;

interface Damage {
  readonly name: string;
  /** Shows in a listing: doctor finds it without reading. */
  readonly isListed: boolean;
  /** How many objects are harmed. */
  harm(world: World, chunks: readonly Chunk[]): number;
}

const each =
  (harm: (path: string, world: World) => void): Damage['harm'] =>
  (world, chunks) => {
    for (const { path } of chunks) harm(path, world);
    return chunks.length;
  };

const DAMAGES: readonly Damage[] = [
  {
    name: 'bit flips',
    isListed: false,
    harm: each((path, { random }) => {
      const bytes = readFileSync(path);
      const at = random.below(bytes.length);
      bytes[at] = (bytes[at] as number) ^ (1 << random.below(8));
      writeFileSync(path, bytes);
    }),
  },
  {
    name: 'truncations',
    isListed: true,
    harm: each((path, { random }) => truncateSync(path, random.below(readFileSync(path).length))),
  },
  {
    name: 'zeroed objects',
    isListed: false,
    harm: each((path) => writeFileSync(path, Buffer.alloc(readFileSync(path).length))),
  },
  { name: 'deleted objects', isListed: true, harm: each((path) => rmSync(path)) },
  {
    name: 'swapped objects',
    isListed: false,
    harm: (_world, chunks) => {
      for (let i = 0; i + 1 < chunks.length; i += 2) {
        const [one, other] = [(chunks[i] as Chunk).path, (chunks[i + 1] as Chunk).path];
        renameSync(one, `${one}.swap`);
        renameSync(other, one);
        renameSync(`${one}.swap`, other);
      }
      return chunks.length - (chunks.length % 2);
    },
  },
  {
    name: 'objects of another volume',
    isListed: false,
    harm: (world, chunks) => {
      const own = new Set(chunks.map(({ path }) => path));
      const others = world.chunks().filter(({ drive, path }) => drive !== chunks[0]?.drive && !own.has(path));
      for (const { path } of chunks) copyFileSync((others[world.random.below(others.length)] as Chunk).path, path);
      return chunks.length;
    },
  },
];

async function attack(world: World, { isListed, harm }: Damage): Promise<Outcome> {
  const faults = new Faults();
  const count = harm(world, victims(world));
  const quick = await world.doctor();
  const thorough = await world.doctor('--read');
  if (isListed) faults.unless(damaged(quick) === count, `doctor found ${damaged(quick)} of ${count}`);
  faults.unless(damaged(thorough) === count, `doctor --read found ${damaged(thorough)} of ${count}`);
  faults.unless(thorough.code === 8, `doctor --read ended with ${thorough.code}, not 8 (degraded)`);
  const { wrong, unreadable } = await world.readAll();
  faults.unless(wrong.length === 0, `wrong bytes: ${wrong[0]}`);
  faults.unless(unreadable.length === 0, `${unreadable.length} unreadable within the code's promise: ${unreadable[0]}`);
  const detected = damaged(thorough) > 0 ? `doctor --read (${thorough.code})` : undefined;
  return { detected, faults: faults.list };
}

const strayOfAnother: Attack = {
  name: 'foreign object under a name of its own',
  right: 'counted as a stray, no damage: nobody reads it',
  isHarmless: true,
  async run(world) {
    const [chunk] = victims(world) as [Chunk];
    writeFileSync(join(chunk.path, '..', '99999999-1'), world.random.bytes(5_000));
    const { code, document } = await world.doctor('--read');
    const faults = new Faults();
    faults.unless((document?.looked?.strays?.objects ?? 0) === 1, 'not counted as a stray');
    return { detected: code === 0 ? undefined : `doctor (${code})`, faults: faults.list };
  },
};

export const ON_OBJECTS: readonly Attack[] = [
  ...DAMAGES.map(
    (damage): Attack => ({
      name: damage.name,
      right: `every one found${damage.isListed ? ' by the listing alone' : ''}, degraded, all readable`,
      run: (world) => attack(world, damage),
    }),
  ),
  strayOfAnother,
];
