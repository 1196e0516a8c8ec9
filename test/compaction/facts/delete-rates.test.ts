// Delete rates to the byte: what counts as lost, what as exposed, and from how much of it on a rate is measured at all.
import { expect, it } from 'vitest';
import { deleteRatesOf } from '../../../lib/compaction/facts/delete-rates.ts';
import { type FleetVolume, fleetOf } from '../../../lib/compaction/facts/fleet.ts';
import { DAY_MS } from '../../../lib/foundation/durations.ts';
import { volumeOf } from '../fleets.ts';

const CAPACITY = 1000;
const OTHERWISE = [9, 8, 7, 6];

type Volume = readonly [number: number, liveBytes: number, changes?: Partial<FleetVolume>];
const fleet = (...volumes: readonly Volume[]) =>
  fleetOf(
    's',
    'c0',
    volumes.map(([n, liveBytes, changes = {}]) =>
      volumeOf(n, 0, { capacityBytes: CAPACITY, usedBytes: CAPACITY, liveBytes, ageMs: 30 * DAY_MS, ...changes }),
    ),
  );

it('only volumes of both snapshots count, of one state and generation, that have not grown', () => {
  const before = fleet(
    [1, 1000],
    [2, 1000],
    [4, 800],
    [5, 800],
    [6, 500],
    [7, 400],
    [20, 1000, { ageMs: DAY_MS }],
    [30, 999],
  );
  const after = fleet(
    [2, 900],
    [3, 1],
    [4, 1, { state: 'hot' }],
    [5, 1, { generation: 2 }],
    [6, 501],
    [7, 400],
    [8, 1],
    [20, 400],
  );
  // Of the third age class 1400 bytes for two days, of which 100 went; of the first 600 of 1000.
  expect(deleteRatesOf(before, after, 2 * DAY_MS, OTHERWISE, 1)).toEqual([600 / 2000, 8, 100 / 2800, 6]);
  expect(deleteRatesOf(after, before, 2 * DAY_MS, OTHERWISE, 0)).toEqual([9, 8, 1 / 1802, 6]);
});

it('a class is measured from as many full volumes and a day on as are asked for, of the largest capacity', () => {
  const was = fleet([1, 1000], [2, 1000]);
  const is = fleet([1, 900], [2, 1000]);
  const of = (days: number, volumesMin?: number) => deleteRatesOf(was, is, days * DAY_MS, OTHERWISE, volumesMin)[2];
  expect([of(1, 2), of(0.999, 2), of(1, 3), of(1.5, 3)]).toEqual([0.05, 7, 7, 100 / 3000]);
  // Ten, unless told.
  expect([of(5), of(4.99)]).toEqual([0.01, 7]);
  expect([of(0, 0), of(-1, 0)]).toEqual([7, 7]);
  const large: Partial<FleetVolume> = { capacityBytes: 4000, usedBytes: 4000 };
  for (const order of [
    [1, 2],
    [2, 1],
  ] as const) {
    const mixed = (live: number) => fleet([order[0], live, large], [order[1], 1000]);
    expect(deleteRatesOf(mixed(1000), mixed(900), 2 * DAY_MS, OTHERWISE, 1)[2]).toBe(100 / 4000);
    expect(deleteRatesOf(mixed(1000), mixed(900), 1.9 * DAY_MS, OTHERWISE, 1)[2]).toBe(7);
  }
});

it('every class has its own, by the age it had at first', () => {
  const ages = [DAY_MS, DAY_MS + 1, 7 * DAY_MS, 7 * DAY_MS + 1, 60 * DAY_MS, 60 * DAY_MS + 1];
  const of = (live: number, olderMs: number) =>
    fleet(...ages.map((ageMs, n): Volume => [n + 1, live - (live < 1000 ? n : 0), { ageMs: ageMs + olderMs }]));
  const rates = deleteRatesOf(of(1000, 0), of(900, DAY_MS), DAY_MS, OTHERWISE, 1);
  expect(rates).toEqual([100 / 1000, 203 / 2000, 207 / 2000, 105 / 1000]);
});
