// Builds the contenders of `npm run bench -- codec` and says which are missing. Everything is built into a temporary
// folder.
import { spawnSync } from 'node:child_process';
import { cpSync } from 'node:fs';
import { join } from 'node:path';

export interface Contender {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
}

const SOURCES = import.meta.dirname;

/** Tries to build every peer; `missing` has one line for each that could not be. */
export function buildPeers(folder: string, dataPath: string): { contenders: Contender[]; missing: string[] } {
  const contenders: Contender[] = [];
  const missing: string[] = [];
  const attempt = (name: string, build: () => Contender | string): void => {
    const built = build();
    if (typeof built === 'string') missing.push(`${name} skipped: ${built}`);
    else contenders.push(built);
  };
  attempt('ISA-L (libisal)', () => buildIsal(folder, dataPath));
  attempt('ISA-L (source tree)', () => buildCurrentIsal(folder, dataPath));
  attempt('klauspost/reedsolomon', () => buildKlauspost(folder, dataPath));
  attempt('npm packages', () => installNpm(folder, dataPath));
  return { contenders, missing };
}

function buildIsal(folder: string, dataPath: string): Contender | string {
  const command = join(folder, 'isal');
  const source = join(SOURCES, 'isal.components');
  const failure = run('cc', ['-O2', '-w', '-I/usr/include/isa-l', source, '-lisal', '-o', command]);
  if (failure) return `${failure} (on Debian: apt-get install gcc libisal-dev)`;
  return { name: 'ISA-L', command, args: [dataPath, 'ISA-L packaged'] };
}

/** A checkout of intel/isa-l with its library built by `make -f Makefile.unx lib`. */
function buildCurrentIsal(folder: string, dataPath: string): Contender | string {
  const tree = process.env['ISAL_TREE'];
  if (tree === undefined) return 'set ISAL_TREE to a checkout built with `make -f Makefile.unx lib` (needs nasm)';
  const command = join(folder, 'isal-current');
  const library = join(tree, 'bin/isa-l.a');
  const flags = ['-O2', '-w', '-DISAL_CURRENT', `-I${join(tree, 'include')}`];
  const failure = run('cc', [...flags, join(SOURCES, 'isal.components'), library, '-o', command]);
  return failure ?? { name: 'ISA-L current', command, args: [dataPath, 'ISA-L current'] };
}

function buildKlauspost(folder: string, dataPath: string): Contender | string {
  const command = join(folder, 'klauspost');
  const failure = run('go', ['build', '-o', command, '.'], join(SOURCES, 'klauspost'));
  return failure ?? { name: 'klauspost', command, args: [dataPath] };
}

/** The native package is built by its install script, which npm has to be told to run. */
function installNpm(folder: string, dataPath: string): Contender | string {
  const target = join(folder, 'npm');
  cpSync(join(SOURCES, 'npm'), target, { recursive: true, filter: (path) => !path.includes('node_modules') });
  const failure = run('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error'], target);
  if (failure) return failure;
  return { name: 'npm', command: process.execPath, args: [join(SOURCES, 'npm.ts'), dataPath, target] };
}

/** What went wrong, in one line, or undefined. */
function run(command: string, args: readonly string[], cwd?: string): string | undefined {
  const { error, status, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  if (error) return `${command} cannot be run`;
  if (status === 0) return undefined;
  return `${command}: ${stderr.trim().split('\n')[0] ?? 'failed'}`;
}
