// Which part may import which, and who may touch the world. Imports point down only, so that the planners and protocols can be
// read, tested and simulated without a clock, a disk or AWS; what touches those is a small adapter file with a telling name.
import path from 'node:path';
import { importsOf } from './imports.ts';
import { type Fault, faultAt, isCode, parsed, type SourceFile } from './source-file.ts';
import { dottedName, nodesOf, type SyntaxNode } from './syntax.ts';

/** From the lowest level to the highest; folders on one level do not import each other. */
const LEVELS: readonly (readonly string[])[] = [
  ['foundation'],
  ['limits'],
  ['codec', 'format', 'cost', 's3'],
  ['drive', 'panda', 'keys', 'stream', 'settings'],
  ['journal'],
  ['volume'],
  ['frontend', 'live-coder', 'compaction', 'gc', 'repair', 'verify', 'replication'],
  ['engine'],
  ['service', 'access'],
  ['infra', 'client', 'sim'],
  ['gateway'],
  ['functions', 'bin'],
];
/** The exceptions: files that are words rather than machinery. */
const ALLOWED_SIDEWAYS: Readonly<Record<string, readonly string[]>> = {
  format: ['lib/codec/codec.ts', 'lib/codec/shape.ts'], // names of codecs are in the bytes
  panda: ['lib/settings/settings.ts'], // a store's settings are a row
  infra: ['lib/settings/stage-names.ts'], // what the one makes the other looks up
};

/** Files that make a port out of a piece of the world. */
const AWS_FILE = /^(s3|dynamo|kms|sqs|sfn|cloudwatch|aws)-/;
const WORLD_FILE = /^(s3|dynamo|kms|sqs|sfn|cloudwatch|aws|directory|sqlite|file|files|key-file|system)[-.]/;
const PORT_FILES = ['lib/foundation/clock.ts', 'lib/foundation/randomness.ts'];
/** Adapters whose name says something else. */
const OTHER_ADAPTERS = ['lib/drive/writer-tag.ts', 'lib/client/files/write-file.ts', 'lib/engine/wire/deployed.ts'];
/** Folders whose files may use the disk, the network and processes. */
const WORLD_FOLDERS = ['engine', 'client', 'gateway', 'infra', 'functions', 'bin'];
const PURE_BUILTINS = ['assert', 'buffer', 'crypto', 'events', 'path', 'string_decoder', 'url', 'util', 'zlib'];

