// What a process remembers of directories and lengths: read once, forgotten with their volume, and never half of it.
import { describe, expect, it } from 'vitest';
import type { BucketRow } from '../../../lib/panda/rows/bucket-row.ts';
import { groupKey } from '../../../lib/panda/rows/group-row.ts';
import { ReadingWorld, type Stored } from '../reading-world.ts';
import { toldCalls } from './told-panda-calls.ts';

async function worldOf(groups: readonly (readonly number[])[] = [[300, 40]]) {
  const world = new ReadingWorld({ warm: 'xor-2-1' });
  const stored: Stored[] = [];
  for (const lengths of groups) stored.push(...(await world.append(lengths)));
  const volume = await world.volumeOf(stored[0] as Stored);
  const bucket = await world.bucketRow((stored[0] as Stored).bucket);
  const place = { volume, sequence: 1, token: 1 };
  const calls = toldCalls(world);
  const { directories } = world.restart();
  /** How many reads of drives, and which calls for rows. */
  const asked = async (what: () => unknown): Promise<[number, string[]]> => {
    world.reads = [];
    calls();
    await what();
    return [world.reads.length, calls()];
  };
  return { world, stored, volume, bucket, place, directories, asked };
}

describe('the directory of a group', () => {
  it('that its writer told is not read; its lengths are if he did not tell them', async () => {
    const { directories, volume, place, asked } = await worldOf();
    const entries = await directories.group(volume, 1, 1);
    const lengths = await directories.columnBytes(place);
    directories.forget(volume);
    directories.put(volume, 1, 1, entries);
    expect(await asked(() => directories.group(volume, 1, 1))).toEqual([0, []]);
    expect(await asked(() => directories.columnBytes(place))).toEqual([1, []]);
    directories.forget(volume);
    directories.put(volume, 1, 1, entries, [1, 2, 3]);
    expect(await directories.columnBytes(place)).toEqual([1, 2, 3]);
    expect(await directories.group(volume, 1, 1)).toBe(entries);
    directories.forget(volume);
    expect(await directories.columnBytes(place)).toEqual(lengths);
  });

  it('tells lengths as well, and is that of its generation, sequence and token', async () => {
    const { directories, volume, place, asked } = await worldOf();
    expect(await asked(() => directories.group(volume, 1, 1))).toEqual([2, []]);
    expect(await asked(() => directories.columnBytes(place))).toEqual([0, []]);
    expect(await asked(() => directories.group(volume, 1, 1))).toEqual([0, []]);
    const none = { code: 'RECORD_LOST' };
    await expect(directories.group(volume, 1, 2)).rejects.toMatchObject(none);
    await expect(directories.group(volume, 2, 1)).rejects.toMatchObject(none);
    await expect(directories.group({ ...volume, generation: 2 }, 1, 1)).rejects.toMatchObject(none);
  });

  it('that could not be read whole is not remembered', async () => {
    const { world, directories, volume } = await worldOf();
    for (const column of [0, 1, 2]) world.driveOf(volume, column).state = 'lost';
    await expect(directories.group(volume, 1, 1)).rejects.toMatchObject({
      code: 'RECORD_WAITS',
      message: expect.stringMatching(`^the directory of group 1-1 of volume ${volume.id} waits for d`),
    });
    for (const column of [0, 1, 2]) world.driveOf(volume, column).state = 'healthy';
    expect(await directories.group(volume, 1, 1)).toHaveLength(2);
  });

  it('tells the slots of one bucket, none of a bucket that it does not hold', async () => {
    const { directories, volume, bucket, stored } = await worldOf();
    const slots = await directories.groupSlots(volume, 1, 1, bucket.id);
    expect([...slots.keys()].sort()).toEqual([0, 1]);
    const { hint, recordId, recordBytes } = stored[1] as Stored;
    const { column, offset } = hint;
    expect(slots.get(1)).toEqual({ sequence: 1, token: 1, column, offset, length: recordBytes, recordId });
    expect((await directories.groupSlots(volume, 1, 1, '00000000000000ee' as BucketRow['id'])).size).toBe(0);
  });
});

