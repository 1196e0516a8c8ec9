// A process that halts in the middle of a command, to be killed there: node halting-victim.ts backup DIR FILE | doctor DIR | restore DIR FILE.
import { writeSync } from 'node:fs';
import { backupTo } from '../../lib/engine/backup/backup.ts';
import { restoreTo } from '../../lib/engine/backup/restore.ts';
import { examine } from '../../lib/engine/doctor/doctor.ts';
import { openEmbedded } from '../../lib/engine/wire/embedded.ts';
import { withStore } from './small-store.ts';

const [what = '', dir = '', file = ''] = process.argv.slice(2);
const halt = (): void => {
  writeSync(1, 'halted\n');
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3_600_000);
};

if (what === 'backup') await withStore(dir, (store) => backupTo(store, file, { onProgress: halt }));
else if (what === 'restore') await restoreTo(dir, file, { onProgress: halt });
else {
  const store = await openEmbedded(dir);
  // Asked once for every page of rows, while the rows of one moment are held.
  const signal = { throwIfAborted: halt } as unknown as AbortSignal;
  await examine(store, { signal });
}
