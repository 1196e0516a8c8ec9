// Where this program's own files are: the repository, or an installed package, which has JavaScript in dist/ in place
// of the sources.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { missing } from '../../lib/foundation/errors.ts';

function rootAbove(folder: string): string {
  for (let at = folder; ; at = dirname(at)) if (existsSync(join(at, 'package.json')) || at === dirname(at)) return at;
}

export const PROJECT_ROOT = rootAbove(dirname(fileURLToPath(import.meta.url)));

const isRepository = (): boolean => existsSync(join(PROJECT_ROOT, 'bin/app.ts'));

export const projectVersion = (): string =>
  JSON.parse(readFileSync(join(PROJECT_ROOT, 'package.json'), 'utf8')).version;

/** Throws `missing` REPOSITORY_NEEDED where this is an installed package. */
export function requireRepository(what: string): void {
  if (!isRepository())
    throw missing(
      'REPOSITORY_NEEDED',
      `${what}, which an installed pocketful does not have: run it in a clone of the repository (npx pocketful …)`,
    );
}
