// What may not be in the repository: names that say nothing, tests switched off, traces of one machine or one registry, and a
// lockfile that does not hold on every platform.
import { type Fault, faultAt, faultIn, isCode, parsed, type SourceFile } from './source-file.ts';
import { dottedName, nodesOf } from './syntax.ts';

const EMPTY_NAMES = ['utils', 'util', 'common', 'helper', 'helpers', 'manager', 'misc'];

export function nameFaults(files: readonly SourceFile[]): Fault[] {
  return files.flatMap((file) => {
    const words = file.path.toLowerCase().split(/[/.\-_]/);
    const found = words.find((word) => EMPTY_NAMES.includes(word));
    return found === undefined ? [] : [faultIn(file, `"${found}" says nothing: name it after what it does`)];
  });
}

const TESTS = ['it', 'test', 'describe', 'suite', 'bench'];
const SWITCHES = ['only', 'skip', 'todo', 'fails'];

/** Tests that are switched off, or that switch others off. `runIf` stays: it says for which machine a test is. */
export function switchFaults(files: readonly SourceFile[]): Fault[] {
  return files
    .filter((file) => isCode(file) && file.path.startsWith('test/'))
    .flatMap((file) => {
      const faults: Fault[] = [];
      for (const node of nodesOf(parsed(file).program)) {
        if (node.type !== 'MemberExpression') continue;
        const [first = '', ...rest] = dottedName(node)?.split('.') ?? [];
        if (TESTS.includes(first) && SWITCHES.includes(rest.at(-1) ?? ''))
          faults.push(faultAt(file, node.start, `${first}.${rest.join('.')}: no test is switched off`));
      }
      return faults;
    });
}

/** Written in pieces, so that this file does not find itself. */
const TRACES: readonly { readonly pattern: RegExp; readonly what: string }[] = [
  {
    pattern: new RegExp(`\\b(registry\\.npm${'js'}\\.org|npm\\.pkg\\.github|registry\\.yarn${'pkg'}\\.com)`),
    what: 'a registry host',
  },
  { pattern: new RegExp(`(^|[\\s"'\`(=:])/(home|Users|root|work${''})/[\\w.-]`, 'm'), what: 'a path of one machine' },
  { pattern: /-----BEGIN [A-Z ]*PRIVATE KEY-----/, what: 'a private key' },
  { pattern: /\bAKIA[0-9A-Z]{16}\b/, what: 'an AWS access key' },
];

export function traceFaults(files: readonly SourceFile[]): Fault[] {
  return files.flatMap((file) =>
    TRACES.flatMap(({ pattern, what }) => {
      const found = pattern.exec(file.text);
      return found === null ? [] : [faultAt(file, found.index + found[0].length - 1, `${what}: ${found[0].trim()}`)];
    }),
  );
}

interface LockedPackage {
  readonly version?: string;
  readonly resolved?: string;
  readonly link?: boolean;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

/** A lockfile that `npm ci` can use on every platform and with every registry, and that is package.json's. */
export function lockFaults(files: readonly SourceFile[]): Fault[] {
  const file = files.find(({ path }) => path === 'package-lock.json');
  const manifest = files.find(({ path }) => path === 'package.json');
  if (file === undefined || manifest === undefined) return [];
  const packages = (JSON.parse(file.text) as { packages: Record<string, LockedPackage> }).packages;
  const faults: Fault[] = [];
  for (const [at, entry] of Object.entries(packages)) {
    if (entry.resolved?.startsWith('http'))
      faults.push(faultIn(file, `${at} has a "resolved" address: run npm run lockfile`));
    for (const name of Object.keys(entry.optionalDependencies ?? {})) {
      const places = enclosing(at).map((place) => `${place}node_modules/${name}`);
      if (!places.some((place) => place in packages))
        faults.push(faultIn(file, `${name}, optional for ${at || 'the project'}, is missing: run npm run lockfile`));
    }
  }
  return [...faults, ...manifestFaults(file, JSON.parse(manifest.text), packages['']!)];
}

/** Where npm looks for a package required at `at`: there, and in every folder above. */
function enclosing(at: string): string[] {
  const parts = at.split('/node_modules/');
  const places = parts.map((_, i) => `${parts.slice(0, i + 1).join('/node_modules/')}/`);
  return at === '' ? [''] : ['', ...places];
}

function manifestFaults(file: SourceFile, manifest: LockedPackage, root: LockedPackage): Fault[] {
  return (['dependencies', 'devDependencies', 'optionalDependencies'] as const).flatMap((kind) => {
    const same = JSON.stringify(sorted(manifest[kind])) === JSON.stringify(sorted(root[kind]));
    return same ? [] : [faultIn(file, `its ${kind} are not those of package.json: run npm install`)];
  });
}

const sorted = (entries: Readonly<Record<string, string>> = {}): [string, string][] =>
  Object.entries(entries).sort(([a], [b]) => (a < b ? -1 : 1));
