// A disk that is really full, really read-only and really unmounted. Mounting needs root or user namespaces; where the system
// has neither, the same errnos are raised by the devices that have them.
import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, openSync, writeSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { directoryError } from '../../lib/drive/directory-errors.ts';

const program = fileURLToPath(new URL('mounts.ts', import.meta.url));
const ways = [['--mount'], ['--mount', '--user', '--map-root-user']];
const way = ways.find(
  (flags) => spawnSync('unshare', [...flags, 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).status === 0,
);

it(`on ${way === undefined ? '/dev/full: a full disk' : 'a mounted disk: full, read-only, unmounted'}`, () => {
  if (way === undefined) return expect(fullDevice()).toMatchObject({ code: 'DRIVE_FULL' });
  const run = spawnSync('unshare', [...way, process.execPath, program], { encoding: 'utf8' });
  expect(run.stderr.replace(/.*ExperimentalWarning.*\n.*\n/, '')).toBe('');
  expect(JSON.parse(run.stdout)).toEqual({
    half: 'done',
    full: 'DRIVE_FULL',
    fullRetried: 'DRIVE_FULL',
    fullList: [{ name: 'half', bytes: 130_000 }],
    fullRead: 130_000,
    fullErase: 'done',
    roomAgain: 'done',
    readOnlyAppend: 'DRIVE_READ_ONLY',
    readOnlyProbe: 'DRIVE_READ_ONLY',
    readOnlyErase: 'DRIVE_READ_ONLY',
    readOnlyOpen: 130_000,
    unmountedAppend: 'DRIVE_UNAVAILABLE',
    unmountedRead: 'DRIVE_UNAVAILABLE',
    unmountedFolder: [],
  });
});

/** What a write to the device that is always full is mapped to; without such a device, an error of the same shape. */
function fullDevice(): unknown {
  if (!existsSync('/dev/full'))
    return directoryError('here', Object.assign(new Error(), { code: 'ENOSPC', syscall: 'write' }));
  const fd = openSync('/dev/full', 'w');
  try {
    return writeSync(fd, Buffer.from('x'));
  } catch (error) {
    return directoryError('/dev/full', error);
  } finally {
    closeSync(fd);
  }
}
