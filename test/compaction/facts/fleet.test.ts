// A fleet as planners see it: in one order, by what its columns say and nothing else, and named by all of that.
import { expect, it } from 'vitest';
import {
  AGE_CLASSES,
  ageClassOf,
  digestOf,
  FLEET_STATES,
  type FleetColumns,
  fillOf,
  fleetOf,
  fleetOfColumns,
  indexOfVolume,
  RAW_FACTOR,
  sealedTotals,
} from '../../../lib/compaction/facts/fleet.ts';
import { DAY_MS } from '../../../lib/foundation/durations.ts';
import { volumeName, volumeOf } from '../fleets.ts';

const columns = (spare = 0): FleetColumns => {
  const filled = (...values: readonly number[]) => [...values, ...Array.from({ length: spare }, () => 77)];
  return {
    store: 's',
    cell: 'c0',
    count: 2,
    ids: [volumeName(1), volumeName(2)],
    generation: Uint32Array.from(filled(1, 2)),
    codec: Uint8Array.from(filled(3, 3)),
    state: Uint8Array.from(filled(1, 0)),
    liveBytes: Float64Array.from(filled(10, 20)),
    usedBytes: Float64Array.from(filled(30, 40)),
    capacityBytes: Float64Array.from(filled(100, 100)),
    bucketCount: Uint32Array.from(filled(4, 5)),
    ageMs: Float64Array.from(filled(0, 9 * DAY_MS)),
  };
};

it('is the same whatever order its volumes are listed in; what is not told is the usual', () => {
  const told = { generation: 3, lane: 2, roomBytes: 7, ageMs: 61 * DAY_MS, capacityBytes: 400, usedBytes: 300 };
  const volumes = [
    volumeOf(2, 0, { ...told, liveBytes: 100, codec: 'xor-2-1', state: 'leased', bucketCount: 9 }),
    volumeOf(3, 0, { capacityBytes: 400, usedBytes: 400, liveBytes: 150, state: 'trash', ageMs: -5 }),
    volumeOf(1, 0, { capacityBytes: 200, usedBytes: 50, liveBytes: 50, state: 'open', ageMs: 2 * DAY_MS }),
  ];
  const view = fleetOf('s', 'c0', volumes);
  expect(view).toMatchObject({ store: 's', cell: 'c0', count: 3, ids: [1, 2, 3].map(volumeName) });
  expect([...view.generation]).toEqual([1, 3, 1]);
  expect([...view.lane]).toEqual([0, 2, 0]);
  expect([...view.state].map((state) => FLEET_STATES[state])).toEqual(['open', 'leased', 'trash']);
  expect([...view.liveBytes]).toEqual([50, 100, 150]);
  expect([...view.usedBytes]).toEqual([50, 300, 400]);
  expect([...view.roomBytes]).toEqual([150, 7, 250]);
  expect([...view.ageMs]).toEqual([2 * DAY_MS, 61 * DAY_MS, 0]);
  expect([...view.ageClass]).toEqual([1, 3, 0]);
  expect([0, 1, 2].map((i) => fillOf(view, i))).toEqual([0.25, 0.25, 0.375]);
  expect([1, 2, 3, 4].map((n) => indexOfVolume(view, volumeName(n)))).toEqual([0, 1, 2, -1]);
  const again = fleetOf('s', 'c0', volumes.toReversed());
  expect(again).toEqual(view);
  expect(digestOf(again)).toBe(digestOf(view));
});

it('columns may be longer than the fleet: what is behind its end is not of it', () => {
  const exact = fleetOfColumns(columns());
  const longer = fleetOfColumns(columns(3));
  expect(digestOf(longer)).toBe(digestOf(exact));
  expect(sealedTotals(longer)).toEqual(sealedTotals(exact));
  expect([...exact.roomBytes]).toEqual([90, 80]);
  expect([...exact.lane]).toEqual([0, 0]);
  expect(indexOfVolume(longer, volumeName(3))).toBe(-1);
});

