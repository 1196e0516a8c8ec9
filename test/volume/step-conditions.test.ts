// Every step on a volume's row is done if nothing happened since its rows were read, and refused if any one thing did: each condition by itself, for
// which of them the others would hold anyway depends on what else runs.
import { describe, expect, it } from 'vitest';
import type { BlockId, BucketId, RecordId, RunId, VolumeId } from '../../lib/foundation/ids.ts';
import type { MemoryPanda } from '../../lib/panda/memory-panda.ts';
import type { Attributes, Key } from '../../lib/panda/panda.ts';
import { packedPlace } from '../../lib/panda/rows/block/block-form.ts';
import { type BlockRow, blockAttributes, blockFromRow, blockKey } from '../../lib/panda/rows/block-row.ts';
import {
  bucketAttributes,
  bucketFromRow,
  bucketKey,
  deadAttributes,
  deadFromRow,
  deadKey,
  isDead,
  NO_DEAD,
  withDead,
} from '../../lib/panda/rows/bucket-row.ts';
import { groupFromRow, groupKey, type MergeGroupRow } from '../../lib/panda/rows/group-row.ts';
import { newVolumeAttributes, type VolumeRow, volumeFromRow, volumeKey } from '../../lib/panda/rows/volume-row.ts';
import { zoneAttributes, zoneFromRow, zoneKey } from '../../lib/panda/rows/zone-row.ts';
import { arrivalWrites, claimNextWrites, dropNextWrites, flipWrites } from '../../lib/volume/steps/flip-steps.ts';
import {
  isMergeable,
  type MergingBlock,
  mergeCommitWrites,
  mergeIndexWrites,
  mergeNoteWrite,
  mergeTransactions,
} from '../../lib/volume/steps/merge-steps.ts';
import { settledWrite } from '../../lib/volume/steps/recover-steps.ts';
import {
  adoptRunWrite,
  eraseVolumeWrites,
  leaseWrite,
  releaseRunWrite,
  retireWrite,
  sealWrite,
  takeRunWrite,
} from '../../lib/volume/steps/volume-steps.ts';
import { type Meanwhile, type Rows, step } from './one-step.ts';

const CELL = 'c0';
const volume = '00000000000000a0' as VolumeId;
const source = '00000000000000a1' as VolumeId;
const old = '00000000000000a2' as VolumeId;
const bucket = '00000000000000b0' as BucketId;
const otherBucket = '00000000000000b1' as BucketId;
const run = 'run' as RunId;
const nextRun = 'next-run' as RunId;
const block = (n: number): BlockId => `${n}`.padStart(64, '0') as BlockId;
const record = (n: number): RecordId => `${n}`.padStart(32, '0') as RecordId;
const extentsFrom = (zone: number) => [0, 1, 2].map((drive) => ({ drive, zone, zoneGeneration: 3 }));
const EXTENTS = extentsFrom(7);
const NEXT_EXTENTS = extentsFrom(8);
const BEFORE_MS = 1_000;
const NOW_MS = 5_000;

const volumeAt: Key = volumeKey(CELL, volume);
const opened = {
  ...newVolumeAttributes({ class: 'warm', codec: 'xor-2-1', extents: EXTENTS, createdAtMs: BEFORE_MS, token: 4 }),
  u: [10, 20, 30],
};
const sealed = { ...opened, s: 'sealed', n: 6, z: BEFORE_MS, b: new Set([bucket]) };
const draining = { ...sealed, s: 'draining', r: run };
const flipping = { ...draining, ng: 2, nx: NEXT_EXTENTS.map((e) => `${e.drive}:${e.zone}:${e.zoneGeneration}`) };
const zoneRows = (extents: typeof EXTENTS, owner: VolumeId): Rows =>
  extents.map(({ drive, zone, zoneGeneration }) => [
    zoneKey(drive, zone),
    zoneAttributes({ generation: zoneGeneration, state: 'used', volume: owner }),
  ]);
const volumeOf = (attributes: Attributes): VolumeRow => volumeFromRow({ ...volumeAt, attributes });
const bucketRow = {
  volume: source,
  move: 2,
  seq: 1,
  token: 1,
  usedBytes: 900,
  liveBytes: 600,
  slots: 9,
  createdAtMs: BEFORE_MS,
};

