// A directory pack where one is already: what counts as an earlier attempt's at seal, and what in extents that are being made.
import { describe, expect, it } from 'vitest';
import { encodeBucketDirectory, type SlotLocation } from '../../lib/format/bucket-directory.ts';
import { conflict } from '../../lib/foundation/errors.ts';
import type { BucketId } from '../../lib/foundation/ids.ts';
import type { VolumeRow } from '../../lib/panda/rows/volume-row.ts';
import { type PackThere, putPacks } from '../../lib/volume/open/put-pack.ts';
import { ReadingWorld, type Stored } from './reading-world.ts';

const place = (offset: number): SlotLocation => ({ sequence: 1, token: 1, column: 0, offset, length: 100 });
const [ONE, TWO] = ['0000000000000001', '0000000000000002'] as [BucketId, BucketId];
type Slots = Readonly<Record<number, number>>;

async function puts(): Promise<(buckets: ReadonlyMap<BucketId, Slots>, there: PackThere) => Promise<string[]>> {
  const world = new ReadingWorld({ warm: 'xor-2-1' });
  const [block] = (await world.append([700])) as [Stored];
  const volume: VolumeRow = { ...(await world.volumeOf(block)), directoryBytes: undefined };
  const owner = { storeId: world.components.storeId, volumeId: volume.id, generation: volume.generation };
  return async (buckets, there) => {
    const directories = new Map(
      [...buckets].map(([bucket, slots]) => {
        const entries = new Map(Object.entries(slots).map(([slot, offset]) => [Number(slot), place(offset)]));
        return [bucket, encodeBucketDirectory({ ...owner, bucket, entries })];
      }),
    );
    const { bytes, failures } = await putPacks(world.store, volume, directories, there);
    expect(bytes.filter((count) => count > 0)).toHaveLength(2 - failures.size);
    return [...failures.values()].map(({ code }) => code);
  };
}

const FOREIGN = ['DIRECTORY_FOREIGN', 'DIRECTORY_FOREIGN'];

describe('a pack that is there already', () => {
  const whole = new Map<BucketId, Slots>([
    [ONE, { 0: 0, 1: 100, 2: 200 }],
    [TWO, { 0: 300 }],
  ]);
  const died = new Map<BucketId, Slots>([[ONE, { 1: 100, 2: 200 }]]);

  it('counts at seal if it leads to all that lives, whatever died or left since', async () => {
    const put = await puts();
    for (const now of [whole, whole, died, new Map<BucketId, Slots>()]) expect(await put(now, 'as much')).toEqual([]);
  });

  it.each<[string, ReadonlyMap<BucketId, Slots>]>([
    ['lacks a slot', whole],
    ['lacks a bucket', new Map<BucketId, Slots>([...died, [TWO, { 0: 300 }]])],
    ['has a slot elsewhere', new Map<BucketId, Slots>([[ONE, { 1: 101 }]])],
  ])('does not count if it %s', async (_, now) => {
    const put = await puts();
    expect(await put(died, 'as much')).toEqual([]);
    expect(await put(now, 'as much')).toEqual(FOREIGN);
  });

  it('counts in extents that are being made only if it is the very same: nothing else leads to their slots', async () => {
    const put = await puts();
    expect(await put(whole, 'the same')).toEqual([]);
    expect(await put(whole, 'the same')).toEqual([]);
    expect(await put(died, 'the same')).toEqual(FOREIGN);
    expect(await put(new Map([[TWO, { 0: 300 }]]), 'the same')).toEqual(FOREIGN);
  });

  it('that a drive says is there, and that is not, is no pack', async () => {
    const world = new ReadingWorld({ warm: 'xor-2-1' });
    const [block] = (await world.append([700])) as [Stored];
    const volume = { ...(await world.volumeOf(block)), directoryBytes: undefined };
    for (const drive of world.drives)
      drive.append = async () => {
        throw conflict('CHUNK_EXISTS', 'it is there');
      };
    const { failures } = await putPacks(world.store, volume, new Map(), 'as much');
    expect([...failures.values()].map(({ code }) => code)).toEqual(['CHUNK_MISSING', 'CHUNK_MISSING']);
  });
});
