// The regular files below a directory, in the order of their paths' bytes, and what was passed over and why. Nothing is followed:
// symlinks, devices, sockets and pipes are only named.
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';

export type SkipReason = 'symlink' | 'device' | 'socket' | 'pipe' | 'other';

export interface FoundFile {
  readonly kind: 'file';
  /** Relative to the root, with `/`. */
  readonly name: string;
  readonly path: string;
  readonly sizeBytes: number;
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

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The root may be a symlink: it was named by the caller. `leaveOut` is a directory that is passed over silently: the store itself. */
export async function* walkTree(root: string, leaveOut?: string): AsyncGenerator<TreeEntry> {
  yield* walkFolder(root, '', leaveOut);
}

async function* walkFolder(path: string, prefix: string, leaveOut: string | undefined): AsyncGenerator<TreeEntry> {
  let names: Buffer[];
  try {
    names = (await readdir(path, { encoding: 'buffer' })).sort(Buffer.compare);
  } catch (error) {
    yield { kind: 'unreadable', name: prefix === '' ? path : prefix, why: errnoText(error) };
    return;
  }
  for (const bytes of names) {
    const name = decoded(bytes);
    if (name === undefined) {
      yield { kind: 'unreadable', name: `${prefix}${escaped(bytes)}`, why: 'its name is not UTF-8' };
      continue;
    }
    const full = join(path, name);
    if (full !== leaveOut) yield* visit(full, `${prefix}${name}`, leaveOut);
  }
}

async function* visit(path: string, name: string, leaveOut: string | undefined): AsyncGenerator<TreeEntry> {
  try {
    const found = await lstat(path);
    if (found.isFile()) yield { kind: 'file', name, path, sizeBytes: found.size };
    else if (!found.isDirectory()) yield { kind: 'skipped', name, reason: reasonOf(found) };
    else {
      yield* walkFolder(path, `${name}/`, leaveOut);
      return;
    }
  } catch (error) {
    yield { kind: 'unreadable', name, why: errnoText(error) };
  }
}

export function reasonOf(found: Awaited<ReturnType<typeof lstat>>): SkipReason {
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

export function errnoText(error: unknown): string {
  const code = (error as NodeJS.ErrnoException)?.code;
  if (code === undefined) throw error;
  return TEXTS[code] ?? `the file system answered ${code}`;
}