const read = async (panda: MemoryPanda, id = volume): Promise<VolumeRow> => {
  const row = await panda.get(volumeKey(CELL, id));
  return volumeFromRow(row as NonNullable<typeof row>);
};
const attributesOf = async (panda: MemoryPanda, key: Key) => (await panda.get(key))?.attributes;
const sealedMeanwhile: Meanwhile = { 'it was sealed': [volumeAt, { s: 'sealed' }] };
const leasedMeanwhile: Meanwhile = { 'somebody took the lease': [volumeAt, { t: 5 }] };
const adoptedMeanwhile: Meanwhile = { 'another run took it over': [volumeAt, { r: nextRun }] };
const releasedMeanwhile: Meanwhile = { 'the run gave it back': [volumeAt, { s: 'sealed' }] };

step(
  'LEASE',
  [[volumeAt, opened]],
  () => [leaseWrite(CELL, { id: volume, token: 4 }, 'me', NOW_MS)],
  { ...leasedMeanwhile, ...sealedMeanwhile },
  async (panda) => {
    expect(await read(panda)).toMatchObject({ token: 5, owner: 'me', expiresAtMs: NOW_MS, state: 'open' });
  },
);

const ownedRow = { ...opened, o: 'me', e: NOW_MS, ob: bucket };
for (const areDirectoriesPending of [true, false])
  step(
    `SEAL with directories ${areDirectoriesPending ? 'pending' : 'written'}`,
    [[volumeAt, ownedRow]],
    () => [sealWrite(CELL, volume, 4, NOW_MS, areDirectoriesPending)],
    { ...leasedMeanwhile, ...sealedMeanwhile, 'a group is pending': [volumeAt, { p: 1 }] },
    async (panda) => {
      const after = await read(panda);
      expect(after).toMatchObject({ state: 'sealed', sealedAtMs: NOW_MS, directoriesPending: areDirectoriesPending });
      expect([after.owner, after.expiresAtMs, after.openBucket]).toEqual([undefined, 0, undefined]);
    },
  );

step(
  'taking a volume for a run',
  [[volumeAt, sealed]],
  () => [takeRunWrite(CELL, volume, run)],
  { 'another run has it': [volumeAt, { r: nextRun }], 'it is in trash': [volumeAt, { s: 'trash' }] },
  async (panda) => {
    expect(await read(panda)).toMatchObject({ state: 'draining', run });
  },
);

step(
  'taking over what a dead run drained',
  [[volumeAt, draining]],
  () => [adoptRunWrite(CELL, volume, run, nextRun)],
  { ...adoptedMeanwhile, ...releasedMeanwhile },
  async (panda) => {
    expect(await read(panda)).toMatchObject({ state: 'draining', run: nextRun });
  },
);

step(
  'RELEASE',
  [[volumeAt, draining]],
  () => [releaseRunWrite(CELL, volume, run)],
  { ...adoptedMeanwhile, ...releasedMeanwhile },
  async (panda) => {
    expect(await read(panda)).toMatchObject({ state: 'sealed', run: undefined });
  },
);

const { b: _buckets, ...emptied } = { ...draining, dp: 1 };
step(
  'RETIRE',
  [[volumeAt, emptied]],
  () => [retireWrite(CELL, volume, run, NOW_MS)],
  { ...adoptedMeanwhile, ...releasedMeanwhile, 'a bucket is in it': [volumeAt, { b: new Set([bucket]) }] },
  async (panda) => {
    const after = await read(panda);
    expect(after).toMatchObject({ state: 'trash', trashedAtMs: NOW_MS, run: undefined, directoriesPending: false });
  },
);

const trashed = { ...emptied, s: 'trash', d: BEFORE_MS };
step(
  'FREE',
  [[volumeAt, trashed], ...zoneRows(EXTENTS, volume)],
  () => eraseVolumeWrites(CELL, volumeOf(trashed)),
  {
    'it is being erased': [volumeAt, { s: 'erasing' }],
    'it is of another generation': [volumeAt, { g: 2 }],
    'a zone was erased': [zoneKey(1, 7), { g: 4 }],
    'a zone is of another volume': [zoneKey(2, 7), { v: old }],
  },
  async (panda) => {
    expect((await read(panda)).state).toBe('erasing');
    for (const drive of [0, 1, 2]) {
      const row = await panda.get(zoneKey(drive, 7));
      expect(zoneFromRow(row as NonNullable<typeof row>)).toMatchObject({ state: 'erasing', generation: 4 });
    }
  },
);

