// One row of removed objects, step by step: what is written of it and of its blocks, and which slots are noted.
import { describe, expect, it } from 'vitest';
import { giveBack } from '../../lib/gc/give-back.ts';
import { nextCounted, planGiveBack } from '../../lib/gc/give-back-plan.ts';
import { PAIRS_PER_TRANSACTION } from '../../lib/limits/panda.ts';
import { blockFromRow, blockKey } from '../../lib/panda/rows/block-row.ts';
import type { NotedSlot } from '../../lib/panda/rows/removed/held-references.ts';
import {
  block,
  bucket,
  byId,
  holding,
  noteOf,
  objectOf,
  putBlock,
  putRow,
  record,
  rowOf,
  version,
  worldWith,
} from './removed-rows.ts';

describe('what a step gives back', () => {
  it('is of as many blocks as a transaction takes, and of one block all of them', () => {
    const many = Array.from({ length: PAIRS_PER_TRANSACTION }, (_, i) => i);
    const row = holding(objectOf(1, many), objectOf(2, [0, 3, PAIRS_PER_TRANSACTION, 4]));
    expect(nextCounted(row).map(({ reference }) => reference)).toEqual([...many, 45, 46]);
    expect(nextCounted({ ...row, given: 47 }).map(({ reference }) => reference)).toEqual([47, 48]);
    expect(nextCounted({ ...row, given: 49 })).toEqual([]);
  });

  it('is of a block that others refer to nothing but the count', () => {
    const row = holding(objectOf(1, [1, 2]));
    const plan = planGiveBack(row, byId(rowOf(1, { refs: 3, kekVersion: 7 }), rowOf(2)));
    expect(plan.writes.map(({ kind, partition }) => `${kind} ${partition.split('/')[0]}`)).toEqual([
      'update removed',
      'update block',
      'delete block',
    ]);
    expect(plan).toMatchObject({ left: [noteOf(1, 2)], isLast: true, named: [] });
    expect(plan.next).toEqual({ ...row, step: 1, given: 2, notes: [noteOf(1, 2)], kekVersion: 7 });
  });

  it('is nothing of a block whose row was lost', () => {
    const row = holding(objectOf(1, [1]));
    const plan = planGiveBack(row, new Map([[block(1), undefined]]));
    expect(plan).toMatchObject({ left: [], isLast: true, next: { step: 1, given: 1, notes: [], kekVersion: 0 } });
    expect(plan.writes).toHaveLength(1);
  });

  it('is a name by a write of its own, its slot noted first where the row goes with it', () => {
    const row = holding(objectOf(1, [1], true), objectOf(2, [2], true), objectOf(3, [3], true));
    const rows = [
      rowOf(1, { named: version(1) }),
      rowOf(2, { named: version(2), refs: 2 }),
      rowOf(3, { named: version(9) }),
    ];
    const plan = planGiveBack(row, byId(...rows));
    expect(plan.writes).toHaveLength(1);
    expect(plan.named.map(({ version: of, write: { kind, sort }, left }) => [of, kind, sort, left])).toEqual([
      [version(1), 'delete', block(1), noteOf(0, 1)],
      [version(2), 'update', block(2), undefined],
    ]);
    expect(plan).toMatchObject({ left: [], isLast: true, next: { step: 1, given: 0, notes: [noteOf(0, 1)] } });
    // Noted already: nothing is written of the row.
    const again = planGiveBack({ ...row, step: 1, notes: [noteOf(0, 1)] }, byId(...rows));
    expect(again).toMatchObject({ writes: [], left: [], isLast: true });
    expect(again.named).toHaveLength(2);
  });

  it('is a name not yet where its block loses counted ones in the same step', () => {
    const row = holding(objectOf(1, [1], true), objectOf(2, [1]));
    const plan = planGiveBack(row, byId(rowOf(1, { named: version(1), refs: 2 })));
    expect(plan).toMatchObject({ named: [], isLast: false, left: [], next: { given: 1 } });
    expect(plan.writes.map(({ kind }) => kind)).toEqual(['update', 'update']);
  });

  it('is a slot that was noted before only if it is the same in all', () => {
    const row = holding(objectOf(1, [1]));
    const known = noteOf(0, 1);
    const notesAfter = (note: NotedSlot) => planGiveBack({ ...row, notes: [note] }, byId(rowOf(1))).next.notes;
    expect(notesAfter(known)).toEqual([known]);
    for (const change of [{ slot: 9 }, { bucket: bucket(2) }, { recordId: record(9) }])
      expect(notesAfter({ ...known, ...change })).toEqual([{ ...known, ...change }, known]);
  });
});