it('has another name with every figure that is another one, and the one of old without lanes', () => {
  const digests = new Map<string, string>([['as it is', digestOf(fleetOfColumns(columns()))]]);
  for (const name of ['generation', 'liveBytes', 'usedBytes', 'capacityBytes', 'bucketCount'] as const) {
    const other = columns();
    other[name][1] = (other[name][1] as number) + 1;
    digests.set(name, digestOf(fleetOfColumns(other)));
  }
  for (const [name, value] of [
    ['codec', 2],
    ['state', 3],
    ['ageMs', 2 * DAY_MS],
  ] as const) {
    const other = columns();
    other[name][1] = value;
    digests.set(name, digestOf(fleetOfColumns(other)));
  }
  digests.set('roomBytes', digestOf(fleetOfColumns({ ...columns(), roomBytes: Float64Array.of(90, 81) })));
  digests.set('lane', digestOf(fleetOfColumns({ ...columns(), lane: Uint32Array.of(0, 1) })));
  digests.set('store', digestOf(fleetOfColumns({ ...columns(), store: 't' })));
  digests.set('cell', digestOf(fleetOfColumns({ ...columns(), cell: 'c1' })));
  digests.set('ids', digestOf(fleetOfColumns({ ...columns(), ids: [volumeName(1), volumeName(3)] })));
  expect(new Set(digests.values()).size).toBe(digests.size);
  expect(digests.get('as it is')).toBe('bede78dc71f1c6c5efffd3e258d89a2f8144c2a006f5274ac9fc2c662627b233');
  const shared = { ...columns(), lane: Uint32Array.of(0, 0, 4) };
  expect(digestOf(fleetOfColumns(shared))).toBe(digests.get('as it is'));
});

it('a list of ids that is frozen is hashed once, one that may change every time', () => {
  const ids = [volumeName(1), volumeName(2)];
  const before = fleetOfColumns({ ...columns(), ids }).idsDigest;
  ids[1] = volumeName(9);
  const after = fleetOfColumns({ ...columns(), ids }).idsDigest;
  expect(after).not.toBe(before);
  const frozen = Object.freeze([...ids]);
  expect(fleetOfColumns({ ...columns(), ids: frozen }).idsDigest).toBe(after);
  expect(fleetOfColumns({ ...columns(), ids: frozen }).idsDigest).toBe(after);
});

it('all of a long list of ids is in its digest', () => {
  const count = 4098;
  const digest = (last: number): string => {
    const ids = Array.from({ length: count }, (_, n) => volumeName(n === count - 1 ? last : n));
    const zero = () => new Float64Array(count).fill(1);
    return fleetOfColumns({
      ...columns(),
      count,
      ids,
      generation: new Uint32Array(count),
      codec: new Uint8Array(count),
      state: new Uint8Array(count),
      liveBytes: zero(),
      usedBytes: zero(),
      capacityBytes: zero(),
      bucketCount: new Uint32Array(count),
      ageMs: zero(),
    }).idsDigest;
  };
  expect(digest(9000)).not.toBe(digest(9001));
});

it('ages are of a day, a week, two months, to the millisecond', () => {
  const ages = [0, DAY_MS, DAY_MS + 1, 7 * DAY_MS, 7 * DAY_MS + 1, 60 * DAY_MS, 60 * DAY_MS + 1, 1e15];
  expect(ages.map((age) => ageClassOf(age))).toEqual([0, 0, 1, 1, 2, 2, 3, AGE_CLASSES - 1]);
  expect([0, 5, 6, 9].map((age) => ageClassOf(age, [5]))).toEqual([0, 0, 1, 1]);
});

it('totals are of what is sealed or leased; raw bytes by the code', () => {
  const volumes = [
    volumeOf(1, 0, { capacityBytes: 600, usedBytes: 300, liveBytes: 100, codec: 'rs-6-3' }),
    volumeOf(2, 0, { capacityBytes: 200, usedBytes: 100, liveBytes: 100, codec: 'xor-2-1', state: 'leased' }),
    volumeOf(3, 0, { capacityBytes: 1e6, usedBytes: 1e6, liveBytes: 1e6, state: 'open' }),
    volumeOf(4, 0, { capacityBytes: 1e6, usedBytes: 1e6, liveBytes: 1e6, state: 'hot' }),
    volumeOf(5, 0, { capacityBytes: 1e6, usedBytes: 1e6, liveBytes: 1e6, state: 'trash' }),
  ];
  expect(sealedTotals(fleetOf('s', 'c0', volumes))).toEqual({
    volumes: 2,
    liveBytes: 200,
    usedBytes: 400,
    capacityBytes: 800,
    allocatedOverhead: 4,
    storedOverhead: 2,
    rawOverhead: 6,
  });
  expect(sealedTotals(fleetOf('s', 'c0', [volumeOf(1, 0)]))).toMatchObject({
    allocatedOverhead: 1,
    storedOverhead: 1,
    rawOverhead: 1,
  });
  expect(sealedTotals(fleetOfColumns({ ...columns(), codec: Uint8Array.of(200, 3) }))).toMatchObject({
    capacityBytes: 100,
    rawOverhead: 10,
  });
  expect(Object.values(RAW_FACTOR)).toContain(1.5);
});
