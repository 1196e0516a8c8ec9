// The regular files below a directory, in the order of their paths' bytes, and what was passed over and why. Nothing is
// followed: symlinks, devices, sockets and pipes are only named. Nor are directories that hold a store or a drive: a
// store that is backed up file by file, while it works, cannot be restored from that, and one that takes itself in
// grows without end.
import { type BigIntStats, lstatSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { turnOfTheLoop } from '../../engine/wire/system-kernel.ts';
import { LOOKED_AT_ONCE } from '../../limits/engine.ts';
import { storeKindOf } from './store-places.ts';

export type SkipReason = 'symlink' | 'device' | 'socket' | 'pipe' | 'other' | 'store' | 'drive' | 'keys';

export interface FoundFile {
  readonly kind: 'file';
  /** Relative to the root, with `/`. */
  readonly name: string;
  readonly path: string;
  readonly stats: BigIntStats;
}
/** Never stored, by design: no fault of the tree. */
export interface PassedOver {
  readonly kind: 'skipped';
  readonly name: string;
  readonly reason: SkipReason;
}
/** Should have been stored, but cannot be. */
export interface Unreadable {
  readonly kind: 'unreadable';
  readonly name: string;
  readonly why: string;
}
export type TreeEntry = FoundFile | PassedOver | Unreadable;

export interface WalkRules {
  /** Of a directory that is passed over silently: the store that is written to. */
  readonly isOwn?: (found: BigIntStats) => boolean;
  /** Walk into directories that hold another store, or a drive of one. */
  readonly intoStores?: boolean;
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The root may be a symlink: it was named by the caller. */
export async function* walkTree(root: string, rules: WalkRules = {}): AsyncGenerator<TreeEntry> {
  yield* walkFolder(root, '', rules);
}

async function* walkFolder(path: string, prefix: string, rules: WalkRules): AsyncGenerator<TreeEntry> {
  let names: Buffer[];
  try {
    names = (await readdir(path, { encoding: 'buffer' })).sort(Buffer.compare);
  } catch (error) {
    yield { kind: 'unreadable', name: prefix === '' ? path : prefix, why: errnoText(error) };
    return;
  }
  const holds = rules.intoStores ? undefined : await storeKindOf(path, names);
  if (holds !== undefined) {
    yield { kind: 'skipped', name: prefix === '' ? path : prefix.slice(0, -1), reason: holds };
    return;
  }
  for (const [i, bytes] of names.entries()) {
    // Asked one by one without waiting: an answer takes a fifth of what waiting for it does.
    if (i % LOOKED_AT_ONCE === LOOKED_AT_ONCE - 1) await turnOfTheLoop();
    const name = decoded(bytes);
    if (name === undefined)
      yield { kind: 'unreadable', name: `${prefix}${escaped(bytes)}`, why: 'its name is not UTF-8' };
    else yield* visit(join(path, name), `${prefix}${name}`, rules);
  }
}

async function* visit(path: string, name: string, rules: WalkRules): AsyncGenerator<TreeEntry> {
  try {
    const found = lstatSync(path, { bigint: true });
    if (found.isFile()) yield { kind: 'file', name, path, stats: found };
    else if (!found.isDirectory()) yield { kind: 'skipped', name, reason: reasonOf(found) };
    else {
      if (rules.isOwn?.(found) !== true) yield* walkFolder(path, `${name}/`, rules);
      return;
    }
  } catch (error) {
    yield { kind: 'unreadable', name, why: errnoText(error) };
  }
}

export function reasonOf(found: BigIntStats): SkipReason {
  if (found.isSymbolicLink()) return 'symlink';
  if (found.isBlockDevice() || found.isCharacterDevice()) return 'device';
  if (found.isSocket()) return 'socket';
  if (found.isFIFO()) return 'pipe';
  return 'other';
}
function decoded(bytes: Buffer): string | undefined {
  try {
    return UTF8.decode(bytes);
  } catch {
    return undefined;
  }
}

/** For people: what is not printable ASCII as \xNN. */
const escaped = (bytes: Buffer): string =>
  [...bytes]
    .map((byte) =>
      byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`,
    )
    .join('');

const TEXTS: Readonly<Record<string, string>> = {
  EACCES: 'no permission to read it',
  EPERM: 'no permission to read it',
  ENOENT: 'it vanished',
  ELOOP: 'it became a symlink',
};

function errnoText(error: unknown): string {
  const code = (error as NodeJS.ErrnoException)?.code;
  if (code === undefined) throw error;
  return TEXTS[code] ?? `the file system answered ${code}`;
}
