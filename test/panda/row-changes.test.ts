// What row modules offer by name, held against what they read: a change does to the row as it is read what its name says,
// nothing else, and a condition holds exactly where the row reads so.
import { describe, expect, it } from 'vitest';
import type { BlockId, BucketId, ObjectVersion, RecordId, RunId, VolumeId } from '../../lib/foundation/ids.ts';
import { MemoryPanda } from '../../lib/panda/memory-panda.ts';
import type { Attributes, Clause, Key, Row } from '../../lib/panda/panda.ts';
import * as block from '../../lib/panda/rows/block-row.ts';
import * as bucket from '../../lib/panda/rows/bucket-row.ts';
import { type Change, together } from '../../lib/panda/rows/change.ts';
import * as lineage from '../../lib/panda/rows/lineage.ts';
import * as object from '../../lib/panda/rows/object-row.ts';
import * as trash from '../../lib/panda/rows/trash-row.ts';
import * as change from '../../lib/panda/rows/volume-changes.ts';
import * as volume from '../../lib/panda/rows/volume-row.ts';
import * as zone from '../../lib/panda/rows/zone-row.ts';

const hex = (digit: string, digits: number): string => digit.repeat(digits);
const KEY: Key = { partition: 'p', sort: hex('1', 16) };
const [V, W] = [hex('a', 16) as VolumeId, hex('b', 16) as VolumeId];
const [B, C] = [hex('c', 16) as BucketId, hex('d', 16) as BucketId];
const [R, S] = [hex('e', 32) as RecordId, hex('f', 32) as RecordId];
const RUN = 'process/run/1' as RunId;
const NO_LEASE = { owner: undefined, expiresAtMs: 0 };

async function changed(key: Key, attributes: Attributes, ...changes: readonly Change[]): Promise<Row> {
  const panda = new MemoryPanda();
  await panda.transact([{ kind: 'put', ...key, attributes }]);
  await panda.transact([{ kind: 'update', ...key, ...together(...changes) }]);
  return (await panda.get(key)) as Row;
}

async function holds(attributes: Attributes | undefined, condition: readonly Clause[]): Promise<boolean> {
  const panda = new MemoryPanda();
  if (attributes !== undefined) await panda.transact([{ kind: 'put', ...KEY, attributes }]);
  try {
    await panda.transact([{ kind: 'check', ...KEY, if: condition }]);
    return true;
  } catch {
    return false;
  }
}