step(
  'claiming extents for the next generation',
  [[volumeAt, draining]],
  () =>
    claimNextWrites(CELL, run, volumeOf(draining), NEXT_EXTENTS, [
      { kind: 'put', ...zoneKey(0, 8), attributes: {}, if: ['absent'] },
    ]),
  {
    ...adoptedMeanwhile,
    'it was flipped': [volumeAt, { g: 2 }],
    'a flip is in the making': [volumeAt, { ng: 2 }],
    'a zone was taken': [zoneKey(0, 8), { v: old }],
  },
  async (panda) => {
    expect((await read(panda)).next).toEqual({ generation: 2, extents: NEXT_EXTENTS });
    expect(await attributesOf(panda, zoneKey(0, 8))).toEqual({});
  },
);

const flipped = { generation: 2, extents: NEXT_EXTENTS, extentUsedBytes: [1, 2, 3], token: 9, nextSeq: 4 };
step(
  'FLIP',
  [[volumeAt, flipping], ...zoneRows(EXTENTS, volume)],
  () => flipWrites(CELL, run, volumeOf(flipping), flipped, old, NOW_MS),
  {
    ...adoptedMeanwhile,
    'it was flipped': [volumeAt, { g: 2 }],
    'the next generation is another': [volumeAt, { ng: 3 }],
    'the volume in trash is there': [volumeKey(CELL, old), { s: 'trash' }],
    'a zone was erased': [zoneKey(1, 7), { g: 4 }],
    'a zone is of another volume': [zoneKey(2, 7), { v: source }],
  },
  async (panda) => {
    const after = await read(panda);
    expect(after).toMatchObject({ ...flipped, sealedAtMs: NOW_MS, next: undefined, run, state: 'draining' });
    expect(await read(panda, old)).toMatchObject({
      state: 'trash',
      trashedAtMs: NOW_MS,
      extents: EXTENTS,
      generation: 1,
      moved: new Set([bucket]),
      buckets: new Set(),
    });
    for (const drive of [0, 1, 2]) expect(await attributesOf(panda, zoneKey(drive, 7))).toMatchObject({ v: old });
  },
);

step(
  'giving up a flip',
  [[volumeAt, flipping], ...zoneRows(NEXT_EXTENTS, volume)],
  () => dropNextWrites(CELL, run, volumeOf(flipping), { generation: 2, extents: NEXT_EXTENTS }, old, NOW_MS),
  {
    ...adoptedMeanwhile,
    'the next generation is another': [volumeAt, { ng: 3 }],
    'the volume in trash is there': [volumeKey(CELL, old), { s: 'trash' }],
    'a zone is of another volume': [zoneKey(2, 8), { v: source }],
  },
  async (panda) => {
    expect(await read(panda)).toMatchObject({
      next: undefined,
      generation: 1,
      extents: EXTENTS,
      buckets: new Set([bucket]),
    });
    // What is written there belongs to no bucket: nothing is to be looked for before it is erased.
    expect(await read(panda, old)).toMatchObject({
      state: 'trash',
      trashedAtMs: NOW_MS,
      extents: NEXT_EXTENTS,
      generation: 2,
      moved: new Set(),
      extentUsedBytes: [0, 0, 0],
    });
    for (const drive of [0, 1, 2]) expect(await attributesOf(panda, zoneKey(drive, 8))).toMatchObject({ v: old });
  },
);

