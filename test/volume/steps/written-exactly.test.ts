// What steps write, to the last condition: those that nothing else would refuse, and what is seldom there.
import { describe, expect, it } from 'vitest';
import type { BucketId, ObjectVersion, RunId, VolumeId } from '../../../lib/foundation/ids.ts';
import { SeededRandomness } from '../../../lib/foundation/randomness.ts';
import { GUARD_ROWS_MAX, TRANSACTION_ITEMS_MAX } from '../../../lib/limits/panda.ts';
import type { Clause, Write } from '../../../lib/panda/panda.ts';
import { blockKey, slotIs, wrappedAs } from '../../../lib/panda/rows/block-row.ts';
import { NO_DEAD } from '../../../lib/panda/rows/bucket-row.ts';
import type { AppendGroupRow, GroupIntent, MergeGroupRow } from '../../../lib/panda/rows/group-row.ts';
import { claimNextWrites, flipWrites } from '../../../lib/volume/steps/flip-steps.ts';
import { mergeIndexWrites } from '../../../lib/volume/steps/merge-steps.ts';
import { intentWrites, partsOf, unnamedWrites } from '../../../lib/volume/steps/recover-steps.ts';
import { claimRepairWrites, commitRepairWrites } from '../../../lib/volume/steps/repair-steps.ts';
import { retireWrite } from '../../../lib/volume/steps/volume-steps.ts';
import { SeededRows } from '../../golden/seeded-rows.ts';

const CELL = 'c0';
const RUN = 'run/1' as RunId;
const OLD = '00000000000000cc' as VolumeId;
const rows = new SeededRows(new SeededRandomness(8));
const ifOf = (write: Write | undefined) => write?.if;

describe('a step on a volume', () => {
  const host = rows.volume({
    class: 'warm',
    codec: 'xor-2-1',
    state: 'draining',
    generation: 4,
    revision: 6,
    run: RUN,
  });
  const draining: Clause[] = [
    { attribute: 's', equals: 'draining' },
    { attribute: 'r', equals: RUN },
  ];
  const asRead: Clause[] = [
    { attribute: 'g', equals: 4 },
    { attribute: 'rv', equals: 6 },
  ];
  const zones: Write[] = [{ kind: 'delete', partition: 'zone/1', sort: '1' }];

  it('that retires it wants it empty, and nothing claimed for a flip', () => {
    expect(ifOf(retireWrite(CELL, host.id, RUN, 1))).toEqual([
      ...draining,
      { attribute: 'b', missing: true },
      { attribute: 'ng', missing: true },
    ]);
  });

  it('that claims or flips wants its extents to be where they were', () => {
    const [claim, ...rest] = claimNextWrites(CELL, RUN, host, host.extents, zones);
    expect(ifOf(claim)).toEqual([draining[1], ...asRead, { attribute: 'ng', missing: true }]);
    expect(rest).toEqual(zones);
    const next = { generation: 5, extents: host.extents, extentUsedBytes: [1, 2, 3], token: 2, nextSeq: 3 };
    const [flip] = flipWrites(CELL, RUN, host, next, OLD, 9);
    expect(ifOf(flip)).toEqual([...asRead, draining[1], { attribute: 'ng', equals: 5 }]);
  });

  it('that claims for a repair takes the zones, and one that commits changes what goes alone', () => {
    const [, ...rest] = claimRepairWrites(CELL, RUN, host, new Map(), zones);
    expect(rest).toEqual(zones);
    const extent = { drive: 30, zone: 1, zoneGeneration: 1 };
    const making = { ...host, repair: { generation: 4, extents: new Map([0, 2].map((column) => [column, extent])) } };
    const usedBytes = new Map([0, 1, 2].map((column) => [column, 70 + column]));
    const [commit] = commitRepairWrites(CELL, RUN, making, { columns: [2], usedBytes }, 9);
    const [u0, u1] = host.extentUsedBytes;
    expect(commit).toMatchObject({ kind: 'update', set: { u: [u0, u1, 72] } });
  });
});

describe('a block that is merged', () => {
  it('wants the form and the wrapped key of its row to be as read where all of it is written anew', () => {
    const row = rows.block({ refs: 2, isOld: true });
    const { id: blockId, recordId, recordBytes, bucket, slot } = row;
    const to = { bucket: rows.bucketId(), slot: 3 };
    const home = { volume: OLD, token: 2, seq: 1 };
    const writes = mergeIndexWrites(
      CELL,
      home,
      [{ blockId, recordId, recordBytes, from: { bucket, slot }, to, row }],
      new Map(),
    );
    const update = writes.find(({ partition }) => partition === blockKey(blockId).partition);
    const wanted = ifOf(update);
    expect(wanted).toEqual([
      wanted?.[0],
      ...slotIs(row),
      ...slotIs(row),
      wrappedAs(row),
      { attribute: 's', equals: 'live' },
    ]);
  });
});

describe('slots of a group', () => {
  const slots = rows.list(3, () => ({ blockId: rows.blockId(), recordId: rows.block().recordId, recordBytes: 100 }));
  const bucket = '00000000000000aa' as BucketId;

  it('of a merge begin at slot 0 of each bucket', () => {
    const group: MergeGroupRow = {
      kind: 'merge',
      run: RUN,
      seq: 1,
      token: 1,
      columnBytes: [1],
      buckets: [{ bucket, slots }],
    };
    expect(partsOf(group)).toEqual([{ bucket, slots, firstSlot: 0 }]);
    expect(unnamedWrites(CELL, partsOf(group), new Map(), new Map())).toMatchObject([{ add: { l: -300 } }, {}]);
  });

  const appended = (count: number, intents?: readonly GroupIntent[]): AppendGroupRow => ({
    kind: 'append',
    seq: 1,
    token: 1,
    columnBytes: [1],
    bucket,
    firstSlot: 0,
    slots: rows.list(count, () => slots[0] as (typeof slots)[number]),
    ...(intents === undefined ? {} : { intents }),
  });
  const none = { objects: new Map(), voids: new Map(), blocks: new Map(), dead: NO_DEAD, nowMs: 5 };

  it('without an intent die with nothing beside their bits', () => {
    const { writes, isAll } = intentWrites(CELL, appended(3), none);
    expect([writes.map(({ kind }) => kind), isAll]).toEqual([['update', 'put'], true]);
  });

  it('with one are done as many at once as a transaction takes', () => {
    const atOnce = TRANSACTION_ITEMS_MAX - GUARD_ROWS_MAX - 1;
    const version = '0123456789abcdef01234567' as ObjectVersion;
    const of = (count: number) =>
      intentWrites(
        CELL,
        appended(
          count,
          rows.list(count, (slot) => ({ slot, namespace: 'n', key: `k${slot}`, version })),
        ),
        none,
      );
    expect([of(atOnce).writes.length, of(atOnce).isAll]).toEqual([atOnce + 2, true]);
    expect([of(atOnce + 1).writes.length, of(atOnce + 1).isAll]).toEqual([atOnce + 2, false]);
  });
});
