// How much memory a process of its own (the CLI, a bench) lets the young generation of its heap take.
import { setFlagsFromString } from 'node:v8';

/**
 * Bodies come and go: V8 answers that with a young generation of up to 100 MB, which it never gives back, and is no
 * faster for it. To be called first thing. Not for a library in somebody else's process.
 */
export function keepYoungGenerationSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}
