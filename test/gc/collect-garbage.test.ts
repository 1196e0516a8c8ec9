// GC destroys keys: exactly those of blocks in trash that nobody came back for, whose grace has passed, and which are where their trash row says.
import { describe, expect, it } from 'vitest';
import { DAY_MS } from '../../lib/foundation/durations.ts';
import { isKind, PocketfulError } from '../../lib/foundation/errors.ts';
import type { BlockId, BucketId, RecordId, VolumeId } from '../../lib/foundation/ids.ts';
import { collectGarbage, type GarbageReport, isDoomed, shredWrites } from '../../lib/gc/collect-garbage.ts';
import { expireRemoved } from '../../lib/gc/expire-removed.ts';
import { MemoryPanda } from '../../lib/panda/memory-panda.ts';
import type { Attributes, Key, Write } from '../../lib/panda/panda.ts';
import { type BlockRow, blockAttributes, blockKey } from '../../lib/panda/rows/block-row.ts';
import { bucketAttributes, bucketKey, deadFromRow, deadKey, isDead, NO_DEAD } from '../../lib/panda/rows/bucket-row.ts';
import {
  shredFromRow,
  shredKey,
  shredPartition,
  type TrashRow,
  trashAttributes,
  trashKey,
} from '../../lib/panda/rows/trash-row.ts';
import { TINY, World } from '../store/harness.ts';

const CELL = 'c0';
const GRACE_MS = 10_000;
const SINCE_MS = 100_000;
const PASSED_MS = SINCE_MS + GRACE_MS;
const bucketNumber = (n: number): BucketId => `00000000000000${n.toString(16).padStart(2, '0')}` as BucketId;
const bucket = bucketNumber(0xb0);
const block = (n: number): BlockId => `${n}`.padStart(64, '0') as BlockId;
const record = (n: number): RecordId => `${n}`.padStart(32, '0') as RecordId;

const trashOf = (n: number, change: Partial<TrashRow> = {}): TrashRow => ({
  bucket,
  slot: n,
  blockId: block(n),
  recordId: record(n),
  recordBytes: 100,
  sinceMs: SINCE_MS,
  ...change,
});
const rowOf = (n: number, change: Partial<BlockRow> = {}): BlockRow => ({
  id: block(n),
  cell: CELL,
  bucket,
  slot: n,
  recordId: record(n),
  recordBytes: 100,
  plaintextBytes: 80,
  hint: { volume: '00000000000000a0' as VolumeId, generation: 1, seq: 1, token: 1, column: 0, offset: 0 },
  refs: 0,
  state: 'trash',
  wrappedBek: new Uint8Array(4),
  kekVersion: 1,
  ...change,
});
const putBlock = (row: BlockRow): Write => ({ kind: 'put', ...blockKey(row.id), attributes: blockAttributes(row) });
const putTrash = (row: TrashRow): Write => ({
  kind: 'put',
  ...trashKey(CELL, row.bucket, row.slot),
  attributes: trashAttributes(row),
});
const putBucket = (id: BucketId, slots: number): Write => ({
  kind: 'put',
  ...bucketKey(CELL, id),
  attributes: bucketAttributes({
    volume: '00000000000000a0' as VolumeId,
    move: 0,
    seq: 0,
    token: 0,
    usedBytes: slots * 100,
    liveBytes: slots * 100,
    slots,
    createdAtMs: 0,
  }),
});

/** A store with nothing in it but what GC reads. */
async function worldWith(writes: readonly Write[], nowMs = PASSED_MS, panda = new MemoryPanda()) {
  const world = new World(1, { ...TINY, cell: CELL, deleteGraceMs: GRACE_MS }, 20, panda);
  world.clock.jumpTo(nowMs);
  for (let at = 0; at < writes.length; at += 100) await panda.transact(writes.slice(at, at + 100));
  return { world, panda, components: world.start().components };
}

const nothing: GarbageReport = { slots: 0, recordBytes: 0, buckets: 0, waiting: 0 };
const isThere = async (panda: MemoryPanda, key: Key): Promise<boolean> => (await panda.get(key)) !== undefined;
const shredsOf = async (panda: MemoryPanda) => (await panda.query(shredPartition(CELL))).rows.map(shredFromRow);

describe('a block is doomed', () => {
  it('if it is in trash where its trash row says, and nobody refers to it', () => {
    expect(isDoomed(rowOf(1), trashOf(1))).toBe(true);
  });

  it.each([
    ['it is gone', undefined],
    ['it lives', rowOf(1, { state: 'live', refs: 1 })],
    ['somebody refers to it', rowOf(1, { refs: 1 })],
    ['it is another record', rowOf(1, { recordId: record(9) })],
    ['it is in another bucket', rowOf(1, { bucket: bucketNumber(0xb1) })],
    ['it is in another slot', rowOf(1, { slot: 2 })],
  ])('but not if %s', (_, row) => {
    expect(isDoomed(row, trashOf(1))).toBe(false);
  });
});

