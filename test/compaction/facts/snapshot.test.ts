// A volume's row as planners see it, to the byte, and a whole cell's: each bucket counts where its row says it is.
import { expect, it } from 'vitest';
import { noteCrowded } from '../../../lib/compaction/facts/crowded.ts';
import { FLEET_STATES } from '../../../lib/compaction/facts/fleet.ts';
import { PLAN_SETTINGS } from '../../../lib/compaction/facts/plan-settings.ts';
import { fleetVolumeOf, planSettingsFor, snapshotOf } from '../../../lib/compaction/facts/snapshot.ts';
import type { BucketId, RunId, VolumeId } from '../../../lib/foundation/ids.ts';
import { SeededRandomness } from '../../../lib/foundation/randomness.ts';
import { VOLUME_BUCKETS_MAX } from '../../../lib/limits/panda.ts';
import { CLOCK_SKEW_MS_MAX } from '../../../lib/limits/volume.ts';
import { bucketAttributes, bucketKey } from '../../../lib/panda/rows/bucket-row.ts';
import { newVolumeAttributes, VOLUME_CLASSES, VOLUME_STATES, volumeKey } from '../../../lib/panda/rows/volume-row.ts';
import { SeededRows } from '../../golden/seeded-rows.ts';
import { World } from '../../store/harness.ts';
import { SMALL } from '../acting-world.ts';

const rows = new SeededRows(new SeededRandomness(4));
const CAPACITY = 128 * 1024;
const base = rows.volume({
  id: '00000000000000aa' as VolumeId,
  class: 'warm',
  codec: 'xor-2-1',
  lane: undefined,
  state: 'sealed',
  generation: 3,
  extentUsedBytes: [30_000, 31_000, 32_000],
  run: undefined,
  buckets: new Set(['b1', 'b2'] as BucketId[]),
  createdAtMs: 1000,
  sealedAtMs: 5000,
  directoriesPending: false,
});

it('is what it has stored, and never more than full', () => {
  const whole = fleetVolumeOf(SMALL, base, 50_000, 9000);
  expect(whole).toEqual({
    id: base.id,
    generation: 3,
    codec: 'xor-2-1',
    lane: 0,
    state: 'sealed',
    liveBytes: 50_000,
    usedBytes: 61_000,
    capacityBytes: CAPACITY,
    bucketCount: 2,
    ageMs: 4000,
    roomBytes: Math.floor((65_536 * (63 / 64) * 2) / (64_000 / 61_000)) - 50_000,
  });
  expect(fleetVolumeOf(SMALL, base, 70_000, 9000)).toMatchObject({ liveBytes: 70_000, usedBytes: 70_000 });
  expect(fleetVolumeOf(SMALL, base, CAPACITY + 1, 9000)).toMatchObject({
    liveBytes: CAPACITY,
    usedBytes: CAPACITY,
    roomBytes: 0,
  });
  const over = { ...base, extentUsedBytes: [100_000, 100_000, 1] };
  expect(fleetVolumeOf(SMALL, over, 0, 9000)).toMatchObject({ liveBytes: 0, usedBytes: CAPACITY });
  expect(fleetVolumeOf(SMALL, { ...base, lane: 4 }, 0, 9000).lane).toBe(4);
  const crowded = new Map([[base.id as string, { generation: 3, liveBytes: 50_000 }]]);
  expect(fleetVolumeOf(SMALL, base, 50_000, 9000, crowded)).toEqual({ ...whole, roomBytes: 0 });
});

it('is as old as its seal, or its beginning while it is not sealed; what is from the future was written now', () => {
  const ages = (nowMs: number) =>
    [base, { ...base, sealedAtMs: undefined }].map((volume) => fleetVolumeOf(SMALL, volume, 0, nowMs).ageMs);
  expect(ages(9000)).toEqual([4000, 8000]);
  expect(ages(5000 - CLOCK_SKEW_MS_MAX)).toEqual([-CLOCK_SKEW_MS_MAX, 4000 - CLOCK_SKEW_MS_MAX]);
  expect(ages(4999 - CLOCK_SKEW_MS_MAX)).toEqual([0, 3999 - CLOCK_SKEW_MS_MAX]);
});

