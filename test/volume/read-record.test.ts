// GET of single records: direct, degraded, from stale rows, from damaged columns, and when nothing helps.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CODEC_NAMES, type CodecName } from '../../lib/codec/codec.ts';
import { codecOf } from '../../lib/codec/codecs.ts';
import { encodeBucketDirectory } from '../../lib/format/bucket-directory.ts';
import { crcOf } from '../../lib/format/wire.ts';
import { Crash } from '../../lib/foundation/faults.ts';
import { bucketKey } from '../../lib/panda/rows/bucket-row.ts';
import { type VolumeRow, volumeKey } from '../../lib/panda/rows/volume-row.ts';
import { RecordLost } from '../../lib/volume/read/record-lost.ts';
import { writeGroup } from '../../lib/volume/write/write-group.ts';
import { ReadingWorld, type Stored } from './reading-world.ts';

const LENGTHS = [700, 64, 3000, 1500, 1501, 999, 2048, 40, 16, 512, 513, 4000, 77, 1234, 888, 2222, 31, 1999];

/** A group in an open volume of this codec. */
async function appended(
  codec: CodecName,
  lengths = LENGTHS,
): Promise<{ world: ReadingWorld; blocks: Stored[]; volume: VolumeRow }> {
  const world = new ReadingWorld({ warm: codec });
  const blocks = await world.append(lengths);
  world.restart();
  return { world, blocks, volume: await world.volumeOf(blocks[0] as Stored) };
}

const subsets = (count: number, size: number): number[][] =>
  size === 0
    ? [[]]
    : subsets(count, size - 1).flatMap((head) =>
        Array.from({ length: count - 1 - (head.at(-1) ?? -1) }, (_, i) => [...head, (head.at(-1) ?? -1) + 1 + i]),
      );

const outcomeOf = async (read: Promise<Uint8Array>): Promise<Uint8Array | Error> => {
  try {
    return await read;
  } catch (error) {
    return error as Error;
  }
};

/** One block per data column. */
const onePerColumn = (blocks: readonly Stored[]): Stored[] => [
  ...new Map(blocks.map((block) => [block.hint.column, block])).values(),
];

describe('a sound record', () => {
  it.each(CODEC_NAMES)('is one read of one drive (%s)', async (codec) => {
    const { world, blocks } = await appended(codec);
    for (const block of blocks) {
      world.reads = [];
      expect(await world.store.records.read(block)).toEqual(block.record);
      expect(world.reads).toHaveLength(1);
    }
    expect(world.store.records.stats).toEqual({ reads: blocks.length, degradedReads: 0, columnsReadForRepair: 0 });
  });
});

