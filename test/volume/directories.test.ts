// Where slots are: from any column's directory, from all of them together, from sealed buckets; and never half of it silently.
import { describe, expect, it } from 'vitest';
import { CODEC_NAMES } from '../../lib/codec/codec.ts';
import { codecOf } from '../../lib/codec/codecs.ts';
import { DIRECTORY_PACK_NAME } from '../../lib/format/object-names.ts';
import type { VolumeRow } from '../../lib/panda/rows/volume-row.ts';
import { finishSeal } from '../../lib/volume/open/seal.ts';
import { ReadingWorld, type Stored } from './reading-world.ts';

const LENGTHS = [700, 64, 3000, 1500, 1501, 999, 2048, 40, 16, 512, 513, 4000, 77, 1234, 888, 2222, 31, 1999];

/** Slot -> column and offset, as the writer placed them. */
const placesOf = (blocks: readonly Stored[]): [number, { column: number; offset: number }][] =>
  blocks.map(({ slot, hint: { column, offset } }) => [slot, { column, offset }]);

async function appended(codec: (typeof CODEC_NAMES)[number]) {
  const world = new ReadingWorld({ warm: codec });
  const blocks = await world.append(LENGTHS);
  world.restart();
  const { seq, token } = (blocks[0] as Stored).hint;
  return { world, blocks, volume: await world.volumeOf(blocks[0] as Stored), seq, token };
}

const sorted = (found: readonly { slot: number; column: number; offset: number }[]) =>
  found
    .map(({ slot, column, offset }) => [slot, { column, offset }] as [number, { column: number; offset: number }])
    .sort(([a], [b]) => a - b);

describe('the directory of a group', () => {
  it.each(CODEC_NAMES)('is read from one column, once (%s)', async (codec) => {
    const { world, blocks, volume, seq, token } = await appended(codec);
    const { directories } = world.store;
    const both = await Promise.all([directories.group(volume, seq, token), directories.group(volume, seq, token)]);
    for (const entries of both) expect(sorted(entries)).toEqual(placesOf(blocks));
    expect(world.columnsRead(volume)).toHaveLength(1);
    expect(world.reads).toHaveLength(2);
    await directories.group(volume, seq, token);
    expect(world.reads).toHaveLength(2);
    directories.forget(volume);
    await directories.group(volume, seq, token);
    expect(world.reads).toHaveLength(4);
  });

  it.each(CODEC_NAMES.filter((name) => name !== 'single'))('survives the columns it may lose (%s)', async (codec) => {
    const { dataColumns, parityColumns } = codecOf(codec);
    const { world, blocks, volume, seq, token } = await appended(codec);
    // All parity but the last is damaged in its directory; then the last one is gone as well and the data columns are put together.
    for (let column = dataColumns; column < dataColumns + parityColumns; column++) {
      await world.tamper(volume, column, (bytes) => {
        // In the record id of the last entry: nothing but the checksum tells.
        const at = bytes.length - 29;
        bytes[at] = (bytes[at] as number) ^ 1;
        return bytes;
      });
      const entries = await world.restart().directories.group(volume, seq, token);
      expect(sorted(entries)).toEqual(placesOf(blocks));
      const ids = new Map(entries.map(({ slot, recordId }) => [slot, recordId]));
      for (const { slot, recordId } of blocks) expect(ids.get(slot)).toBe(recordId);
    }
  });

  it('put together from data columns without one of them is refused, but serves the slots it has', async () => {
    const { world, blocks, volume, seq, token } = await appended('rs-6-3');
    for (const column of [6, 7, 8, 2]) world.driveOf(volume, column).state = 'lost';
    const { directories } = world.restart();
    await expect(directories.group(volume, seq, token)).rejects.toMatchObject({
      code: 'RECORD_WAITS',
      drives: [2, 6, 7, 8].map((column) => world.driveOf(volume, column).label),
    });
    const bucket = await world.bucketRow((blocks[0] as Stored).bucket);
    await expect(directories.bucket(volume, bucket)).rejects.toMatchObject({ code: 'RECORD_WAITS' });
    const part = await directories.bucketPart(volume, bucket);
    for (const { slot, hint } of blocks) {
      const { column, offset } = hint;
      if (column === 2) expect(part.find(slot)).toBeUndefined();
      else expect(part.find(slot)).toMatchObject({ column, offset });
    }
    // Records of the columns that are there are read although the directory is not whole.
    const block = { ...(blocks.find(({ hint }) => hint.column !== 2) as Stored) };
    const stale = { ...block, hint: { ...block.hint, generation: 77 } };
    expect(await world.store.records.read(stale)).toEqual(block.record);
    const lost = blocks.find(({ hint }) => hint.column === 2) as Stored;
    await expect(world.store.records.read({ ...lost, hint: stale.hint })).rejects.toMatchObject({
      code: 'RECORD_WAITS',
    });
  });

  it('empty columns are not missed', async () => {
    const world = new ReadingWorld({ warm: 'rs-6-3' });
    const blocks = await world.append([100, 200]);
    const volume = await world.volumeOf(blocks[0] as Stored);
    const { seq, token } = (blocks[0] as Stored).hint;
    for (const column of [6, 7, 8]) world.driveOf(volume, column).state = 'lost';
    expect(sorted(await world.restart().directories.group(volume, seq, token))).toEqual(placesOf(blocks));
  });

  it('of a foreign chunk is not believed', async () => {
    const { world, blocks, volume, seq, token } = await appended('xor-2-1');
    const second = await world.append(LENGTHS.map((bytes) => bytes + 1));
    const name = `${seq}-${token}`;
    const at = (stored: Stored | undefined): string => `${stored?.hint.seq}-${stored?.hint.token}`;
    let foreign = new Uint8Array(0);
    await world.tamper(volume, 2, (bytes, of) => {
      if (of === at(second[0])) foreign = bytes.slice();
      return bytes;
    });
    await world.tamper(volume, 2, (bytes, of) => (of === name ? foreign : bytes));
    expect(foreign.length).toBeGreaterThan(0);
    expect(sorted(await world.restart().directories.group(volume, seq, token))).toEqual(placesOf(blocks));
  });
});

