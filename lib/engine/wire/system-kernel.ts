// The kernel made ready when an engine starts: warm before the first group, and revectorized where the environment asks
// for it.
import { setFlagsFromString } from 'node:v8';
import type { CodecName } from '../../codec/codec.ts';
import { revectorize } from '../../codec/kernel/revectorize.ts';
import { warmUp } from '../../codec/kernel/warm-up.ts';

/** Whatever else waits has had its turn. */
export const turnOfTheLoop = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** To be called before any code is compiled. */
export function revectorizeIfAsked(environment: NodeJS.ProcessEnv = process.env): void {
  if (environment['POCKETFUL_REVECTORIZE'] === '1') revectorize(setFlagsFromString);
}

/**
 * Begins at once and returns; what it returns stops it. Memory that is short is no reason not to start: the first group
 * warms the kernel then.
 */
export function startKernel(names: readonly CodecName[], environment: NodeJS.ProcessEnv = process.env): () => void {
  revectorizeIfAsked(environment);
  const stop = new AbortController();
  void warmUp(names, turnOfTheLoop, stop.signal).catch(() => {});
  return () => stop.abort();
}
