// Child process of the bench of restore, so that the peak of memory is its own: node restore-process.ts DIR BACKUP.
import { restoreTo } from '../../lib/engine/backup/restore.ts';
import { keepHeapSmall } from '../../lib/engine/wire/system-memory.ts';
import { peakRssDuring } from '../bench.ts';

keepHeapSmall();
const [dir = '', backup = ''] = process.argv.slice(2);
const startMs = performance.now();
const { result, peakRssBytes } = await peakRssDuring(() => restoreTo(dir, backup, { rebuild: true }));
const seconds = (performance.now() - startMs) / 1000;
const { objects = 0 } = result.rebuild ?? {};
process.send?.({ seconds, peakRssBytes, objects });
