// The shape of a bench and the few measures all benches share. A module in this folder that exports `benches` is found
// by run.ts; its name there is what `npm run bench -- NAME` runs.
import fs from 'node:fs';
import os from 'node:os';

export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** To the bound or peer that the name or the bench's comment says. */
  readonly ratio?: number;
}

export interface BenchResult {
  readonly bench: string;
  readonly machine: string;
  readonly figures: readonly Figure[];
  /** Lines of tables that belong to the figures. */
  readonly text?: readonly string[];
}

/** What stands behind names on the command line: `--volumes=20` is { volumes: '20' }. */
export type Flags = Readonly<Record<string, string>>;
export type Benches = Readonly<Record<string, (flags: Flags) => Promise<BenchResult>>>;

const SAMPLE_MS = 10;
const KIB = 1024;

/** What figures are to be read against. */
export function machine(): string {
  const model = os.cpus()[0]?.model ?? 'unknown processor';
  const gib = (os.totalmem() / KIB ** 3).toFixed(0);
  return `${os.availableParallelism()} x ${model}, ${gib} GiB, ${process.platform}-${process.arch}, Node ${process.version}`;
}

export function median(values: readonly number[]): number {
  if (values.length === 0) throw new Error('a median of nothing');
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] as number)) / 2;
}

/** Milliseconds that `work` takes. */
export async function elapsedMs(work: () => unknown): Promise<number> {
  const startMs = performance.now();
  await work();
  return performance.now() - startMs;
}

/** Median milliseconds of `runs` runs, after one that does not count. */
export async function medianMs(runs: number, work: () => unknown): Promise<number> {
  await work();
  const times: number[] = [];
  for (let run = 0; run < runs; run++) times.push(await elapsedMs(work));
  return median(times);
}

/**
 * Median milliseconds of each kind of work when they take turns, so that a machine that is slow for a while slows all
 * of them: for ratios of one to another.
 */
export async function medianMsInTurns(runs: number, works: readonly (() => unknown)[]): Promise<number[]> {
  const times: number[][] = works.map(() => []);
  for (let run = 0; run <= runs; run++) {
    for (const [i, work] of works.entries()) {
      const ms = await elapsedMs(work);
      if (run > 0) times[i]?.push(ms); // the first round warms up
    }
  }
  return times.map(median);
}

/** Peak resident set while `work` runs: the kernel's own figure where it can be reset, else sampled. */
export async function peakRssDuring<T>(work: () => Promise<T>): Promise<{ result: T; peakRssBytes: number }> {
  const isExact = resetPeak();
  let sampledBytes = process.memoryUsage.rss();
  const timer = setInterval(() => {
    sampledBytes = Math.max(sampledBytes, process.memoryUsage.rss());
  }, SAMPLE_MS);
  try {
    const result = await work();
    sampledBytes = Math.max(sampledBytes, process.memoryUsage.rss());
    return { result, peakRssBytes: (isExact ? kernelPeakBytes() : undefined) ?? sampledBytes };
  } finally {
    clearInterval(timer);
  }
}

function resetPeak(): boolean {
  try {
    fs.writeFileSync('/proc/self/clear_refs', '5');
    return true;
  } catch {
    return false;
  }
}

function kernelPeakBytes(): number | undefined {
  const found = /^VmHWM:\s+(\d+) kB$/m.exec(fs.readFileSync('/proc/self/status', 'utf8'));
  return found === null ? undefined : Number(found[1]) * KIB;
}
