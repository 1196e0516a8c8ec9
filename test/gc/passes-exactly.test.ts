// A pass of GC over what is in trash, and passes that wrap keys anew: what is counted, where it stops, what it finds changed, and what it leaves behind.
import { describe, expect, it } from 'vitest';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { Frontend } from '../../lib/frontend/frontend.ts';
import {
  collectGarbage,
  type GarbageReport,
  NOTHING_SHREDDED,
  shreddedTogether,
} from '../../lib/gc/collect-garbage.ts';
import { retireKek } from '../../lib/gc/retire-kek.ts';
import { blocksByKekVersion, rewrapKeys } from '../../lib/gc/rewrap-keys.ts';
import { rewrapAttributes, rewrapCursor, rewrapKey } from '../../lib/gc/rewrap-row.ts';
import { MemoryKekStore } from '../../lib/keys/memory-kek-store.ts';
import { PAIRS_PER_TRANSACTION } from '../../lib/limits/panda.ts';
import { CLOCK_SKEW_MS_MAX, CONFLICT_ATTEMPTS_MAX } from '../../lib/limits/volume.ts';
import { PandaConflict } from '../../lib/panda/conflict.ts';
import type { Row, Write } from '../../lib/panda/panda.ts';
import { blockKey, blockPartitions } from '../../lib/panda/rows/block-row.ts';
import { trashAttributes, trashFromRow, trashKey } from '../../lib/panda/rows/trash-row.ts';
import { VolumeStore } from '../../lib/volume/volume-store.ts';
import { World } from '../store/harness.ts';
import { AT_MS, block, bucket, CELL, putBlock, putBucket, record, rowOf, worldWith } from './removed-rows.ts';

const nothing: GarbageReport = { slots: 0, recordBytes: 0, buckets: 0, waiting: 0 };
const trashOf = (n: number, change: { sinceMs?: number; bucket?: ReturnType<typeof bucket> } = {}) => ({
  ...{
    bucket: bucket(1),
    slot: n,
    blockId: block(n),
    recordId: record(n),
    recordBytes: 100 + n,
    sinceMs: AT_MS,
    ...change,
  },
});
const inTrash = (n: number, change: Parameters<typeof trashOf>[1] = {}): Write[] => {
  const row = trashOf(n, change);
  return [
    putBlock(rowOf(n, { state: 'trash', refs: 0, bucket: row.bucket })),
    { kind: 'put', ...trashKey(CELL, row.bucket, n), attributes: trashAttributes(row) },
  ];
};