describe('lost drives', () => {
  it.each(CODEC_NAMES)('every one and two of %s: rebuilt, or the drives to wait for', async (codec) => {
    const { world, blocks, volume } = await appended(codec);
    const columns = volume.extents.length;
    const { parityColumns } = codecOf(codec);
    for (const lost of [1, 2].flatMap((size) => subsets(columns, size))) {
      for (const column of lost) world.driveOf(volume, column).state = 'lost';
      const store = world.restart();
      for (const block of onePerColumn(blocks)) {
        const read = await outcomeOf(store.records.read(block));
        if (codecOf(codec).repairPlan(lost, [block.hint.column]).ok) expect(read).toEqual(block.record);
        else {
          expect(lost.length).toBeGreaterThan(parityColumns);
          expect(read).toBeInstanceOf(RecordLost);
          expect(read).toMatchObject({
            kind: 'retry',
            code: 'RECORD_WAITS',
            drives: lost.map((column) => world.driveOf(volume, column).label),
          });
        }
      }
      for (const drive of world.drives) drive.state = 'healthy';
    }
  });

  it('of replica-4: any three', async () => {
    const { world, blocks, volume } = await appended('replica-4');
    for (const lost of subsets(4, 3)) {
      for (const column of lost) world.driveOf(volume, column).state = 'lost';
      const store = world.restart();
      for (const block of blocks) expect(await store.records.read(block)).toEqual(block.record);
      for (const drive of world.drives) drive.state = 'healthy';
    }
  });

  it('come back: what waited is readable', async () => {
    const { world, blocks, volume } = await appended('xor-2-1');
    const block = blocks[0] as Stored;
    for (const column of [0, 1]) world.driveOf(volume, column).state = 'lost';
    await expect(world.store.records.read(block)).rejects.toMatchObject({ code: 'RECORD_WAITS' });
    for (const drive of world.drives) drive.state = 'healthy';
    expect(await world.store.records.read(block)).toEqual(block.record);
  });

  it('are not asked again while they are believed away, but are when nothing else suffices', async () => {
    const { world, blocks, volume } = await appended('rs-6-3');
    const [column0, column1] = onePerColumn(blocks);
    const lost = world.driveOf(volume, (column0 as Stored).hint.column);
    lost.state = 'lost';
    await world.store.records.read(column0 as Stored);
    world.reads = [];
    expect(await world.store.records.read(column0 as Stored)).toEqual(column0?.record);
    expect(world.reads.filter((detail) => detail.startsWith(`${lost.label}:`))).toEqual([]);
    // Back again, while three others go: the belief is stale, and the read does not rely on it.
    lost.state = 'healthy';
    const others = volume.extents.map((_, column) => column).filter((column) => column !== column0?.hint.column);
    for (const column of others.slice(0, 3)) world.driveOf(volume, column).state = 'lost';
    expect(await world.store.records.read(column1 as Stored)).toEqual(column1?.record);
    expect(await world.store.records.read(column0 as Stored)).toEqual(column0?.record);
  });

  it('of a drive that is full or read-only are no losses', async () => {
    const { world, blocks, volume } = await appended('xor-2-1');
    const block = blocks[0] as Stored;
    const drive = world.driveOf(volume, block.hint.column);
    drive.state = 'full';
    const id = volume.extents[block.hint.column]?.drive as number;
    await drive.probe().catch((error) => world.store.health.failed(id, error));
    expect(world.store.health.isHealthy(id)).toBe(false);
    expect(await world.store.records.read(block)).toEqual(block.record);
    expect(world.reads).toHaveLength(1);
    expect(world.store.health.isHealthy(id)).toBe(false);
  });
});

describe('local repair', () => {
  it('of one lost column of lrc-12-2-2 reads six columns', async () => {
    const { world, blocks, volume } = await appended('lrc-12-2-2');
    for (const block of onePerColumn(blocks)) {
      world.driveOf(volume, block.hint.column).state = 'lost';
      const { records } = world.restart();
      const events: (readonly number[])[] = [];
      records.onRepair = ({ columnsRead }) => events.push(columnsRead);
      expect(await records.read(block)).toEqual(block.record);
      const rest = world.columnsRead(volume).filter((column) => column !== block.hint.column);
      expect(rest).toHaveLength(6);
      expect(events).toEqual([rest]);
      expect(records.stats).toEqual({ reads: 1, degradedReads: 1, columnsReadForRepair: 6 });
      world.reads = [];
      expect(await records.read(block)).toEqual(block.record);
      expect(world.reads).toHaveLength(6);
      world.driveOf(volume, block.hint.column).state = 'healthy';
    }
  });

  it('reads the 64-byte window of the record only', async () => {
    const { world, blocks, volume } = await appended(
      'rs-6-3',
      [30_000, 30_000, 30_000, 20_000, 20_000, 300, 15_000, 14_000],
    );
    const block = blocks[5] as Stored;
    world.driveOf(volume, block.hint.column).state = 'lost';
    const store = world.restart();
    let bytes = 0;
    for (const drive of world.drives)
      drive.damage = (read) => {
        bytes += read.length;
        return read;
      };
    expect(await store.records.read(block)).toEqual(block.record);
    expect(bytes).toBeLessThanOrEqual(256 + 6 * (332 + 126));
  });
});

