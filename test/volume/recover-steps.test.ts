// RECOVER's decision, which slots of a committed group no block row names: by record, bucket and slot, each on its own.
import { expect, it } from 'vitest';
import type { BlockId, BucketId, RecordId } from '../../lib/foundation/ids.ts';
import type { Write } from '../../lib/panda/panda.ts';
import { bucketKey, deadFromRow, deadKey, isDead, NO_DEAD, withDead } from '../../lib/panda/rows/bucket-row.ts';
import { diedWrites, unnamedWrites } from '../../lib/volume/steps/recover-steps.ts';

const CELL = 'c0';
const block = (n: number): BlockId => `${n}`.padStart(64, '0') as BlockId;
const record = (n: number): RecordId => `${n}`.padStart(32, '0') as RecordId;
const bucket = '00000000000000aa' as BucketId;
const other = '00000000000000bb' as BucketId;
const FIRST_SLOT = 7;
const slots = [0, 1, 2].map((n) => ({ blockId: block(n), recordId: record(n), recordBytes: 100 + n }));
const part = { bucket, firstSlot: FIRST_SLOT, slots };
const named = (n: number) => ({ recordId: record(n), bucket, slot: FIRST_SLOT + n });

/** Slots that die, and the bytes that live bytes fall by. */
function died(rows: readonly (ReturnType<typeof named> | undefined)[], dead = NO_DEAD) {
  const writes = unnamedWrites(
    CELL,
    [part],
    new Map(slots.map(({ blockId }, i) => [blockId, rows[i]])),
    new Map([[bucket, dead]]),
  );
  if (writes.length === 0) return { slots: [], bytes: 0 };
  const [lessLive, bits] = writes as [Extract<Write, { kind: 'update' }>, Extract<Write, { kind: 'put' }>];
  expect(lessLive).toMatchObject(bucketKey(CELL, bucket));
  const now = deadFromRow({ ...deadKey(CELL, bucket), attributes: bits.attributes });
  const numbers = [0, 1, 2].map((n) => FIRST_SLOT + n).filter((slot) => isDead(now, slot) && !isDead(dead, slot));
  return { slots: numbers, bytes: -(lessLive.add?.['l'] ?? 0) };
}

it('leaves what is named, and takes what no row names', () => {
  expect(died([named(0), named(1), named(2)])).toEqual({ slots: [], bytes: 0 });
  expect(died([named(0), undefined, named(2)])).toEqual({ slots: [8], bytes: 101 });
});

it('wants record, bucket and slot to be the same: a merge copies records, and only one copy is meant', () => {
  expect(died([{ ...named(0), recordId: record(9) }, named(1), named(2)])).toEqual({ slots: [7], bytes: 100 });
  expect(died([named(0), { ...named(1), bucket: other }, named(2)])).toEqual({ slots: [8], bytes: 101 });
  expect(died([named(0), named(1), { ...named(2), slot: FIRST_SLOT }])).toEqual({ slots: [9], bytes: 102 });
});

it('counts no bit twice', () => {
  const dead = deadOf([8]);
  expect(died([named(0), undefined, undefined], dead)).toEqual({ slots: [9], bytes: 102 });
  expect(died([named(0), undefined, named(2)], dead)).toEqual({ slots: [], bytes: 0 });
  expect(diedWrites(CELL, bucket, dead, [{ slot: 8, recordBytes: 101 }])[0]).toMatchObject({ add: { l: -0 } });
});

it('writes nothing for slots that are dead already', () => {
  const rows = new Map(slots.map(({ blockId }) => [blockId, undefined]));
  expect(unnamedWrites(CELL, [part], rows, new Map([[bucket, deadOf([7, 8, 9])]]))).toEqual([]);
});

it('takes a bucket without a dead row for one whose slots all live', () => {
  const rows = new Map(slots.map(({ blockId }) => [blockId, undefined]));
  const without = unnamedWrites(CELL, [part], rows, new Map());
  expect(without).toEqual(unnamedWrites(CELL, [part], rows, new Map([[bucket, NO_DEAD]])));
  expect(without).toHaveLength(2);
});

function deadOf(numbers: readonly number[]) {
  return deadFromRow({ ...deadKey(CELL, bucket), attributes: { v: 1, b: withDead(NO_DEAD, numbers) } });
}
