// Replaces pieces of files as they are loaded: everything that is imported afterwards runs with the bug in it.
import { readFileSync } from 'node:fs';
import { registerHooks, stripTypeScriptTypes } from 'node:module';
import { fileURLToPath } from 'node:url';
import { editsOf, type Plant } from './plant.ts';

const ROOT = new URL('../../../', import.meta.url);

/** The files with the bug in them, by URL. Throws if a piece is not there, or more than once. */
export function planted(plant: Plant): Map<string, string> {
  const sources = new Map<string, string>();
  for (const { file, find, replace } of editsOf(plant)) {
    const { href } = new URL(file, ROOT);
    const parts = (sources.get(href) ?? readFileSync(fileURLToPath(href), 'utf8')).split(find);
    if (parts.length !== 2)
      throw new Error(`planted bug ${plant.name}: its piece of ${file} is there ${parts.length - 1} times`);
    sources.set(href, parts.join(replace));
  }
  return sources;
}

/** To be called before the files are imported by anything. */
export function sow(plant: Plant): void {
  const sources = new Map([...planted(plant)].map(([url, source]) => [url, stripTypeScriptTypes(source)]));
  registerHooks({
    load: (at, context, next) => {
      const source = sources.get(at);
      return source === undefined ? next(at, context) : { format: 'module', source, shortCircuit: true };
    },
  });
}
