// The store, its drives and its keys lie below what is put.
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import type { Ran } from '../cli/cli.ts';
import { type Attack, Faults } from './attack.ts';
import { cannotMount, mounted } from './mounted.ts';
import { documentOf, type World } from './world.ts';

const OWN = /panda\.sqlite|keys\.json|drives\/|pocketful-drive|panda\.reserve/;

/** What a put of `path` stored, and that it is not the store. */
async function putFrom(world: World, path: string, faults: Faults): Promise<string | undefined> {
  return judged(await world.run('put', path, '--prefix', 'taken', '--json'), faults);
}

function judged(ran: Pick<Ran, 'stdout' | 'code'>, faults: Faults): string | undefined {
  const { objects = [] } = documentOf<{ objects: { key: string }[] }>(ran);
  const own = objects.filter(({ key }) => OWN.test(key));
  faults.unless(own.length === 0, `${own.length} files of the store were stored: ${own[0]?.key}`);
  faults.unless(
    objects.some(({ key }) => key.endsWith('data.txt')) || ran.code !== 0,
    'the data beside it was not stored',
  );
  return own.length === 0 ? 'left out' : undefined;
}

const symlinkedParent: Attack = {
  name: 'put through a symlinked parent of the store',
  right: 'the store is left out, what lies beside it is stored',
  async run(world) {
    const faults = new Faults();
    writeFileSync(world.at('data.txt'), 'data\n');
    symlinkSync(world.dir, `${world.dir}-link`);
    const detected = await putFrom(world, `${world.dir}-link`, faults);
    return { detected, faults: faults.list };
  },
};

const symlinkNamed: Attack = {
  name: 'put of a symlink to the store',
  right: 'refused or left out',
  async run(world) {
    const faults = new Faults();
    symlinkSync(world.store, world.at('link'));
    return { detected: await putFrom(world, 'link', faults), faults: faults.list };
  },
};

const bindMount: Attack = {
  name: 'put of a bind mount of the store',
  right: 'refused or left out',
  impossible: cannotMount,
  async run(world) {
    const faults = new Faults();
    mkdirSync(world.at('source', 'inner'), { recursive: true });
    writeFileSync(world.at('source', 'data.txt'), 'data\n');
    const put = 'pocketful put source --prefix taken --json';
    const ran = mounted(world, `mount --bind s source/inner && ${put}`);
    return { detected: judged(ran, faults), faults: faults.list };
  },
};

const anotherStore: Attack = {
  name: "another store's keys and drives in the source",
  right: 'not walked into, its keys never stored',
  async run(world) {
    const faults = new Faults();
    mkdirSync(world.at('home'));
    writeFileSync(world.at('home', 'data.txt'), 'data\n');
    const made = await world.runOn(world.at('home', 'other'), 'init', '--settings', 'settings.json', '--drives', '11');
    faults.unless(made.code === 0, made.stderr);
    return { detected: await putFrom(world, 'home', faults), faults: faults.list };
  },
};

export const ON_SOURCES: readonly Attack[] = [symlinkedParent, symlinkNamed, bindMount, anotherStore];
