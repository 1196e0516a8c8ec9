// What a put holds and has under way: so much memory, so many segments and long objects, each given back once and waited for aloud.
import { describe, expect, it } from 'vitest';
import { PutRoom } from '../../../lib/frontend/bulk/put-room.ts';
import {
  LONG_PUTS_AT_ONCE,
  PUT_MEMORY_BYTES_MAX,
  RECORD_SLACK_BYTES,
  SEGMENTS_AT_ONCE,
} from '../../../lib/limits/frontend.ts';
import { appendBytesMax } from '../../../lib/volume/write/append.ts';
import type { BulkWriter } from '../../../lib/volume/write/bulk-stream.ts';
import { TINY } from '../../store/harness.ts';

const THOUSANDTH = PUT_MEMORY_BYTES_MAX / 1000;
/** A batch of one block that takes so much memory. */
const blocksOf = (bytes: number) => [{ length: bytes - RECORD_SLACK_BYTES }];

/** What the writer of large groups is told. */
function bulkRoom(heldBytesMin: (longest: number) => number = () => 0) {
  const told: string[] = [];
  const longest: number[] = [];
  let readers = 0;
  const reader = () => {
    const name = `reader ${readers++}`;
    return {
      waits: () => {
        told.push(`${name} waits`);
        return () => told.push(`${name} goes on`);
      },
      end: () => told.push(`${name} ends`),
    };
  };
  const writer = {
    batchBytesMax: 111,
    segmentBytesMax: 222,
    heldBytesMin: (bytes: number) => {
      longest.push(bytes);
      return heldBytesMin(bytes);
    },
    stream: () => ({ reader }),
  };
  const asked: number[] = [];
  const room = new PutRoom(TINY, async (bytes) => void asked.push(bytes), writer as unknown as BulkWriter);
  return { room, told, longest, asked };
}

const alone = () => {
  const asked: number[] = [];
  return { room: new PutRoom(TINY, async (bytes) => void asked.push(bytes), undefined), asked };
};

/** Whether it has been granted once everything that can go on has. */
async function granted<T>(what: Promise<T>): Promise<T | undefined> {
  let got: T | undefined;
  void what.then((value) => {
    got = value;
  });
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
  return got;
}

describe('the memory of a put', () => {
  it('is all there is, to the last thousandth', async () => {
    const { room } = alone();
    const first = await room.memory(blocksOf(400 * THOUSANDTH));
    await room.memory(blocksOf(600 * THOUSANDTH));
    const next = room.memory(blocksOf(1));
    expect(await granted(next)).toBeUndefined();
    first();
    expect(await granted(next)).toBeTypeOf('function');
  });

  it('is counted in whole thousandths, and nothing takes none', async () => {
    const { room } = alone();
    await room.memory(blocksOf(400 * THOUSANDTH + 1));
    await room.memory(blocksOf(598 * THOUSANDTH));
    await room.memory([]);
    expect(await granted(room.memory([]))).toBeUndefined();
  });

  it('is of the blocks and what their records are longer', async () => {
    const { room } = alone();
    await room.memory(Array.from({ length: 500 }, () => ({ length: 2 * THOUSANDTH - RECORD_SLACK_BYTES })));
    expect(await granted(room.memory([]))).toBeUndefined();
  });

  it('is more where groups of long records are larger', async () => {
    const twice = 2 * PUT_MEMORY_BYTES_MAX;
    const { room, longest, told } = bulkRoom(() => twice);
    await room.memory([{ length: 5 }, { length: PUT_MEMORY_BYTES_MAX - 5 - 2 * RECORD_SLACK_BYTES }]);
    expect(longest).toEqual([PUT_MEMORY_BYTES_MAX - 5 - 2 * RECORD_SLACK_BYTES]);
    const give = await room.memory(blocksOf(PUT_MEMORY_BYTES_MAX));
    expect(told).toEqual([]);
    const next = room.memory(blocksOf(1));
    expect(await granted(next)).toBeUndefined();
    expect(told).toEqual(['reader 0 waits']);
    give();
    expect(await granted(next)).toBeTypeOf('function');
    expect(told).toEqual(['reader 0 waits', 'reader 0 goes on']);
  });

  it('is no less than that of any put', async () => {
    const { room } = bulkRoom(() => 1);
    await room.memory(blocksOf(PUT_MEMORY_BYTES_MAX / 2));
    expect(await granted(room.memory(blocksOf(PUT_MEMORY_BYTES_MAX / 2)))).toBeTypeOf('function');
  });
});

describe('segments of long objects', () => {
  it('are so many at once where each is an append of its own', async () => {
    const { room } = alone();
    const gives = await Promise.all(
      Array.from({ length: SEGMENTS_AT_ONCE }, () => room.segment(blocksOf(1), undefined)),
    );
    const next = room.segment(blocksOf(1), undefined);
    expect(await granted(next)).toBeUndefined();
    gives[0]?.();
    expect(await granted(next)).toBeTypeOf('function');
  });

  it('take memory where large groups are made, and their own reader says that it waits', async () => {
    const { room, told } = bulkRoom();
    const { reader } = await room.longPut();
    await Promise.all(Array.from({ length: SEGMENTS_AT_ONCE + 5 }, () => room.segment(blocksOf(100), reader)));
    const all = room.segment(blocksOf(PUT_MEMORY_BYTES_MAX), reader);
    expect(await granted(all)).toBeUndefined();
    expect(told).toEqual(['reader 1 waits']);
  });
});

describe('long objects', () => {
  it('are so many at once, each until it is done', async () => {
    const { room } = alone();
    const turns = await Promise.all(Array.from({ length: LONG_PUTS_AT_ONCE }, () => room.longPut()));
    expect(turns[0]?.reader).toBeUndefined();
    const next = room.longPut();
    turns[0]?.read();
    expect(await granted(next)).toBeUndefined();
    turns[0]?.done();
    expect(await granted(next)).toEqual({ reader: undefined, read: expect.any(Function), done: expect.any(Function) });
  });

  it('make way when they are read where large groups are made, and end their reader once', async () => {
    const { room, told } = bulkRoom();
    const turns = await Promise.all(Array.from({ length: LONG_PUTS_AT_ONCE }, () => room.longPut()));
    const next = room.longPut();
    expect(await granted(next)).toBeUndefined();
    expect(told).toEqual(['reader 0 waits']);
    turns[1]?.read();
    expect(await granted(next)).toMatchObject({ reader: { end: expect.any(Function) }, read: expect.any(Function) });
    expect(told).toEqual(['reader 0 waits', 'reader 0 goes on', 'reader 2 ends']);
    turns[1]?.read();
    turns[1]?.done();
    turns[0]?.done();
    expect(told.slice(3)).toEqual(['reader 1 ends']);
  });
});

describe('batches', () => {
  it('are of an append, or as the writer of large groups wants them', () => {
    const { room } = alone();
    expect([room.batchBytesMax, room.segmentBytesMax]).toEqual([appendBytesMax(TINY), appendBytesMax(TINY)]);
    expect([room.bulk, room.reader]).toEqual([undefined, undefined]);
    const bulk = bulkRoom();
    expect([bulk.room.batchBytesMax, bulk.room.segmentBytesMax]).toEqual([111, 222]);
  });

  it('ask for room in hot volumes before they begin, or only where they go there after all', async () => {
    const own = alone();
    await own.room.begin(77);
    expect(own.asked).toEqual([77]);
    const bulk = bulkRoom();
    await bulk.room.begin(77);
    expect(bulk.asked).toEqual([]);
    await bulk.room.bulk?.beforeHot(78);
    expect(bulk.asked).toEqual([78]);
  });
});