describe('a volume', () => {
  const extents = [0, 1, 2, 3].map((drive) => ({ drive, zone: 4, zoneGeneration: 5 }));
  const fresh = volume.newVolumeAttributes({ class: 'hot', codec: 'replica-4', extents, createdAtMs: 1, token: 7 });
  const before = volume.volumeFromRow({ ...KEY, attributes: fresh });
  const { addBuckets, addGroup, appendTo, beginNext, fillExtents, flipTo, giveLease, noteMoved, seal } = change;
  const begun = [giveLease(8, 'me', 90), addGroup(1), addBuckets([B, C]), appendTo(B)];
  const asBegun = { token: 8, owner: 'me', expiresAtMs: 90, nextSeq: 2, pendingSeq: 1, openBucket: B };
  const next = { generation: 2, extents: extents.map((one) => ({ ...one, zone: 6 })) };
  const flipped = { ...next, extentUsedBytes: [9, 9, 9, 9], token: 9, nextSeq: 4 };

  it.each<[string, readonly Change[], Change, Partial<volume.VolumeRow>]>([
    ['begun', [], together(...begun), { ...asBegun, buckets: new Set([B, C]) }],
    ['a lease that ended', begun, change.endLease, { owner: undefined, expiresAtMs: 0 }],
    ['a token', [], change.setToken(12), { token: 12 }],
    ['a group that is settled', begun, change.settleGroup, { pendingSeq: undefined }],
    ['a sequence number left out', [], change.skipSeq(1, [1, 2, 3, 4]), { nextSeq: 2, extentUsedBytes: [1, 2, 3, 4] }],
    [
      'filled',
      [],
      fillExtents({ extentUsedBytes: [5, 5, 5, 5], directoryBytes: 3 }),
      { extentUsedBytes: [5, 5, 5, 5], directoryBytes: 3 },
    ],
    [
      'filled, and not counted',
      [],
      fillExtents({ extentUsedBytes: [5, 5, 5, 5], directoryBytes: undefined }),
      { extentUsedBytes: [5, 5, 5, 5] },
    ],
    ['a bucket less', begun, change.dropBuckets([B]), { buckets: new Set([C]) }],
    ['a bucket moved', begun, noteMoved([B]), { moved: new Set([B]) }],
    [
      'sealed',
      begun,
      seal(50, true),
      { ...NO_LEASE, state: 'sealed', sealedAtMs: 50, directoriesPending: true, openBucket: undefined },
    ],
    [
      'its directories',
      [seal(50, true)],
      change.endSeal([7, 7, 7, 7]),
      { directoriesPending: false, extentUsedBytes: [7, 7, 7, 7], directoryBytes: undefined },
    ],
    ['draining', [seal(50, false)], change.startDraining(RUN), { state: 'draining', run: RUN }],
    ['another run', [], change.handOver(RUN), { run: RUN }],
    ['given back', [change.handOver(RUN)], change.stopDraining, { state: 'sealed', run: undefined }],
    ['retired', [change.handOver(RUN)], change.retire(60), { state: 'trash', trashedAtMs: 60, run: undefined }],
    ['retired again', [], change.retireAnew(61), { trashedAtMs: 61 }],
    ['erasing', [], change.startErasing, { state: 'erasing' }],
    ['a flip begun', [], beginNext(next), { next }],
    ['a flip given up', [beginNext(next)], change.endNext, { next: undefined }],
    ['a flip done', [beginNext(next)], flipTo(flipped, 70), { ...flipped, next: undefined, sealedAtMs: 70 }],
  ])('with %s reads so', async (_, first, then, expected) => {
    const parsed = async (...changes: readonly Change[]) => {
      let attributes = fresh;
      for (const one of changes) attributes = (await changed(KEY, attributes, one)).attributes;
      return volume.volumeFromRow({ ...KEY, attributes });
    };
    expect(await parsed(...first, then)).toEqual({ ...(await parsed(...first)), ...expected });
  });

  it('is what its conditions say', async () => {
    const { attributes } = await changed(KEY, fresh, ...begun);
    const yes = [
      change.tokenIs(8),
      change.tokenIsBelow(9),
      change.stateIs('open'),
      change.stateIsOneOf('sealed', 'open'),
      change.hasNoRun,
      change.hasNoNext,
      change.generationIs(1),
      change.nextSeqIs(2),
      change.pendingIs(1),
    ];
    const no = [
      change.tokenIs(7),
      change.tokenIsBelow(8),
      change.stateIs('sealed'),
      change.ownedBy(RUN),
      change.nextGenerationIs(2),
      change.nextSeqIs(1),
      change.nothingPending,
      change.holdsNoBuckets,
      change.directoriesPending,
      change.trashedAt(1),
    ];
    for (const clause of yes) expect([clause, await holds(attributes, [clause])]).toEqual([clause, true]);
    for (const clause of no) expect([clause, await holds(attributes, [clause])]).toEqual([clause, false]);
    expect(await holds(fresh, [change.nothingPending, change.holdsNoBuckets])).toBe(true);
    const draining = await changed(KEY, fresh, change.startDraining(RUN), beginNext(next));
    expect(await holds(draining.attributes, [...change.drainsUnder(RUN), change.nextGenerationIs(2)])).toBe(true);
    expect(await holds(draining.attributes, [change.hasNoRun])).toBe(false);
    expect(await holds(draining.attributes, [change.hasNoNext])).toBe(false);
    const sealed = await changed(KEY, fresh, seal(50, true));
    expect(await holds(sealed.attributes, [change.directoriesPending])).toBe(true);
    const retired = await changed(KEY, fresh, change.retire(60));
    expect(await holds(retired.attributes, [change.trashedAt(60)])).toBe(true);
    expect(volume.isOfRevision({ ...KEY, attributes }, before.generation, 0)).toBe(true);
    expect(volume.isOfRevision({ ...KEY, attributes }, before.generation, 1)).toBe(false);
    expect(volume.isOfRevision(undefined, 1, 0)).toBe(false);
  });
});

