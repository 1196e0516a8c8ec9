// The rows of a put that takes many transactions: how it begins, what each segment is guarded by, how it is published or given up, beside whoever else comes.
import { describe, expect, it } from 'vitest';
import { retryLater, unknownOutcome } from '../../../lib/foundation/errors.ts';
import type { BlockId } from '../../../lib/foundation/ids.ts';
import { beginUpload, giveUpUpload, publish, referSegment } from '../../../lib/frontend/put-long.ts';
import { PandaConflict } from '../../../lib/panda/conflict.ts';
import type { Row, Write } from '../../../lib/panda/panda.ts';
import { blockFromRow, blockKey } from '../../../lib/panda/rows/block-row.ts';
import {
  type ObjectRow,
  objectAttributes,
  objectFromRow,
  objectKey,
  releaseAttributes,
  releaseFromRow,
  releaseKey,
  segmentFromRow,
  segmentKey,
  type UploadRow,
  uploadAttributes,
  uploadFromRow,
  uploadKey,
} from '../../../lib/panda/rows/object-row.ts';
import { block, objectOf, putBlock, putBucket, rowOf, version, worldWith } from '../../gc/removed-rows.ts';

const upload: UploadRow = { version: version(9), namespace: 'n', key: 'k1', owner: 'p0', startedAtMs: 5, segments: 0 };
const beginsAs = (row: UploadRow): Write => ({
  kind: 'put',
  ...uploadKey(row.version),
  attributes: uploadAttributes(row),
});
const object = (n: number, segments: number | undefined): ObjectRow => ({
  ...{ ...objectOf(1, []), version: version(n), blocks: undefined, segments },
});
const putObject = (row: ObjectRow): Write => ({
  kind: 'put',
  ...objectKey('n', 'k1'),
  attributes: objectAttributes(row),
});
const release: Write = {
  ...{ kind: 'put', ...releaseKey(version(9)) },
  attributes: releaseAttributes({ version: version(9), namespace: 'n', key: 'k1', blocks: [], cursor: '0:0' }),
};

async function beginning(...writes: readonly Write[]) {
  const made = await worldWith([putBucket(1), ...writes]);
  const get = async <T>(key: { partition: string; sort: string }, parse: (row: Row) => T): Promise<T | undefined> => {
    const row = await made.panda.get(key);
    return row && parse(row);
  };
  return {
    ...made,
    upload: () => get(uploadKey(version(9)), uploadFromRow),
    release: () => get(releaseKey(version(9)), releaseFromRow),
    object: () => get(objectKey('n', 'k1'), objectFromRow),
    segment: (index: number) => get(segmentKey(version(9), index), segmentFromRow),
    refs: (n: number) => get(blockKey(block(n)), (row) => blockFromRow(row).refs),
  };
}

describe('an upload', () => {
  it('begins once, and not while it is released', async () => {
    const free = await beginning();
    await beginUpload(free.components, upload);
    expect(await free.upload()).toEqual(upload);
    await expect(beginUpload(free.components, upload)).rejects.toMatchObject({
      kind: 'conflict',
      code: 'UPLOAD_ABANDONED',
    });
    const released = await beginning(release);
    await expect(beginUpload(released.components, upload)).rejects.toMatchObject({ code: 'UPLOAD_ABANDONED' });
    expect(await released.upload()).toBeUndefined();
  });

  it('whose first answer got lost has begun if it is there', async () => {
    const { components, panda, upload: row } = await beginning();
    const { transact } = panda;
    let calls = 0;
    panda.transact = async (writes) => {
      calls += 1;
      await transact.call(panda, writes);
      throw unknownOutcome('PANDA_UNKNOWN', 'the answer got lost');
    };
    await beginUpload(components, upload);
    expect([calls, await row()]).toEqual([1, upload]);
    panda.transact = () => Promise.reject(retryLater('PANDA_FULL', 'full'));
    await expect(beginUpload(components, upload)).rejects.toMatchObject({ code: 'PANDA_FULL' });
  });
});