describe('a pass of GC', () => {
  it('after another one adds up, and what waits is as the last one saw it', () => {
    const one = { slots: 1, recordBytes: 20, buckets: 3, waiting: 400 };
    const next = { slots: 5, recordBytes: 60, buckets: 7, waiting: 8 };
    expect(shreddedTogether(one, next)).toEqual({ slots: 6, recordBytes: 80, buckets: 10, waiting: 8 });
    expect(NOTHING_SHREDDED).toEqual(nothing);
  });

  it('says after each transaction how far it is, and stops where it is told to', async () => {
    const count = 2 * PAIRS_PER_TRANSACTION + 1;
    const writes = Array.from({ length: count }, (_, n) => inTrash(n)).flat();
    const { panda, components } = await worldWith([putBucket(1), ...writes]);
    const abort = new AbortController();
    const told: number[] = [];
    const onProgress = (slots: number): void => {
      told.push(slots);
      if (told.length === 2) abort.abort();
    };
    const first = await collectGarbage(components, { onProgress, signal: abort.signal });
    expect(first).toMatchObject({ slots: 2 * PAIRS_PER_TRANSACTION, buckets: 1, waiting: 0 });
    expect(told).toEqual([PAIRS_PER_TRANSACTION, 2 * PAIRS_PER_TRANSACTION]);
    expect(panda.snapshot().filter(({ partition }) => partition.startsWith('block/'))).toHaveLength(1);
    told.length = 0;
    expect(await collectGarbage(components, { onProgress })).toMatchObject({ slots: 1 });
    expect(told).toEqual([1]);
  });

  it('takes what is of one bucket together, whatever comes between', async () => {
    const writes = [
      inTrash(1),
      inTrash(2),
      inTrash(3, { bucket: bucket(2) }),
      inTrash(4, { bucket: bucket(3) }),
    ].flat();
    const { components } = await worldWith([putBucket(1), putBucket(2), putBucket(3), ...writes]);
    const told: number[] = [];
    expect(await collectGarbage(components, { onProgress: (slots) => told.push(slots) })).toEqual({
      ...{ slots: 4, recordBytes: 410, buckets: 3, waiting: 0 },
    });
    expect(told).toHaveLength(3);
  });

  it('without grace takes what was deleted this moment, or would be in the future', async () => {
    const { components } = await worldWith([putBucket(1), ...inTrash(1, { sinceMs: AT_MS + 1500 })]);
    expect(await collectGarbage(components)).toEqual({ ...nothing, waiting: 1 });
    expect(await collectGarbage(components, { ignoreGrace: true })).toMatchObject({ slots: 1, waiting: 0 });
  });

  it('before 1970 tells the shred log of its beginning', async () => {
    const { world, components, shreds } = await worldWith([putBucket(1), ...inTrash(1)]);
    world.clock.jumpTo(-77);
    expect(await collectGarbage(components, { ignoreGrace: true })).toMatchObject({ slots: 1 });
    expect(await shreds()).toMatchObject([{ atMs: 0, recordIds: [record(1)] }]);
  });

  it('begins the grace of what is ahead at 1970 where the clock says it is before', async () => {
    const ahead = inTrash(1, { sinceMs: CLOCK_SKEW_MS_MAX + 1 });
    const { world, panda, components } = await worldWith([putBucket(1), ...ahead]);
    world.clock.jumpTo(-10);
    expect(await collectGarbage(components)).toEqual({ ...nothing, waiting: 1 });
    expect(trashFromRow((await panda.get(trashKey(CELL, bucket(1), 1))) as Row).sinceMs).toBe(0);
  });

  it('leaves what is ahead alone where it changed meanwhile; a mistake of a program comes out', async () => {
    const ahead = inTrash(1, { sinceMs: AT_MS + 2 * CLOCK_SKEW_MS_MAX + 9e9 });
    const { panda, components } = await worldWith([putBucket(1), ...ahead]);
    panda.before = () => Promise.reject(new PandaConflict([0]));
    expect(await collectGarbage(components)).toEqual({ ...nothing, waiting: 1 });
    panda.before = () => Promise.reject(new TypeError('a mistake'));
    await expect(collectGarbage(components)).rejects.toThrow('a mistake');
    await expect(collectGarbage({ ...components, badRow: () => {} }, { ignoreGrace: true })).rejects.toThrow(
      'a mistake',
    );
  });

  it.each([CONFLICT_ATTEMPTS_MAX, CONFLICT_ATTEMPTS_MAX + 1])(
    'tries again after %i refusals, and waits between',
    async (times) => {
      const { panda, components, slept } = await worldWith([putBucket(1), ...inTrash(1)]);
      let refused = 0;
      panda.before = async () => {
        if (refused++ < times) throw new PandaConflict([0]);
      };
      const done = collectGarbage(components);
      if (times > CONFLICT_ATTEMPTS_MAX) await expect(done).rejects.toMatchObject({ kind: 'conflict' });
      else expect(await done).toMatchObject({ slots: 1 });
      expect(slept).toHaveLength(CONFLICT_ATTEMPTS_MAX);
    },
  );

  it('takes none whose row in trash went meanwhile', async () => {
    const { panda, components } = await worldWith([putBucket(1), ...inTrash(1), ...inTrash(2)]);
    panda.before = async () => {
      panda.before = undefined;
      await panda.transact([{ kind: 'delete', ...trashKey(CELL, bucket(1), 1) }]);
    };
    expect(await collectGarbage(components)).toMatchObject({ slots: 1, recordBytes: 102 });
    expect(await panda.get(blockKey(block(1)))).toBeDefined();
  });
});

