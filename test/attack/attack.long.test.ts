// Every attack, for a fixed number of seeds; `npm run attack` does one and prints the table.
import { expect, it } from 'vitest';
import { attackAll, isRight } from './attacks.ts';

it.each([1, 2])(
  'seed %i: every attack is noticed and answered right, and no sound store is called unsound',
  async (seed) => {
    const results = await attackAll({ seed });
    expect(results.filter((result) => !isRight(result))).toEqual([]);
  },
);
