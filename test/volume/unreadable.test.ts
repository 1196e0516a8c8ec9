// Which records cannot be read now, told by few small reads: of each chunk one record, of other columns a byte where it matters, nothing of a drive
// that is away.
import { describe, expect, it } from 'vitest';
import { CELL_BYTES } from '../../lib/codec/codec.ts';
import { driveBusy, driveUnavailable } from '../../lib/drive/errors.ts';
import { CHUNK_HEADER_BYTES } from '../../lib/format/chunk.ts';
import { corrupt, denied, missing, retryLater } from '../../lib/foundation/errors.ts';
import { type BlockId, volumeId } from '../../lib/foundation/ids.ts';
import { WHOLE_RECORD_BYTES_MAX } from '../../lib/limits/reads.ts';
import type { BlockRow } from '../../lib/panda/rows/block-row.ts';
import { bucketKey } from '../../lib/panda/rows/bucket-row.ts';
import type { DamagedPart } from '../../lib/panda/rows/damage-row.ts';
import { type VolumeRow, volumeKey } from '../../lib/panda/rows/volume-row.ts';
import { unreadableRecords } from '../../lib/volume/read/unreadable.ts';
import { noteDamage } from '../../lib/volume/rows/damage.ts';
import { ReadingWorld, type Stored } from './reading-world.ts';

const CELL = 'c0';

/** Numbers of those that cannot be read. */
async function unreadable(world: ReadingWorld, stored: readonly Stored[]): Promise<number[]> {
  world.restart();
  const blocks = stored.map((one) => ({ ...one, id: one.recordId as unknown as BlockId }) as unknown as BlockRow);
  const bad = await unreadableRecords(world.store, blocks);
  return bad.map((block) => blocks.indexOf(block)).sort((a, b) => a - b);
}

/** Records of one group of xor-2-1: the largest in one column, the others in the other; by column. */
async function group(lengths: readonly number[]) {
  const world = new ReadingWorld({ warm: 'xor-2-1' });
  const stored = await world.append(lengths);
  const volume = await world.volumeOf(stored[0] as Stored);
  const at = (column: number) => stored.flatMap(({ hint }, i) => (hint.column === column ? [i] : []));
  return { world, stored, volume, at };
}

/** A bit of the body of this record. */
const spoil = (world: ReadingWorld, volume: VolumeRow, { record, hint }: Stored, column = hint.column) =>
  world.tamper(volume, column, (bytes) => {
    const found = Buffer.from(bytes).indexOf(record);
    expect(found).toBeGreaterThan(0);
    return bytes.map((byte, i) => (i === found + record.length - 1 ? byte ^ 1 : byte));
  });

const gone = (world: ReadingWorld, volume: VolumeRow, column: number) => world.tamper(volume, column, () => undefined);

const note = (
  world: ReadingWorld,
  { id, generation, revision }: VolumeRow,
  columns: readonly number[],
  part: DamagedPart = 1,
) =>
  noteDamage(
    world.components,
    { id, generation, revision },
    columns.map((column) => ({
      volume: id,
      generation,
      column,
      part,
      kind: 'wrong' as const,
      reason: 'CHUNK_MALFORMED',
    })),
  );

