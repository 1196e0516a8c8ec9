// Plans of many seeded fleets, merges of many remnants, choices on rows, writes of steps: line by line what they were when somebody last looked
// at them. Properties have tests of their own; these hold what no property says: orders, ties, bounds, sums, texts. Where a change is meant:
// npm run golden, and read the difference.
import fs from 'node:fs';
import { describe, expect, it } from 'vitest';
import { GOLDEN, goldenFile } from './golden.ts';

describe('what pure parts make of seeded cases is what it was', () => {
  it.each(Object.entries(GOLDEN))('%s', async (name, lines) => {
    expect([...(await lines()), '']).toEqual(fs.readFileSync(goldenFile(name), 'utf8').split('\n'));
  });
});