it('is what its class, its state and its owner make it', () => {
  const of = (settings: typeof SMALL) =>
    VOLUME_STATES.map((state) =>
      VOLUME_CLASSES.flatMap((cls) =>
        [undefined, 'run/1' as RunId].map(
          (run) => fleetVolumeOf(settings, { ...base, state, class: cls, run }, 0, 9000).state,
        ),
      ).join(' '),
    );
  expect(of(SMALL)).toEqual([
    'open open open open',
    'hot hot sealed leased',
    'hot hot leased leased',
    'trash trash trash trash',
    'trash trash trash trash',
  ]);
  const oneTier = { ...SMALL, hotCodec: SMALL.warmCodec };
  expect(of(oneTier)).toEqual([
    'open open open open',
    'sealed leased sealed leased',
    'leased leased leased leased',
    'trash trash trash trash',
    'trash trash trash trash',
  ]);
});

it('a cell is all of its volumes, each with the live bytes of the buckets that say they are in it', async () => {
  const world = new World(3, SMALL, 6);
  const { components } = world.start();
  const [first, second] = ['0000000000000001', '8000000000000002'] as VolumeId[];
  const [in1, also1, in2, listed, elsewhere] = ['1', '2', '3', '4', '5'].map(
    (n) => `${n}00000000000000b`,
  ) as BucketId[];
  const extents = [0, 1, 2].map((drive) => ({ drive, zone: 1, zoneGeneration: 1 }));
  const volume = (id: VolumeId, buckets: readonly (BucketId | undefined)[]) =>
    ({
      kind: 'put',
      ...volumeKey(SMALL.cell, id),
      attributes: {
        ...newVolumeAttributes({ class: 'warm', codec: 'xor-2-1', lane: 2, extents, createdAtMs: 0, token: 1 }),
        s: 'sealed',
        b: new Set(buckets.map(String)),
      },
    }) as const;
  const bucket = (id: BucketId | undefined, of: string, liveBytes: number) =>
    ({
      kind: 'put',
      ...bucketKey(SMALL.cell, id as BucketId),
      attributes: bucketAttributes({ ...rows.bucket({ volume: of as VolumeId, liveBytes, usedBytes: 900 }) }),
    }) as const;
  await world.panda.transact([
    volume(first as VolumeId, [in1, also1, listed]),
    volume(second as VolumeId, [in2]),
    bucket(in1, first as string, 100),
    bucket(also1, first as string, 20),
    bucket(in2, second as string, 7),
    bucket(listed, second as string, 300),
    bucket(elsewhere, '0000000000000009', 1),
  ]);
  world.clock.advance(50);
  const looked: string[] = [];
  const view = await snapshotOf(components, ({ id }) => void looked.push(id));
  expect(looked.sort()).toEqual([first, second]);
  expect(view).toMatchObject({ store: components.storeId, cell: SMALL.cell, ids: [first, second] });
  expect([...view.liveBytes]).toEqual([120, 307]);
  expect([...view.bucketCount]).toEqual([3, 1]);
  expect([...view.lane]).toEqual([2, 2]);
  expect([...view.ageMs]).toEqual([world.clock.nowMs(), world.clock.nowMs()]);
  expect((view.roomBytes[0] as number) > 0).toBe(true);
  await noteCrowded(components, { id: first as VolumeId, generation: 1 }, 120);
  expect([...(await snapshotOf(components)).roomBytes]).toEqual([0, view.roomBytes[1]]);
  // A bucket that cannot be read is told of, and its volume is left alone; without a listener it comes out.
  await world.panda.transact([{ kind: 'update', ...bucketKey(SMALL.cell, in2 as BucketId), set: { l: 'x' } }]);
  const bad: string[] = [];
  const told = await snapshotOf({ ...components, badRow: ({ sort }) => void bad.push(sort) });
  expect([...told.state].map((state) => FLEET_STATES[state])).toEqual(['sealed', 'leased']);
  expect([...told.liveBytes]).toEqual([120, 300]);
  expect(bad).toEqual([in2]);
  await expect(snapshotOf(components)).rejects.toMatchObject({ code: 'ROW_MALFORMED' });
});

it('a store plans by its own group, as many buckets as a row takes, and what a caller asks for above', () => {
  expect(planSettingsFor(SMALL)).toEqual({
    ...PLAN_SETTINGS,
    bucketsPerVolumeMax: VOLUME_BUCKETS_MAX,
    groupBytes: SMALL.groupBytesMin,
    reserve: 0.045,
  });
  expect(planSettingsFor(SMALL, { reserve: 0.01, runsMax: 2 })).toMatchObject({ reserve: 0.01, runsMax: 2 });
});
