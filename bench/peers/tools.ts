// The programs that are held side by side, each by the command lines its own manual gives: one store each, with its
// defaults.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type CommandLine, firstLine } from './timed.ts';

export type Operation =
  | 'list of an empty store'
  | 'put small files'
  | 'put them again'
  | 'get all'
  | 'get one'
  | 'list all'
  | 'put large files'
  | 'get large files';

export const OPERATIONS: readonly Operation[] = [
  'list of an empty store',
  'put small files',
  'put them again',
  'get all',
  'get one',
  'list all',
  'put large files',
  'get large files',
];

export interface Places {
  /** Of this program alone, empty. */
  readonly home: string;
  readonly small: string;
  readonly large: string;
  /** A file of `small`, by name. */
  readonly one: string;
}

export interface Tool {
  readonly name: string;
  /** It cuts, names by content, and encrypts, as Pocketful does. */
  readonly isPeer: boolean;
  readonly env: (places: Places) => NodeJS.ProcessEnv;
  /** Not timed. */
  readonly make: (places: Places) => CommandLine;
  /** Undefined: it has no such thing. */
  readonly lines: (places: Places) => Readonly<Record<Operation, CommandLine | undefined>>;
  /** Where `get all` has put what was in `small`. */
  readonly restored: (places: Places) => string;
}

const ROOT = join(import.meta.dirname, '../..');
const line = (...args: readonly [string, ...string[]]): CommandLine => ({ args });
const out = ({ home }: Places, name: string): string => join(home, `out-${name}`);

const pocketful = (preset: string): Tool => {
  const cli = (places: Places, ...args: readonly string[]): CommandLine =>
    line(process.execPath, join(ROOT, 'bin/pocketful.mjs'), '--store', `file:${places.home}/store`, ...args);
  return {
    name: `pocketful ${preset}`,
    isPeer: false,
    env: () => ({}),
    make: (places) => cli(places, 'init', '--preset', preset),
    lines: (places) => ({
      'list of an empty store': cli(places, 'ls'),
      'put small files': cli(places, 'put', '--as', 'small', places.small),
      'put them again': cli(places, 'put', '--as', 'small', places.small),
      'get all': cli(places, 'get', 'small/', '--to', out(places, 'all')),
      'get one': cli(places, 'get', `small/${places.one}`, out(places, 'one')),
      'list all': cli(places, 'ls', '-r'),
      'put large files': cli(places, 'put', '--as', 'large', places.large),
      'get large files': cli(places, 'get', 'large/', '--to', out(places, 'large')),
    }),
    restored: (places) => join(out(places, 'all'), 'small'),
  };
};

const restic: Tool = {
  name: 'restic',
  isPeer: true,
  env: ({ home }) => ({
    RESTIC_REPOSITORY: join(home, 'repository'),
    RESTIC_PASSWORD: 'bench',
    RESTIC_CACHE_DIR: join(home, 'cache'),
  }),
  make: () => line('restic', 'init'),
  lines: (places) => ({
    'list of an empty store': line('restic', 'snapshots'),
    'put small files': line('restic', 'backup', places.small),
    'put them again': line('restic', 'backup', places.small),
    'get all': line('restic', 'restore', 'latest', '--target', out(places, 'all')),
    'get one': line(
      'restic',
      'restore',
      'latest',
      '--include',
      join(places.small, places.one),
      '--target',
      out(places, 'one'),
    ),
    'list all': line('restic', 'ls', 'latest'),
    'put large files': line('restic', 'backup', places.large),
    'get large files': line('restic', 'restore', 'latest', '--target', out(places, 'large')),
  }),
  restored: (places) => join(out(places, 'all'), places.small),
};

const borg: Tool = {
  name: 'borg',
  isPeer: true,
  env: ({ home }) => ({ BORG_REPO: join(home, 'repository'), BORG_PASSPHRASE: 'bench', BORG_BASE_DIR: home }),
  make: () => line('borg', 'init', '-e', 'repokey'),
  lines: (places) => {
    const into = (name: string, ...args: readonly [string, ...string[]]): CommandLine => {
      mkdirSync(out(places, name), { recursive: true });
      return { args, cwd: out(places, name) };
    };
    return {
      'list of an empty store': line('borg', 'list'),
      'put small files': { args: ['borg', 'create', '::small', '.'], cwd: places.small },
      'put them again': { args: ['borg', 'create', '::again', '.'], cwd: places.small },
      'get all': into('all', 'borg', 'extract', '::small'),
      'get one': into('one', 'borg', 'extract', '::small', places.one),
      'list all': line('borg', 'list', '::small'),
      'put large files': { args: ['borg', 'create', '::large', '.'], cwd: places.large },
      'get large files': into('large', 'borg', 'extract', '::large'),
    };
  },
  restored: (places) => out(places, 'all'),
};

