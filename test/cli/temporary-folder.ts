// Where tests on real files put them: in memory where the system has room for that, as a test is about the calls and not about
// the disk.
import { accessSync, constants, mkdtempSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

const MEMORY = '/dev/shm';
const ROOM_BYTES = 1_000_000_000;

function place(): string {
  try {
    accessSync(MEMORY, constants.W_OK);
    const { bavail, bsize } = statfsSync(MEMORY);
    return bavail * bsize > ROOM_BYTES ? MEMORY : tmpdir();
  } catch {
    return tmpdir();
  }
}

/** Removed when the test file is done. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(place(), 'pocketful-test-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
