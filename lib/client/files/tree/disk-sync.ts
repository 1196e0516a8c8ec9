// Everything that was written to a file system onto its disk, with one call (syncfs) where a sync of each file would be
// a call for each. Node has none; the program `sync` of GNU does it by name. Only on file systems that keep what syncfs
// promises, and of a kernel that says so when it could not write (5.8).
import { execFile } from 'node:child_process';
import { statfs } from 'node:fs/promises';
import { release } from 'node:os';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** ext2 to 4, XFS, Btrfs, F2FS, ZFS, bcachefs; tmpfs has nothing to keep. */
const FILE_SYSTEMS = new Set([0xef53, 0x58465342, 0x9123683e, 0xf2f52010, 0x2fc12fc1, 0xca451a4e, 0x01021994]);
const KERNEL = [5, 8] as const;

/** Whether all of a file system can be synced at once. */
export async function canSyncAll(folder: string): Promise<boolean> {
  const [major = 0, minor = 0] = release().split('.').map(Number);
  const isNewEnough = major > KERNEL[0] || (major === KERNEL[0] && minor >= KERNEL[1]);
  if (process.platform !== 'linux' || !isNewEnough) return false;
  const { type } = await statfs(folder);
  const help = FILE_SYSTEMS.has(type) ? await run('sync', ['--help']).catch(() => undefined) : undefined;
  return help?.stdout.includes('--file-system') ?? false;
}

/** Resolves once all that was written to the file system of a folder is on its disk. */
export async function syncAll(folder: string): Promise<void> {
  await run('sync', ['--file-system', '--', folder]);
}