describe('a zone', () => {
  const used = zone.zoneAttributes({ generation: 3, state: 'used', volume: V });

  it('is what its changes and conditions say', async () => {
    const having = async (...changes: readonly Change[]) => {
      let attributes = used;
      for (const one of changes) attributes = (await changed(KEY, attributes, one)).attributes;
      return { ...zone.zoneFromRow({ ...KEY, sort: '0000004', attributes }), attributes };
    };
    expect(await having(zone.giveZone(W))).toMatchObject({ state: 'used', volume: W, generation: 3 });
    const erasing = await having(zone.startErasingZone(4));
    expect(erasing).toMatchObject({ state: 'erasing', volume: V, generation: 4 });
    const free = await having(zone.startErasingZone(4), zone.freeZone);
    expect(free).toMatchObject({ state: 'free', volume: undefined, generation: 4 });
    expect(await having(zone.raiseZone('used', 9))).toMatchObject({ generation: 3, floor: 9 });
    expect(await having(zone.freeZone, zone.raiseZone('free', 9))).toMatchObject({ generation: 9, floor: undefined });
    const taken = await having(zone.raiseZone('used', 9), zone.freeZone, zone.takeZone(W, 9));
    expect(taken).toMatchObject({ state: 'used', volume: W, generation: 9, floor: undefined });
    expect(await holds(used, [zone.zoneGenerationIs(3), zone.zoneIs('used'), zone.zoneBelongsTo(V)])).toBe(true);
    for (const clause of [zone.zoneGenerationIs(2), zone.zoneGenerationAtMost(2), zone.zoneIs('free')])
      expect(await holds(used, [clause])).toBe(false);
    expect(await holds(free.attributes, [zone.zoneGenerationAtMost(4), zone.zoneIs('free')])).toBe(true);
    expect(await holds(free.attributes, [zone.zoneBelongsTo(V)])).toBe(false);
  });
});

