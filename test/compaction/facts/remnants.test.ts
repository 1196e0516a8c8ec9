// Buckets as the planner of merges sees them: in one order, with the volumes they lie in, and as many live slots as their bytes let expect.
import { expect, it } from 'vitest';
import { mergeSettingsFor } from '../../../lib/compaction/facts/merge-settings.ts';
import { type RemnantBucket, type RemnantVolume, remnantViewOf } from '../../../lib/compaction/facts/remnants.ts';
import { DAY_MS } from '../../../lib/foundation/durations.ts';
import { GROUP_SLOTS_MAX } from '../../../lib/limits/panda.ts';
import { SMALL } from '../acting-world.ts';

const volumes: readonly RemnantVolume[] = [
  { id: 'v3', generation: 4, state: 'leased', lane: 2, bucketCount: 7, ageMs: 8 * DAY_MS },
  { id: 'v1', generation: 1, state: 'sealed', bucketCount: 2, ageMs: -1 },
  { id: 'v2', generation: 2, state: 'hot', lane: 0, bucketCount: 0, ageMs: 2 * DAY_MS },
];
const bucket = (id: string, volume: string, liveBytes: number, usedBytes: number, slots: number): RemnantBucket => ({
  id,
  volume,
  liveBytes,
  usedBytes,
  slots,
});

it('is the same whatever order rows are listed in; buckets of volumes that are not listed are left out', () => {
  const buckets = [
    bucket('b4', 'v3', 50, 100, 9),
    bucket('b2', 'v1', 0, 0, 0),
    bucket('b9', 'v9', -1, -1, -1),
    bucket('b3', 'v1', 1, 1000, 3),
    bucket('b1', 'v2', 100, 100, 5),
  ];
  const view = remnantViewOf('s', 'c0', volumes, buckets);
  expect(view).toEqual({
    store: 's',
    cell: 'c0',
    volumes: ['v1', 'v2', 'v3'],
    generation: Uint32Array.of(1, 2, 4),
    state: Uint8Array.of(1, 2, 3),
    bucketCount: Uint32Array.of(2, 0, 7),
    lane: Uint32Array.of(0, 0, 2),
    ageClass: Uint8Array.of(0, 1, 2),
    count: 4,
    buckets: ['b1', 'b2', 'b3', 'b4'],
    volume: Uint32Array.of(1, 0, 0, 2),
    liveBytes: Float64Array.of(100, 0, 1, 50),
    blocks: Float64Array.of(5, 0, 1, 5),
  });
  expect(remnantViewOf('s', 'c0', volumes.toReversed(), buckets.toReversed())).toEqual(view);
});

it.each([
  [-1, 10, 1],
  [11, 10, 1],
  [1, 10, -1],
  [Number.NaN, 10, 1],
])('%d live of %d used bytes in %d slots are refused', (live, used, slots) => {
  expect(() => remnantViewOf('s', 'c0', volumes, [bucket('b1', 'v1', live, used, slots)])).toThrowError(
    expect.objectContaining({ kind: 'invalid', code: 'FLEET_INVALID' }),
  );
});

it('buckets are merged as the settings of a store say, no larger than a group and with no more slots', () => {
  const usual = {
    relief: 0.75,
    remnantFraction: 0.25,
    tierFactor: 4,
    sourcesMin: 4,
    blockRowsPerRowMax: 1024,
    scanRowsPerWrite: 100,
    blocksPerColumnMin: 4,
    blockRowsMax: 262_144,
    volumesMax: 256,
  };
  expect(mergeSettingsFor(SMALL)).toEqual({
    bucketBytes: 4096,
    slotsPerBucketMax: 256,
    rowsPerGibMax: 1_048_576,
    ...usual,
  });
  const grouped = { ...SMALL, groupBytesMin: 2048, slotsPerBucketMax: 1e6 };
  expect(mergeSettingsFor(grouped)).toEqual({
    bucketBytes: 2048,
    slotsPerBucketMax: GROUP_SLOTS_MAX,
    rowsPerGibMax: 1_048_576,
    ...usual,
  });
  expect(mergeSettingsFor(SMALL, { relief: 0.5 })).toMatchObject({ relief: 0.5, remnantFraction: 0.25 });
  expect(mergeSettingsFor(SMALL, { sourcesMin: 5, tierFactor: 5 })).toMatchObject({ sourcesMin: 5, tierFactor: 5 });
  expect(() => mergeSettingsFor(SMALL, { sourcesMin: 4, tierFactor: 5 })).toThrowError(
    expect.objectContaining({ code: 'MERGE_SETTINGS_INVALID' }),
  );
});