describe('damaged columns', () => {
  const flip = (bytes: Uint8Array): Uint8Array => {
    for (let i = 256; i < bytes.length; i += 40) bytes[i] = (bytes[i] as number) ^ 4;
    return bytes;
  };
  const kinds: Record<
    string,
    (world: ReadingWorld, foreign: Uint8Array) => (bytes: Uint8Array) => Uint8Array | undefined
  > = {
    missing: () => () => undefined,
    'bit-flipped': () => flip,
    truncated: () => (bytes) => bytes.slice(0, 300),
    'of zero length': () => () => new Uint8Array(0),
    'of another group': (_, foreign) => () => foreign,
  };

  it.each(Object.keys(kinds))('%s: rebuilt for every codec with parity', async (kind) => {
    for (const codec of CODEC_NAMES.filter((name) => name !== 'single')) {
      const world = new ReadingWorld({ warm: codec });
      const others = await world.append(LENGTHS);
      const blocks = await world.append(LENGTHS);
      const volume = await world.volumeOf(blocks[0] as Stored);
      expect(await world.volumeOf(others[0] as Stored)).toEqual(volume);
      for (const block of onePerColumn(blocks)) {
        let foreign = new Uint8Array(0);
        let own: Uint8Array | undefined;
        await world.tamper(volume, block.hint.column, (bytes, name) => {
          if (name === `${block.hint.seq - 1}-${block.hint.token - 1}`) foreign = bytes.slice();
          return bytes;
        });
        expect(foreign.length).toBeGreaterThan(0);
        const damage = kinds[kind]?.(world, foreign);
        const name = `${block.hint.seq}-${block.hint.token}`;
        await world.tamper(volume, block.hint.column, (bytes, of) => {
          if (of !== name) return bytes;
          own = bytes.slice();
          return damage?.(bytes);
        });
        expect(await world.restart().records.read(block)).toEqual(block.record);
        expect(world.store.records.stats.degradedReads).toBe(1);
        await world.tamper(volume, block.hint.column, (bytes, of) => (of === name ? own : bytes));
        const extent = volume.extents[block.hint.column] as VolumeRow['extents'][number];
        const medium = world.media[extent.drive];
        if (kind === 'missing')
          await medium?.append({ zone: extent.zone, generation: extent.zoneGeneration }, name, [own as Uint8Array]);
      }
    }
  });

  it('two that lie, besides one that is gone: the liars are found by their checksums', async () => {
    const { world, blocks, volume } = await appended('lrc-12-2-2');
    for (const block of onePerColumn(blocks).slice(0, 3)) {
      const { column } = block.hint;
      const plan = codecOf('lrc-12-2-2').repairPlan([column]);
      const [first, second] = plan.ok ? plan.reads : [];
      const originals = new Map<number, Uint8Array>();
      for (const liar of [first as number, second as number])
        await world.tamper(volume, liar, (bytes) => {
          originals.set(liar, bytes.slice());
          return flip(bytes);
        });
      world.driveOf(volume, column).state = 'lost';
      expect(await world.restart().records.read(block)).toEqual(block.record);
      for (const [liar, bytes] of originals) await world.tamper(volume, liar, () => bytes);
      world.driveOf(volume, column).state = 'healthy';
    }
  });

  it('more than the code survives: RECORD_LOST names the drives, the rest is still served', async () => {
    const { world, blocks, volume } = await appended('rs-6-3');
    const broken = [0, 1, 2, 3];
    for (const column of broken) await world.tamper(volume, column, () => undefined);
    const store = world.restart();
    for (const block of onePerColumn(blocks)) {
      const read = await outcomeOf(store.records.read(block));
      if (!broken.includes(block.hint.column)) expect(read).toEqual(block.record);
      else {
        expect(read).toMatchObject({ kind: 'corrupt', code: 'RECORD_LOST' });
        expect((read as RecordLost).drives).toEqual(broken.map((column) => world.driveOf(volume, column).label));
      }
    }
  });

  it('three gone and one away: it waits for that one', async () => {
    const { world, blocks, volume } = await appended('rs-6-3');
    for (const column of [0, 1, 2]) await world.tamper(volume, column, () => undefined);
    const away = world.driveOf(volume, 3);
    away.state = 'lost';
    const block = onePerColumn(blocks).find(({ hint }) => hint.column === 0) as Stored;
    const read = await outcomeOf(world.restart().records.read(block));
    expect(read).toMatchObject({ kind: 'retry', code: 'RECORD_WAITS', drives: [away.label] });
    // With a fourth one gone its return would not help.
    await world.tamper(volume, 4, () => undefined);
    await expect(world.restart().records.read(block)).rejects.toMatchObject({ kind: 'corrupt', code: 'RECORD_LOST' });
  });

  it('a record that was damaged before it was coded is lost, whatever is read', async () => {
    const world = new ReadingWorld({ warm: 'rs-6-3' });
    const good = world.newRecord(500);
    const bad = world.newRecord(500);
    bad.record[100] = (bad.record[100] as number) ^ 1;
    const bucket = (await world.virtualBucket([16]))[0] as Stored;
    const stored = [bad, good].map((r, slot) => ({ ...bucket, ...r, slot, recordBytes: r.record.length }));
    await world.move([stored]);
    await expect(world.restart().records.read(stored[0] as Stored)).rejects.toMatchObject({ code: 'RECORD_LOST' });
    expect(await world.store.records.read(stored[1] as Stored)).toEqual(good.record);
  });

  it('all headers, besides a column that is gone: the lengths are in the group row', async () => {
    const { world, blocks, volume } = await appended('rs-6-3', [100, 200, 300, 400]);
    for (let column = 0; column < 9; column++)
      await world.tamper(volume, column, (bytes) => {
        bytes[100] = (bytes[100] as number) ^ 1;
        return column === blocks[0]?.hint.column ? undefined : bytes;
      });
    expect(await world.restart().records.read(blocks[0] as Stored)).toEqual(blocks[0]?.record);
  });

  it('a chunk of a newer release is not taken for a loss', async () => {
    const { world, blocks, volume } = await appended('xor-2-1');
    const block = blocks[0] as Stored;
    for (let column = 0; column < 3; column++)
      await world.tamper(volume, column, (bytes) => {
        if (column === block.hint.column) return undefined;
        bytes[4] = 2;
        Buffer.from(bytes.buffer, bytes.byteOffset).writeUInt32LE(crcOf(bytes.subarray(0, 252)), 252);
        return bytes;
      });
    await expect(world.restart().records.read(block)).rejects.toMatchObject({ code: 'CHUNK_VERSION' });
  });
});