describe('what one transaction of GC writes', () => {
  const key = shredKey(CELL, PASSED_MS, 'id');
  const writes = () => shredWrites(CELL, [trashOf(1), trashOf(2)], NO_DEAD, 3, key);
  const before = [
    putBlock(rowOf(1)),
    putBlock(rowOf(2)),
    putTrash(trashOf(1)),
    putTrash(trashOf(2)),
    putBucket(bucket, 5),
  ];

  it('takes blocks and trash away, kills the slots and tells the shred log', async () => {
    const { panda } = await worldWith(before);
    await panda.transact(writes());
    for (const n of [1, 2]) {
      expect(await isThere(panda, blockKey(block(n)))).toBe(false);
      expect(await isThere(panda, trashKey(CELL, bucket, n))).toBe(false);
    }
    const dead = deadFromRow(await panda.get(deadKey(CELL, bucket)));
    expect([0, 1, 2, 3].filter((slot) => isDead(dead, slot))).toEqual([1, 2]);
    expect((await panda.get(bucketKey(CELL, bucket)))?.attributes).toMatchObject({ l: 300, u: 500 });
    expect(await shredsOf(panda)).toEqual([
      { id: 'id', atMs: PASSED_MS, recordIds: [record(1), record(2)], kekVersion: 3 },
    ]);
  });

  const meanwhile: readonly (readonly [what: string, write: Write])[] = [
    ['a block lives again', putBlock(rowOf(1, { state: 'live', refs: 1 }))],
    ['a block was stored anew', putBlock(rowOf(2, { recordId: record(9) }))],
    ['a block came back and went to trash again', putTrash(trashOf(2, { sinceMs: SINCE_MS + 1 }))],
    ['a trash row is gone', { kind: 'delete', ...trashKey(CELL, bucket, 1) }],
    ['a slot died', { kind: 'put', ...deadKey(CELL, bucket), attributes: { v: 1, b: new Uint8Array(1) } }],
    ['it was done', { kind: 'put', ...key, attributes: {} }],
  ];
  it.each(meanwhile)('is refused if %s', async (_, write) => {
    const { panda } = await worldWith(
      [...before, write].filter(
        (one, i, all) =>
          all.findLastIndex((other) => other.partition === one.partition && other.sort === one.sort) === i,
      ),
    );
    await expect(panda.transact(writes())).rejects.toSatisfy((error) => isKind(error, 'conflict'));
  });
});