describe('lengths', () => {
  it('are asked for in the order given, of the row if no header tells, and again if nothing did', async () => {
    const { world, directories, volume, place, asked } = await worldOf();
    const seen: number[] = [];
    const lengths = (of = place, order?: readonly number[]) =>
      directories.columnBytes(of, order, (column) => void seen.push(column));
    await lengths(place, [1, 0, 2]);
    // The second column holds the short record: its header tells as well as any.
    expect(seen).toEqual([1]);
    expect(await asked(() => lengths(place, [2]))).toEqual([0, []]);
    expect(seen).toEqual([1]);
    directories.forget(volume);
    for (const column of [0, 1, 2]) await world.tamper(volume, column, () => undefined);
    expect(await asked(() => lengths())).toEqual([3, ['get group']]);
    expect(await asked(() => lengths())).toEqual([0, []]);
    expect(seen).toEqual([1]);
    const other = { ...place, token: 2 };
    expect(await lengths(other)).toBeUndefined();
    expect(await asked(() => lengths(other))).toEqual([3, ['get group']]);
  });

  it('are forgotten with their volume, as is which chunks were seen to be their own, and those of others are not', async () => {
    const { directories, volume, place } = await worldOf();
    const another = { ...volume, id: '00000000000000ee' as typeof volume.id };
    directories.prove(place, 1);
    directories.prove({ ...place, volume: another }, 1);
    const proven = () =>
      [place, { ...place, sequence: 2 }, { ...place, token: 2 }, { ...place, volume: another }].map((one) =>
        [0, 1].map((column) => directories.isProven(one, column)),
      );
    expect(proven()).toEqual([
      [false, true],
      [false, false],
      [false, false],
      [false, true],
    ]);
    directories.forget(volume);
    expect(proven().flat()).toEqual([false, false, false, false, false, false, false, true]);
  });
});

describe('slots of a bucket that was never moved', () => {
  it('are those of its groups: their lengths are in the rows, each directory is read once', async () => {
    const { directories, volume, bucket, place, asked } = await worldOf([[300, 40], [50]]);
    expect(await asked(() => directories.bucket(volume, bucket))).toEqual([4, ['query group']]);
    expect(await asked(() => directories.bucket(volume, bucket))).toEqual([0, ['query group']]);
    expect(await asked(() => directories.columnBytes({ ...place, sequence: 2, token: 2 }))).toEqual([0, []]);
    const { entries, lost } = await directories.bucketPart(volume, bucket);
    expect([[...entries].map(([slot]) => slot), lost]).toEqual([[0, 1, 2], undefined]);
  });

  it('are of groups whose lengths are known by their rows, though no directory of them is whole', async () => {
    const { world, directories, volume, bucket, place, stored, asked } = await worldOf([[300, 290]]);
    const lengths = await directories.columnBytes(place);
    directories.forget(volume);
    await world.tamper(volume, 2, () => undefined);
    await world.tamper(volume, 0, () => undefined);
    const part = await directories.bucketPart(volume, bucket);
    const left = stored.filter(({ hint }) => hint.column === 1).map(({ slot }) => slot);
    expect([[...part.entries].map(([slot]) => slot), part.lost?.columns.sort()]).toEqual([left, [0, 2]]);
    expect(await asked(() => directories.columnBytes(place))).toEqual([0, []]);
    expect(await directories.columnBytes(place)).toEqual(lengths);
  });

  it('are not all there if rows of groups are gone, and said to be lost though no column failed', async () => {
    const { world, directories, volume, bucket } = await worldOf([[300, 40], [50]]);
    await world.panda.transact([{ kind: 'delete', ...groupKey(volume.id, volume.generation, 2) }]);
    const part = await directories.bucketPart(volume, bucket);
    expect([[...part.entries].length, part.lost?.size]).toEqual([2, 0]);
    await expect(directories.bucket(volume, bucket)).rejects.toMatchObject({
      code: 'RECORD_LOST',
      message: `the directory of bucket ${bucket.id} in volume ${volume.id} is lost`,
    });
    // What the row says it has is all there is.
    expect((await directories.bucketPart(volume, { ...bucket, slots: 2 })).lost).toBeUndefined();
  });

  it('are not those of another bucket in the same volume, or of what was moved there', async () => {
    const { directories, volume, bucket, world } = await worldOf();
    const moved = await world.virtualBucket([70, 80]);
    await world.move([moved]);
    const { entries, lost } = await directories.bucketPart(volume, bucket);
    expect([[...entries].map(([slot]) => slot), lost]).toEqual([[0, 1], undefined]);
    const other = { ...bucket, id: '00000000000000ee' as BucketRow['id'] };
    const none = await directories.bucketPart(volume, other);
    expect([[...none.entries], none.lost?.size]).toEqual([[], 0]);
    const row = await world.bucketRow((moved[0] as Stored).bucket);
    const { find } = await directories.bucketPart(await world.volumeOf(moved[0] as Stored), row);
    expect([find(0)?.recordId, find(1)?.recordId, find(2)]).toEqual([
      moved[0]?.recordId,
      moved[1]?.recordId,
      undefined,
    ]);
  });
});
