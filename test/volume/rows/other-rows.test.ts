// Reads of rows in pages and batches, rows of groups that go, and the store's format: call by call.
import { describe, expect, it } from 'vitest';
import { SimulatedClock } from '../../../lib/foundation/clock.ts';
import { retryLater } from '../../../lib/foundation/errors.ts';
import type { BlockId, BucketId, VolumeId } from '../../../lib/foundation/ids.ts';
import { SeededRandomness } from '../../../lib/foundation/randomness.ts';
import { NAMESPACE_RULES_MS } from '../../../lib/limits/stage.ts';
import { PandaConflict } from '../../../lib/panda/conflict.ts';
import type { Key } from '../../../lib/panda/panda.ts';
import { blockAttributes, blockKey } from '../../../lib/panda/rows/block-row.ts';
import { groupAttributes, groupKey, groupPartition } from '../../../lib/panda/rows/group-row.ts';
import { namespaceKey } from '../../../lib/panda/rows/namespace-row.ts';
import { STORE_FORMAT, storeKey } from '../../../lib/panda/rows/store-row.ts';
import type { VolumeRow } from '../../../lib/panda/rows/volume-row.ts';
import type { Components } from '../../../lib/volume/rows/components.ts';
import { dropGroupRows, dropGroupRowsOf } from '../../../lib/volume/rows/drop-groups.ts';
import { knownNamespaces } from '../../../lib/volume/rows/known-namespaces.ts';
import {
  listGroups,
  readBlocks,
  readBucket,
  readGroup,
  readVolume,
  rowsAt,
  rowsOf,
} from '../../../lib/volume/rows/read-rows.ts';
import { storageClassOf } from '../../../lib/volume/rows/storage-class.ts';
import { raiseStoreFormat } from '../../../lib/volume/rows/store-format.ts';
import { SeededRows } from '../../golden/seeded-rows.ts';
import { TINY } from '../../store/harness.ts';
import { ToldPanda } from './told-panda.ts';

const CELL = TINY.cell;
const VOLUME = '0000000000000001' as VolumeId;
const rows = new SeededRows(new SeededRandomness(5));

function storeOf() {
  const panda = new ToldPanda();
  const clock = new SimulatedClock();
  const components = { panda, clock, randomness: new SeededRandomness(1), settings: TINY } as unknown as Components;
  return { panda, clock, components };
}

const keysOf = (count: number): Key[] =>
  Array.from({ length: count }, (_, i) => ({ partition: 'p', sort: String(i).padStart(4, '0') }));

describe('rows of a partition', () => {
  it('come page by page, from one key to another, both included', async () => {
    const { panda } = storeOf();
    for (const key of keysOf(1003)) await panda.plant(key, { n: Number(key.sort) });
    const sorts = async (from?: string, to?: string): Promise<string[]> => {
      const found = [];
      for await (const { sort } of rowsOf(panda, 'p', from, to)) found.push(sort);
      return found;
    };
    expect(await sorts()).toEqual(keysOf(1003).map(({ sort }) => sort));
    expect(panda.taken()).toEqual(['query p', 'query p']);
    expect(await sorts('0998', '1001')).toEqual(['0998', '0999', '1000', '1001']);
    expect(await sorts('1001')).toEqual(['1001', '1002']);
    expect(await sorts(undefined, '0001')).toEqual(['0000', '0001']);
    expect(await sorts(undefined, '1001')).toHaveLength(1002);
  });

  it('by their keys come a hundred at once, each undefined that is not there', async () => {
    const { panda } = storeOf();
    for (const key of keysOf(201).slice(1)) await panda.plant(key, { n: Number(key.sort) });
    const found = await rowsAt(panda, keysOf(201));
    expect(found.map((row) => row?.sort)).toEqual([
      undefined,
      ...keysOf(201)
        .map(({ sort }) => sort)
        .slice(1),
    ]);
    expect(panda.taken()).toEqual(['getMany 100', 'getMany 100', 'getMany 1']);
    expect(await rowsAt(panda, keysOf(200))).toHaveLength(200);
    expect(panda.taken()).toEqual(['getMany 100', 'getMany 100']);
    expect(await rowsAt(panda, [])).toEqual([]);
    expect(panda.taken()).toEqual([]);
  });

  it('that are not there are nothing', async () => {
    const { panda } = storeOf();
    expect(await readVolume(panda, CELL, VOLUME)).toBeUndefined();
    expect(await readBucket(panda, CELL, '00000000000000b1' as BucketId)).toBeUndefined();
    expect(await readGroup(panda, { id: VOLUME, generation: 1 } as VolumeRow, 1)).toBeUndefined();
    expect(await listGroups(panda, { id: VOLUME, generation: 1 } as VolumeRow)).toEqual([]);
  });
});