describe('the lengths of columns', () => {
  it.each(CODEC_NAMES)('are in the header of any column, parity first, and then in the row (%s)', async (codec) => {
    const { dataColumns, parityColumns } = codecOf(codec);
    const all = Array.from({ length: dataColumns + parityColumns }, (_, column) => column);
    const order = [...all.slice(dataColumns), ...all.slice(0, dataColumns)];
    const { world, volume, seq: sequence, token } = await appended(codec);
    const place = { volume, sequence, token };
    const seen: number[] = [];
    const lengths = (): Promise<readonly number[] | undefined> =>
      world.restart().directories.columnBytes(place, undefined, (column) => void seen.push(column));
    const whole = await lengths();
    expect(whole).toHaveLength(all.length);
    for (const column of order) {
      const { drive } = volume.extents[column] as VolumeRow['extents'][number];
      world.fault = (_, detail) => (detail.startsWith(`d${drive}:`) ? 'none' : 'before-error');
      expect(await lengths()).toEqual(whole);
    }
    expect(seen).toEqual([order[0], ...order]);
    world.fault = () => 'before-error';
    expect(await lengths()).toEqual(whole);
    const drives = world.reads.map((detail) => detail.split(':')[0]);
    expect(drives).toEqual(order.map((column) => `d${volume.extents[column]?.drive}`));
    expect(await world.store.directories.columnBytes({ ...place, token: token + 1 })).toBeUndefined();
  });
});