describe('rows that are stale', () => {
  it('a bucket moved and its old zones erased: found where it is now', async () => {
    const world = new ReadingWorld({ hot: 'replica-4', warm: 'rs-6-3', drives: 12 });
    const blocks = await world.append(LENGTHS);
    const before = await world.volumeOf(blocks[0] as Stored);
    const reader = world.restart();
    await reader.records.read(blocks[0] as Stored);
    const after = await world.move([blocks]);
    expect(after.id).not.toBe(before.id);
    for (const { drive, zone, zoneGeneration } of before.extents)
      await world.media[drive]?.erase({ zone, generation: zoneGeneration });
    for (const block of blocks) expect(await reader.records.read(block)).toEqual(block.record);
    expect(reader.records.stats.degradedReads).toBe(0);
    // Once more, after the seal, through the bucket's directory; and by a process that starts now.
    await reader.open.sealAll('warm');
    expect((await world.volumeOf(blocks[0] as Stored)).state).toBe('sealed');
    for (const block of blocks) expect(await reader.records.read(block)).toEqual(block.record);
    const late = world.restart();
    for (const block of blocks) expect(await late.records.read(block)).toEqual(block.record);
    expect(world.reads.filter((detail) => detail.includes('/dirs'))).toHaveLength(1);
    expect(world.reads).toHaveLength(1 + blocks.length);
  });

  it('another record at the old place is noticed, and no column counts as lost', async () => {
    const world = new ReadingWorld({ hot: 'replica-4', warm: 'rs-6-3', drives: 12 });
    const blocks = await world.append(LENGTHS);
    const volume = await world.volumeOf(blocks[0] as Stored);
    const reader = world.restart();
    await reader.records.read(blocks[0] as Stored);
    await world.move([blocks]);
    // The zone was reset and written again: same name, same length, another record.
    for (let column = 0; column < 4; column++)
      await world.tamper(volume, column, (bytes) => {
        for (const { hint, recordBytes } of blocks)
          bytes.set(world.newRecord(recordBytes - 32).record, 256 + hint.offset);
        return bytes;
      });
    for (const block of blocks) expect(await reader.records.read(block)).toEqual(block.record);
    expect(reader.records.stats.degradedReads).toBe(0);
  });

  it('a volume flipped to a new generation: resolved by the directories of the new one', async () => {
    const world = new ReadingWorld({ warm: 'xor-2-1', drives: 6 });
    const blocks = await world.append(LENGTHS);
    await world.store.open.sealAll('warm');
    const host = await world.volumeOf(blocks[0] as Stored);
    const reader = world.restart();
    await reader.records.read(blocks[0] as Stored);
    // The flip: a group of the same slots under generation 2 on other zones, then the row changes.
    const bucket = await world.bucketRow(blocks[0]?.bucket as Stored['bucket']);
    await flip(world, host, blocks);
    for (const block of blocks) expect(await reader.records.read(block)).toEqual(block.record);
    expect((await world.bucketRow(bucket.id)).move).toBe(0);
    expect(reader.records.stats.degradedReads).toBe(0);
  });

  it('a volume sealed meanwhile: its group rows are gone, its directories are there', async () => {
    const world = new ReadingWorld({ warm: 'xor-2-1' });
    const blocks = await world.append(LENGTHS);
    const reader = world.restart();
    await reader.records.read(blocks[0] as Stored);
    await world.store.open.sealAll('warm');
    reader.directories.forget(await world.volumeOf(blocks[0] as Stored));
    for (const block of blocks) {
      const unhinted = { ...block, hint: { ...block.hint, generation: 77 } };
      expect(await reader.records.read(unhinted)).toEqual(block.record);
    }
  });

  it('a volume freed between the reads of the two rows is not the end of the bucket', async () => {
    const world = new ReadingWorld({ hot: 'replica-4', warm: 'xor-2-1', drives: 8 });
    const blocks = await world.append(LENGTHS);
    const hot = await world.volumeOf(blocks[0] as Stored);
    const key = volumeKey(world.components.settings.cell, hot.id);
    let freed = false;
    world.restart();
    world.panda.beforeGet = async ({ sort }) => {
      if (sort !== hot.id || freed) return;
      freed = true;
      await world.move([blocks]);
      await world.panda.transact([{ kind: 'delete', ...key }]);
    };
    expect(await world.store.records.read(blocks[0] as Stored)).toEqual(blocks[0]?.record);
    expect(freed).toBe(true);
  });

  it('no bucket row, or no volume row: RECORD_GONE', async () => {
    const { world, blocks, volume } = await appended('xor-2-1');
    const block = blocks[0] as Stored;
    const { cell } = world.components.settings;
    await world.store.records.read(block);
    for (let column = 0; column < 3; column++) await world.tamper(volume, column, () => undefined);
    const snapshot = await world.panda.get(bucketKey(cell, block.bucket));
    await world.panda.transact([{ kind: 'delete', ...bucketKey(cell, block.bucket) }]);
    const gone = { kind: 'missing', code: 'RECORD_GONE' };
    await expect(world.store.records.read(block)).rejects.toMatchObject(gone);
    await world.panda.transact([
      { kind: 'put', ...bucketKey(cell, block.bucket), attributes: snapshot?.attributes ?? {} },
      { kind: 'delete', ...volumeKey(cell, volume.id) },
    ]);
    await expect(world.store.records.read(block)).rejects.toMatchObject(gone);
    await expect(world.restart().records.read(block)).rejects.toMatchObject(gone);
  });

  it('a slot that was left behind dead by a move: RECORD_GONE', async () => {
    const world = new ReadingWorld({ hot: 'replica-4', warm: 'rs-6-3', drives: 12 });
    const blocks = await world.append(LENGTHS);
    await world.move([blocks.slice(1)]);
    const { records } = world.restart();
    await expect(records.read(blocks[0] as Stored)).rejects.toMatchObject({ code: 'RECORD_GONE' });
    expect(await records.read(blocks[1] as Stored)).toEqual(blocks[1]?.record);
  });

  it('a bucket that moves during the repair is followed', async () => {
    const world = new ReadingWorld({ hot: 'replica-4', warm: 'rs-6-3', drives: 16 });
    const blocks = await world.append(LENGTHS);
    const volume = await world.volumeOf(blocks[0] as Stored);
    const reader = world.restart();
    const block = blocks[3] as Stored;
    await reader.records.read(block);
    world.driveOf(volume, 0).state = 'lost';
    let repairs = 0;
    world.beforeRead = async (label) => {
      // The first read of the repair finds the whole volume emptied below it.
      if (label !== world.driveOf(volume, 1).label || repairs++ > 0) return;
      await world.move([blocks]);
      for (const { drive, zone, zoneGeneration } of volume.extents)
        await world.media[drive]?.erase({ zone, generation: zoneGeneration });
    };
    expect(await reader.records.read(block)).toEqual(block.record);
    expect(repairs).toBeGreaterThan(0);
    expect((await world.volumeOf(block)).id).not.toBe(volume.id);
  });

  it('a bucket that is never where it was just seen is given up, to be tried again', async () => {
    const world = new ReadingWorld({ hot: 'replica-4', warm: 'rs-6-3', drives: 16 });
    const blocks = await world.append(LENGTHS);
    const reader = world.restart();
    world.beforeRead = async () => {
      const volume = await world.volumeOf(blocks[0] as Stored);
      await world.panda.transact([
        {
          kind: 'update',
          ...bucketKey(world.components.settings.cell, blocks[0]?.bucket as Stored['bucket']),
          add: { m: 1 },
        },
      ]);
      for (const { drive, zone, zoneGeneration } of volume.extents)
        await world.media[drive]?.erase({ zone, generation: zoneGeneration });
    };
    await expect(reader.records.read(blocks[0] as Stored)).rejects.toMatchObject({
      kind: 'retry',
      code: 'RECORD_MOVING',
    });
  });
});

