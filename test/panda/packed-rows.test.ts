// Rows of store format 3: what goes in comes out, whatever the figures; what is damaged is refused; and rows of format 2 become rows of
// format 3 by any change, with nothing else changed.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPocketfulError } from '../../lib/foundation/errors.ts';
import {
  type BlockId,
  type BucketId,
  bytesOf,
  type ObjectVersion,
  type RecordId,
  type VolumeId,
} from '../../lib/foundation/ids.ts';
import { attributesBytes, keyBytes } from '../../lib/panda/attributes.ts';
import { MemoryPanda } from '../../lib/panda/memory-panda.ts';
import type { Attributes, Clause, Row } from '../../lib/panda/panda.ts';
import {
  addRefs,
  type BlockRow,
  blockAttributes,
  blockFromRow,
  blockIs,
  blockKey,
  bringBack,
  formIs,
  moveToSlot,
  recordIs,
  renewRecord,
  sendToTrash,
  slotIs,
  wrappedAs,
  wrapUnder,
} from '../../lib/panda/rows/block-row.ts';
import type { Change } from '../../lib/panda/rows/change.ts';
import {
  type ObjectRow,
  objectAttributes,
  objectFromRow,
  objectKey,
  versionIs,
} from '../../lib/panda/rows/object-row.ts';
import { etagOf } from '../../lib/panda/rows/objects/object-form.ts';
import { rowBytesOf } from '../../lib/panda/sqlite/row-bytes.ts';
import { blocksOf, count, hex, rowOf } from './block-arbitraries.ts';

const blocks = blocksOf({ cell: fc.stringMatching(/^[a-z][a-z0-9]{0,15}$/), refs: fc.nat(5), kekVersion: count });

const objects: fc.Arbitrary<ObjectRow> = fc
  .record({
    version: hex(12),
    sizeBytes: count,
    blockBytes: count,
    createdAtMs: count,
    metadata: fc.option(fc.string({ unit: 'grapheme' }), { nil: undefined }),
    ids: fc.array(hex(32), { maxLength: 45 }),
    segments: fc.option(fc.nat(100), { nil: undefined }),
  })
  .map(({ ids, ...facts }) => {
    const own = facts.segments === undefined ? (ids as BlockId[]) : undefined;
    return { ...facts, namespace: 'n', key: 'k', blocks: own, etag: etagOf(ids as BlockId[]) } as ObjectRow;
  });

const objectRowOf = (object: ObjectRow): Row => ({ ...objectKey('n', 'k'), attributes: objectAttributes(object) });
const plain = (block: BlockRow): object => ({ ...block, wrappedBek: [...block.wrappedBek] });

/** As releases of store format 2 wrote it. */
const oldAttributes = (block: BlockRow): Attributes => {
  const { volume, generation, seq, token, column, offset } = block.hint;
  return {
    c: block.cell,
    b: block.bucket,
    n: block.slot,
    r: bytesOf(block.recordId),
    l: block.recordBytes,
    z: block.plaintextBytes,
    h: [volume, generation, seq, token, column, offset],
    f: block.refs,
    s: block.state,
    w: block.wrappedBek,
    k: block.kekVersion,
  };
};

const codeOf = (read: () => unknown): string | undefined => {
  try {
    read();
    return undefined;
  } catch (error) {
    return isPocketfulError(error) ? error.code : 'a bug';
  }
};

