// The index part of a put on SQLite: processor time of the main thread a blob for planning, checks, encoding and
// statements, and for COMMITs, which the main thread of earlier releases waited for. With POCKETFUL_BENCH_BESIDE naming
// another checkout the two take turns in processes of their own, and ratios are to the other one.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Figure, median } from '../bench.ts';
import type { IndexAnswer, IndexOrder } from './index-process.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const ROUNDS = 3;
const KIB = 1024;
const BLOBS = [
  { name: '64 KiB', bytes: 64 * KIB, blobs: 3000 },
  { name: '2 KiB', bytes: 2 * KIB, blobs: 20_000 },
] as const;

export async function indexPart(): Promise<Figure[]> {
  const other = process.env['POCKETFUL_BENCH_BESIDE'];
  const figures: Figure[] = [];
  for (const { name, bytes, blobs } of BLOBS) {
    const [mine, others]: [IndexAnswer[], IndexAnswer[]] = [[], []];
    for (let round = 0; round < ROUNDS; round++) {
      if (other !== undefined) others.push(await measured(other, bytes, blobs));
      mine.push(await measured(ROOT, bytes, blobs));
    }
    figures.push(...figuresOf(`a put of ${name}`, mine, others));
  }
  return figures;
}

const MEASURES = [
  ['index and COMMIT', 'us', ({ indexUs, commitUs }: IndexAnswer) => indexUs + commitUs],
  ['waiting for COMMIT', 'us', ({ commitWallUs }: IndexAnswer) => commitWallUs],
  [
    'share of the main thread',
    '%',
    ({ indexUs, commitUs, threadUs }: IndexAnswer) => (100 * (indexUs + commitUs)) / threadUs,
  ],
  ['main thread', 'us', ({ threadUs }: IndexAnswer) => threadUs],
] as const;

function figuresOf(what: string, mine: readonly IndexAnswer[], others: readonly IndexAnswer[]): Figure[] {
  return MEASURES.flatMap(([measure, unit, of]) => {
    const value = median(mine.map(of));
    const name = `${what}: ${measure}`;
    if (others.length === 0) return [{ name, value, unit }];
    const before = median(others.map(of));
    return [
      { name: `${name}, the other checkout`, value: before, unit },
      { name, value, unit, ratio: value / before },
    ];
  });
}

async function measured(root: string, bytes: number, blobs: number): Promise<IndexAnswer> {
  const folder = await mkdtemp(join(process.env['POCKETFUL_BENCH_DIR'] ?? tmpdir(), 'index-bench-'));
  try {
    const child = fork(join(import.meta.dirname, 'index-process.ts'));
    child.send({ root, folder: join(folder, 'store'), blobs, bytes } satisfies IndexOrder);
    const answer = await Promise.race([
      once(child, 'message').then(([message]) => message as IndexAnswer),
      once(child, 'exit').then(([code]): never => {
        throw new Error(`a process of the bench ended with ${code}`);
      }),
    ]);
    if (child.exitCode === null) await once(child, 'exit');
    return answer;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
