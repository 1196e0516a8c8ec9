// The files of the demonstration: the first so many bytes of a tree in path order, each with the SHA-256 it has on
// disk, so that what comes back is held against the source and not against what the store believes.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mapLimit } from '../../foundation/concurrency.ts';
import { invalid } from '../../foundation/errors.ts';
import { HASHES_AT_ONCE } from '../../limits/engine.ts';
import { type FoundFile, walkTree } from '../files/walk-tree.ts';

export interface DemoFile {
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly found: FoundFile;
}

export interface DemoTree {
  readonly root: string;
  readonly files: readonly DemoFile[];
  readonly bytes: number;
  /** Symlinks and the like, which are never stored. */
  readonly skipped: number;
}

export async function sha256Of(body: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of body) hash.update(piece);
  return hash.digest('hex');
}

/**
 * At least `filesMin` files if the tree has them, else as many as fit `bytesMax`. `leaveOut` are names that are passed
 * over.
 */
export async function demoTree(
  root: string,
  bytesMax: number,
  filesMin: number,
  leaveOut: (name: string) => boolean,
): Promise<DemoTree> {
  const found: FoundFile[] = [];
  let bytes = 0;
  let skipped = 0;
  const enough = (size: bigint): boolean => found.length >= filesMin && bytes + Number(size) > bytesMax;
  walk: for await (const entries of walkTree(root))
    for (const entry of entries) {
      if (entry.kind === 'skipped') skipped += 1;
      if (entry.kind !== 'file' || leaveOut(entry.name)) continue;
      if (enough(entry.stats.size)) break walk;
      found.push(entry);
      bytes += Number(entry.stats.size);
    }
  if (found.length === 0) throw invalid('TREE_EMPTY', `${root}: there are no files to store`);
  const files = await mapLimit(found, HASHES_AT_ONCE, async (entry) => ({
    name: entry.name,
    path: entry.path,
    bytes: Number(entry.stats.size),
    sha256: await sha256Of(createReadStream(entry.path)),
    found: entry,
  }));
  return { root, files, bytes: files.reduce((sum, file) => sum + file.bytes, 0), skipped };
}
