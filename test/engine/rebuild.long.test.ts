// As rebuild.test.ts, on more stores.
import { describe, it } from 'vitest';
import { busyStore, expectSameStore } from './rebuilding.ts';

describe('restore --rebuild', () => {
  it.each([2, 3, 4, 5, 6])('gives back the same store from the drives and a backup of now (seed %i)', async (seed) => {
    await expectSameStore(await busyStore(seed));
  });
});
