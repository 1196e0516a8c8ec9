// Warming up leaves nothing behind, stops when told to, and is no business of whoever starts it.
import { expect, it } from 'vitest';
import { isRevectorizing } from '../../lib/codec/kernel/revectorize.ts';
import { warmUp } from '../../lib/codec/kernel/warm-up.ts';
import { startKernel, turnOfTheLoop } from '../../lib/engine/wire/system-kernel.ts';

it('ends, in slices between which other work runs', async () => {
  let turns = 0;
  const turn = (): void => {
    turns++;
    waiting = setImmediate(turn);
  };
  let waiting = setImmediate(turn);
  await warmUp(['rs-6-3', 'lrc-12-2-2', 'replica-4', 'single'], turnOfTheLoop);
  clearImmediate(waiting);
  expect(turns).toBeGreaterThan(16);
});

it('stops when it is told to', async () => {
  const stop = new AbortController();
  let turns = 0;
  const warming = warmUp(['rs-6-3', 'lrc-12-2-2'], turnOfTheLoop, stop.signal);
  setImmediate(() => {
    turns++;
    stop.abort();
  });
  await warming;
  expect(turns).toBe(1);
  await warmUp(['rs-6-3'], turnOfTheLoop, AbortSignal.abort());
});

it('starts without a promise to look after; revectorizes only where the environment says so', () => {
  const stop = startKernel(['rs-6-3'], {});
  stop();
  expect(isRevectorizing()).toBe(false);
});
