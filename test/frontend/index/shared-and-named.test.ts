// Batches whose group is shared, whose records replace lost ones, or whose objects are put plain: how each is written, and how its group ends.
import { describe, expect, it } from 'vitest';
import { retryLater } from '../../../lib/foundation/errors.ts';
import type { BlockId } from '../../../lib/foundation/ids.ts';
import type { ObjectChange } from '../../../lib/frontend/index-plan.ts';
import type { MemoryPanda } from '../../../lib/panda/memory-panda.ts';
import type { Row } from '../../../lib/panda/panda.ts';
import { type BlockRow, blockFromRow, blockKey } from '../../../lib/panda/rows/block-row.ts';
import { objectAttributes, objectKey } from '../../../lib/panda/rows/object-row.ts';
import type { AppendedGroup } from '../../../lib/volume/write/appended-group.ts';
import { objectOf } from '../../gc/removed-rows.ts';
import { fine, grouped, idOf, isOf, lostAnswer, put } from './grouped.ts';

describe('a share of a group', () => {
  it('says whether all its records are named, and settles nothing itself', async () => {
    for (const [blocks, isAll] of [
      [[1, 2], true],
      [[1], false],
    ] as const) {
      const { run, ended, panda } = await grouped([1, 2], { isShared: true });
      const sent: string[] = [];
      panda.before = async (writes) => void sent.push(writes.map(({ kind }) => kind).join());
      expect(await run([put('a', blocks)])).toEqual(fine);
      expect(ended).toEqual([`settle ${isAll}`]);
      expect(sent.at(0)).toMatch(/^check/);
    }
    const { run, ended, panda } = await grouped([1], { isShared: true });
    panda.before = async (writes) => {
      if (isOf('a')(writes)) throw retryLater('PANDA_FULL', 'the disk is full');
    };
    await expect(run([put('a', [1])])).rejects.toMatchObject({ code: 'PANDA_FULL' });
    expect(ended).toEqual(['settle false']);
  });
});

describe('records that are stored anew', () => {
  const lostRow = async (panda: MemoryPanda, n: number): Promise<[BlockId, BlockRow]> => [
    idOf(n),
    blockFromRow((await panda.get(blockKey(idOf(n)))) as Row),
  ];

  it('are named by their blocks before objects are, and settle the group with them', async () => {
    const { run, ended, panda, fresh, sound } = await grouped([1], { known: [1] });
    const lost = new Map([await lostRow(panda, 1)]);
    expect(await run([put('a', [1])], { lost, rows: lost })).toEqual(fine);
    expect(ended).toEqual(['finished']);
    const row = blockFromRow((await panda.get(blockKey(idOf(1)))) as Row);
    expect([row.recordId, row.refs]).toEqual([fresh.get(idOf(1))?.recordId, 2]);
    await sound();
  });

  it('leave alone a block that somebody else renewed, and are put off with a lease that is broken', async () => {
    const { run, ended, panda, sound } = await grouped([1], { known: [1] });
    const [id, row] = await lostRow(panda, 1);
    const lost = new Map([[id, { ...row, recordId: 'f'.repeat(32) as never }]]);
    expect(await run([put('a', [1])], { lost, rows: lost })).toEqual(fine);
    expect(ended).toEqual(['settle', 'finished']);
    expect(blockFromRow((await panda.get(blockKey(id))) as Row)).toMatchObject({ recordId: row.recordId, refs: 2 });
    await sound();
    const broken = await grouped([1], { known: [1] });
    await broken.group.recover();
    const gone = new Map([await lostRow(broken.panda, 1)]);
    expect(await broken.run([put('a', [1])], { lost: gone, rows: gone })).toEqual({ ...fine, again: ['a'] });
  });
});

describe('objects put by plain writes', () => {
  const named = (...changes: ObjectChange[]) =>
    new Map(changes.map((change) => [change, change.next?.blocks?.[0] as BlockId]));

  it('end their group when all of them are written, and are believed only then', async () => {
    const [a, b] = [put('a', [1]), put('b', [2])];
    const { run, ended, sound } = await grouped([1, 2]);
    expect(await run([a, b], { named: named(a, b) })).toEqual(fine);
    expect(ended).toEqual(['tryFinish', 'finished']);
    await sound();
    const taken = await grouped([1, 2]);
    (taken.group as AppendedGroup).tryFinish = async () => false;
    expect(await taken.run([a, b], { named: named(a, b) })).toEqual(fine);
    const lost = await grouped([1, 2]);
    (lost.group as AppendedGroup).tryFinish = async () => {
      await lost.panda.transact([{ kind: 'delete', ...objectKey('n', 'b') }]);
      return false;
    };
    expect(await lost.run([a, b], { named: named(a, b) })).toEqual({ ...fine, again: ['b'] });
  });

  it('go on beside those that are put together, and are done again where their name was taken', async () => {
    const [a, b, c] = [put('a', [1]), put('b', [2]), put('c', [3])];
    const { run, ended, panda, sound } = await grouped([1, 2, 3], { intents: [a, b] });
    await panda.transact([{ kind: 'put', ...objectKey('n', 'b'), attributes: objectAttributes(objectOf(5, [])) }]);
    expect(await run([a, b, c], { named: named(a, b) })).toEqual({ ...fine, again: ['b'] });
    expect(ended).toEqual(['settle', 'finished']);
    await sound();
  });

  it('whose answer got lost are final only when the group is recovered', async () => {
    const [a, b] = [put('a', [1]), put('b', [2])];
    const { run, ended, panda, sound } = await grouped([1, 2], { intents: [a, b] });
    panda.before = async (writes) => {
      if (isOf('b')(writes) && writes[0]?.kind === 'put') throw lostAnswer();
    };
    expect(await run([a, b], { named: named(a, b) })).toEqual({ ...fine, again: ['b'] });
    expect(ended).toEqual(['recover']);
    await sound();
  });
});

it('a block that is named twice in a batch counts the second time as known', async () => {
  const { run, panda, ended, sound } = await grouped([1]);
  const changes = Array.from({ length: 60 }, (_, i) => put(String.fromCharCode(65 + i), [1]));
  expect(await run(changes)).toEqual(fine);
  expect(blockFromRow((await panda.get(blockKey(idOf(1)))) as Row).refs).toBe(60);
  expect(ended).toEqual(['finished']);
  await sound();
});
