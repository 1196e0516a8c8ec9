// Answers that are believed for a while.
import { expect, it } from 'vitest';
import { Believed } from '../../lib/foundation/believed.ts';

it('asks once for all who come within the time, anew after it, after a failure, and when told to forget', async () => {
  let nowMs = 0;
  let asked = 0;
  let fails = false;
  const believed = new Believed({
    clock: { monotonicMs: () => nowMs },
    forMs: 10,
    keptMax: 2,
    async ask(name: string) {
      asked += 1;
      if (fails) throw new Error('not now');
      return `${name} ${asked}`;
    },
  });
  expect(await Promise.all([believed.of('a'), believed.of('a')])).toEqual(['a 1', 'a 1']);
  nowMs = 9;
  expect(await believed.of('a')).toBe('a 1');
  nowMs = 10;
  expect(await believed.of('a')).toBe('a 2');
  believed.forget('a');
  expect(await believed.of('a')).toBe('a 3');
  fails = true;
  await expect(believed.of('b')).rejects.toThrow('not now');
  fails = false;
  expect(await believed.of('b')).toBe('b 5');
  await believed.of('c');
  expect(await believed.of('a')).toBe('a 7');
});
