// A store whose metadata is gone while its keys or drives are still there: what shows that, and the commands
// that help.
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { MARKER } from '../../drive/directory-marker.ts';
import { corrupt, type PocketfulError } from '../../foundation/errors.ts';
import { drivesPath, keysPath } from './store-layout.ts';

/**
 * What is left of a store in its directory, in words; undefined if nothing is. Drives elsewhere are known to the
 * metadata only.
 */
export async function tracesOf(path: string): Promise<string | undefined> {
  const folder = drivesPath(path);
  const names = existsSync(folder) ? await readdir(folder).catch(() => []) : [];
  const drives = names.filter((name) => existsSync(join(folder, name, MARKER))).length;
  const traces = [
    ...(existsSync(keysPath(path)) ? ['keys.json'] : []),
    ...(drives > 0 ? [`${drives} ${drives === 1 ? 'drive' : 'drives'}`] : []),
  ];
  return traces.length === 0 ? undefined : traces.join(' and ');
}

/** `unfinished`: a file of that name is in the way, and holds no store. */
export function pandaLost(dir: string, traces: string, unfinished = false): PocketfulError {
  const what = unfinished ? 'panda.sqlite holds no store' : 'there is no panda.sqlite';
  const first = unfinished ? 'move that file away, then ' : '';
  return corrupt(
    'PANDA_LOST',
    `the metadata of the store in ${dir} is lost: ${what}, but its ${traces} ${traces.includes(' and ') || traces.endsWith('s') ? 'are' : 'is'} there; ${first}bring it back from its journal on the drives: pocketful restore --from-drives --store file:${dir}, or from a backup: pocketful restore FILE --rebuild --store file:${dir}`,
  );
}
