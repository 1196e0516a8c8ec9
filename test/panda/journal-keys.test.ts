// The keys of a COMMIT in the journal of a SQLite file: the bytes as they were first written, and whatever is thrown at
// their parser.
import { expect, it } from 'vitest';
import { isPocketfulError } from '../../lib/foundation/errors.ts';
import { hexOf } from '../../lib/foundation/ids.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import type { Key } from '../../lib/panda/panda.ts';
import { journalKeysOf, keysOfJournal } from '../../lib/panda/sqlite/journal-keys.ts';

const KEYS: readonly Key[] = [
  { partition: 'p/1', sort: 'a' },
  { partition: 'object/é', sort: 'x'.repeat(200) },
];
/** Lengths 3 and 1, `p/1`, `a`; lengths 9 and 200 (c8 01), the two. Never edit: version 3 of the file has them so. */
const GOLDEN = `0301702f3161${'09c801'}6f626a6563742fc3a9${'78'.repeat(200)}`;

it('are written as they always were, and read back', () => {
  const bytes = journalKeysOf(KEYS);
  expect(hexOf(bytes)).toBe(GOLDEN);
  expect([...keysOfJournal(bytes)]).toEqual(KEYS);
  expect([...keysOfJournal(journalKeysOf([]))]).toEqual([]);
});

it('cut off anywhere are those before, or damaged', () => {
  const bytes = journalKeysOf(KEYS);
  for (let at = 1; at < bytes.length; at++) {
    const read = (): Key[] => [...keysOfJournal(bytes.subarray(0, at))];
    if (at === 6) expect(read()).toEqual(KEYS.slice(0, 1));
    else expect(read, `cut at ${at}`).toThrow(expect.objectContaining({ code: 'ROW_MALFORMED' }));
  }
});

it('whatever it holds: keys, or an error that says so', () => {
  for (let seed = 0; seed < 2000; seed++) {
    const random = new SeededRandomness(seed);
    const bytes = random.bytes(random.below(40));
    try {
      for (const { partition, sort } of keysOfJournal(bytes)) expect(partition.length * sort.length).toBeGreaterThan(0);
    } catch (error) {
      expect(isPocketfulError(error), `seed ${seed}: ${error}`).toBe(true);
    }
  }
});