describe('a row whose references are given back', () => {
  it('tells of the slots that are left, and of none where the block stays', async () => {
    const objects = [objectOf(1, [1], true), objectOf(2, [2], true), objectOf(3, [3, 4])];
    const row = holding(...objects);
    const blocks = [
      ...[rowOf(1, { named: version(1) }), rowOf(2, { named: version(2), refs: 2 }), rowOf(3), rowOf(4, { refs: 2 })],
    ];
    const { panda, components } = await worldWith([putRow(row, objects), ...blocks.map(putBlock)]);
    const given = await giveBack(components, row);
    expect(given?.left).toEqual([noteOf(2, 3), noteOf(0, 1)]);
    expect(given?.gone).toMatchObject({ step: 1, given: 2, notes: [noteOf(2, 3), noteOf(0, 1)], kekVersion: 1 });
    const refs = await panda.getMany([1, 2, 3, 4].map((n) => blockKey(block(n))));
    expect(refs.map((one) => one && [blockFromRow(one).refs, blockFromRow(one).named])).toEqual([
      ...[undefined, [1, undefined], undefined, [1, undefined]],
    ]);
  });

  it('in several steps tells of all of them', async () => {
    const many = Array.from({ length: PAIRS_PER_TRANSACTION + 2 }, (_, i) => i);
    const objects = [objectOf(1, many)];
    const row = holding(...objects);
    const { components, slept } = await worldWith([putRow(row, objects), ...many.map((n) => putBlock(rowOf(n)))]);
    const given = await giveBack(components, row);
    expect(given?.left).toEqual(many.map((n) => noteOf(n, n)));
    expect(given?.gone).toMatchObject({ step: 2, given: many.length });
    expect(slept).toEqual([]);
  });

  it('that says of a block what cannot be is damaged, unless it only changed meanwhile', async () => {
    const objects = [objectOf(1, [1, 2])];
    const row = holding(...objects);
    const wrong = rowOf(2, { state: 'trash', refs: 0 });
    const same = await worldWith([putRow(row, objects), putBlock(rowOf(1)), putBlock(wrong)]);
    await expect(giveBack(same.components, row)).rejects.toMatchObject({ code: 'REFERENCES_WRONG' });
    const gone = await worldWith([putBlock(rowOf(1)), putBlock(wrong)]);
    expect(await giveBack(gone.components, row)).toBeUndefined();
    expect(gone.slept).toHaveLength(1);
    // It was put right between the look at the blocks and the next look at the row.
    const changed = await worldWith([putRow(row, objects), putBlock(rowOf(1)), putBlock(wrong)]);
    changed.panda.beforeRead = async () => {
      changed.panda.beforeRead = undefined;
      await changed.panda.transact([
        { kind: 'update', partition: row.partition, sort: row.sort, add: { n: 1 } },
        putBlock(rowOf(2)),
      ]);
    };
    expect((await giveBack(changed.components, row))?.gone).toMatchObject({ step: 2, given: 2 });
    const mistake = await worldWith([putRow(row, objects), putBlock(rowOf(1)), putBlock(rowOf(2))]);
    mistake.panda.before = () => Promise.reject(new TypeError('a mistake'));
    await expect(giveBack(mistake.components, row)).rejects.toThrow('a mistake');
  });
});
