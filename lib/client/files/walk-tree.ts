// The regular files below a directory, in the order of their paths' bytes, and what was passed over and why. Nothing is
// followed: symlinks, devices, sockets and pipes are only named. Nor are directories that hold a store or a drive: a
// store that is backed up file by file, while it works, cannot be restored from that, and one that takes itself in
// grows without end.
import { type BigIntStats, lstatSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { turnOfTheLoop } from '../../engine/wire/system-kernel.ts';
import { LOOKED_AT_ONCE } from '../../limits/engine.ts';
import { type FoundStats, foundStats } from './same-file.ts';
import { storeKindOf } from './store-places.ts';

export type SkipReason = 'symlink' | 'device' | 'socket' | 'pipe' | 'other' | 'store' | 'drive' | 'keys';

export interface FoundFile {
  readonly kind: 'file';
  /** Relative to the root, with `/`. */
  readonly name: string;
  readonly path: string;
  readonly stats: FoundStats;
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

/**
 * Some entries at a time, as an answer that is waited for costs more than a look at a file does. The root may be a
 * symlink: it was named by the caller.
 */
export async function* walkTree(root: string, rules: WalkRules = {}): AsyncGenerator<readonly TreeEntry[]> {
  let seen: TreeEntry[] = [];
  const folders = [await openedFolder(root, '', rules)];
  for (;;) {
    const folder = folders.at(-1);
    const entry = folder === undefined ? undefined : nextIn(folder, rules);
    if (entry === undefined) folders.pop();
    else if (entry.kind === 'folder') folders.push(await openedFolder(entry.path, `${entry.name}/`, rules));
    else if (entry.kind !== 'own') seen.push(entry);
    if (seen.length < LOOKED_AT_ONCE && folders.length > 0) continue;
    if (seen.length > 0) yield seen;
    if (folders.length === 0) return;
    seen = [];
    // Looked at one by one without waiting, and others have their turn in between.
    await turnOfTheLoop();
  }
}

/** What is left of a folder: names of its own entries, or the one thing that is to be said of it. */
interface OpenFolder {
  readonly path: string;
  readonly prefix: string;
  readonly names: Iterator<Buffer>;
  told: TreeEntry | undefined;
}

/** Walked into, or passed over silently. */
type Met = TreeEntry | { readonly kind: 'folder'; readonly path: string; readonly name: string } | { kind: 'own' };

async function openedFolder(path: string, prefix: string, rules: WalkRules): Promise<OpenFolder> {
  const none = { path, prefix, names: [].values() };
  let names: Buffer[];
  try {
    names = (await readdir(path, { encoding: 'buffer' })).sort(Buffer.compare);
  } catch (error) {
    return { ...none, told: { kind: 'unreadable', name: prefix === '' ? path : prefix, why: errnoText(error) } };
  }
  const holds = rules.intoStores ? undefined : await storeKindOf(path, names);
  if (holds === undefined) return { path, prefix, names: names.values(), told: undefined };
  return { ...none, told: { kind: 'skipped', name: prefix === '' ? path : prefix.slice(0, -1), reason: holds } };
}

function nextIn(folder: OpenFolder, rules: WalkRules): Met | undefined {
  const { told, path, prefix } = folder;
  if (told !== undefined) {
    folder.told = undefined;
    return told;
  }
  const next = folder.names.next();
  if (next.done === true) return undefined;
  const name = decoded(next.value);
  if (name === undefined)
    return { kind: 'unreadable', name: `${prefix}${escaped(next.value)}`, why: 'its name is not UTF-8' };
  return visited(join(path, name), `${prefix}${name}`, rules);
}

function visited(path: string, name: string, rules: WalkRules): Met {
  try {
    const found = lstatSync(path, { bigint: true });
    if (found.isFile()) return { kind: 'file', name, path, stats: foundStats(found) };
    if (!found.isDirectory()) return { kind: 'skipped', name, reason: reasonOf(found) };
    return rules.isOwn?.(found) === true ? { kind: 'own' } : { kind: 'folder', path, name };
  } catch (error) {
    return { kind: 'unreadable', name, why: errnoText(error) };
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