const donor = { ...draining, b: new Set([bucket, otherBucket]) };
step(
  'a bucket that arrives by a flip',
  [
    [volumeAt, { ...draining, b: new Set(['00000000000000b9']) }],
    [volumeKey(CELL, source), donor],
    [bucketKey(CELL, bucket), bucketAttributes(bucketRow)],
  ],
  () => arrivalWrites(CELL, run, { id: volume, generation: 1, token: 4 }, { bucket, source, move: 2, seq: 11 }),
  {
    ...adoptedMeanwhile,
    'the host was flipped again': [volumeAt, { g: 2 }],
    'another run took over the source': [volumeKey(CELL, source), { r: nextRun }],
    'the bucket is elsewhere': [bucketKey(CELL, bucket), { v: old }],
    'the bucket was moved there and back': [bucketKey(CELL, bucket), { m: 4 }],
  },
  async (panda) => {
    expect((await read(panda)).buckets).toEqual(new Set(['00000000000000b9', bucket]));
    const after = await read(panda, source);
    expect([after.buckets, after.moved]).toEqual([new Set([otherBucket]), new Set([bucket])]);
    const row = await panda.get(bucketKey(CELL, bucket));
    expect(bucketFromRow(row as NonNullable<typeof row>)).toMatchObject({ volume, move: 3, seq: 11, token: 4 });
  },
);

const group: MergeGroupRow = {
  kind: 'merge',
  run,
  seq: 1,
  token: 4,
  columnBytes: [5, 5, 5],
  buckets: [
    { bucket, slots: [1, 2].map((n) => ({ blockId: block(n), recordId: record(n), recordBytes: 100 * n })) },
    { bucket: otherBucket, slots: [{ blockId: block(3), recordId: record(3), recordBytes: 50 }] },
  ],
};
step(
  'COMMIT of a merge',
  [[volumeAt, opened]],
  () => mergeCommitWrites(CELL, volumeOf(opened), group, { extentUsedBytes: [15, 25, 35], directoryBytes: 64 }, NOW_MS),
  {
    ...leasedMeanwhile,
    'another group was added': [volumeAt, { n: 2 }],
    'the group is there': [groupKey(volume, 1, 1), { k: 'merge' }],
    'the first bucket is there': [bucketKey(CELL, bucket), bucketAttributes(bucketRow)],
    'the last bucket is there': [bucketKey(CELL, otherBucket), bucketAttributes(bucketRow)],
  },
  async (panda) => {
    const after = await read(panda);
    expect(after).toMatchObject({ nextSeq: 2, pendingSeq: 1, extentUsedBytes: [15, 25, 35], directoryBytes: 64 });
    expect(after.buckets).toEqual(new Set([bucket, otherBucket]));
    const row = await panda.get(groupKey(volume, 1, 1));
    expect(groupFromRow(row as NonNullable<typeof row>)).toEqual(group);
    const first = await panda.get(bucketKey(CELL, bucket));
    const expected = {
      volume,
      move: 1,
      seq: 1,
      token: 4,
      usedBytes: 300,
      liveBytes: 300,
      slots: 2,
      createdAtMs: NOW_MS,
    };
    expect(bucketFromRow(first as NonNullable<typeof first>)).toEqual({ id: bucket, ...expected });
  },
);

step(
  'noting what was merged away',
  [[volumeAt, draining]],
  () => [mergeNoteWrite(CELL, volume, run, [bucket])],
  adoptedMeanwhile,
  async (panda) => {
    const after = await read(panda);
    expect([after.moved, after.buckets]).toEqual([new Set([bucket]), new Set([bucket])]);
  },
);

const merging = [0, 1].map(
  (n): MergingBlock => ({
    blockId: block(n),
    recordId: record(n),
    recordBytes: 100 + n,
    from: { bucket, slot: 3 + n },
    to: { bucket: otherBucket, slot: n },
  }),
);
const blockRow = (n: number): Attributes =>
  blockAttributes({
    cell: CELL,
    bucket,
    slot: 3 + n,
    recordId: record(n),
    recordBytes: 100 + n,
    plaintextBytes: 100,
    hint: { volume, generation: 1, seq: 1, token: 1, column: 0, offset: 0 },
    refs: 1,
    state: 'live',
    wrappedBek: new Uint8Array(4),
    kekVersion: 1,
  });