const kopia: Tool = {
  name: 'Kopia',
  isPeer: true,
  env: ({ home }) => ({
    KOPIA_PASSWORD: 'bench',
    KOPIA_CONFIG_PATH: join(home, 'config'),
    KOPIA_CACHE_DIRECTORY: join(home, 'cache'),
    KOPIA_LOG_DIR: join(home, 'log'),
    KOPIA_CHECK_FOR_UPDATES: 'false',
  }),
  make: ({ home }) => line('kopia', 'repository', 'create', 'filesystem', '--path', join(home, 'repository')),
  lines: (places) => {
    const get = (what: string, from: string): CommandLine =>
      line('kopia', 'restore', '--snapshot-time=latest', from, out(places, what));
    return {
      'list of an empty store': line('kopia', 'snapshot', 'list'),
      'put small files': line('kopia', 'snapshot', 'create', places.small),
      'put them again': line('kopia', 'snapshot', 'create', places.small),
      'get all': get('all', places.small),
      'get one': get('one', join(places.small, places.one)),
      'list all': line(
        'bash',
        '-c',
        'kopia ls -r "$(kopia snapshot list --json | sed -n \'s/.*"obj":"\\([^"]*\\)".*/\\1/p\' | tail -1)"',
      ),
      'put large files': line('kopia', 'snapshot', 'create', places.large),
      'get large files': get('large', places.large),
    };
  },
  restored: (places) => out(places, 'all'),
};

const rcloneCrypt: Tool = {
  name: 'rclone crypt',
  isPeer: false,
  env: ({ home }) => ({
    RCLONE_CONFIG: join(home, 'no-config'),
    RCLONE_CONFIG_BENCH_TYPE: 'crypt',
    RCLONE_CONFIG_BENCH_REMOTE: join(home, 'repository'),
    RCLONE_CONFIG_BENCH_PASSWORD: firstLine('rclone', 'obscure', 'bench') ?? '',
  }),
  make: () => line('rclone', 'mkdir', 'bench:small'),
  lines: (places) => ({
    'list of an empty store': line('rclone', 'lsf', 'bench:small'),
    'put small files': line('rclone', 'copy', places.small, 'bench:small'),
    'put them again': line('rclone', 'copy', places.small, 'bench:small'),
    'get all': line('rclone', 'copy', 'bench:small', out(places, 'all')),
    'get one': line('rclone', 'copy', `bench:small/${places.one}`, out(places, 'one')),
    'list all': line('rclone', 'lsf', '-R', 'bench:small'),
    'put large files': line('rclone', 'copy', places.large, 'bench:large'),
    'get large files': line('rclone', 'copy', 'bench:large', out(places, 'large')),
  }),
  restored: (places) => out(places, 'all'),
};

interface Found {
  readonly tool: Tool;
  readonly version: string;
}

/** The programs that are here; `missing` has a line for each that is not. */
export function toolsHere(): { readonly found: readonly Found[]; readonly missing: readonly string[] } {
  const found: Found[] = [
    { tool: pocketful('thrifty'), version: 'this checkout' },
    { tool: pocketful('personal'), version: 'this checkout' },
  ];
  const missing: string[] = [];
  const peers: readonly [Tool, readonly [string, ...string[]], string][] = [
    [restic, ['restic', 'version'], 'on Debian: apt-get install restic'],
    [kopia, ['kopia', '--version'], 'put a kopia on the PATH'],
    [borg, ['borg', '--version'], 'on Debian: apt-get install borgbackup'],
    [rcloneCrypt, ['rclone', 'version'], 'on Debian: apt-get install rclone'],
  ];
  for (const [tool, asked, hint] of peers) {
    const version = firstLine(...asked);
    if (version === undefined) missing.push(`${tool.name} is not here, so it has no column (${hint})`);
    else found.push({ tool, version });
  }
  return { found, missing };
}