describe('a block', () => {
  const hint = { volume: V, generation: 1, seq: 2, token: 3, column: 4, offset: 5 };
  const row: block.BlockRow = {
    id: hex('9', 64) as BlockId,
    cell: 'c1',
    bucket: B,
    slot: 6,
    recordId: R,
    recordBytes: 70,
    plaintextBytes: 80,
    hint,
    refs: 2,
    state: 'live',
    wrappedBek: new Uint8Array([1, 2]),
    kekVersion: 1,
  };
  const { id: _, ...rest } = row;
  const key = block.blockKey(row.id);
  const fresh = { ...row, bucket: C, slot: 0, recordId: S, recordBytes: 71, hint: { ...hint, volume: W } };

  it.each<[string, Change, Partial<block.BlockRow>]>([
    ['more references', block.addRefs(row, 3), { refs: 5 }],
    ['fewer references', block.addRefs(row, -1), { refs: 1 }],
    ['nobody left', block.sendToTrash(row), { state: 'trash', refs: 0 }],
    ['somebody again', block.bringBack(row, 4), { state: 'live', refs: 4 }],
    ['another slot', block.moveToSlot(row, { bucket: C, slot: 9 }), { bucket: C, slot: 9 }],
    [
      'another KEK',
      block.wrapUnder(row, { wrappedBek: new Uint8Array([3]), kekVersion: 2 }),
      { wrappedBek: new Uint8Array([3]), kekVersion: 2 },
    ],
    ['another record', block.renewRecord(row, fresh), fresh],
  ])('with %s reads so', async (_what, one, expected) => {
    const now = block.blockFromRow(await changed(key, block.blockAttributes(rest), one));
    expect({ ...now, wrappedBek: [...now.wrappedBek] }).toEqual({
      ...row,
      ...expected,
      wrappedBek: [...(expected.wrappedBek ?? row.wrappedBek)],
    });
  });

  it('renewed in trash stays there', async () => {
    const inTrash = block.blockAttributes({ ...rest, state: 'trash', refs: 0 });
    const now = block.blockFromRow(await changed(key, inTrash, block.renewRecord(row, { ...rest, recordId: S })));
    expect(now).toMatchObject({ state: 'trash', refs: 0, recordId: S });
  });

  it('is what its conditions say', async () => {
    const attributes = block.blockAttributes(rest);
    const yes = [
      [block.recordIs(R), ...block.slotIs(row)],
      [...block.blockIs('live', row), ...block.refsAre(row), block.refsAtLeast(2), block.wrappedAs(row)],
    ];
    const no = [
      [block.recordIs(S)],
      block.slotIs({ bucket: B, slot: 7 }),
      block.slotIs({ bucket: C, slot: 6 }),
      block.blockIs('trash', row),
      block.refsAre({ refs: 1 }),
      block.refsAre({ refs: 3, named: hex('5', 24) as ObjectVersion }),
      [block.refsAtLeast(3)],
      [block.wrappedAs({ ...row, kekVersion: 2 })],
      [block.wrappedAs({ ...row, wrappedBek: new Uint8Array([1, 3]) })],
    ];
    for (const condition of yes) expect(await holds(attributes, condition)).toBe(true);
    for (const condition of no) expect([condition, await holds(attributes, condition)]).toEqual([condition, false]);
  });
});

describe('a bucket', () => {
  const row: bucket.BucketRow = {
    id: KEY.sort as BucketId,
    volume: V,
    move: 0,
    seq: 0,
    token: 0,
    usedBytes: 10,
    liveBytes: 9,
    slots: 2,
    createdAtMs: 1,
  };
  const moved = { volume: W, move: 1, seq: 4, token: 5 };

  it('is what its changes and conditions say', async () => {
    const attributes = bucket.bucketAttributes(row);
    const having = async (one: Change) => bucket.bucketFromRow(await changed(KEY, attributes, one));
    expect(bucket.bucketFromRow({ ...KEY, attributes })).toEqual(row);
    expect(bucket.bucketFromRow({ ...KEY, attributes: bucket.bucketAttributes({ ...row, ...moved }) })).toEqual({
      ...row,
      ...moved,
    });
    expect(await having(bucket.addSlots(3, 20))).toEqual({ ...row, usedBytes: 30, liveBytes: 29, slots: 5 });
    expect(await having(bucket.loseLiveBytes(4))).toEqual({ ...row, liveBytes: 5 });
    expect(await having(bucket.moveTo(moved))).toEqual({ ...row, ...moved });
    expect(await holds(attributes, [bucket.bucketIsIn(V), bucket.moveIs(0), bucket.slotCountIs(2)])).toBe(true);
    for (const no of [bucket.bucketIsIn(W), bucket.moveIs(1), bucket.slotCountIs(3), bucket.nothingLives])
      expect(await holds(attributes, [no])).toBe(false);
    expect(
      await holds((await changed(KEY, attributes, bucket.loseLiveBytes(9))).attributes, [bucket.nothingLives]),
    ).toBe(true);
  });

  it('has dead bits that are as they were read, or not', async () => {
    const dead = { version: 2, bits: new Uint8Array([1]) };
    const attributes = bucket.deadAttributes(dead);
    expect(bucket.deadFromRow({ ...KEY, attributes })).toEqual(dead);
    expect(await holds(attributes, bucket.deadIsAsRead(dead))).toBe(true);
    expect(await holds(attributes, bucket.deadIsAsRead({ ...dead, version: 1 }))).toBe(false);
    expect(await holds(attributes, bucket.deadIsAsRead(bucket.NO_DEAD))).toBe(false);
    expect(await holds(undefined, bucket.deadIsAsRead(bucket.NO_DEAD))).toBe(true);
  });
});

