// What the bench of the store and its two child processes say to each other.
import { peakRssDuring } from '../bench.ts';
import type { SourceFile } from '../bounds.ts';

export type Order =
  | { readonly what: 'put'; readonly files: readonly SourceFile[] }
  | { readonly what: 'get'; readonly files: readonly SourceFile[] }
  /** Hot volumes are as full as they get: before an encode, and no part of it. */
  | { readonly what: 'seal' }
  | { readonly what: 'encode' }
  /** Between two measures: what is not needed any more is removed. */
  | { readonly what: 'clear' }
  | { readonly what: 'end' };

export interface Answer {
  readonly ms: number;
  readonly bytes: number;
  /** Of the whole process, its threads and the kernel's work for it included. */
  readonly cpuMs: number;
  readonly peakRssBytes: number;
}

/** Answers every order by `carryOut`, which tells the bytes it worked on, with the time it took. */
export function serve(carryOut: (order: Order) => Promise<number>): void {
  process.on('message', async (order: Order) => {
    const before = process.cpuUsage();
    const startMs = performance.now();
    const { result: bytes, peakRssBytes } = await peakRssDuring(() => carryOut(order));
    const ms = performance.now() - startMs;
    const { user, system } = process.cpuUsage(before);
    process.send?.({ ms, bytes, cpuMs: (user + system) / 1000, peakRssBytes } satisfies Answer);
    if (order.what === 'end') process.disconnect();
  });
}