describe('packed rows', () => {
  it('say what was put into them', () => {
    fc.assert(
      fc.property(blocks, (block) => {
        expect(plain(blockFromRow(rowOf(block)))).toEqual(plain(block));
      }),
    );
    fc.assert(
      fc.property(objects, (object) => {
        expect(objectFromRow(objectRowOf(object))).toEqual(object);
      }),
    );
  });

  it('are refused when they end early, go on too long, or are of another form', () => {
    fc.assert(
      fc.property(blocks, objects, fc.nat(200), (block, object, at) => {
        for (const row of [rowOf(block), objectRowOf(object)])
          for (const name of ['p', 'd', 'w', 'v']) {
            const bytes = row.attributes[name];
            if (!(bytes instanceof Uint8Array)) continue;
            const cut = { ...row, attributes: { ...row.attributes, [name]: bytes.subarray(0, at % bytes.length) } };
            const read = (): unknown => (row.partition.startsWith('block') ? blockFromRow(cut) : objectFromRow(cut));
            expect(['ROW_MALFORMED', undefined]).toContain(codeOf(read));
            const longer = { ...row, attributes: { ...row.attributes, [name]: new Uint8Array([...bytes, 1]) } };
            if (name !== 'w')
              expect(
                codeOf(() => (row.partition.startsWith('block') ? blockFromRow(longer) : objectFromRow(longer))),
              ).toBe('ROW_MALFORMED');
          }
      }),
    );
    const attributes = blockAttributes(fc.sample(blocks, { numRuns: 1, seed: 1 })[0] as BlockRow);
    const other = { ...attributes, d: new Uint8Array([4]) };
    expect(codeOf(() => blockFromRow({ ...blockKey('ab'.repeat(32) as BlockId), attributes: other }))).toBe(
      'ROW_MALFORMED',
    );
  });

  it('of an object leave room for what a later release keeps there', () => {
    const object = fc.sample(objects, { numRuns: 1, seed: 2 })[0] as ObjectRow;
    const { d, ...rest } = objectAttributes({ ...object, segments: undefined, blocks: [], metadata: undefined });
    const bytes = d as Uint8Array;
    const all = [
      ...bytes.subarray(0, 1),
      0b11110,
      ...bytes.subarray(2),
      ...Array(16).fill(1),
      3,
      7,
      7,
      7,
      ...Array(12).fill(2),
      2,
      8,
      8,
    ];
    const read = (d: number[]): ObjectRow =>
      objectFromRow({ ...objectKey('n', 'k'), attributes: { ...rest, d: new Uint8Array(d) } });
    expect(read([...all, ...Array(32).fill(9)]).blocks).toEqual(['09'.repeat(32)]);
    expect(codeOf(() => read([bytes[0] as number, 0b100000, ...bytes.subarray(2)]))).toBe('ROW_MALFORMED');
  });

  it('of an object of one block take at most 320 bytes, on either engine', () => {
    const wide = {
      id: 'ab'.repeat(32),
      bucket: 'cd'.repeat(8),
      slot: 9000,
      recordId: 'ef'.repeat(16),
      recordBytes: 4_194_368,
    };
    const hint = {
      volume: '12'.repeat(8),
      generation: 3,
      seq: 200_000,
      token: 200_000,
      column: 3,
      offset: 500_000_000,
    };
    const block = {
      ...wide,
      cell: 'c0',
      plaintextBytes: 4_194_304,
      hint,
      refs: 1,
      named: '34'.repeat(12),
      state: 'live',
      wrappedBek: new Uint8Array(40),
      kekVersion: 1,
    } as BlockRow;
    const object: ObjectRow = {
      namespace: 'default',
      key: 'photos/2026/0001.jpg',
      version: '34'.repeat(12) as ObjectVersion,
      sizeBytes: 4_194_304,
      blockBytes: 4_194_304,
      createdAtMs: 1_900_000_000_000,
      metadata: undefined,
      blocks: [block.id],
      segments: undefined,
      etag: '',
    };
    const keys = [blockKey(block.id), objectKey('default', object.key)];
    const both = [blockAttributes(block), objectAttributes(object)];
    const onDynamo = both.reduce((sum, attributes, i) => sum + keyBytes(keys[i]!) + attributesBytes(attributes) + 4, 0);
    const inSqlite = both.reduce(
      (sum, attributes, i) => sum + keyBytes(keys[i]!) + rowBytesOf(keys[i]!, attributes).length,
      0,
    );
    expect([onDynamo, inSqlite]).toEqual([304, 320]);
  });
});

