// How much memory a process of its own (the CLI, a bench) lets the heap of JavaScript take.
import { setFlagsFromString } from 'node:v8';

/**
 * Bodies come and go: V8 answers that with a young generation of up to 100 MB, which it never gives back, and with an
 * old one of three times what lives, and is no faster for either. To be called first thing. Not for a library in
 * somebody else's process.
 */
export function keepHeapSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
  setFlagsFromString('--heap-growing-percent=100');
}