describe('records that are looked at', () => {
  it('are the last of each chunk, while nothing is wrong', async () => {
    const { world, stored } = await group([3000, 700, 600, 500]);
    expect(await unreadable(world, stored)).toEqual([]);
    expect(world.reads).toHaveLength(2);
    expect(await unreadable(world, stored.toReversed())).toEqual([]);
    expect(world.reads).toHaveLength(2);
    // One query tells that nothing is damaged; of nothing nothing is asked.
    let queries = 0;
    const query = world.panda.query.bind(world.panda);
    world.panda.query = (...args) => {
      queries += 1;
      return query(...args);
    };
    expect(await unreadable(world, stored)).toEqual([]);
    expect(queries).toBe(1);
    expect(await unreadable(world, [])).toEqual([]);
    expect(queries).toBe(1);
    expect(world.reads).toEqual([]);
  });

  it('are not sound if the last of them is not, in whatever order they are asked for', async () => {
    const { world, stored, volume, at } = await group([3000, 700, 600, 500]);
    const short = at(1).length > 1 ? 1 : 0;
    const all = at(short);
    const byPlace = all.toSorted((a, b) => (stored[a] as Stored).hint.offset - (stored[b] as Stored).hint.offset);
    await spoil(world, volume, stored[byPlace.at(-1) as number] as Stored);
    expect(await unreadable(world, stored)).toEqual([]);
    // The others of the group rebuild it, unless one of them is gone.
    await gone(world, volume, 2);
    expect(await unreadable(world, stored)).toEqual(all);
    const backwards = all.map((i) => stored.length - 1 - i).sort((a, b) => a - b);
    expect(await unreadable(world, stored.toReversed())).toEqual(backwards);
  });

  it('are looked at by head and end if they are long', async () => {
    for (const length of [WHOLE_RECORD_BYTES_MAX, WHOLE_RECORD_BYTES_MAX + 1]) {
      const isLong = length > WHOLE_RECORD_BYTES_MAX;
      const { world, stored, volume } = await group([1000]);
      const { length: head } = (stored[0] as Stored).record;
      const [one] = (await world.append([length - (head - 1000)])) as [Stored];
      expect(one.recordBytes).toBe(length);
      expect(await unreadable(world, [one])).toEqual([]);
      expect(world.reads).toHaveLength(isLong ? 2 : 1);
      // Nothing helps: its parity is gone. What lies in its middle is seen where it is read whole.
      await world.tamper(volume, 2, () => undefined);
      await spoil(world, volume, one);
      expect(await unreadable(world, [one])).toEqual(isLong ? [] : [0]);
      expect(await unreadable(world, [{ ...one, recordId: stored[0]?.recordId as Stored['recordId'] }])).toEqual([0]);
      await world.tamper(volume, one.hint.column, (bytes) => bytes.subarray(0, 256 + one.hint.offset + length - 1));
      expect(await unreadable(world, [one])).toEqual([0]);
    }
  });
});

describe('columns beside one that is gone', () => {
  it('matter as far as they reach, behind which there are zeros', async () => {
    const head = new ReadingWorld({ warm: 'xor-2-1' }).newRecord(16).record.length - 16;
    const end = 10 * CELL_BYTES;
    const { world, stored, volume } = await group([4000, end - head]);
    const [long] = stored as [Stored, Stored];
    expect(stored[1]).toMatchObject({ recordBytes: end, hint: { column: 1 - long.hint.column, offset: 0 } });
    await gone(world, volume, long.hint.column);
    expect(await unreadable(world, stored)).toEqual([]);
    await gone(world, volume, 1 - long.hint.column);
    expect(await unreadable(world, stored)).toEqual([0, 1]);
    const from = (offset: number) => unreadable(world, [{ ...long, hint: { ...long.hint, offset } }]);
    expect(await from(end)).toEqual([]);
    expect(await from(end + 5)).toEqual([]);
    expect(await from(end - 1)).toEqual([0]);
    expect(await from(end - CELL_BYTES)).toEqual([0]);
  });

  it('are asked for once for all records of a chunk, and not those that hold nothing', async () => {
    const { world, stored, volume, at } = await group([3000, 700, 600, 500]);
    const column = at(1).length > 1 ? 1 : 0;
    const some = at(column).map((i) => stored[i] as Stored);
    expect(some).toHaveLength(3);
    await gone(world, volume, column);
    expect(await unreadable(world, some.slice(1))).toEqual([]);
    const { length } = world.reads;
    expect(await unreadable(world, some)).toEqual([]);
    expect(world.reads).toHaveLength(length);
    const wide = new ReadingWorld({ warm: 'rs-6-3' });
    const one = await wide.append([700]);
    const rows = await wide.volumeOf(one[0] as Stored);
    for (const lost of [0, 6]) await gone(wide, rows, lost);
    expect(await unreadable(wide, one)).toEqual([]);
    expect(wide.columnsRead(rows)).toEqual([0, 6, 7, 8]);
    await gone(wide, rows, 8);
    expect(await unreadable(wide, one)).toEqual([]);
    await gone(wide, rows, 7);
    expect(await unreadable(wide, one)).toEqual([0]);
  });

  it('are those of its own group, in its own volume', async () => {
    const { world, stored, volume } = await group([3000]);
    const { column } = (stored[0] as Stored).hint;
    const [next] = (await world.append([3000])) as [Stored];
    await world.store.open.sealAll('warm');
    await world.store.open.sealAll('hot');
    const [other] = (await world.append([3000])) as [Stored];
    expect(next.hint).toMatchObject({ volume: volume.id, seq: 2 });
    expect(other.hint.volume).not.toBe(volume.id);
    expect(other.hint).toMatchObject({ seq: 1, column });
    await world.tamper(volume, 2, (bytes, name) => (name.startsWith('1-') ? undefined : bytes));
    for (const one of [volume, await world.volumeOf(other)])
      for (const data of [0, 1]) await world.tamper(one, data, () => undefined);
    const all = [stored[0] as Stored, next, other];
    expect(await unreadable(world, all)).toEqual([0]);
    expect(await unreadable(world, all.toReversed())).toEqual([2]);
  });

  it('that are cut are as good as gone; if no header tells lengths, so is all', async () => {
    const { world, stored, volume, at } = await group([3000, 2900]);
    const [first] = at(0) as [number];
    await gone(world, volume, 0);
    // A directory is not needed, the last byte of a column is.
    const payload = (stored[first] as Stored).recordBytes;
    await world.tamper(volume, 2, (bytes) => bytes.subarray(0, CHUNK_HEADER_BYTES + Math.ceil(payload / 64) * 64));
    expect(await unreadable(world, [stored[first] as Stored])).toEqual([]);
    await world.tamper(volume, 2, (bytes) => bytes.subarray(0, bytes.length - 64));
    expect(await unreadable(world, [stored[first] as Stored])).toEqual([0]);
    for (const column of [1, 2]) await gone(world, volume, column);
    expect(await unreadable(world, stored)).toEqual([0, 1]);
    for (const row of world.panda.snapshot().filter(({ partition }) => partition.startsWith('group/')))
      await world.panda.transact([{ kind: 'delete', partition: row.partition, sort: row.sort }]);
    expect(await unreadable(world, stored)).toEqual([0, 1]);
  });
});