/** What L1 does to a host: its slots rewritten under the next generation, its bucket rows as they are. */
async function flip(world: ReadingWorld, host: VolumeRow, blocks: readonly Stored[]): Promise<void> {
  const { cell } = world.components.settings;
  const used = new Set(host.extents.map(({ drive }) => drive));
  const free = world.drives.map((_, drive) => drive).filter((drive) => !used.has(drive));
  const extents = host.extents.map((_, i) => ({ drive: free[i] as number, zone: 0, zoneGeneration: 7 }));
  const next: VolumeRow = { ...host, generation: 2, extents, state: 'open', extentUsedBytes: extents.map(() => 0) };
  const lease = { volume: next, token: 99, seq: 1 } as never;
  const written = await writeGroup(
    world.store,
    lease,
    'move',
    blocks.map(({ bucket, slot, recordId, record }) => ({ bucket, move: 0, slot, recordId, record })),
  );
  const bytes = encodeBucketDirectory({
    storeId: world.components.storeId,
    volumeId: host.id,
    generation: 2,
    bucket: blocks[0]?.bucket as Stored['bucket'],
    entries: written.entries.map((entry) => [entry.slot, { ...entry, sequence: 1, token: 99 }] as const),
  });
  for (const { drive, zone, zoneGeneration } of extents.slice(1))
    await world.media[drive]?.append({ zone, generation: zoneGeneration }, `dir-${blocks[0]?.bucket}`, [bytes]);
  await world.panda.transact([
    {
      kind: 'update',
      ...volumeKey(cell, host.id),
      set: { g: 2, x: extents.map((e) => `${e.drive}:${e.zone}:${e.zoneGeneration}`) },
    },
  ]);
  for (const { drive, zone, zoneGeneration } of host.extents)
    await world.media[drive]?.erase({ zone, generation: zoneGeneration });
}

