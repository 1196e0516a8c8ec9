// Every byte of a metadata file, one bit of each.
import { expect, it } from 'vitest';
import { flipThrough } from './sqlite-flips.ts';

it('no flip of a bit changes a row unseen', { timeout: 1_200_000 }, async () => {
  const { missed, flips, named } = await flipThrough(1);
  expect(missed).toEqual([]);
  expect(flips).toBeGreaterThan(20_000);
  expect(named).toBeGreaterThan(flips / 5);
});