describe('a pass of GC', () => {
  it('waits for the grace to the millisecond', async () => {
    const rows = [putBlock(rowOf(1)), putTrash(trashOf(1)), putBucket(bucket, 5)];
    const early = await worldWith(rows, PASSED_MS - 1);
    expect(await collectGarbage(early.components)).toEqual({ ...nothing, waiting: 1 });
    expect(await isThere(early.panda, blockKey(block(1)))).toBe(true);
    const late = await worldWith(rows, PASSED_MS);
    expect(await collectGarbage(late.components)).toEqual({ slots: 1, recordBytes: 100, buckets: 1, waiting: 0 });
    expect(await isThere(late.panda, blockKey(block(1)))).toBe(false);
    expect(await shredsOf(late.panda)).toMatchObject([{ atMs: PASSED_MS, recordIds: [record(1)], kekVersion: 1 }]);
  });

  it('counts slots, bytes and buckets, and says how far it is', async () => {
    const slots = Array.from({ length: 100 }, (_, n) => n);
    const other = bucketNumber(0xb1);
    const rows = slots.flatMap((n) => [putBlock(rowOf(n)), putTrash(trashOf(n))]);
    const more = [200, 201].flatMap((n) => [
      putBlock(rowOf(n, { bucket: other, kekVersion: 4 })),
      putTrash(trashOf(n, { bucket: other })),
    ]);
    const { panda, components } = await worldWith([...rows, ...more, putBucket(bucket, 100), putBucket(other, 300)]);
    const told: number[] = [];
    expect(await collectGarbage(components, { onProgress: (done) => told.push(done) })).toEqual({
      slots: 102,
      recordBytes: 10_200,
      buckets: 2,
      waiting: 0,
    });
    expect(told.at(-1)).toBe(102);
    expect(told).toEqual(told.toSorted((a, b) => a - b));
    const shreds = await shredsOf(panda);
    // As few transactions as there is room in: each of one bucket.
    expect(shreds.map(({ recordIds, kekVersion }) => [recordIds.length, kekVersion]).sort()).toEqual([
      [10, 1],
      [2, 4],
      [45, 1],
      [45, 1],
    ]);
    expect(await collectGarbage(components)).toEqual(nothing);
  });

  it('leaves alone what came back, and takes the rest of its batch', async () => {
    const rows = [
      putBlock(rowOf(1, { state: 'live', refs: 1 })),
      putTrash(trashOf(1)),
      putBlock(rowOf(2)),
      putTrash(trashOf(2)),
      putBucket(bucket, 5),
    ];
    const { panda, components } = await worldWith(rows);
    expect(await collectGarbage(components)).toMatchObject({ slots: 1 });
    expect(await isThere(panda, blockKey(block(1)))).toBe(true);
    expect(await isThere(panda, blockKey(block(2)))).toBe(false);
  });

  it('looks again when somebody was faster, and believes the rows', async () => {
    // The block comes back, and goes to trash again, just before the first transaction.
    class Busy extends MemoryPanda {
      meanwhile: readonly Write[] = [];
      override async transact(writes: readonly Write[]): Promise<void> {
        const first = this.meanwhile;
        this.meanwhile = [];
        if (first.length > 0) await super.transact(first);
        await super.transact(writes);
      }
    }
    const rows = [1, 2].flatMap((n) => [putBlock(rowOf(n)), putTrash(trashOf(n))]);
    const { panda, components } = await worldWith([...rows, putBucket(bucket, 5)], PASSED_MS, new Busy());
    (panda as Busy).meanwhile = [putTrash(trashOf(2, { sinceMs: PASSED_MS }))];
    expect(await collectGarbage(components)).toMatchObject({ slots: 1 });
    expect(await isThere(panda, blockKey(block(1)))).toBe(false);
    expect(await isThere(panda, blockKey(block(2)))).toBe(true);
    expect(await isThere(panda, trashKey(CELL, bucket, 2))).toBe(true);
  });

  it('gives up on a row that is never as it was read, loudly, after a bounded number of tries', async () => {
    let tries = 0;
    class Contended extends MemoryPanda {
      isContended = false;
      override async transact(writes: readonly Write[]): Promise<void> {
        if (!this.isContended) return super.transact(writes);
        tries += 1;
        throw new PocketfulError('conflict', 'CONDITION_FAILED', 'somebody was faster');
      }
    }
    const { panda, components } = await worldWith(
      [putBlock(rowOf(1)), putTrash(trashOf(1)), putBucket(bucket, 5)],
      PASSED_MS,
      new Contended(),
    );
    (panda as Contended).isContended = true;
    await expect(collectGarbage(components)).rejects.toSatisfy((error) => isKind(error, 'conflict'));
    expect(tries).toBe(21);
  });

  it('begins the grace of what was deleted in the future now, and only of that', async () => {
    const years = PASSED_MS + 3652 * 86_400_000;
    const { panda, components } = await worldWith([
      putBlock(rowOf(1)),
      putTrash(trashOf(1, { sinceMs: years })),
      putBucket(bucket, 5),
    ]);
    expect(await collectGarbage(components)).toEqual({ ...nothing, waiting: 1 });
    expect((await panda.get(trashKey(CELL, bucket, 1)))?.attributes).toMatchObject({ a: PASSED_MS });
    const near = await worldWith([
      putBlock(rowOf(1)),
      putTrash(trashOf(1, { sinceMs: PASSED_MS + 1 })),
      putBucket(bucket, 5),
    ]);
    await collectGarbage(near.components);
    expect((await near.panda.get(trashKey(CELL, bucket, 1)))?.attributes).toMatchObject({ a: PASSED_MS + 1 });
  });

  it('stops when told to', async () => {
    const { panda, components } = await worldWith([putBlock(rowOf(1)), putTrash(trashOf(1)), putBucket(bucket, 5)]);
    expect(await collectGarbage(components, { signal: AbortSignal.abort() })).toEqual(nothing);
    expect(await isThere(panda, blockKey(block(1)))).toBe(true);
  });

  it('passes over damaged rows if somebody is told, and is stopped by them if not', async () => {
    const damaged: Attributes = { s: 'trash' };
    const rows = [
      putTrash(trashOf(1)),
      { kind: 'put' as const, ...blockKey(block(1)), attributes: damaged },
      putBlock(rowOf(2, { bucket: bucketNumber(0xb1) })),
      putTrash(trashOf(2, { bucket: bucketNumber(0xb1) })),
      putBucket(bucket, 5),
      putBucket(bucketNumber(0xb1), 5),
    ];
    const told: string[] = [];
    const { panda, components } = await worldWith(rows);
    const report = await collectGarbage({ ...components, badRow: ({ sort }) => void told.push(sort) });
    expect(report).toMatchObject({ slots: 1, buckets: 1 });
    expect(told).toEqual([trashKey(CELL, bucket, 1).sort]);
    expect(await isThere(panda, trashKey(CELL, bucket, 1))).toBe(true);
    await expect(collectGarbage((await worldWith(rows)).components)).rejects.toSatisfy((error) =>
      isKind(error, 'corrupt'),
    );
  });
});

describe('a clock that says it is before 1970', () => {
  it('stops nothing: what is removed is of its beginning, and its grace not over', async () => {
    const world = new World(5, { ...TINY, deleteGraceMs: 1000 });
    world.clock.jumpTo(-30 * DAY_MS);
    const { frontend, components } = world.start();
    await frontend.put({ namespace: 'n', key: 'a', body: Buffer.from('a') });
    await frontend.delete('n', 'a');
    expect(await expireRemoved(components)).toMatchObject({ objects: 0 });
    expect(await expireRemoved(components, { ignoreGrace: true })).toEqual({ objects: 1, waiting: 0 });
  });
});