describe('rows of blocks', () => {
  it('are read by one look if it is one alone, and together if they are more or may be a little old', async () => {
    const { panda } = storeOf();
    const [one, other] = [rows.block({ state: 'live', refs: 1 }), rows.block({ state: 'live', refs: 1 })];
    for (const block of [one, other]) await panda.plant(blockKey(block.id), blockAttributes(block));
    const absent = rows.blockId();
    const ids = async (of: readonly BlockId[], options?: { consistency: 'eventual' }) =>
      [...(await readBlocks(panda, of, options))].map(([id, row]) => [id, row?.recordId]);
    expect(await ids([one.id])).toEqual([[one.id, one.recordId]]);
    expect(panda.taken()).toEqual([`get block/${one.id.slice(0, 2)} ${one.id}`]);
    expect(await ids([absent])).toEqual([[absent, undefined]]);
    expect(panda.taken()).toHaveLength(1);
    expect(await ids([one.id], { consistency: 'eventual' })).toEqual([[one.id, one.recordId]]);
    expect(panda.taken()).toEqual(['getMany 1']);
    expect(await ids([absent, other.id, one.id])).toEqual([
      [absent, undefined],
      [other.id, other.recordId],
      [one.id, one.recordId],
    ]);
    expect(panda.taken()).toEqual(['getMany 3']);
    expect(await ids([])).toEqual([]);
    expect(panda.taken()).toEqual([]);
  });
});

describe('rows of groups', () => {
  const volume = (nextSeq: number) => ({ id: VOLUME, generation: 2, nextSeq }) as VolumeRow;
  const plant = async (panda: ToldPanda, seqs: readonly number[]): Promise<void> => {
    const attributes = groupAttributes({ kind: 'move', seq: 1, token: 4, columnBytes: [1], run: 'r' });
    for (const seq of seqs) await panda.plant(groupKey(VOLUME, 2, seq), attributes);
  };
  const seqs = (count: number): number[] => Array.from({ length: count }, (_, i) => i + 1);
  const writes = (panda: ToldPanda): number[] =>
    panda.taken().flatMap((call) => (call.startsWith('write') ? [call.split('delete').length - 1] : []));

  it('are read by sequence, of one generation', async () => {
    const { panda } = storeOf();
    await plant(panda, [3, 1]);
    await panda.plant(
      groupKey(VOLUME, 1, 2),
      groupAttributes({ kind: 'move', seq: 2, token: 4, columnBytes: [], run: 'r' }),
    );
    expect((await listGroups(panda, volume(4))).map(({ seq }) => seq)).toEqual([1, 3]);
    expect(await readGroup(panda, volume(4), 3)).toEqual({
      kind: 'move',
      seq: 3,
      token: 4,
      columnBytes: [1],
      run: 'r',
    });
  });

  it.each([
    [1, []],
    [2, [1]],
    [51, [50]],
    [52, [50, 1]],
  ])('go with the sequences below the next one, %i, fifty at once', async (nextSeq, parts) => {
    const { panda, components } = storeOf();
    await plant(panda, seqs(nextSeq));
    panda.answers = ['undone'];
    await dropGroupRows(components, volume(nextSeq));
    expect(writes(panda)).toEqual(parts.length === 0 ? [] : [parts[0], ...parts]);
    expect(Object.keys(panda.rowsIn(groupPartition(VOLUME, 2)))).toEqual([groupKey(VOLUME, 2, nextSeq).sort]);
  });

  it.each([
    [0, []],
    [1, [1]],
    [50, [50]],
    [51, [50, 1]],
  ])('that were left behind, %i, go fifty at once, whichever there are', async (count, parts) => {
    const { panda, components } = storeOf();
    await plant(
      panda,
      seqs(count).map((seq) => seq * 3),
    );
    panda.answers = ['undone'];
    await dropGroupRowsOf(components, volume(1));
    expect(writes(panda)).toEqual(parts.length === 0 ? [] : [parts[0], ...parts]);
    expect(panda.rowsIn(groupPartition(VOLUME, 2))).toEqual({});
  });
});