describe('a segment of known blocks', () => {
  it('refers to each as often as it has it, and is counted', async () => {
    const {
      components,
      upload: row,
      segment,
      refs,
    } = await beginning(beginsAs(upload), putBlock(rowOf(1)), putBlock(rowOf(2)));
    expect(await referSegment(components, upload, 3, [block(1), block(2), block(1)])).toBe(true);
    expect(await segment(3)).toMatchObject({ index: 3, blocks: [block(1), block(2), block(1)] });
    expect([await refs(1), await refs(2), (await row())?.segments]).toEqual([3, 2, 1]);
    await expect(referSegment(components, upload, 3, [block(1)])).rejects.toMatchObject({ code: 'GUARD_FAILED' });
    expect(await refs(1)).toBe(3);
  });

  it('is nothing where one of them is gone, or the upload is', async () => {
    const { components, segment, refs } = await beginning(beginsAs(upload), putBlock(rowOf(1)));
    expect(await referSegment(components, upload, 0, [block(1), block(2)])).toBe(false);
    expect([await segment(0), await refs(1)]).toEqual([undefined, 1]);
    const gone = await beginning(putBlock(rowOf(1)));
    await expect(referSegment(gone.components, upload, 0, [block(1)])).rejects.toMatchObject({ code: 'GUARD_FAILED' });
  });

  it('of an upload that an earlier release began is not counted, and not of one that counts', async () => {
    const old = { ...upload, segments: undefined };
    const { components, upload: row } = await beginning(beginsAs(old), putBlock(rowOf(1)));
    expect(await referSegment(components, old, 0, [block(1)])).toBe(true);
    expect((await row())?.segments).toBeUndefined();
    await expect(referSegment(components, upload, 1, [block(1)])).rejects.toMatchObject({ code: 'GUARD_FAILED' });
    const counts = await beginning(beginsAs(upload), putBlock(rowOf(1)));
    await expect(referSegment(counts.components, old, 0, [block(1)])).rejects.toMatchObject({ code: 'GUARD_FAILED' });
  });

  it('whose answer got lost is known by its row', async () => {
    const { components, panda, refs } = await beginning(beginsAs(upload), putBlock(rowOf(1)));
    const { transact } = panda;
    panda.transact = async (writes) => {
      await transact.call(panda, writes);
      throw unknownOutcome('PANDA_UNKNOWN', 'the answer got lost');
    };
    expect(await referSegment(components, upload, 0, [block(1)])).toBe(true);
    expect(await refs(1)).toBe(2);
  });
});

describe('publishing', () => {
  const begun = { ...upload, segments: 2 };

  it('takes the upload away with its last transaction, if it has all segments of the object', async () => {
    const { components, upload: row, object: now } = await beginning(beginsAs(begun));
    await expect(publish(components, { upload, ifVersion: undefined }, object(9, 3))).rejects.toMatchObject({
      code: 'UPLOAD_ABANDONED',
    });
    expect([await row(), await now()]).toEqual([begun, undefined]);
    await publish(components, { upload, ifVersion: 'absent' }, object(9, 2));
    expect([await row(), (await now())?.version]).toEqual([undefined, version(9)]);
    await expect(publish(components, { upload, ifVersion: undefined }, object(9, 2))).rejects.toMatchObject({
      code: 'UPLOAD_ABANDONED',
    });
  });

  it('of one without segments asks for none', async () => {
    const { components, object: now } = await beginning(beginsAs(upload));
    await publish(components, { upload, ifVersion: undefined }, { ...objectOf(1, []), version: version(9) });
    expect((await now())?.version).toBe(version(9));
    const old = { ...upload, segments: undefined };
    const uncounted = await beginning(beginsAs(old));
    await publish(uncounted.components, { upload: old, ifVersion: undefined }, object(9, 5));
    expect((await uncounted.object())?.segments).toBe(5);
    const counted = await beginning(beginsAs(begun));
    await expect(
      publish(counted.components, { upload: old, ifVersion: undefined }, object(9, 2)),
    ).rejects.toMatchObject({ code: 'UPLOAD_ABANDONED' });
  });

  it('is refused for another guard or the version as what it is', async () => {
    const { components, upload: row } = await beginning(beginsAs(begun), putObject(object(3, 1)));
    const guard: Write = { kind: 'check', ...objectKey('n', 'other'), if: ['exists'] };
    await expect(publish(components, { upload, ifVersion: undefined }, object(9, 2), [guard])).rejects.toMatchObject({
      code: 'GUARD_FAILED',
    });
    await expect(publish(components, { upload, ifVersion: 'absent' }, object(9, 2))).rejects.toMatchObject({
      code: 'VERSION_MISMATCH',
    });
    expect(await row()).toEqual(begun);
  });
});

