// Run as a program in a mount namespace of its own: what a drive says on a disk that is full, read-only or unmounted. It
// prints the codes as JSON.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DirectoryDrive } from '../../lib/drive/directory-drive.ts';
import { isPocketfulError } from '../../lib/foundation/errors.ts';
import { driveId, storeId } from '../../lib/foundation/ids.ts';

const identity = { storeId: storeId('22'.repeat(16)), driveId: driveId(2) };
const at = { zone: 0, generation: 0 };
const outcome = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    (value) => (value instanceof Uint8Array ? value.byteLength : (value ?? 'done')),
    (error: unknown) => (isPocketfulError(error) ? error.code : String(error)),
  );

const folder = mkdtempSync(join(tmpdir(), 'pocketful-mount-'));
const path = join(folder, 'disk');
mkdirSync(path);
execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', path]);
const drive = await DirectoryDrive.create(path, identity);
const half = Buffer.alloc(130_000, 'h');
const report: Record<string, unknown> = {};

report['half'] = await outcome(drive.append(at, 'half', [half]));
report['full'] = await outcome(drive.append(at, 'too-much', [half]));
report['fullRetried'] = await outcome(drive.append(at, 'too-much', [half]));
report['fullList'] = await outcome(drive.list(at));
report['fullRead'] = await outcome(drive.read(at, 'half'));
report['fullErase'] = await outcome(drive.erase(at));
report['roomAgain'] = await outcome(drive.append(at, 'half', [half]));

execFileSync('mount', ['-o', 'remount,ro', path]);
report['readOnlyAppend'] = await outcome(drive.append(at, 'b', []));
report['readOnlyProbe'] = await outcome(drive.probe());
report['readOnlyErase'] = await outcome(drive.erase(at));
report['readOnlyOpen'] = await outcome(DirectoryDrive.open(path, identity).then((d) => d.read(at, 'half')));

execFileSync('umount', [path]);
report['unmountedAppend'] = await outcome(drive.append(at, 'b', []));
report['unmountedRead'] = await outcome(drive.read(at, 'half'));
report['unmountedFolder'] = readdirSync(path);
rmSync(folder, { recursive: true });
process.stdout.write(JSON.stringify(report));
