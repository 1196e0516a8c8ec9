// The shelf contract on directories and in memory; on S3: test/localstack/shelf.test.ts.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder as folderOf } from '../../lib/drive/directory-create.ts';
import { MARKER, markerText } from '../../lib/drive/directory-marker.ts';
import { DirectoryShelf } from '../../lib/drive/directory-shelf.ts';
import { driveId } from '../../lib/foundation/ids.ts';
import { temporaryFolder } from '../cli/temporary-folder.ts';
import { shelfContract } from '../contract/shelf.contract.ts';
import { MemoryShelf } from '../journal/memory-shelf.ts';
import { STORE } from '../journal/world.ts';

const root = temporaryFolder();
let drives = 0;

shelfContract('directory', async () => {
  const identity = { storeId: STORE, driveId: driveId(drives) };
  const path = join(root, `drive-${drives++}`);
  mkdirSync(join(path, folderOf(identity)), { recursive: true });
  writeFileSync(join(path, MARKER), markerText(identity));
  return { shelf: new DirectoryShelf(path, identity), close: async () => {} };
});

shelfContract('memory', async () => ({ shelf: new MemoryShelf(), close: async () => {} }));
