// Replaces a piece of one file as it is loaded: everything that is imported afterwards runs with the bug in it.
import { readFileSync } from 'node:fs';
import { registerHooks, stripTypeScriptTypes } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { Plant } from './plant.ts';

const ROOT = new URL('../../../', import.meta.url);

/** The file with the bug in it. Throws if the piece is not there, or more than once. */
export function planted({ name, file, find, replace }: Plant): string {
  const parts = readFileSync(fileURLToPath(new URL(file, ROOT)), 'utf8').split(find);
  if (parts.length !== 2)
    throw new Error(`planted bug ${name}: its piece of ${file} is there ${parts.length - 1} times`);
  return parts.join(replace);
}

/** To be called before the file is imported by anything. */
export function sow(plant: Plant): void {
  const url = new URL(plant.file, ROOT).href;
  const source = stripTypeScriptTypes(planted(plant));
  registerHooks({
    load: (at, context, next) => (at === url ? { format: 'module', source, shortCircuit: true } : next(at, context)),
  });
}