const PACKAGES: readonly { readonly name: RegExp; readonly what: string; allows(file: Place): boolean }[] = [
  { name: /^@aws-sdk\/|^@smithy\//, what: 'the AWS SDK', allows: isAwsPlace },
  {
    name: /^(aws-cdk-lib|constructs|cdk-nag)(\/|$)/,
    what: 'the CDK',
    allows: ({ folder }) => folder === 'infra' || folder === 'bin',
  },
  {
    name: /^(@middy|@aws-lambda-powertools)\//,
    what: 'Lambda middleware',
    allows: ({ folder }) => folder === 'functions',
  },
  { name: /^commander$/, what: 'the command line', allows: ({ folder }) => folder === 'bin' || folder === 'client' },
  { name: /^esbuild$/, what: 'the bundler', allows: ({ folder }) => folder === 'infra' },
  { name: /^qr$/, what: 'the drawer of QR codes', allows: ({ folder }) => folder === 'bin' },
  { name: /^zod(\/mini|\/v4\/locales\/en\.js)?$/, what: 'zod', allows: () => true },
  { name: /^hash-wasm$/, what: 'checksums of S3', allows: ({ folder }) => folder === 's3' },
  { name: /^prom-client$/, what: 'metrics of a server', allows: ({ folder }) => folder === 'gateway' },
];

interface Place {
  readonly file: SourceFile;
  /** `lib/X/…` is `X`; `bin/…` is `bin`. */
  readonly folder: string;
  readonly name: string;
}

/** Faults of the product's code: lib, functions and bin. */
export function layeringFaults(files: readonly SourceFile[]): Fault[] {
  return files.flatMap((file) => {
    const place = placeOf(file);
    return place === undefined ? [] : [...importFaults(place), ...worldFaults(place)];
  });
}

function placeOf(file: SourceFile): Place | undefined {
  const parts = file.path.split('/');
  const isProduct = ['lib', 'functions', 'bin'].includes(parts[0] as string) && isCode(file);
  if (!isProduct || parts.length < 2) return undefined;
  return { file, folder: parts[parts[0] === 'lib' ? 1 : 0] as string, name: parts.at(-1) as string };
}

function importFaults(place: Place): Fault[] {
  const level = levelOf(place.folder);
  if (level === -1)
    return [faultAt(place.file, 0, `lib/${place.folder} has no level: add it to LEVELS in test/check/layering.ts`)];
  return importsOf(place.file).flatMap(({ request, offset }) => {
    const message = request.startsWith('.') ? relativeFault(place, level, request) : packageFault(place, request);
    return message === undefined ? [] : [faultAt(place.file, offset, message)];
  });
}

const levelOf = (folder: string): number => LEVELS.findIndex((folders) => folders.includes(folder));

function relativeFault(place: Place, level: number, request: string): string | undefined {
  const target = path.posix.normalize(path.posix.join(path.posix.dirname(place.file.path), request));
  const [top, second = ''] = target.split('/');
  if (top === 'test' || top === 'bench') return `the product does not import ${top}`;
  const folder = top === 'lib' ? second : (top as string);
  if (folder === place.folder) return undefined;
  const below = levelOf(folder);
  if (below === -1) return `${target} is in no part of the product`;
  if (below > level) return `${place.folder} may not import ${folder}: imports point down`;
  if (below === level && !(ALLOWED_SIDEWAYS[place.folder] ?? []).includes(target))
    return `${place.folder} may not import ${folder}: they are on one level`;
  return undefined;
}

function packageFault(place: Place, request: string): string | undefined {
  if (request.startsWith('node:')) return builtinFault(place, request.slice('node:'.length).split('/')[0] as string);
  const known = PACKAGES.find(({ name }) => name.test(request));
  if (known === undefined)
    return `${request} is not a package the product may use: see PACKAGES in test/check/layering.ts`;
  return known.allows(place) ? undefined : `${request}: ${known.what} has no place here`;
}

function builtinFault(place: Place, builtin: string): string | undefined {
  if (PURE_BUILTINS.includes(builtin) || isWorldPlace(place)) return undefined;
  return `node:${builtin} touches the world: that is for an adapter file (s3-*, directory-*, sqlite-*, file-* …) behind a port`;
}

function isAwsPlace({ file, folder, name }: Place): boolean {
  return (
    AWS_FILE.test(name) || folder === 'infra' || folder === 'functions' || file.path === 'lib/engine/wire/deployed.ts'
  );
}

const isAdapter = ({ file, name }: Place): boolean =>
  WORLD_FILE.test(name) || PORT_FILES.includes(file.path) || OTHER_ADAPTERS.includes(file.path);

const isWorldPlace = (place: Place): boolean => WORLD_FOLDERS.includes(place.folder) || isAdapter(place);

const CLOCK = 'take the time from the Clock port (lib/foundation/clock.ts)';
const RANDOMNESS = 'take it from the Randomness port (lib/foundation/randomness.ts)';
const BANNED: Readonly<Record<string, string>> = {
  'Date.now': CLOCK,
  'performance.now': CLOCK,
  'process.hrtime': CLOCK,
  'process.hrtime.bigint': CLOCK,
  'Math.random': RANDOMNESS,
  'crypto.randomUUID': RANDOMNESS,
  'crypto.getRandomValues': RANDOMNESS,
  'process.env': 'configuration is passed in: only bin, functions and adapters read the environment',
};
const WAITING = 'wait by Clock.sleep (lib/foundation/clock.ts), so that a simulation decides when it goes on';
const POOL = 'the thread pool is lib/keys/thread-pool.ts, threads are an adapter: nothing else may wait for them';
const BANNED_NAMES: Readonly<Record<string, string>> = {
  setTimeout: WAITING,
  setInterval: WAITING,
  setImmediate: WAITING,
};
const BANNED_MODULES: Readonly<Record<string, string>> = {
  'node:timers': WAITING,
  'node:timers/promises': WAITING,
  'node:worker_threads': POOL,
};
/** Of zlib, what ends in a callback. */
const POOL_IMPORT =
  /^(zstd|brotli|gzip|gunzip|deflate|inflate|unzip).*(?<!Sync)$|^(gzip|gunzip|deflate|inflate|unzip)$/;
const POOL_FILE = 'lib/keys/thread-pool.ts';
const RANDOM_IMPORTS = ['randomBytes', 'randomInt', 'randomUUID', 'randomFill', 'randomFillSync', 'getRandomValues'];
/** Folders that are wiring, and whose clock and environment are the real ones. */
const WIRING = ['bin', 'functions'];

/** Time, chance and the environment, read where a test or a simulation could not stand in for them. */
function worldFaults(place: Place): Fault[] {
  const { file, folder } = place;
  if (WIRING.includes(folder) || isAdapter(place)) return [];
  const faults: Fault[] = [];
  for (const node of nodesOf(parsed(file).program)) {
    const message = bannedIn(node) ?? (file.path === POOL_FILE ? undefined : waitingIn(node, place));
    if (message !== undefined) faults.push(faultAt(file, node.start, message));
  }
  return faults;
}

/** What waits for something that is no port. A name that is only a member or a key of something is not meant. */
function waitingIn(node: SyntaxNode, place: Place): string | undefined {
  if (node.type === 'ImportDeclaration') {
    const { source, specifiers } = node as unknown as { source: { value: string }; specifiers: SyntaxNode[] };
    const why = BANNED_MODULES[source.value];
    if (why !== undefined && isWorldPlace(place)) return `${source.value}: ${why}`;
    const imported = specifiers.map((one) => dottedName(one['imported'])).find((name) => POOL_IMPORT.test(name ?? ''));
    if (source.value === 'node:zlib' && imported !== undefined) return `${imported}: ${POOL}`;
    return undefined;
  }
  if (node.type === 'MemberExpression') {
    const name = dottedName(node)?.replace(/^globalThis\./, '');
    return name === 'crypto.subtle' ? `${name}: ${POOL}` : undefined;
  }
  const named = [node['callee'], ...((node['arguments'] as unknown[] | undefined) ?? [])];
  if (node.type !== 'CallExpression' && node.type !== 'NewExpression') return undefined;
  const name = named
    .map((one) => dottedName(one)?.replace(/^globalThis\./, ''))
    .find((one) => one !== undefined && one in BANNED_NAMES);
  return name === undefined ? undefined : `${name}: ${BANNED_NAMES[name]}`;
}

function bannedIn(node: SyntaxNode): string | undefined {
  if (
    node.type === 'NewExpression' &&
    dottedName(node['callee']) === 'Date' &&
    (node['arguments'] as unknown[]).length === 0
  )
    return `new Date(): ${CLOCK}`;
  if (node.type === 'ImportSpecifier') {
    const imported = dottedName(node['imported']);
    if (imported !== undefined && RANDOM_IMPORTS.includes(imported)) return `${imported}: ${RANDOMNESS}`;
  }
  if (node.type !== 'MemberExpression') return undefined;
  const name = dottedName(node)?.replace(/^globalThis\./, '');
  const why = name === undefined ? undefined : BANNED[name];
  return why === undefined ? undefined : `${name}: ${why}`;
}
