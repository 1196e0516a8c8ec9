// The ranges in which a mover reads a bucket: what is near is one request, what is mostly wanted is read whole, and what is missing is said.
import { describe, expect, it } from 'vitest';
import { CHUNK_HEADER_BYTES } from '../../../lib/format/chunk.ts';
import { deadFromRow, deadKey, NO_DEAD } from '../../../lib/panda/rows/bucket-row.ts';
import { collectBucket } from '../../../lib/volume/read/collect-bucket.ts';
import { ReadingWorld, type Stored } from '../reading-world.ts';
import { toldCalls } from './told-panda-calls.ts';

const RECORD = 128;
const RECORDS = 40;
const at = (slot: number): number => CHUNK_HEADER_BYTES + slot * RECORD;
const range = (from: number, to: number): string => `${from}+${to - from}`;

/** Records of one size, one behind the other in one column; nearer than four of them are one request. */
async function column() {
  const world = new ReadingWorld({ hot: 'single', warm: 'single', drives: 1 });
  const stored = await world.append(new Array<number>(RECORDS).fill(96));
  expect(stored.map(({ hint, recordBytes }) => [hint.offset, recordBytes])).toEqual(
    stored.map(({ slot }) => [slot * RECORD, RECORD]),
  );
  const [first] = stored as [Stored, ...Stored[]];
  const volume = await world.volumeOf(first);
  const bucket = await world.bucketRow(first.bucket);
  const { settings } = world.components;
  const store = world.restart();
  await store.directories.bucket(volume, bucket);
  const reads: string[] = [];
  const [drive] = world.drives as [ReadingWorld['drives'][number]];
  const { read } = drive;
  drive.read = (zone, name, of, signal) => {
    reads.push(`${of?.offset}+${of?.length}`);
    return read.call(drive, zone, name, of, signal);
  };
  const collect = async (slots: readonly number[], bucketBytes = 8 * 4 * RECORD) => {
    await world.kill(
      first.bucket,
      stored.map(({ slot }) => slot).filter((slot) => !slots.includes(slot)),
    );
    const dead = deadFromRow(await world.panda.get(deadKey('c0', first.bucket)));
    const components = { ...world.components, settings: { ...settings, bucketBytes } };
    const { records } = await collectBucket(
      { ...store, components, health: store.health, directories: store.directories },
      volume,
      bucket,
      dead,
    );
    expect(records.map(({ slot }) => slot)).toEqual(slots);
    for (const { slot, recordId, record } of records) {
      expect(record).toEqual(stored[slot]?.record);
      expect(recordId).toBe(stored[slot]?.recordId);
    }
    return reads.splice(0);
  };
  return {
    world,
    volume,
    stored,
    collect,
    forget: () => store.directories.forget(volume),
    warm: () => store.directories.bucket(volume, bucket).then(() => reads.splice(0)),
  };
}

describe('records of a column', () => {
  it('are one request as far as they are near, the header of the chunk included the first time', async () => {
    const { collect } = await column();
    expect(await collect([0, 5, 11])).toEqual([range(0, at(6)), range(at(11), at(12))]);
    expect(await collect([0, 5, 11])).toEqual([range(at(0), at(6)), range(at(11), at(12))]);
    expect(await collect([3])).toEqual([range(at(3), at(4))]);
    // Four between them are near enough, five are not.
    expect(await collect([3, 8])).toEqual([range(at(3), at(9))]);
    expect(await collect([3, 9])).toEqual([range(at(3), at(4)), range(at(9), at(10))]);
    expect(await collect([3, 9], 8 * 5 * RECORD)).toEqual([range(at(3), at(10))]);
    expect(await collect([])).toEqual([]);
  });

  it('have the header in a request of its own if they are far behind it', async () => {
    const { collect } = await column();
    expect(await collect([20])).toEqual([range(0, CHUNK_HEADER_BYTES), range(at(20), at(21))]);
    const { collect: near } = await column();
    expect(await near([4])).toEqual([range(0, at(5))]);
  });

  it('come with the whole chunk if at least half of it is wanted', async () => {
    const slots = (count: number): number[] => [...Array(count).keys()];
    const { collect, forget, warm } = await column();
    // Header and 19 records are half of the header and 40.
    expect(await collect([...slots(18), 39])).toEqual([range(0, at(40))]);
    forget();
    await warm();
    expect(await collect([...slots(17), 39])).toEqual([range(0, at(17)), range(at(39), at(40))]);
    // Without the header it takes one more and a half.
    expect(await collect([...slots(20), 39])).toEqual([range(at(0), at(40))]);
    expect(await collect([...slots(19), 39])).toEqual([range(at(0), at(19)), range(at(39), at(40))]);
  });
});

describe('slots that no directory lists', () => {
  async function leftOut() {
    const world = new ReadingWorld({ hot: 'replica-4', warm: 'xor-2-1', drives: 4 });
    const stored = await world.virtualBucket([300, 40, 50]);
    const volume = await world.move([stored.slice(1)]);
    const { bucket } = stored[0] as Stored;
    const row = await world.bucketRow(bucket);
    const calls = toldCalls(world);
    return {
      world,
      volume,
      stored,
      bucket,
      calls,
      collect: (dead = NO_DEAD) => collectBucket(world.store, volume, row, dead),
    };
  }

  it('are lost if they live', async () => {
    const { volume, bucket, collect, calls } = await leftOut();
    await expect(collect()).rejects.toMatchObject({
      code: 'RECORD_LOST',
      message: `slot 0 of bucket ${bucket} in volume ${volume.id} is live, but no directory lists it`,
      drives: [],
      broken: [],
    });
    expect(calls()).toEqual(['get dead']);
  });

  it('may have died since: then they are left out', async () => {
    const { world, bucket, stored, collect, calls } = await leftOut();
    await world.kill(bucket, [0]);
    calls();
    const { records, source, bucket: row } = await collect();
    expect(records.map(({ slot, recordId }) => [slot, recordId])).toEqual(
      [1, 2].map((slot) => [slot, stored[slot]?.recordId]),
    );
    expect([source.id, row.id]).toEqual([(await world.volumeOf(stored[0] as Stored)).id, bucket]);
    expect(calls().slice(0, 1)).toEqual(['get dead']);
    // Of a slot that is known to be dead nobody asks.
    await collect(deadFromRow(await world.panda.get(deadKey('c0', bucket))));
    expect(calls()).toEqual(['get dead']);
  });

  it('wait for the columns whose directory could not be read', async () => {
    const { world, volume, bucket } = await leftOut();
    for (const column of [0, 1, 2]) world.driveOf(volume, column).state = 'lost';
    world.restart();
    await expect(collectBucket(world.store, volume, await world.bucketRow(bucket), NO_DEAD)).rejects.toMatchObject({
      code: 'RECORD_WAITS',
      message: expect.stringMatching(`^slot 0 of bucket ${bucket} in volume ${volume.id} waits for d`),
    });
  });
});