describe('a crash', () => {
  it.each([[LENGTHS], [[100, 200]]])('at any drive call passes through', async (lengths) => {
    const { world, blocks, volume } = await appended('rs-6-3', lengths);
    const block = blocks[0] as Stored;
    await world.tamper(volume, block.hint.column, () => undefined);
    await world.restart().records.read(block);
    const calls = world.reads.length;
    expect(calls).toBeGreaterThan(7);
    for (let at = 1; at <= calls; at++) {
      const store = world.restart();
      let call = 0;
      world.fault = () => (++call === at ? 'before' : 'none');
      expect(await outcomeOf(store.records.read(block))).toBeInstanceOf(Crash);
    }
  });
});

describe('any placement and any losses', () => {
  it('a record is read, or the code says that it cannot be', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom<CodecName>('lrc-12-2-2', 'rs-6-3', 'xor-3-1', 'replica-4'),
        fc.array(fc.integer({ min: 16, max: 5000 }), { minLength: 1, maxLength: 40 }),
        fc.uniqueArray(fc.nat({ max: 15 }), { maxLength: 6 }),
        fc.uniqueArray(fc.nat({ max: 15 }), { maxLength: 3 }),
        fc.boolean(),
        async (codec, lengths, away, gone, sealed) => {
          const world = new ReadingWorld({ warm: codec });
          const blocks = await world.append(lengths);
          if (sealed) await world.store.open.sealAll('warm');
          const volume = await world.volumeOf(blocks[0] as Stored);
          const columns = volume.extents.length;
          const lost = [...new Set([...away, ...gone])].filter((column) => column < columns);
          for (const column of away) if (column < columns) world.driveOf(volume, column).state = 'lost';
          for (const column of gone) if (column < columns) await world.tamper(volume, column, () => undefined);
          const ends = blocks.map(({ hint, record }) => ({ column: hint.column, end: hint.offset + record.length }));
          /** Behind the end of a data column everything is zero. */
          const isZeroFrom = (column: number, offset: number): boolean =>
            column < codecOf(codec).dataColumns && ends.every((at) => at.column !== column || at.end <= offset);
          const reader = world.restart();
          for (const block of blocks) {
            const { column, offset } = block.hint;
            const isReadableWithout = (missing: number[]): boolean => codecOf(codec).repairPlan(missing, [column]).ok;
            const read = await outcomeOf(reader.records.read(block));
            if (isReadableWithout(lost.filter((column) => !isZeroFrom(column, 0)))) expect(read).toEqual(block.record);
            else if (!isReadableWithout(lost.filter((column) => !isZeroFrom(column, offset))))
              expect(read).toBeInstanceOf(RecordLost);
            // A short column counts as there or not, by whether it was asked for before its length was known.
            else if (!(read instanceof RecordLost)) expect(read).toEqual(block.record);
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});
