// What the kit needs of the machine (Python 3.12, a JDK 17, Maven, curl), and how to get it: on a Debian machine as
// root the missing packages are installed, elsewhere one line says what is missing.
import { spawnSync } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { homedir } from 'node:os';

interface Need {
  /** For people. */
  readonly name: string;
  readonly debianPackages: readonly string[];
  readonly met: () => boolean;
}

const runs = (command: string, ...args: string[]): boolean =>
  spawnSync(command, args, { stdio: 'ignore' }).status === 0;

/** The major version in `javac 17.0.15`; 0 if there is no compiler. */
function javacMajor(): number {
  const out = spawnSync('javac', ['-version'], { encoding: 'utf8' });
  return Number(/javac (\d+)/.exec(`${out.stdout ?? ''}${out.stderr ?? ''}`)?.[1] ?? 0);
}

/** The same candidates as kit/up, with the venv module they must have. */
function hasPython(): boolean {
  const pyenv = globSync(`${homedir()}/.pyenv/versions/3.1[2-9]*/bin/python`);
  return ['python3.13', 'python3.12', ...pyenv, 'python3'].some((python) =>
    runs(python, '-c', 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 12))'),
  );
}

const NEEDS: readonly Need[] = [
  { name: 'Python 3.12 or newer', debianPackages: ['python3', 'python3-venv'], met: hasPython },
  { name: 'a JDK, 17 or newer', debianPackages: ['default-jdk-headless'], met: () => javacMajor() >= 17 },
  { name: 'Maven', debianPackages: ['maven'], met: () => runs('mvn', '-v') },
  { name: 'curl', debianPackages: ['curl'], met: () => runs('curl', '--version') },
];

/** Installs what is missing where that is possible. Returns the names of what is still missing. */
export function ensurePrerequisites(say: (line: string) => void): string[] {
  const missing = NEEDS.filter((need) => !need.met());
  if (missing.length === 0) return [];
  const root = process.getuid?.() === 0;
  if (root && existsSync('/etc/debian_version')) {
    const packages = missing.flatMap((need) => need.debianPackages);
    say(`localstack: installing ${packages.join(' ')}`);
    const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    const options = { stdio: ['ignore', 'ignore', 'inherit'] as ['ignore', 'ignore', 'inherit'], env: environment };
    spawnSync('apt-get', ['-qq', 'update'], options);
    spawnSync('apt-get', ['-qq', '-y', '--no-install-recommends', 'install', ...packages], options);
  }
  return missing.filter((need) => !need.met()).map((need) => need.name);
}