describe('where a pass of wrapping keys anew has come to', () => {
  const rowOfCursor = (attributes: Row['attributes']): Row => ({ ...rewrapKey, attributes });

  it('counts only for the same version, and only if it is a number', () => {
    expect(rewrapCursor(rowOfCursor(rewrapAttributes(3, 77)), 3)).toBe(77);
    expect(rewrapCursor(rowOfCursor(rewrapAttributes(3, 77)), 4)).toBe(0);
    expect(rewrapCursor(rowOfCursor({ v: 3, at: '77' }), 3)).toBe(0);
    expect(rewrapCursor(undefined, 3)).toBe(0);
  });

  async function rotated() {
    const world = new World(4);
    const { components: first } = world.start();
    const keks = new MemoryKekStore({ clock: first.clock, randomness: new SeededRandomness(3) });
    const { components } = new VolumeStore({ ...first, keks });
    const frontend = new Frontend(new VolumeStore(components));
    for (const key of ['a', 'b', 'c']) await frontend.put({ namespace: 'n', key, body: Buffer.from(`body of ${key}`) });
    await keks.rotate();
    const partitions = blockPartitions();
    const rows = world.panda.snapshot().filter(({ partition }) => partition.startsWith('block/'));
    const at = rows.map(({ partition }) => partitions.indexOf(partition)).sort((a, b) => a - b);
    return { world, components, keks, partitions, at };
  }

  it('is noted behind each partition in which something was wrapped, and gone at the end', async () => {
    const { world, components, partitions, at } = await rotated();
    const cursors: unknown[] = [];
    const { transact } = world.panda;
    world.panda.transact = async (writes) => {
      for (const write of writes)
        if (write.kind === 'put' && write.sort === rewrapKey.sort) cursors.push(write.attributes['at']);
      return transact.call(world.panda, writes);
    };
    const told: number[] = [];
    const report = await rewrapKeys(components, {
      onProgress: ({ rewrappedBlocks, finished, resumed, version: of }) => {
        expect([finished, resumed, of]).toEqual([false, false, 2]);
        told.push(rewrappedBlocks);
      },
    });
    expect(report).toEqual({ version: 2, scannedBlocks: 3, rewrappedBlocks: 3, resumed: false, finished: true });
    expect(cursors).toEqual([...new Set(at)].filter((one) => one + 1 < partitions.length).map((one) => one + 1));
    expect(told).toHaveLength(partitions.length);
    expect([told[0], told.at(-1)]).toEqual([at[0] === 0 ? 1 : 0, 3]);
    expect(await world.panda.get(rewrapKey)).toBeUndefined();
  });

  it('is gone on with after a signal, and by a process that was cut off', async () => {
    const { world, components, at, partitions } = await rotated();
    const abort = new AbortController();
    const onProgress = ({ rewrappedBlocks }: { rewrappedBlocks: number }): void => {
      if (rewrappedBlocks === 1) abort.abort();
    };
    expect(await rewrapKeys(components, { signal: abort.signal, onProgress })).toEqual({
      ...{ version: 2, scannedBlocks: 1, rewrappedBlocks: 1, resumed: false, finished: false },
    });
    expect((await world.panda.get(rewrapKey))?.attributes).toEqual({ v: 2, at: (at[0] as number) + 1 });
    let passed = 0;
    const report = await rewrapKeys(components, { onProgress: () => void passed++ });
    expect(report).toEqual({ version: 2, scannedBlocks: 2, rewrappedBlocks: 2, resumed: true, finished: true });
    expect(passed).toBe(partitions.length - (at[0] as number) - 1);
    expect([...(await blocksByKekVersion(components))]).toEqual([[2, 3]]);
  });

  it('leaves versions that are gone already without a row that they retire', async () => {
    const { world, components, keks } = await rotated();
    await rewrapKeys(components);
    await keks.destroy(1);
    await keks.rotate();
    expect(await retireKek(components, 2)).toBe(3);
    await rewrapKeys(components);
    expect(await retireKek(components, 2)).toBe(0);
    const retiring = world.panda.snapshot().filter(({ partition }) => partition.includes('retiring'));
    expect(retiring.map(({ sort }) => Number(sort))).toEqual([2]);
  });
});
