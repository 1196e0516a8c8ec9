// Child process of the bench of the journal, so that the peak of memory is its own: node journal-merge-process.ts
// FOLDER SEGMENTS (a file of JSON). Merges segments that lie in FOLDER; what it writes goes again.
import { readFileSync } from 'node:fs';
import { keepHeapSmall } from '../../lib/engine/wire/system-memory.ts';
import { systemRandomness } from '../../lib/foundation/randomness.ts';
import { mergedRows, readSegment, writeSegment } from '../../lib/journal/segments.ts';
import type { Segment } from '../../lib/journal/way.ts';
import { peakRssDuring } from '../bench.ts';
import { KEK, STORE, shelvesIn } from './journal-history.ts';

keepHeapSmall();
const [folder = '', file = ''] = process.argv.slice(2);
const segments = JSON.parse(readFileSync(file, 'utf8')) as Segment[];
const shelves = shelvesIn(folder);
const ports = { storeId: STORE, randomness: systemRandomness, shelves, kekOf: async () => KEK.key };
const [first, last] = [segments[0] as Segment, segments.at(-1) as Segment];
const level = first.level === 'snapshot' ? ('snapshot' as const) : 9;
const head = { level, from: first.from, to: last.to, atMs: last.atMs };
const idleRssBytes = process.memoryUsage.rss();
const startMs = performance.now();
const { result, peakRssBytes } = await peakRssDuring(() =>
  writeSegment(ports, first.epoch, head, mergedRows(segments.map((one) => readSegment(ports, one))), KEK),
);
const ms = performance.now() - startMs;
await shelves.remove(
  result.parts.flatMap(({ name, drives }) => drives.map((drive) => ({ epoch: result.epoch, name, drive }))),
);
process.send?.({ ms, bytes: result.bytes, peakRssBytes, idleRssBytes });
