// Files beside a store's metadata that one command needs for a while. Their names say whose they are, so that the next
// command of any kind removes what a killed process left: they hold rows, wrapped keys among them.
import { readdir, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { writerOf } from '../../drive/writer-tag.ts';
import type { Clock } from '../../foundation/clock.ts';
import type { Randomness } from '../../foundation/randomness.ts';
import { FOREIGN_FILE_MS } from '../../limits/engine.ts';
import { isOwnerGone, newOwner } from './process-owner.ts';
import { pandaPath } from './store-layout.ts';

/** restoring: becomes the metadata of a restored store. sorting: what a rebuild sorts on disk. */
export type ScratchPurpose = 'restoring' | 'sorting';

/** What SQLite keeps beside a file of its own. */
const SUFFIXES = ['', '-wal', '-shm', '-journal'];
const OWNED = /^\.(?:restoring|sorting)-(.+?)(?:-wal|-shm|-journal)?$/;
/** Names of earlier releases do not say whose they are. What their processes lose by this they only read. */
const UNOWNED = /^\.(?:copy-[0-9a-f]{12}|restoring)(?:-wal|-shm|-journal)?$/;

export const scratchPath = (dir: string, purpose: ScratchPurpose, randomness: Randomness): string =>
  `${pandaPath(dir)}.${purpose}-${newOwner(randomness)}`;

export async function removeScratch(path: string): Promise<void> {
  for (const suffix of SUFFIXES) await rm(`${path}${suffix}`, { force: true });
}

/** Removes what commands that are gone left in a store's directory. It never keeps a command from its work. */
export async function sweepLeftovers(dir: string, clock: Clock): Promise<void> {
  const panda = basename(pandaPath(dir));
  const names = await readdir(dir).catch(() => []);
  for (const name of names) {
    if (!name.startsWith(panda)) continue;
    const path = join(dirname(pandaPath(dir)), name);
    if (await isLeft(path, name.slice(panda.length), clock)) await rm(path, { force: true }).catch(() => {});
  }
}

async function isLeft(path: string, rest: string, clock: Clock): Promise<boolean> {
  if (UNOWNED.test(rest)) return true;
  const owner = OWNED.exec(rest)?.[1];
  if (owner === undefined) return false;
  if (isOwnerGone(owner)) return true;
  if (writerOf(owner) === 'alive') return false;
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && clock.nowMs() - found.mtimeMs > FOREIGN_FILE_MS;
}
