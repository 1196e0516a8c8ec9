// How a record is followed when rows are stale: which rows are read again, what is noted once, and what is said when it is nowhere.
import { describe, expect, it } from 'vitest';
import { RESOLVES_MAX } from '../../../lib/limits/reads.ts';
import { bucketKey } from '../../../lib/panda/rows/bucket-row.ts';
import { damagePartition } from '../../../lib/panda/rows/damage-row.ts';
import { volumeKey } from '../../../lib/panda/rows/volume-row.ts';
import { type RepairEvent, recordFault } from '../../../lib/volume/read/read-record.ts';
import { ReadingWorld, type Stored } from '../reading-world.ts';
import { toldCalls } from './told-panda-calls.ts';

async function worldOf(lengths: readonly number[] = [300, 40]) {
  const world = new ReadingWorld({ warm: 'xor-2-1' });
  const stored = await world.append(lengths);
  const volume = await world.volumeOf(stored[0] as Stored);
  const calls = toldCalls(world);
  const { records } = world.restart();
  const [one, two] = stored as [Stored, Stored];
  return { world, one, two, volume, calls, records };
}

const ROWS = ['get bucket', 'get volume'];

describe('rows', () => {
  it('are read once, and again after a miss', async () => {
    const { world, one, two, volume, calls, records } = await worldOf();
    await records.read(one);
    expect(calls()).toEqual(ROWS);
    await records.read(one);
    await records.read(two);
    expect(calls()).toEqual([]);
    await world.tamper(volume, one.hint.column, () => undefined);
    await records.read(one);
    expect(calls()).toEqual([...ROWS, 'query damage', 'write volume damage']);
    expect(await records.placeOf(one)).toEqual({ ...one.hint, volume, sequence: 1, length: one.recordBytes });
    expect(calls()).toEqual([]);
  });

  it('of what is broken are written once for each chunk, whoever reads it again', async () => {
    const { world, one, volume, calls, records } = await worldOf();
    const events: RepairEvent[] = [];
    records.onRepair = (event) => void events.push(event);
    await world.tamper(volume, one.hint.column, () => undefined);
    await records.read(one);
    calls();
    await records.read(one);
    expect(calls()).toEqual(ROWS);
    expect(records.stats).toEqual({ reads: 2, degradedReads: 2, columnsReadForRepair: 4 });
    const others = [0, 1, 2].filter((column) => column !== one.hint.column);
    const event = { volume, column: one.hint.column, columnsRead: others };
    expect(events).toEqual([event, event]);
    await world.append([20]);
    const noted = world.panda.snapshot().filter(({ partition }) => partition === damagePartition('c0'));
    expect(noted).toHaveLength(1);
  });

  it('of a record that is lost name every column of it that is broken, once', async () => {
    const { world, one, volume, calls, records } = await worldOf();
    for (const column of [0, 1, 2]) await world.tamper(volume, column, () => undefined);
    const lost = {
      name: 'RecordLost',
      code: 'RECORD_LOST',
      message: `record ${one.recordId} of volume ${volume.id} is lost: failed are ${[0, 1, 2].map((column) => `${world.driveOf(volume, column).label} (CHUNK_MISSING)`).join(', ')}`,
    };
    await expect(records.read(one)).rejects.toMatchObject(lost);
    expect(calls().filter((call) => call.startsWith('write'))).toEqual(['write volume damage damage damage']);
    await expect(records.read(one)).rejects.toMatchObject(lost);
    expect(calls().filter((call) => call.startsWith('write'))).toEqual([]);
    expect(records.stats).toEqual({ reads: 2, degradedReads: 0, columnsReadForRepair: 0 });
  });

  it('are none for a record that waits for drives', async () => {
    const { world, one, volume, calls, records } = await worldOf();
    for (const column of [0, 1, 2]) world.driveOf(volume, column).state = 'lost';
    await expect(records.read(one)).rejects.toMatchObject({ code: 'RECORD_WAITS' });
    expect(calls().filter((call) => call.startsWith('write'))).toEqual([]);
  });
});

describe('a record that is nowhere', () => {
  it('is said to be gone, with its bucket, with its volume, or from its bucket', async () => {
    const { world, one, volume, records } = await worldOf();
    const gone = (why: string) => ({
      kind: 'missing',
      code: 'RECORD_GONE',
      message: `record ${one.recordId} is not in its place: ${why}`,
    });
    const slot = { ...one, slot: 9, hint: { ...one.hint, generation: 9 } };
    await expect(records.read(slot)).rejects.toMatchObject(gone(`bucket ${one.bucket} has no slot 9 any more`));
    expect(await records.placeOf(slot)).toBeUndefined();
    await world.panda.transact([{ kind: 'delete', ...volumeKey('c0', volume.id) }]);
    const fresh = world.restart().records;
    await expect(fresh.read(one)).rejects.toMatchObject(gone(`volume ${volume.id} is no more`));
    await world.panda.transact([{ kind: 'delete', ...bucketKey('c0', one.bucket) }]);
    await expect(fresh.read(one)).rejects.toMatchObject(gone(`bucket ${one.bucket} is no more`));
    expect(await fresh.placeOf(one)).toBeUndefined();
  });

  it('is looked for once more where its bucket left the volume while that was read', async () => {
    const { world, one, volume, calls, records } = await worldOf();
    const elsewhere = '00000000000000ee';
    const set = (v: string) => world.panda.transact([{ kind: 'update', ...bucketKey('c0', one.bucket), set: { v } }]);
    await set(elsewhere);
    let reads = 0;
    world.panda.beforeGet = async ({ partition }) => {
      if (partition.startsWith('volume/') && reads++ === 0) await set(volume.id);
    };
    calls();
    expect(await records.read(one)).toEqual(one.record);
    expect(calls()).toEqual([...ROWS, 'write bucket', ...ROWS]);
  });

  it('is moving if it is never where its rows say, as often as they are looked at', async () => {
    const { world, one, volume, calls, records } = await worldOf();
    await world.tamper(volume, one.hint.column, () => undefined);
    const add = { m: 1 };
    world.beforeRead = () => world.panda.transact([{ kind: 'update', ...bucketKey('c0', one.bucket), add }]);
    await expect(records.read(one)).rejects.toMatchObject({
      kind: 'retry',
      code: 'RECORD_MOVING',
      message: `record ${one.recordId} was moved whenever it was looked for: try again`,
    });
    expect(calls().filter((call) => call === 'get bucket')).toHaveLength(1 + RESOLVES_MAX);
  });
});

describe('bytes in the place of a record', () => {
  it('are it, or of another, or damaged', async () => {
    const { one, two } = await worldOf();
    expect(recordFault(one.record, one.recordId)).toBeUndefined();
    expect(recordFault(one.record, undefined)).toBeUndefined();
    expect(recordFault(one.record, two.recordId)).toMatchObject({
      code: 'RECORD_FOREIGN',
      message: `record ${one.recordId} where ${two.recordId} should be`,
    });
    expect(recordFault(one.record.slice(0, -1), undefined)).toMatchObject({ code: 'RECORD_MALFORMED' });
    expect(recordFault(new Uint8Array(0), two.recordId)).toMatchObject({ code: 'RECORD_MALFORMED' });
  });
});
