// `npm run bench -- large`: one large file put into a new store, beside what only hashes, seals and writes its blocks
// durably, with as many at once (`putBound`). They take turns in one process, each file once; ratios are medians.
//   --mb=1000 --rounds=5 --preset=thrifty --dir=DIR

import { createCipheriv } from 'node:crypto';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PocketfulStore } from '../lib/client/face.ts';
import { createStore, settingsFor } from '../lib/client/file/create-store.ts';
import { fileToPut } from '../lib/client/files/read-file.ts';
import { keepHeapSmall } from '../lib/engine/wire/system-memory.ts';
import { type Benches, type BenchResult, elapsedMs, type Flags, machine, median } from './bench.ts';
import { clearBoundFolders, makeBoundFolders, putBound } from './bounds.ts';

const KNOWN = ['json', 'mb', 'rounds', 'preset', 'dir'];
const MB = 1e6;
const PIECE_BYTES = 10 * MB;
/** As the store has. */
const SEGMENTS_AT_ONCE = 3;
const BOUND_COLUMNS = 16;

export const benches: Benches = { large };

interface Taken {
  readonly ms: number;
  readonly cpuMs: number;
}

async function large(options: Flags): Promise<BenchResult> {
  const unknown = Object.keys(options).filter((key) => !KNOWN.includes(key));
  if (unknown.length > 0) throw new Error(`large knows no --${unknown.join(', --')}`);
  const bytes = Number(options['mb'] ?? 1000) * MB;
  const rounds = Number(options['rounds'] ?? 5);
  const preset = options['preset'] ?? 'thrifty';
  keepHeapSmall(); // as the CLI does
  const folder = fs.mkdtempSync(join(options['dir'] ?? tmpdir(), 'pocketful-large-'));
  try {
    const bound = join(folder, 'bound');
    makeBoundFolders(bound, BOUND_COLUMNS);
    const found: { readonly bound: Taken; readonly put: Taken }[] = [];
    for (let round = 0; round < rounds; round++) {
      const path = join(folder, 'file');
      writeFile(path, bytes, round);
      const least = await taken(() => putBound(bound, settingsFor({ preset }), [{ path, bytes }], SEGMENTS_AT_ONCE));
      clearBoundFolders(bound);
      const store = await createStore(join(folder, 'store'), { preset });
      found.push({ bound: least, put: await taken(() => putOne(store, path)) });
      await store.close();
      fs.rmSync(join(folder, 'store'), { recursive: true });
    }
    const ratio = (of: (taken: Taken) => number): number => median(found.map((one) => of(one.bound) / of(one.put)));
    const rate = bytes / MB / (median(found.map(({ put }) => put.ms)) / 1000);
    const figures = [
      { name: `put of ${bytes / MB} MB`, value: rate, unit: 'MB/s', ratio: ratio(({ ms }) => ms) },
      {
        name: 'its processor time',
        value: median(found.map(({ put }) => put.cpuMs)),
        unit: 'ms',
        ratio: ratio(({ cpuMs }) => cpuMs),
      },
    ];
    return { bench: 'large', machine: machine(), figures };
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** No two rounds have a block in common. */
function writeFile(path: string, bytes: number, round: number): void {
  const noise = createCipheriv('aes-128-ctr', Buffer.alloc(16, 7), Buffer.alloc(16, round));
  const fd = fs.openSync(path, 'w');
  for (let left = bytes; left > 0; left -= PIECE_BYTES)
    fs.writeSync(fd, noise.update(Buffer.alloc(Math.min(left, PIECE_BYTES))));
  // So that neither side pays for it.
  fs.fsyncSync(fd);
  fs.closeSync(fd);
}

async function putOne(store: PocketfulStore, path: string): Promise<void> {
  const request = fileToPut('large', path, fs.lstatSync(path, { bigint: true }));
  for await (const outcome of store.putAll([request])) if (!outcome.ok) throw outcome.error;
}

async function taken(work: () => Promise<unknown>): Promise<Taken> {
  const before = process.cpuUsage();
  const ms = await elapsedMs(work);
  const { user, system } = process.cpuUsage(before);
  return { ms, cpuMs: (user + system) / 1000 };
}
