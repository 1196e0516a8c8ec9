// Shell scripts with mounts of their own, which nobody else sees and which end with them.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Ran } from '../cli/cli.ts';
import type { World } from './world.ts';

const PROGRAM = fileURLToPath(new URL('../../bin/cli.mjs', import.meta.url));
const WAYS = [['--mount'], ['--mount', '--user', '--map-root-user']];
/** `pocketful` in a script is the command line on the store `$STORE`. */
const PRELUDE = `
set -u
pocketful() { "$NODE" --disable-warning=ExperimentalWarning "$PROGRAM" "$@" --store "file:$STORE"; }
`;

let way: readonly string[] | undefined;
let isAsked = false;

function waysToMount(): readonly string[] | undefined {
  if (!isAsked) {
    isAsked = true;
    way = WAYS.find((flags) => spawnSync('unshare', [...flags, 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).status === 0);
  }
  return way;
}

export const cannotMount = (): string | undefined =>
  waysToMount() === undefined ? 'mounting is not allowed here' : undefined;

export function mounted(world: World, script: string, store = world.store): Pick<Ran, 'code' | 'stdout' | 'stderr'> {
  const env = { ...process.env, NODE: process.execPath, PROGRAM, STORE: store };
  const args = [...(waysToMount() ?? []), 'sh', '-c', PRELUDE + script];
  const { status, stdout, stderr } = spawnSync('unshare', args, { cwd: world.dir, env, encoding: 'utf8' });
  return { code: status, stdout, stderr };
}