describe('other rows', () => {
  it('of trash, objects and releases are what their changes and conditions say', async () => {
    const inTrash = trash.trashAttributes({
      blockId: hex('9', 64) as BlockId,
      recordId: R,
      recordBytes: 7,
      sinceMs: 40,
    });
    const trashKey = { ...KEY, sort: `${B}/00001` };
    expect(trash.trashFromRow(await changed(trashKey, inTrash, trash.restartGrace(44))).sinceMs).toBe(44);
    expect(await holds(inTrash, [trash.inTrashSince(40)])).toBe(true);
    expect(await holds(inTrash, [trash.inTrashSince(44)])).toBe(false);
    const [old, other] = [hex('1', 24), hex('2', 24)] as ObjectVersion[];
    const named = { version: old as ObjectVersion, namespace: 'n', key: 'k' };
    const facts = { sizeBytes: 1, blockBytes: 1, etag: '', createdAtMs: 0 };
    const attributes = object.objectAttributes({
      ...named,
      ...facts,
      metadata: undefined,
      blocks: [],
      segments: undefined,
    });
    expect(await holds(attributes, object.versionIs(named))).toBe(true);
    expect(await holds(attributes, object.versionIs({ version: other as ObjectVersion }))).toBe(false);
    expect(await holds(attributes, object.versionIs(undefined))).toBe(false);
    expect(await holds(undefined, object.versionIs(undefined))).toBe(true);
    const release = object.releaseAttributes({ ...named, blocks: [], cursor: '0:0' });
    expect(object.releaseFromRow(await changed(KEY, release, object.setCursor('3:1'))).cursor).toBe('3:1');
    expect(await holds(release, [object.cursorIs('0:0')])).toBe(true);
    expect(await holds(release, [object.cursorIs('3:1')])).toBe(false);
    const segment = object.segmentAttributes([hex('9', 64) as BlockId]);
    expect(object.segmentFromRow({ ...KEY, attributes: segment }).blocks).toEqual([hex('9', 64)]);
  });

  it('of a store say whose it is and who writes', async () => {
    const none = lineage.lineageFromRow({ ...KEY, attributes: {} });
    const taking = { epoch: 1, instance: 'i', opens: 1, mark: 'm', isTakingOver: true };
    const told = { ...taking, mark: 'n', isTakingOver: false };
    const first = (await changed(KEY, {}, lineage.setLineage(none, taking))).attributes;
    expect(lineage.lineageFromRow({ ...KEY, attributes: first })).toEqual(taking);
    expect(lineage.lineageFromRow(await changed(KEY, first, lineage.setLineage(taking, told)))).toEqual(told);
    expect(await holds({ x: 1 }, [lineage.lastMarkIs(undefined)])).toBe(true);
    expect(await holds(first, [lineage.lastMarkIs(undefined)])).toBe(false);
    expect(await holds(first, [lineage.lastMarkIs('m')])).toBe(true);
  });
});

describe('changes of one row', () => {
  it('go together, and never twice about one attribute', () => {
    expect(together()).toEqual({});
    expect(together({ set: { a: 1 } }, { set: { b: 2 }, remove: ['c'] }, { remove: ['d'], add: { e: 1 } })).toEqual({
      set: { a: 1, b: 2 },
      remove: ['c', 'd'],
      add: { e: 1 },
    });
    expect(() => together({ set: { a: 1 } }, { set: { a: 2 } })).toThrow('changed twice');
    expect(() => together({ insert: { a: ['x'] } }, { insert: { a: ['y'] } })).toThrow('changed twice');
  });
});