describe('a drive that is away', () => {
  const ERRORS = [driveUnavailable('d', 'gone'), driveBusy('d', 'throttled')];

  it.each(ERRORS)('($code) is asked again only if it is busy', async (error) => {
    const { world, stored, volume } = await group([3000]);
    const { column } = (stored[0] as Stored).hint;
    const { label } = world.driveOf(volume, column);
    let asked = 0;
    world.beforeRead = async (drive) => {
      if (drive !== label) return;
      asked += 1;
      throw error;
    };
    expect(await unreadable(world, stored)).toEqual([]);
    expect(asked).toBe(error.code === 'DRIVE_BUSY' ? 2 : 1);
    await gone(world, volume, 2);
    expect(await unreadable(world, stored)).toEqual([0]);
  });
});

describe('rows that lead nowhere', () => {
  it('of a bucket, or of a volume, make unreadable what they led to', async () => {
    const { world, stored, volume } = await group([700]);
    const { bucket } = stored[0] as Stored;
    const before = world.panda.snapshot();
    for (const key of [bucketKey(CELL, bucket), volumeKey(CELL, volume.id)]) {
      await world.panda.transact([{ kind: 'delete', ...key }]);
      expect(await unreadable(world, stored)).toEqual([0]);
      const row = before.find(({ partition, sort }) => partition === key.partition && sort === key.sort);
      await world.panda.transact([{ kind: 'put', ...key, attributes: row?.attributes ?? {} }]);
      expect(await unreadable(world, stored)).toEqual([]);
    }
  });

  it('are read once more: a bucket may have left its volume, and that be freed, in between', async () => {
    const { world, stored } = await group([700]);
    const { bucket } = stored[0] as Stored;
    const elsewhere = volumeId('00000000000000ee');
    const getMany = world.panda.getMany.bind(world.panda);
    const at = async (times: number) => {
      let reads = 0;
      world.panda.getMany = async (keys, ...rest) => {
        const isBucket = keys.some(({ sort }) => sort === bucket);
        if (isBucket) reads += 1;
        const rows = await getMany(keys, ...rest);
        return isBucket && reads <= times
          ? rows.map((row) => row && { ...row, attributes: { ...row.attributes, v: elsewhere } })
          : rows;
      };
      const bad = await unreadable(world, stored);
      world.panda.getMany = getMany;
      return { bad, reads };
    };
    expect(await at(0)).toEqual({ bad: [], reads: 1 });
    expect(await at(1)).toEqual({ bad: [], reads: 2 });
    expect(await at(2)).toEqual({ bad: [0], reads: 2 });
  });

  it('are found by the directory where a bucket was moved or its hint is of before, and a slot that is not in it is lost', async () => {
    const { world, stored, volume } = await group([700, 300]);
    const hint = (stored[0] as Stored).hint;
    for (const wrong of [{ generation: 9 }, { volume: volumeId('00000000000000ee') }])
      expect(await unreadable(world, [{ ...(stored[0] as Stored), hint: { ...hint, ...wrong, seq: 77 } }])).toEqual([]);
    const records = await world.virtualBucket([500, 400]);
    const moved = await world.move([records]);
    expect(moved).toMatchObject({ id: volume.id, generation: volume.generation });
    expect(await unreadable(world, [...stored, ...records])).toEqual([]);
    expect(await unreadable(world, [{ ...(records[0] as Stored), slot: 5 }, ...records])).toEqual([0]);
    // As it was before the move: the hint names where it is no more.
    const old = records.map((one) => ({
      ...one,
      hint: { ...one.hint, volume: moved.id, generation: moved.generation, seq: 77 },
    }));
    expect(await unreadable(world, old)).toEqual([]);
    expect(await world.volumeOf(stored[0] as Stored)).toMatchObject({ id: volume.id, generation: volume.generation });
  });
});

