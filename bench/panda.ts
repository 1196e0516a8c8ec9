// Transactions per second of the Panda bodies. A transaction here is the INDEX of one file: a check of the volume, a
// block row and an object row, both new. `full` ones index 45 files each, as a bulk put does. Then what a put spends on
// its index (panda/index-part.ts).
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hexOf } from '../lib/foundation/ids.ts';
import { SeededRandomness } from '../lib/foundation/randomness.ts';
import { MemoryPanda } from '../lib/panda/memory-panda.ts';
import type { Key, Panda, Write } from '../lib/panda/panda.ts';
import { SqlitePanda } from '../lib/panda/sqlite/sqlite-panda.ts';
import { type Benches, type BenchResult, type Figure, machine } from './bench.ts';
import { indexPart } from './panda/index-part.ts';

const SEED = 1;
const FILES_PER_FULL = 45;
const VOLUME: Key = { partition: 'volume/0', sort: '0123456789abcdef' };

/** Transactions that each index `files` new files, as put does it. */
function indexing(transactions: number, files: number): Write[][] {
  const randomness = new SeededRandomness(SEED);
  const hex = (bytes: number): string => hexOf(randomness.bytes(bytes));
  const pair = (): Write[] => {
    const block = hex(32);
    const hint = [hex(8), 1, 12, 3, 0, 123_456];
    const attributes = {
      c: 'c0',
      b: hex(8),
      n: 5,
      r: randomness.bytes(16),
      l: 12_345,
      z: 12_345,
      h: hint,
      f: 1,
      s: 'live',
    };
    const wrapped = { ...attributes, w: randomness.bytes(60), k: 1 };
    const object = { v: hex(12), b: [block], z: 12_345, e: hex(16) };
    const path = `photos/2026/${hex(10)}.jpg`;
    return [
      { kind: 'put', partition: `block/${block.slice(0, 2)}`, sort: block, attributes: wrapped, if: ['absent'] },
      { kind: 'put', partition: 'object/default', sort: path, attributes: object, if: ['absent'] },
    ];
  };
  const check: Write = { kind: 'check', ...VOLUME, if: [{ attribute: 'token', equals: 1 }] };
  return Array.from({ length: transactions }, () => [check, ...Array.from({ length: files }, pair).flat()]);
}

/** Transactions per second with so many under way. */
async function speed(panda: Panda, all: readonly Write[][], inFlight: number): Promise<number> {
  await panda.transact([{ kind: 'put', ...VOLUME, attributes: { token: 1 } }]);
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < all.length) {
      const writes = all[next] as Write[];
      next += 1;
      await panda.transact(writes);
    }
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: inFlight }, worker));
  return (all.length / (performance.now() - start)) * 1000;
}

async function gets(panda: Panda, all: readonly Write[][]): Promise<number> {
  const keys = all.flat().filter((write) => write.kind === 'put');
  const start = performance.now();
  for (const key of keys) await panda.get(key);
  return (keys.length / (performance.now() - start)) * 1000;
}

async function onFile<T>(use: (panda: Panda) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'panda-bench-'));
  const panda = await SqlitePanda.open(join(folder, 'panda.db'));
  try {
    return await use(panda);
  } finally {
    await panda.close();
    await rm(folder, { recursive: true });
  }
}

const rounded = (value: number): number => Math.round(value);

async function panda(): Promise<BenchResult> {
  const small = indexing(4000, 1);
  const full = indexing(200, FILES_PER_FULL);
  const memory = await speed(new MemoryPanda(), small, 1);
  const figures: Figure[] = [{ name: 'memory', value: rounded(memory), unit: 'transactions/s' }];
  let alone = 0;
  for (const inFlight of [1, 16]) {
    const value = await onFile((body) => speed(body, inFlight === 1 ? small.slice(0, 1000) : small, inFlight));
    if (inFlight === 1) alone = value;
    const ratio = Number((value / alone).toFixed(2));
    figures.push({ name: `SQLite, ${inFlight} in flight`, value: rounded(value), unit: 'transactions/s', ratio });
  }
  await onFile(async (body) => {
    const files = (await speed(body, full, 4)) * FILES_PER_FULL;
    figures.push({ name: `SQLite, ${FILES_PER_FULL} files a transaction`, value: rounded(files), unit: 'files/s' });
    figures.push({ name: 'SQLite, get', value: rounded(await gets(body, full)), unit: 'rows/s' });
  });
  return { bench: 'panda', machine: machine(), figures: [...figures, ...(await indexPart())] };
}

export const benches: Benches = { panda };
