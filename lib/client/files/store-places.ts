// Which directories are parts of a store. Places are told apart by device and inode, and by the marks that stores and
// drives bear: the text of a path says nothing where symlinks and bind mounts are.
import type { BigIntStats } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { MARKER } from '../../drive/directory-marker.ts';
import { pandaPath } from '../../engine/wire/store-layout.ts';

/** What every SQLite file begins with. */
const SQLITE_MAGIC = Buffer.from('SQLite format 3\0');
const PANDA_NAME = Buffer.from(pandaPath('.'));
const MARKER_NAME = Buffer.from(MARKER);

/** The identity of a file or directory, whatever path leads to it. */
const placeOf = ({ dev, ino }: BigIntStats): string => `${dev}:${ino}`;

/** What a directory with these names holds: the metadata of a store, or a drive. */
export async function storeKindOf(folder: string, names: readonly Buffer[]): Promise<'store' | 'drive' | undefined> {
  if (names.some((name) => name.equals(MARKER_NAME))) return 'drive';
  if (!names.some((name) => name.equals(PANDA_NAME))) return undefined;
  return (await beginsWith(pandaPath(folder), SQLITE_MAGIC)) ? 'store' : undefined;
}

/** Tells the directories that `paths` lead to; those that are not there are none. */
export async function placesOf(paths: readonly string[]): Promise<(found: BigIntStats) => boolean> {
  const places = new Set<string>();
  for (const path of paths) {
    const found = await stat(path, { bigint: true }).catch(() => undefined);
    if (found !== undefined) places.add(placeOf(found));
  }
  return (found) => places.has(placeOf(found));
}

/** True if `folder` or any directory above it is such a place. */
export async function isWithin(folder: string, isPlace: (found: BigIntStats) => boolean): Promise<boolean> {
  for (let at = folder; ; at = dirname(at)) {
    const found = await stat(at, { bigint: true }).catch(() => undefined);
    if (found !== undefined && isPlace(found)) return true;
    if (at === dirname(at)) return false;
  }
}

async function beginsWith(path: string, magic: Buffer): Promise<boolean> {
  try {
    const file = await open(path, 'r');
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(magic.length), 0, magic.length, 0);
      return bytesRead === magic.length && buffer.equals(magic);
    } finally {
      await file.close();
    }
  } catch {
    return true; // what cannot be looked at is taken for what its name says
  }
}
