// What `npm run bench -- codec` measures, and the line in which every contender reports it.
import { SeededRandomness } from '../../lib/foundation/randomness.ts';

export const FRAGMENTS = [1 << 20, 64 << 10] as const;

export const CODES = [
  { name: 'rs-6-3', dataColumns: 6, worst: [0, 2, 5] },
  { name: 'lrc-12-2-2', dataColumns: 12, worst: [0, 1, 6, 7] },
  { name: 'xor-2-1', dataColumns: 2, worst: [0] },
] as const;

export type Operation = 'encode' | 'lose-1' | 'worst';

/** Speeds are bytes of the columns read a second: data for an encode, the six of a group for a local repair. */
export interface Measurement {
  readonly contender: string;
  readonly code: string;
  readonly operation: Operation;
  readonly fragmentBytes: number;
  readonly bestGBs: number;
  readonly medianGBs: number;
}

/** The bytes of all data fragments, the same for every contender. */
export function fragmentData(): Uint8Array {
  const piece = new SeededRandomness(7).bytes(1 << 20);
  const data = new Uint8Array(12 << 20);
  for (let i = 0; i < 12; i++) data.set(piece.subarray(i * 4099), i << 20);
  return data;
}

/** `contender, code, operation, fragment bytes, best, median`, separated by tabs. */
export function parseLine(line: string): Measurement | undefined {
  const [contender, code, operation, fragment, best, median] = line.split('\t');
  if (!contender || !code || !operation || median === undefined) return undefined;
  return {
    contender,
    code,
    operation: operation as Operation,
    fragmentBytes: Number(fragment),
    bestGBs: Number(best),
    medianGBs: Number(median),
  };
}

/**
 * Times `run` as the peers do: runs for 200 ms, at least 15, in batches of 8 MB or more. It warms up longer than they
 * do, because V8 optimizes in the background and a busy machine gives that thread its turn late.
 */
export async function timed(bytes: number, run: () => unknown): Promise<{ bestGBs: number; medianGBs: number }> {
  const batch = Math.floor(8e6 / bytes) + 1;
  for (const pauseMs of [100, 50, 0]) {
    await runFor(50, run);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  const times: number[] = [];
  const start = performance.now();
  while (times.length < 400 && (times.length < 15 || performance.now() - start < 200)) {
    const from = performance.now();
    for (let i = 0; i < batch; i++) {
      const pending = run();
      if (pending instanceof Promise) await pending;
    }
    times.push((performance.now() - from) / batch);
  }
  times.sort((a, b) => a - b);
  const speed = (ms: number | undefined): number => bytes / (ms as number) / 1e6;
  return { bestGBs: speed(times[0]), medianGBs: speed(times[times.length >> 1]) };
}

async function runFor(ms: number, run: () => unknown): Promise<void> {
  const start = performance.now();
  while (performance.now() - start < ms) await run();
}
