// The drive contract on every body that needs no network.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DirectoryDrive } from '../../lib/drive/directory-drive.ts';
import { FaultyDrive } from '../../lib/drive/faulty-drive.ts';
import { MemoryDrive } from '../../lib/drive/memory-drive.ts';
import { driveId, storeId } from '../../lib/foundation/ids.ts';
import { driveContract } from '../contract/drive.contract.ts';

driveContract('memory', async () => ({ drive: new MemoryDrive(), close: async () => undefined }));

driveContract('faulty without faults', async () => ({
  drive: new FaultyDrive(new MemoryDrive()),
  close: async () => undefined,
}));

driveContract('directory', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'pocketful-drive-'));
  const identity = { storeId: storeId('ab'.repeat(16)), driveId: driveId(3) };
  return {
    drive: await DirectoryDrive.create(join(folder, 'drive'), identity),
    reopen: () => DirectoryDrive.open(join(folder, 'drive'), identity),
    close: () => rm(folder, { recursive: true }),
  };
});
