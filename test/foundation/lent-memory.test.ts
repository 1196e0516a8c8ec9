// Memory that is lent again and again.
import { expect, it } from 'vitest';
import { LentMemory, sharedMemory } from '../../lib/foundation/lent-memory.ts';

const BYTES = 1000;

it('what was given back last is lent next, if it is long enough', () => {
  const lent = new LentMemory({ make: sharedMemory, bytesMin: BYTES, idleBytesMax: 10 * BYTES });
  const long = lent.take(BYTES + 1);
  const short = lent.take(1);
  expect([long.byteLength, short.byteLength]).toEqual([BYTES + 1, BYTES]);
  lent.give(long);
  lent.give(short);
  expect(lent.take(BYTES + 1)).toBe(long);
  expect(lent.take(1)).toBe(short);
});

it('nothing is lent twice at once', () => {
  const lent = new LentMemory({ make: sharedMemory, bytesMin: BYTES, idleBytesMax: 10 * BYTES });
  lent.give(lent.take(1));
  expect(lent.take(1)).not.toBe(lent.take(1));
});

it('no more is kept than may be', () => {
  const lent = new LentMemory({ make: sharedMemory, bytesMin: BYTES, idleBytesMax: 2 * BYTES });
  const all = [lent.take(1), lent.take(1), lent.take(1)];
  expect(all.map((memory) => lent.give(memory))).toEqual([true, true, false]);
  const again = [lent.take(1), lent.take(1), lent.take(1)];
  expect(again.filter((memory) => all.includes(memory))).toEqual([all[1], all[0]]);
});