describe('what damage rows name', () => {
  it('is held against the others of its group, and against the record itself', async () => {
    const { world, stored, volume, at } = await group([3000, 2900]);
    const [first, second] = [at(0)[0] as number, at(1)[0] as number];
    await note(world, volume, [0]);
    expect(await unreadable(world, stored)).toEqual([]);
    await note(world, volume, [0, 2]);
    // Their bytes are sound, but nobody may count on them: whoever reads the second column's record reads it as it is.
    expect(await unreadable(world, stored)).toEqual([first]);
    await spoil(world, volume, stored[second] as Stored);
    expect(await unreadable(world, stored)).toEqual([first, second].sort((a, b) => a - b));
  });

  it('of another part, generation or volume says nothing of it', async () => {
    const { world, stored, volume } = await group([3000, 2900]);
    const [, others] = [await note(world, volume, [0, 1, 2], 2), await note(world, volume, [0, 1, 2], 'pack')];
    expect(others).toBe(true);
    expect(await unreadable(world, stored)).toEqual([]);
    const rows = world.panda.snapshot().filter(({ partition }) => partition.startsWith('damage/'));
    expect(rows).toHaveLength(6);
    for (const sort of [`${volume.id}/2/00/00000001`, `${volume.id}/2/01/00000001`, `${volume.id}/2/02/00000001`])
      await world.panda.transact([{ kind: 'put', ...(rows[0] as (typeof rows)[number]), sort }]);
    expect(await unreadable(world, stored)).toEqual([]);
  });

  it('is unreadable where the read of the record fails, and another error comes out', async () => {
    const { world, stored, volume } = await group([3000]);
    const { column } = (stored[0] as Stored).hint;
    await note(world, volume, [column]);
    expect(await unreadable(world, stored)).toEqual([]);
    const blocks = stored as unknown as BlockRow[];
    const failing = (error: Error) =>
      unreadableRecords(
        Object.create(world.store, { records: { value: { read: () => Promise.reject(error) } } }),
        blocks,
      );
    for (const error of [corrupt('RECORD_LOST', ''), missing('CHUNK_MISSING', ''), retryLater('DRIVES_MISSING', '')])
      expect(await failing(error)).toEqual(blocks);
    for (const error of [new TypeError('a mistake'), denied('KEK_MISSING', '')])
      await expect(failing(error)).rejects.toBe(error);
  });
});