describe('the slots of a bucket', () => {
  it('of several append groups are found in all of them', async () => {
    const world = new ReadingWorld({ hot: 'replica-4', warm: 'rs-6-3', drives: 12 });
    const blocks = [
      ...(await world.append([100, 200])),
      ...(await world.append([300])),
      ...(await world.append([50, 60])),
    ];
    expect(new Set(blocks.map(({ bucket }) => bucket)).size).toBe(1);
    const volume = await world.volumeOf(blocks[0] as Stored);
    const bucket = await world.bucketRow((blocks[0] as Stored).bucket);
    const slots = await world.restart().directories.bucket(volume, bucket);
    for (const { slot, hint, recordId } of blocks)
      expect(slots.find(slot)).toMatchObject({ sequence: hint.seq, token: hint.token, offset: hint.offset, recordId });
    expect([...slots.entries].length).toBe(blocks.length);
  });

  it('of a sealed warm volume come from its directory, on any of its m+1 columns', async () => {
    const world = new ReadingWorld({ warm: 'rs-6-3' });
    const blocks = await world.append(LENGTHS);
    const open = await world.volumeOf(blocks[0] as Stored);
    await world.store.open.sealAll('warm');
    const volume = await world.volumeOf(blocks[0] as Stored);
    const bucket = await world.bucketRow((blocks[0] as Stored).bucket);
    for (const column of [5, 6, 7, 8]) {
      const { directories } = world.restart();
      const slots = await directories.bucket(volume, bucket);
      expect(sorted([...slots.entries].map(([slot, place]) => ({ slot, ...place })))).toEqual(placesOf(blocks));
      // Twice the same: what iterates it does not use it up.
      expect([...slots.entries]).toHaveLength(blocks.length);
      await directories.bucket(volume, bucket);
      expect(world.reads.at(-1)).toContain(`/${DIRECTORY_PACK_NAME}`);
      expect(world.reads.filter((detail) => detail.startsWith(`${world.driveOf(volume, column).label}:`))).toHaveLength(
        1,
      );
      world.driveOf(volume, column).state = 'lost';
    }
    // All four are away. The group rows went with the seal: what is left cannot pass for the whole bucket.
    await expect(world.restart().directories.bucket(volume, bucket)).rejects.toMatchObject({ code: 'RECORD_WAITS' });
    // A reader whose volume row is of before the seal is told the same, and not that the slots are gone.
    await expect(world.store.directories.bucket(open, bucket)).rejects.toMatchObject({ name: 'RecordLost' });
  });

  it('a second worker that finishes the same seal writes the same directory', async () => {
    const world = new ReadingWorld({ warm: 'xor-2-1' });
    const blocks = await world.append(LENGTHS);
    await world.store.open.sealAll('warm');
    const volume = await world.volumeOf(blocks[0] as Stored);
    expect(volume.directoriesPending).toBe(false);
    await world.tamper(volume, 1, (bytes, name) => (name === DIRECTORY_PACK_NAME ? undefined : bytes));
    // The other worker read the row while the directories were pending; by now the group rows are gone.
    await finishSeal(world.restart(), { ...volume, directoriesPending: true });
    for (const column of [0, 2]) world.driveOf(volume, column).state = 'lost';
    const bucket = await world.bucketRow((blocks[0] as Stored).bucket);
    const slots = await world.restart().directories.bucket(volume, bucket);
    expect(sorted([...slots.entries].map(([slot, place]) => ({ slot, ...place })))).toEqual(placesOf(blocks));
  });

  it('of a moved bucket in an open volume are found by the group its row names', async () => {
    const world = new ReadingWorld({ hot: 'replica-4', warm: 'lrc-12-2-2' });
    const first = await world.virtualBucket(LENGTHS);
    const second = await world.virtualBucket(LENGTHS);
    const volume: VolumeRow = await world.move([first, second]);
    const { directories } = world.restart();
    for (const blocks of [first, second]) {
      const slots = await directories.bucket(volume, await world.bucketRow((blocks[0] as Stored).bucket));
      expect([...slots.entries].map(([slot, { recordId }]) => [slot, recordId])).toEqual(
        blocks.map(({ slot, recordId }) => [slot, recordId]),
      );
    }
    expect(world.reads).toHaveLength(2);
  });
});
