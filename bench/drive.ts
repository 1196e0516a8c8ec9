// Appends and ranged reads a second of the drive bodies, beside a bound that does only the primitives: open, write,
// fsync and close of the same bytes (reads: open, pread, close). Body and bound take turns, so that a busy machine
// slows both.
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DirectoryDrive } from '../lib/drive/directory-drive.ts';
import type { Drive } from '../lib/drive/drive.ts';
import { MemoryDrive } from '../lib/drive/memory-drive.ts';
import { driveId, storeId } from '../lib/foundation/ids.ts';
import { SeededRandomness } from '../lib/foundation/randomness.ts';
import { type Benches, type BenchResult, type Figure, machine, median } from './bench.ts';

const ROUNDS = 9;
const CALLS = 400; // in each round
const BODY_BYTES = 32 * 1024;
const RANGE_BYTES = 4096;
const PARALLEL = [1, 16];

const open = promisify(fs.open);
const write = promisify(fs.write);
const fsync = promisify(fs.fsync);
const read = promisify(fs.read);
const close = promisify(fs.close);

export const benches: Benches = { drive: benchDrives };

async function benchDrives(): Promise<BenchResult> {
  const folder = fs.mkdtempSync(join(process.env['POCKETFUL_BENCH_DIR'] ?? tmpdir(), 'pocketful-bench-'));
  try {
    const identity = { storeId: storeId('00'.repeat(16)), driveId: driveId(0) };
    const directory = await DirectoryDrive.create(join(folder, 'drive'), identity);
    const figures: Figure[] = [];
    for (const parallel of PARALLEL) {
      figures.push(...(await appendFigures('directory', directory, folder, parallel)));
      figures.push(...(await appendFigures('memory', new MemoryDrive(), folder, parallel)));
      figures.push(...(await readFigures(directory, folder, parallel)));
    }
    return { bench: 'drive', machine: `${machine()}, ${folder}`, figures };
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

async function appendFigures(body: string, drive: Drive, folder: string, parallel: number): Promise<Figure[]> {
  const bytes = new SeededRandomness(1).bytes(BODY_BYTES);
  const parts = [bytes.subarray(0, 512), bytes.subarray(512)];
  const bound = fs.mkdtempSync(join(folder, 'bound-'));
  const primitive = async (name: string): Promise<void> => {
    const fd = await open(`${bound}/${name}`, 'wx');
    await write(fd, bytes, 0, bytes.byteLength, null);
    await fsync(fd);
    await close(fd);
  };
  const append = (name: string, round: number): Promise<void> =>
    drive.append({ zone: parallel, generation: round }, name, parts);
  return compare(`${body} appends of 32 KiB, ${parallel} at once`, parallel, append, primitive);
}

async function readFigures(drive: DirectoryDrive, folder: string, parallel: number): Promise<Figure[]> {
  const at = { zone: 1000 + parallel, generation: 0 };
  const bytes = new SeededRandomness(2).bytes(2 * 1024 * 1024);
  await drive.append(at, 'large', [bytes]);
  fs.writeFileSync(join(folder, `large-${parallel}`), bytes);
  const offset = (name: string): number => (Number(name.split('-')[1]) * 7919 * 64) % (bytes.byteLength - RANGE_BYTES);
  const primitive = async (name: string): Promise<void> => {
    const fd = await open(join(folder, `large-${parallel}`), 'r');
    await read(fd, Buffer.allocUnsafe(RANGE_BYTES), 0, RANGE_BYTES, offset(name));
    await close(fd);
  };
  const ranged = async (name: string): Promise<void> => {
    await drive.read(at, 'large', { offset: offset(name), length: RANGE_BYTES });
  };
  return compare(`directory reads of 4 KiB ranges, ${parallel} at once`, parallel, ranged, primitive);
}

type Call = (name: string, round: number) => Promise<void>;

/**
 * Median calls/s of a body, with the median of its ratios to the bound of the same round, and the bound's own figure.
 */
async function compare(name: string, parallel: number, body: Call, bound: Call): Promise<Figure[]> {
  const bodyRates: number[] = [];
  const boundRates: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    boundRates.push(await rate(bound, round, parallel));
    bodyRates.push(await rate(body, round, parallel));
  }
  const ratio = median(bodyRates.map((value, i) => value / (boundRates[i] as number)));
  return [
    { name, value: Math.round(median(bodyRates)), unit: 'calls/s', ratio: Math.round(ratio * 1000) / 1000 },
    { name: `bound of ${name}`, value: Math.round(median(boundRates)), unit: 'calls/s' },
  ];
}

async function rate(call: Call, round: number, parallel: number): Promise<number> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < CALLS) await call(`${round}-${next++}`, round);
  };
  const startMs = performance.now();
  await Promise.all(Array.from({ length: parallel }, worker));
  return (CALLS / (performance.now() - startMs)) * 1000;
}
