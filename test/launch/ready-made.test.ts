// The bundle that a checkout starts from is used only as long as it is what the sources say.
import fs from 'node:fs';
import { dirname, join } from 'node:path';
import { Command } from 'commander';
import { expect, it } from 'vitest';
import { COMMAND_MODULES } from '../../bin/commands/program.ts';
import { makeReady, markOf, readyMade } from '../../bin/ready-made.mjs';
import { temporaryFolder } from '../cli/temporary-folder.ts';

const folder = temporaryFolder();
let roots = 0;

/** A checkout of two sources, of which one goes into the bundle. */
async function checkout(): Promise<{ root: string; source: string }> {
  const root = join(folder, `checkout-${roots++}`);
  const write = (file: string, text: string): void => {
    fs.mkdirSync(dirname(join(root, file)), { recursive: true });
    fs.writeFileSync(join(root, file), text);
  };
  write('lib/in.ts', 'in');
  write('lib/out.ts', 'out');
  write('node_modules/.pocketful-lock', 'lock');
  const marks = new Map(['lib/in.ts', 'lib/out.ts'].map((file) => [file, markOf(join(root, file))]));
  await makeReady(root, marks, async (into) => {
    fs.mkdirSync(into, { recursive: true });
    fs.writeFileSync(join(into, 'program.mjs'), '');
    return ['lib/in.ts', 'node_modules/some/package.js'];
  });
  return { root, source: join(root, 'lib/in.ts') };
}

it('is used while its sources are what they were', async () => {
  const { root } = await checkout();
  fs.writeFileSync(join(root, 'lib/out.ts'), 'other');
  expect(readyMade(root)).toMatch(/program\.mjs$/);
});

it.each<[string, (place: { root: string; source: string }) => void]>([
  ['a source was written', ({ source }) => fs.appendFileSync(source, ' ')],
  [
    'a source was written in place, and its time set back',
    ({ source }) => {
      const { atime, mtime } = fs.statSync(source);
      fs.writeFileSync(source, 'IN');
      fs.utimesSync(source, atime, mtime);
    },
  ],
  ['a source is gone', ({ source }) => fs.rmSync(source)],
  ['other packages are installed', ({ root }) => fs.writeFileSync(join(root, 'node_modules/.pocketful-lock'), 'new')],
  ['the bundle is gone', ({ root }) => fs.rmSync(join(root, '.cache'), { recursive: true })],
])('is not used when %s', async (_, change) => {
  const place = await checkout();
  change(place);
  expect(readyMade(place.root)).toBeUndefined();
});

it('a few earlier ones are kept for programs that still run', async () => {
  const { root } = await checkout();
  for (let i = 0; i < 6; i++)
    await makeReady(root, new Map(), async (into) => {
      fs.mkdirSync(into, { recursive: true });
      fs.writeFileSync(join(into, 'program.mjs'), '');
      return [];
    });
  expect(fs.readdirSync(join(root, '.cache/bundle'))).toHaveLength(5);
  expect(readyMade(root)).toMatch(/program\.mjs$/);
});

it('each module of commands has those it is loaded for', async () => {
  for (const { names, load } of COMMAND_MODULES) {
    const program = new Command();
    (await load())(program);
    expect(program.commands.map((command) => command.name())).toEqual(names);
  }
});