describe('a block row of format 2', () => {
  const changed = async (attributes: Attributes, change: Change, condition: readonly Clause[]): Promise<Row> => {
    const panda = new MemoryPanda();
    const key = blockKey('ab'.repeat(32) as BlockId);
    await panda.transact([{ kind: 'put', ...key, attributes }]);
    await panda.transact([{ kind: 'update', ...key, ...change, if: condition }]);
    return (await panda.get(key)) as Row;
  };

  it('reads as the same block, and becomes one of format 3 by any change', async () => {
    await fc.assert(
      fc.asyncProperty(blocks, hex(8), hex(16), async (drawn, bucket, recordId) => {
        const block = { ...drawn, id: 'ab'.repeat(32) as BlockId, refs: 2, state: 'live' } as BlockRow;
        const read = blockFromRow({ ...blockKey(block.id), attributes: oldAttributes(block) });
        expect(plain(read)).toEqual({ ...plain(block), isOld: true });
        const asRead = [
          recordIs(read.recordId),
          ...slotIs(read),
          ...formIs(read),
          ...blockIs('live', read),
          wrappedAs(read),
        ];
        const key = { wrappedBek: new Uint8Array(40), kekVersion: 9 };
        const place = { bucket: bucket as BucketId, slot: 3 };
        const record = {
          ...block,
          ...place,
          ...key,
          recordId: recordId as RecordId,
          hint: { ...block.hint, volume: bucket as unknown as VolumeId },
        };
        const { id: _, refs: __, state: ___, ...fresh } = record;
        for (const [change, expected] of [
          [addRefs(read, 3), { refs: 5 }],
          [addRefs(read, -1), { refs: 1 }],
          [sendToTrash(read), { refs: 0, state: 'trash' }],
          [moveToSlot(read, place), place],
          [wrapUnder(read, key), key],
          [renewRecord(read, fresh), fresh],
        ] as [Change, Partial<BlockRow>][]) {
          const now = await changed(oldAttributes(block), change, asRead);
          expect(Object.keys(now.attributes).sort()).toEqual(['d', 'f', 'p', 'r', 'w']);
          expect(plain(blockFromRow(now))).toEqual(plain({ ...block, ...expected }));
        }
        const inTrash = { ...block, refs: 0, state: 'trash' } as BlockRow;
        const trashed = blockFromRow({ ...blockKey(block.id), attributes: oldAttributes(inTrash) });
        const back = await changed(oldAttributes(inTrash), bringBack(trashed, 2), blockIs('trash', trashed));
        expect(plain(blockFromRow(back))).toEqual(plain(block));
      }),
      { numRuns: 20 },
    );
  });

  it('is not written anew by what another one has changed since', async () => {
    const block = {
      ...(fc.sample(blocks, { numRuns: 1, seed: 3 })[0] as BlockRow),
      refs: 2,
      state: 'live',
    } as BlockRow;
    const read = blockFromRow({ ...blockKey(block.id), attributes: oldAttributes(block) });
    for (const since of [{ b: '0'.repeat(16) }, { n: block.slot + 1 }, { k: block.kekVersion + 1 }] as Attributes[])
      await expect(changed({ ...oldAttributes(block), ...since }, addRefs(read, 1), formIs(read))).rejects.toThrow(
        'did not hold',
      );
  });
});

describe('an object row of format 2', () => {
  it('reads as it did, and is asked for by its version as text', async () => {
    const attributes = { v: '34'.repeat(12), z: 5, k: 1024, e: 'cd'.repeat(32), a: 7, m: '{}', b: new Uint8Array(32) };
    const object = objectFromRow({ ...objectKey('n', 'k'), attributes });
    expect(object).toMatchObject({
      version: '34'.repeat(12),
      etag: 'cd'.repeat(32),
      blocks: ['0'.repeat(64)],
      isOld: true,
    });
    const panda = new MemoryPanda();
    await panda.transact([{ kind: 'put', ...objectKey('n', 'k'), attributes }]);
    await panda.transact([{ kind: 'check', ...objectKey('n', 'k'), if: versionIs(object) }]);
    const other = { version: '35'.repeat(12) as ObjectVersion, isOld: true } as const;
    await expect(panda.transact([{ kind: 'check', ...objectKey('n', 'k'), if: versionIs(other) }])).rejects.toThrow();
  });
});