const mergeable = merging.map((one, n) => ({
  ...one,
  row: blockFromRow({ ...blockKey(block(n)), attributes: blockRow(n) }),
}));
const deadBefore = { version: 2, bits: withDead(NO_DEAD, [0]) };
step(
  'INDEX of a merge',
  [
    [volumeAt, { ...opened, n: 2, p: 1 }],
    [blockKey(block(0)), blockRow(0)],
    [blockKey(block(1)), blockRow(1)],
    [bucketKey(CELL, bucket), bucketAttributes(bucketRow)],
    [deadKey(CELL, bucket), deadAttributes(deadBefore)],
  ],
  () => mergeIndexWrites(CELL, { volume, token: 4, seq: 1 }, mergeable, new Map([[bucket, deadBefore]])),
  {
    ...leasedMeanwhile,
    'the group was settled': [volumeAt, { p: 2 }],
    'a block was stored anew': [blockKey(block(0)), { r: Buffer.from(record(9), 'hex') }],
    'a block is in another bucket': [blockKey(block(1)), { p: packedPlace({ bucket: otherBucket, slot: 4 }) }],
    'a block is in another slot': [blockKey(block(1)), { p: packedPlace({ bucket, slot: 9 }) }],
    'a block is in trash': [blockKey(block(0)), { f: 0 }],
    'a block is gone': [blockKey(block(0)), 'gone'],
    'a slot died': [deadKey(CELL, bucket), { v: 3 }],
  },
  async (panda) => {
    for (const n of [0, 1]) {
      const row = await panda.get(blockKey(block(n)));
      expect(blockFromRow(row as NonNullable<typeof row>)).toMatchObject({ bucket: otherBucket, slot: n });
    }
    const dead = deadFromRow(await panda.get(deadKey(CELL, bucket)));
    expect([0, 1, 2, 3, 4, 5].filter((slot) => isDead(dead, slot))).toEqual([0, 3, 4]);
    expect(dead.version).toBe(3);
    expect(await attributesOf(panda, bucketKey(CELL, bucket))).toMatchObject({ l: 600 - 201 });
  },
);

for (const release of [true, false])
  step(
    `settling a group, ${release ? 'and the lease is over' : 'and going on'}`,
    [[volumeAt, { ...ownedRow, n: 2, p: 1 }]],
    () => [settledWrite(CELL, { id: volume }, 4, 1, release)],
    { ...leasedMeanwhile, 'another group is pending': [volumeAt, { p: 2 }] },
    async (panda) => {
      const after = await read(panda);
      expect(after.pendingSeq).toBeUndefined();
      expect([after.owner, after.expiresAtMs]).toEqual(release ? [undefined, 0] : ['me', NOW_MS]);
    },
  );

describe('a block can be merged', () => {
  const row = { ...blockFromRow({ ...blockKey(block(0)), attributes: blockRow(0) }) };
  const one = merging[0] as MergingBlock;

  it('if its row says what was read', () => {
    expect(isMergeable(row, one)).toBe(true);
    expect(isMergeable(undefined, one)).toBe(false);
  });

  it.each([{ state: 'trash' as const }, { recordId: record(9) }, { bucket: otherBucket }, { slot: 9 }])(
    'but not after %o',
    (change) => {
      expect(isMergeable({ ...row, ...change }, one)).toBe(false);
    },
  );
});

describe('transactions of a merge', () => {
  const many = Array.from({ length: 40 }, (_, n): MergingBlock => {
    const from = { bucket: `00000000000000${10 + Math.floor(n / 4)}` as BucketId, slot: n };
    return { ...(merging[0] as MergingBlock), blockId: block(n), from };
  });
  const itemsOf = (blocks: readonly MergingBlock[]): number =>
    mergeIndexWrites(
      CELL,
      { volume, token: 4, seq: 1 },
      blocks.map((one) => ({ ...one, row: mergeable[0]?.row as BlockRow })),
      new Map(),
    ).length;

  it.each([4, 5, 12, 13, 14, 100])('are as large as %i items allow, and no larger', (itemsMax) => {
    const cut = mergeTransactions(many, itemsMax);
    expect(cut.flat()).toEqual(many);
    for (const [i, blocks] of cut.entries()) {
      expect(itemsOf(blocks)).toBeLessThanOrEqual(itemsMax);
      const [more] = cut[i + 1] ?? [];
      if (more !== undefined) expect(itemsOf([...blocks, more])).toBeGreaterThan(itemsMax);
    }
  });

  it('have one block where there is no room for more, and none is empty', () => {
    expect(mergeTransactions(many, 1)).toEqual(many.map((one) => [one]));
  });

  it('are none of nothing', () => {
    expect(mergeTransactions([], 100)).toEqual([]);
  });
});