describe('an upload that is given up', () => {
  it('becomes a release, from its first segment on', async () => {
    const {
      components,
      upload: row,
      release: now,
      object: there,
    } = await beginning(beginsAs(upload), putObject(object(3, 1)));
    expect(await giveUpUpload(components, upload)).toBe(true);
    expect(await row()).toBeUndefined();
    expect(await now()).toEqual({ version: version(9), namespace: 'n', key: 'k1', blocks: [], cursor: '0:0' });
    expect((await there())?.version).toBe(version(3));
    expect(await giveUpUpload(components, upload)).toBe(false);
  });

  it('though its object is there only goes: the object has the references', async () => {
    const {
      components,
      upload: row,
      release: now,
      object: there,
    } = await beginning(beginsAs(upload), putObject(object(9, 1)));
    expect(await giveUpUpload(components, upload)).toBe(true);
    expect([await row(), await now(), (await there())?.version]).toEqual([undefined, undefined, version(9)]);
    expect(await giveUpUpload(components, upload)).toBe(false);
  });

  it('is left alone where it is published, or its object changes, in between', async () => {
    for (const meanwhile of [putObject(object(9, 1)), putObject(object(4, 1))]) {
      const {
        components,
        panda,
        upload: row,
        release: now,
      } = await beginning(beginsAs(upload), putObject(object(3, 1)));
      panda.before = async () => {
        panda.before = undefined;
        await panda.transact([meanwhile]);
      };
      expect(await giveUpUpload(components, upload)).toBe(false);
      expect([await row(), await now()]).toEqual([upload, undefined]);
    }
    const releasing = await beginning(beginsAs(upload), release);
    expect(await giveUpUpload(releasing.components, upload)).toBe(false);
  });

  it('is known by its release, or by its row where the object is there', async () => {
    for (const rows of [[beginsAs(upload)], [beginsAs(upload), putObject(object(9, 1))]]) {
      const { components, panda } = await beginning(...rows);
      const { transact } = panda;
      let calls = 0;
      panda.transact = async (writes) => {
        calls += 1;
        await transact.call(panda, writes);
        throw unknownOutcome('PANDA_UNKNOWN', 'the answer got lost');
      };
      expect([await giveUpUpload(components, upload), calls]).toEqual([true, 1]);
    }
  });

  it('is left to the next worker where the store fails; a mistake of a program comes out', async () => {
    const { components, panda } = await beginning(beginsAs(upload));
    for (const error of [new PandaConflict([0]), retryLater('PANDA_FULL', 'full')]) {
      panda.before = () => Promise.reject(error);
      expect(await giveUpUpload(components, upload)).toBe(false);
    }
    panda.before = () => Promise.reject(new TypeError('a mistake'));
    await expect(giveUpUpload(components, upload)).rejects.toThrow('a mistake');
    const none: readonly BlockId[] = [];
    panda.before = undefined;
    expect(await referSegment(components, upload, 0, none)).toBe(true);
  });
});