describe('the format of a store', () => {
  it('is raised once, by its row as it was read, and not looked at again', async () => {
    const { panda, components } = storeOf();
    await panda.plant(storeKey, { f: STORE_FORMAT - 1 });
    await raiseStoreFormat(components);
    expect(panda.taken()).toEqual(['get store settings', 'write update store settings']);
    expect(panda.rowsIn('store')).toEqual({ settings: { f: STORE_FORMAT } });
    await raiseStoreFormat(components);
    expect(panda.taken()).toEqual([]);
  });

  it('that is new already, or of no row, is only looked at', async () => {
    for (const f of [STORE_FORMAT, undefined]) {
      const { panda, components } = storeOf();
      if (f !== undefined) await panda.plant(storeKey, { f });
      for (let i = 0; i < 2; i++) await raiseStoreFormat(components);
      expect(panda.taken()).toEqual(['get store settings']);
    }
  });

  it('may be raised by somebody else meanwhile; otherwise a refusal comes out', async () => {
    const { panda, components } = storeOf();
    await panda.plant(storeKey, { f: 1 });
    panda.before = async (call) => {
      if (call.startsWith('write')) await panda.plant(storeKey, { f: STORE_FORMAT });
    };
    await raiseStoreFormat(components);
    expect(panda.taken()).toEqual(['get store settings', 'write update store settings', 'get store settings']);
    const stuck = storeOf();
    await stuck.panda.plant(storeKey, { f: 1 });
    const refused = new PandaConflict([0]);
    stuck.panda.answers = [refused];
    await expect(raiseStoreFormat(stuck.components)).rejects.toBe(refused);
    const full = retryLater('PANDA_FULL', 'full');
    stuck.panda.answers = [full];
    await expect(raiseStoreFormat(stuck.components)).rejects.toBe(full);
    stuck.panda.taken();
    // A failure is not remembered as done.
    await raiseStoreFormat(stuck.components);
    expect(stuck.panda.rowsIn('store')).toEqual({ settings: { f: STORE_FORMAT } });
  });

  it('whose raising was not answered is looked at', async () => {
    for (const [answer, sent] of [
      ['done', 1],
      ['undone', 2],
    ] as const) {
      const { panda, components } = storeOf();
      await panda.plant(storeKey, { f: 1 });
      panda.answers = [answer];
      await raiseStoreFormat(components);
      expect(panda.taken().filter((call) => call.startsWith('write'))).toHaveLength(sent);
      expect(panda.rowsIn('store')).toEqual({ settings: { f: STORE_FORMAT } });
    }
    const { panda, components } = storeOf();
    await panda.plant(storeKey, { f: 1 });
    panda.answers = ['undone', new PandaConflict([0])];
    panda.before = async (call) => {
      if (panda.calls.length === 3 && call.startsWith('get')) await panda.uproot(storeKey);
    };
    await expect(raiseStoreFormat(components)).rejects.toMatchObject({ kind: 'conflict' });
  });
});

describe('what is believed for a while', () => {
  it('are the rules of a namespace: none without a row', async () => {
    const { panda, clock } = storeOf();
    const known = knownNamespaces({ panda, clock });
    expect(await known.of('n')).toEqual({});
    const rules = { principals: { read: ['r'], write: ['w'] } };
    await panda.plant(namespaceKey('n'), { v: 1, j: JSON.stringify(rules) });
    clock.advance(NAMESPACE_RULES_MS - 1);
    expect(await known.of('n')).toEqual({});
    clock.advance(1);
    expect(await known.of('n')).toEqual(rules);
    expect(panda.taken()).toEqual(['get namespace n', 'get namespace n']);
  });
});

describe('a storage class', () => {
  it('is that of warm volumes alone', () => {
    expect(storageClassOf({ warmClass: 'GLACIER_IR' as never }, { class: 'warm' })).toBe('GLACIER_IR');
    expect(storageClassOf({ warmClass: 'GLACIER_IR' as never }, { class: 'hot' })).toBeUndefined();
  });
});
