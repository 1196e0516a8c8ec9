// Slots that were noted die, all of a bucket together, and their keys are told; what moved, died already or is damaged is not taken for gone.
import { describe, expect, it } from 'vitest';
import { buryNoted } from '../../lib/gc/bury.ts';
import { collectGarbage } from '../../lib/gc/collect-garbage.ts';
import { SHREDDED_IDS_MAX } from '../../lib/limits/panda.ts';
import { CONFLICT_ATTEMPTS_MAX } from '../../lib/limits/volume.ts';
import { PandaConflict } from '../../lib/panda/conflict.ts';
import { bucketKey, deadKey } from '../../lib/panda/rows/bucket-row.ts';
import type { HoldingRow, NotedSlot } from '../../lib/panda/rows/removed/held-references.ts';
import {
  AT_MS,
  bucket,
  CELL,
  holding,
  noteOf,
  objectOf,
  putBlock,
  putBucket,
  putRow,
  record,
  rowOf,
  worldWith,
} from './removed-rows.ts';

describe('slots that were noted', () => {
  const gone = (notes: readonly NotedSlot[], kekVersion = 3): HoldingRow => ({
    ...holding(objectOf(1, [1, 2, 3])),
    ...{ notes, kekVersion },
  });

  it('die if no block row names them, and their keys are told; what moved dies where it was, untold', async () => {
    const [one, two, three] = [noteOf(0, 1), noteOf(1, 2), noteOf(2, 3)];
    const writes = [
      putBucket(1),
      putBlock(rowOf(1)),
      putBlock(rowOf(2, { slot: 77 })),
      putBlock(rowOf(3, { recordId: record(8) })),
    ];
    const { components, shreds, dead } = await worldWith(writes);
    const row = gone([one, two, three]);
    expect(await buryNoted(components, [{ gone: row, left: [] }])).toEqual({ done: [row], shredded: [three] });
    expect(await dead(1)).toEqual([2, 3]);
    expect(await shreds()).toMatchObject([{ atMs: AT_MS + 1000, recordIds: [record(3)], kekVersion: 3 }]);
  });

  it('that are known to be left are not asked for again', async () => {
    const { components, dead } = await worldWith([putBucket(1), putBlock(rowOf(1))]);
    const row = gone([noteOf(0, 1)]);
    expect(await buryNoted(components, [{ gone: row, left: [noteOf(0, 1)] }])).toMatchObject({
      shredded: [noteOf(0, 1)],
    });
    expect(await dead(1)).toEqual([1]);
  });

  it('in another bucket, too, are where the record was', async () => {
    const { components, dead } = await worldWith([
      putBucket(1),
      putBucket(2),
      putBlock(rowOf(1, { bucket: bucket(2) })),
    ]);
    expect(await buryNoted(components, [{ gone: gone([noteOf(0, 1)]), left: [] }])).toMatchObject({ shredded: [] });
    expect([await dead(1), await dead(2)]).toEqual([[1], []]);
  });

  it('of nobody are nothing: no row of the shred log is written', async () => {
    const { components, panda } = await worldWith([putBucket(1), putBlock(rowOf(1))]);
    const before = panda.snapshot();
    const row = gone([]);
    expect(await buryNoted(components, [{ gone: row, left: [] }])).toEqual({ done: [row], shredded: [] });
    expect(await buryNoted(components, [])).toEqual({ done: [], shredded: [] });
    expect(panda.snapshot()).toEqual(before);
  });

  it('are told by as many rows as they need, under the highest key version', async () => {
    const notes = Array.from({ length: SHREDDED_IDS_MAX + 1 }, (_, i) => noteOf(0, i, { slot: i % 200 }));
    const { components, shreds } = await worldWith([putBucket(1)]);
    const rows = [gone(notes.slice(0, 5), 2), gone(notes.slice(5), 9)];
    const { shredded } = await buryNoted(
      components,
      rows.map((row) => ({ gone: row, left: row.notes })),
    );
    expect(shredded).toHaveLength(notes.length);
    const told = await shreds();
    expect(told.map(({ recordIds, kekVersion }) => [recordIds.length, kekVersion]).sort()).toEqual([
      ...[
        [1, 9],
        [SHREDDED_IDS_MAX, 9],
      ],
    ]);
    expect(new Set(told.flatMap(({ recordIds }) => recordIds)).size).toBe(notes.length);
  });

  it('are told of 1970 at the earliest', async () => {
    const { world, components, shreds } = await worldWith([putBucket(1)]);
    world.clock.jumpTo(-77);
    const row = gone([noteOf(0, 1)]);
    await buryNoted(components, [{ gone: row, left: row.notes }]);
    expect(await shreds()).toMatchObject([{ atMs: 0, recordIds: [record(1)] }]);
  });

  it('are dead in a bucket that was dropped', async () => {
    const { components, shreds } = await worldWith([]);
    const row = gone([noteOf(0, 1)]);
    expect(await buryNoted(components, [{ gone: row, left: [] }])).toMatchObject({ done: [row] });
    expect(await shreds()).toMatchObject([{ recordIds: [record(1)] }]);
  });

  it('die once, and those that died already are left alone', async () => {
    const { components, dead, panda } = await worldWith([putBucket(1)]);
    const row = gone([noteOf(0, 1), noteOf(1, 2)]);
    await buryNoted(components, [{ gone: gone([noteOf(0, 1)]), left: [] }]);
    const live = async () => Number((await panda.get(bucketKey(CELL, bucket(1))))?.attributes['l']);
    expect(await live()).toBe(9e6 - 101);
    await buryNoted(components, [{ gone: row, left: [] }]);
    expect([await dead(1), await live()]).toEqual([[1, 2], 9e6 - 101 - 102]);
    await buryNoted(components, [{ gone: row, left: [] }]);
    expect(await live()).toBe(9e6 - 101 - 102);
  });

  it.each([1, CONFLICT_ATTEMPTS_MAX, CONFLICT_ATTEMPTS_MAX + 1])(
    'die though others are at their bucket %i times',
    async (times) => {
      const { components, panda, dead, slept } = await worldWith([putBucket(1)]);
      let refused = 0;
      panda.before = async (writes) => {
        if (!writes.some(({ partition }) => partition.startsWith('dead/'))) return;
        if (refused++ < times) throw new PandaConflict([0]);
      };
      const done = buryNoted(components, [{ gone: gone([noteOf(0, 1)]), left: [] }]);
      if (times > CONFLICT_ATTEMPTS_MAX) await expect(done).rejects.toMatchObject({ kind: 'conflict' });
      else {
        await done;
        expect(await dead(1)).toEqual([1]);
      }
      expect(slept).toHaveLength(Math.min(times, CONFLICT_ATTEMPTS_MAX));
    },
  );

  it('of a bucket whose rows are damaged keep their row, and no key of theirs is told', async () => {
    const { components, panda, shreds, dead } = await worldWith([putBucket(1), putBucket(2)]);
    await panda.transact([{ kind: 'put', ...deadKey(CELL, bucket(2)), attributes: { v: 'x' } }]);
    const [good, bad] = [gone([noteOf(0, 1)]), gone([noteOf(0, 2), noteOf(1, 3, { bucket: bucket(2) })], 8)];
    const given = [good, bad].map((row) => ({ gone: row, left: row.notes }));
    await expect(buryNoted(components, given)).rejects.toMatchObject({ kind: 'corrupt' });
    const told: string[] = [];
    const badRow = ({ partition, sort }: { partition: string; sort: string }) => void told.push(`${partition} ${sort}`);
    const buried = await buryNoted({ ...components, badRow }, given);
    expect(buried).toEqual({ done: [good], shredded: good.notes });
    const { partition, sort } = bucketKey(CELL, bucket(2));
    expect([told, await dead(1)]).toEqual([[`${partition} ${sort}`], [1, 2]]);
    expect(await shreds()).toMatchObject([{ recordIds: [record(1)], kekVersion: 3 }]);
  });
});

it('a pass leaves a row that is told of as it was, and ends the others', async () => {
  const objects = [objectOf(1, [1])];
  const { components, panda } = await worldWith([
    putRow(holding(...objects), objects),
    putBlock(rowOf(1)),
    putBucket(1),
  ]);
  const forgotten: number[] = [];
  const progress: number[] = [];
  const options = {
    onForgotten: (n: number) => void forgotten.push(n),
    onProgress: (n: number) => void progress.push(n),
  };
  expect(await collectGarbage(components, options)).toEqual({ slots: 1, recordBytes: 101, buckets: 1, waiting: 0 });
  expect([forgotten, progress]).toEqual([[1], [1]]);
  expect(panda.snapshot().filter(({ partition }) => partition.startsWith('removed'))).toEqual([]);
});
