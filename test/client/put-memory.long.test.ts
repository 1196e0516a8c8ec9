// What put and encode hold in memory at the most, measured as their users would: it grew by half, unseen, each time a
// thread or a stage between two stages was added.
import { expect, it } from 'vitest';
import { benches } from '../../bench/put-memory.ts';

/** MiB, a tenth above what was measured last (docs/performance.md). */
const MOST = new Map([
  ['put of 2,000 files of 4 to 64 KiB, thrifty', 225],
  ['put of 2,000 files of 4 to 64 KiB, personal', 255],
  ['put of 4,000 files of 2 to 11 KiB, thrifty', 260],
  ['put of 4,000 files of 2 to 11 KiB, personal', 260],
  ['put of one file of 150 MB, thrifty', 260],
  ['put of one file of 150 MB, personal', 270],
  ['put of 18 files of 10 MB and 1,500 of 3 to 12 KiB, thrifty', 230],
  ['put of 18 files of 10 MB and 1,500 of 3 to 12 KiB, personal', 320],
  ['encode of 4000 files of 4 to 64 KiB, personal', 300],
]);

it('no more than it did', async () => {
  const { figures = [] } = (await benches['put-memory']?.({ small: '' })) ?? {};
  expect(figures.map(({ name }) => name)).toEqual([...MOST.keys()]);
  for (const { name, value } of figures) {
    expect(value, name).toBeGreaterThan(50);
    expect(value, name).toBeLessThan(MOST.get(name) as number);
  }
}, 600_000);
