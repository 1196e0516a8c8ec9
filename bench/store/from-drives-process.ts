// Child process of the bench of the journal: node from-drives-process.ts DIR.
import { restoreFromDrives } from '../../lib/engine/journal/restore-from-drives.ts';
import { keepHeapSmall } from '../../lib/engine/wire/system-memory.ts';
import { peakRssDuring } from '../bench.ts';

keepHeapSmall();
const startMs = performance.now();
const { result, peakRssBytes } = await peakRssDuring(() => restoreFromDrives(process.argv[2] as string));
const seconds = (performance.now() - startMs) / 1000;
const { rows, segments, bytes } = result;
process.send?.({ seconds, peakRssBytes, rows, segments, bytes });
