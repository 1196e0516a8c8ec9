// Whole buckets for a mover: everything that is not dead, verified, by few reads, rebuilt where needed, or not at all.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CODEC_NAMES, type CodecName } from '../../lib/codec/codec.ts';
import { codecOf } from '../../lib/codec/codecs.ts';
import { deadFromRow, deadKey, NO_DEAD } from '../../lib/panda/rows/bucket-row.ts';
import type { VolumeRow } from '../../lib/panda/rows/volume-row.ts';
import { coalesce } from '../../lib/volume/read/coalesce.ts';
import { collectBucket } from '../../lib/volume/read/collect-bucket.ts';
import { RecordLost } from '../../lib/volume/read/record-lost.ts';
import { ReadingWorld, type Stored } from './reading-world.ts';

const LENGTHS = [700, 64, 3000, 1500, 1501, 999, 2048, 40, 16, 512, 513, 4000, 77, 1234, 888, 2222, 31, 1999];

async function collect(world: ReadingWorld, blocks: readonly Stored[], dead = NO_DEAD) {
  const { store } = world;
  const bucket = await world.bucketRow((blocks[0] as Stored).bucket);
  return collectBucket(store, await world.volumeOf(blocks[0] as Stored), bucket, dead);
}

const expected = (blocks: readonly Stored[], dead: readonly number[] = []) =>
  blocks.filter(({ slot }) => !dead.includes(slot)).map(({ slot, recordId, record }) => ({ slot, recordId, record }));

describe('collecting a bucket', () => {
  it.each(CODEC_NAMES)('gives every slot in order, from one read a column (%s)', async (codec) => {
    const world = new ReadingWorld({ warm: codec });
    const blocks = await world.append(LENGTHS);
    world.restart();
    const content = await collect(world, blocks);
    expect(content.records).toEqual(expected(blocks));
    expect(content.source.id).toBe(blocks[0]?.hint.volume);
    // The directory takes two.
    expect(world.reads).toHaveLength(2 + Math.min(codecOf(codec).dataColumns, LENGTHS.length));
  });

  it('leaves out dead slots, and reads only what is near the live ones', async () => {
    const world = new ReadingWorld({ hot: 'single', warm: 'single', drives: 1 });
    const blocks = await world.append(Array.from({ length: 24 }, () => 10_000));
    const live = [2, 3, 20];
    const dead = blocks.map(({ slot }) => slot).filter((slot) => !live.includes(slot));
    await world.kill((blocks[0] as Stored).bucket, dead);
    world.restart();
    let bytes = 0;
    for (const drive of world.drives)
      drive.damage = (read, _at, _name, range) => {
        if (range?.length !== 256) bytes += read.length;
        return read;
      };
    const row = deadFromRow(await world.panda.get(deadKey('c0', (blocks[0] as Stored).bucket)));
    expect((await collect(world, blocks, row)).records).toEqual(expected(blocks, dead));
    // Directory (header, tail); one span from the header to slot 3, one for slot 20.
    expect(world.reads).toHaveLength(4);
    expect(bytes).toBeLessThan(60_000);
  });

  it('of a sealed warm volume and of a moved bucket', async () => {
    const world = new ReadingWorld({ hot: 'replica-4', warm: 'rs-6-3', drives: 12 });
    const blocks = await world.append(LENGTHS);
    const others = await world.virtualBucket(LENGTHS);
    await world.move([blocks, others]);
    for (const bucket of [blocks, others]) expect((await collect(world, bucket)).records).toEqual(expected(bucket));
    await world.store.open.sealAll('warm');
    world.restart();
    for (const bucket of [blocks, others]) expect((await collect(world, bucket)).records).toEqual(expected(bucket));
  });

  it.each(CODEC_NAMES.filter((name) => name !== 'single'))(
    'rebuilds a column that is gone or away (%s)',
    async (codec) => {
      const world = new ReadingWorld({ warm: codec });
      const blocks = await world.append(LENGTHS);
      await world.store.open.sealAll('warm');
      const volume = await world.volumeOf(blocks[0] as Stored);
      for (let column = 0; column < codecOf(codec).dataColumns; column++) {
        world.driveOf(volume, column).state = 'lost';
        world.restart();
        expect((await collect(world, blocks)).records).toEqual(expected(blocks));
        // Known to be away by now.
        expect((await collect(world, blocks)).records).toEqual(expected(blocks));
        world.driveOf(volume, column).state = 'healthy';
      }
    },
  );

  it('rebuilds single damaged records', async () => {
    const world = new ReadingWorld({ warm: 'rs-6-3' });
    const blocks = await world.append(LENGTHS);
    const volume = await world.volumeOf(blocks[0] as Stored);
    for (const { hint } of [blocks[2], blocks[7], blocks[11]] as Stored[])
      await world.tamper(volume, hint.column, (bytes) => {
        const at = 256 + hint.offset + 30;
        bytes[at] = (bytes[at] as number) ^ 0x10;
        return bytes;
      });
    world.restart();
    expect((await collect(world, blocks)).records).toEqual(expected(blocks));
  });

  it('does not take the records of a foreign chunk, though they verify and fit', async () => {
    const world = new ReadingWorld({ hot: 'replica-4', warm: 'xor-2-1', drives: 8 });
    const first = await world.virtualBucket([500, 500]);
    const second = await world.virtualBucket([500, 500]);
    await world.move([first]);
    const volume = await world.move([second]);
    await world.store.open.sealAll('warm');
    const row = await world.bucketRow((first[0] as Stored).bucket);
    const other = await world.bucketRow((second[0] as Stored).bucket);
    let foreign = new Uint8Array(0);
    await world.tamper(volume, 0, (bytes, name) => {
      if (name === `${other.seq}-${other.token}`) foreign = bytes.slice();
      return bytes;
    });
    expect(foreign.length).toBeGreaterThan(0);
    await world.tamper(volume, 0, (bytes, name) => (name === `${row.seq}-${row.token}` ? foreign : bytes));
    world.restart();
    expect((await collect(world, first)).records).toEqual(expected(first));
  });

  it('throws RECORD_LOST rather than leave a live slot out', async () => {
    const world = new ReadingWorld({ warm: 'xor-2-1' });
    const blocks = await world.append(LENGTHS);
    const volume = await world.volumeOf(blocks[0] as Stored);
    await world.tamper(volume, 0, () => undefined);
    await world.tamper(volume, 1, () => undefined);
    world.restart();
    const drives = [0, 1].map((column) => world.driveOf(volume, column).label);
    await expect(collect(world, blocks)).rejects.toMatchObject({ kind: 'corrupt', code: 'RECORD_LOST', drives });
    // With only the dead in the lost columns nothing is missed.
    const third = new ReadingWorld({ hot: 'replica-4', warm: 'xor-2-1', drives: 4 });
    const moved = await third.virtualBucket(LENGTHS);
    await third.move([moved.slice(1)]);
    await expect(collect(third, moved)).rejects.toMatchObject({ code: 'RECORD_LOST' });
    await third.kill((moved[0] as Stored).bucket, [0]);
    // A dead row that was read too early: the slot died before the directory was written.
    expect((await collect(third, moved)).records).toEqual(expected(moved, [0]));
  });
});

describe('any bucket, any dead slots, any losses', () => {
  it('is collected whole or not at all', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom<CodecName>('lrc-12-2-2', 'rs-6-3', 'xor-2-1', 'replica-4'),
        fc.array(fc.integer({ min: 16, max: 8000 }), { minLength: 2, maxLength: 30 }),
        fc.array(fc.nat({ max: 29 }), { maxLength: 25 }),
        fc.uniqueArray(fc.nat({ max: 15 }), { maxLength: 4 }),
        fc.boolean(),
        async (codec, lengths, dying, losses, sealed) => {
          const world = new ReadingWorld({ warm: codec });
          const blocks = await world.append(lengths);
          const dead = [...new Set(dying)].filter((slot) => slot < blocks.length);
          if (dead.length > 0) await world.kill((blocks[0] as Stored).bucket, dead);
          if (sealed) await world.store.open.sealAll('warm');
          const volume: VolumeRow = await world.volumeOf(blocks[0] as Stored);
          const lost = losses.filter((column) => column < volume.extents.length);
          for (const [i, column] of lost.entries()) {
            if (i % 2 === 0) world.driveOf(volume, column).state = 'lost';
            else await world.tamper(volume, column, (bytes) => bytes.slice(0, 200));
          }
          world.restart();
          const row = deadFromRow(await world.panda.get(deadKey('c0', (blocks[0] as Stored).bucket)));
          const answer = await collect(world, blocks, row).catch((error) => error as Error);
          if (lost.length <= codecOf(codec).parityColumns && codecOf(codec).canReconstruct(lost))
            expect((answer as Awaited<ReturnType<typeof collect>>).records).toEqual(expected(blocks, dead));
          else if (answer instanceof Error) expect(answer).toBeInstanceOf(RecordLost);
          else expect(answer.records).toEqual(expected(blocks, dead));
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('coalescing', () => {
  const span = (offset: number, length: number) => ({ offset, length, items: [offset] });

  it('joins neighbours up to the gap, and keeps what is farther apart', () => {
    expect(coalesce([span(100, 10), span(0, 10), span(120, 5)], 10)).toEqual([
      { offset: 0, length: 10, items: [0] },
      { offset: 100, length: 25, items: [100, 120] },
    ]);
    expect(coalesce([span(0, 10), span(21, 1)], 10)).toHaveLength(2);
    expect(coalesce([span(0, 50), span(10, 5)], 0)).toEqual([{ offset: 0, length: 50, items: [0, 10] }]);
    expect(coalesce([], 5)).toEqual([]);
  });
});
