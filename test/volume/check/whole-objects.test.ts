// Objects read whole: a chunk whose records are others than its directory says, and a pack, part by part, with what its copies name.
import { describe, expect, it } from 'vitest';
import { CHUNK_HEADER_BYTES, encodeChunkHeader, parseChunkHeader } from '../../../lib/format/chunk.ts';
import { PACK_HEADER_BYTES, parsePackHeader, parsePackIndex } from '../../../lib/format/directory-pack.ts';
import { bucketDirectoryName, DIRECTORY_PACK_NAME } from '../../../lib/format/object-names.ts';
import { crcOf } from '../../../lib/format/wire.ts';
import type { BucketId } from '../../../lib/foundation/ids.ts';
import { checkColumn, checkDirectoryObject, checkPack, packBytes } from '../../../lib/volume/check/check-object.ts';
import { ReadingWorld, type Stored } from '../reading-world.ts';

/** A chunk whose directory names another record in the place of its first one, all checksums right. */
function renamed(bytes: Uint8Array, { recordId }: Stored): Uint8Array {
  const header = parseChunkHeader(bytes);
  const directory = bytes.slice(bytes.length - header.directoryBytes);
  const at = Buffer.from(directory).indexOf(Buffer.from(recordId, 'hex'));
  if (at === -1) return bytes;
  directory[at] = (directory[at] as number) ^ 1;
  const head = encodeChunkHeader({ ...header, directoryCrc: crcOf(directory) });
  return new Uint8Array([
    ...head,
    ...bytes.subarray(CHUNK_HEADER_BYTES, bytes.length - header.directoryBytes),
    ...directory,
  ]);
}

describe('a chunk', () => {
  it.each([
    ['xor-2-1', [false, undefined, true]],
    ['replica-4', [false, false, false, false]],
  ] as const)('of %s holds the records that its directory names, as far as it holds any', async (warm, sound) => {
    const world = new ReadingWorld({ warm });
    const [stored] = (await world.append([300])) as [Stored];
    const volume = await world.volumeOf(stored);
    const place = { volume, sequence: 1, token: 1 };
    const isSound = async (column: number): Promise<boolean> => {
      await world.tamper(volume, column, (bytes) => renamed(bytes, stored));
      return checkColumn(world.store, place, column).then(
        () => true,
        (error: { code: string; message: string }) => {
          expect(error.code).toBe('RECORD_MALFORMED');
          expect(error.message).toBe(`the record at 0 of column ${column} is another than its directory says`);
          return false;
        },
      );
    };
    for (const [column, is] of sound.entries()) if (is !== undefined) expect(await isSound(column)).toBe(is);
  });

  it('without a whole header, or shorter than it says, is cut; a sound one gives its header', async () => {
    const world = new ReadingWorld({ warm: 'xor-2-1' });
    const [stored] = (await world.append([300])) as [Stored];
    const volume = await world.volumeOf(stored);
    const place = { volume, sequence: 1, token: 1 };
    const header = await checkColumn(world.store, place, 0);
    expect(header).toMatchObject({ column: 0, sequence: 1 });
    const whole = CHUNK_HEADER_BYTES + (header.columnBytes[0] as number) + header.directoryBytes;
    for (const [left, of] of [
      [whole - 1, whole],
      [CHUNK_HEADER_BYTES, whole],
      [CHUNK_HEADER_BYTES - 1, CHUNK_HEADER_BYTES],
      [0, CHUNK_HEADER_BYTES],
    ] as const) {
      await world.tamper(volume, 0, (bytes) => bytes.slice(0, left));
      await expect(checkColumn(world.store, place, 0)).rejects.toMatchObject({
        code: 'CHUNK_TRUNCATED',
        message: expect.stringContaining(`${left} of ${of} bytes at 0`),
      });
    }
  });
});

describe('a pack', () => {
  /** Two buckets in groups of their own, and what is read of the pack of column 1: `OFFSET+LENGTH`. */
  async function sealed() {
    const world = new ReadingWorld({ hot: 'replica-4', warm: 'xor-2-1' });
    const buckets = [await world.virtualBucket([300, 40]), await world.virtualBucket([400])];
    for (const bucket of buckets) await world.move([bucket]);
    await world.store.open.sealAll('warm');
    const volume = await world.volumeOf(buckets[0]?.[0] as Stored);
    const reads: string[] = [];
    let pack = new Uint8Array(0);
    await world.tamper(volume, 1, (bytes, name) => {
      if (name === DIRECTORY_PACK_NAME) pack = bytes.slice();
      return bytes;
    });
    let cut: number | undefined;
    const drive = world.driveOf(volume, 1);
    const { read } = drive;
    drive.read = async (at, name, range, signal) => {
      reads.push(`${range?.offset}+${range?.length}`);
      const bytes = await read.call(drive, at, name, range, signal);
      const isFirst =
        cut !== undefined && range?.offset === 0 && range.length > PACK_HEADER_BYTES && reads.length === 1;
      return isFirst ? bytes.subarray(0, cut) : bytes;
    };
    const check = async (listed = pack.length, firstBytes?: number) => {
      cut = firstBytes;
      const seen: [BucketId, number, number][] = [];
      const named = await checkPack(world.store, volume, 1, listed, (bucket, directory, bytes) =>
        seen.push([bucket, [...directory.entries].length, bytes.length]),
      );
      return { named: [...named], seen, reads: reads.splice(0) };
    };
    return { world, volume, pack, check, reads, buckets };
  }

  it('is read in one, and shows every directory in it and the groups they name', async () => {
    const { world, volume, pack, check } = await sealed();
    const index = parsePackIndex(parsePackHeader(pack), pack);
    const slots = new Map<BucketId, number>();
    for (const { id } of [...volume.buckets].map((bucket) => ({ id: bucket })))
      slots.set(id, (await world.bucketRow(id)).slots);
    const { named, seen, reads } = await check();
    expect(seen).toEqual(index.map(({ bucket, length }) => [bucket, slots.get(bucket), length]));
    expect(new Map(named)).toEqual(
      new Map([
        [1, 1],
        [2, 2],
      ]),
    );
    expect(reads).toEqual([`0+${pack.length}`]);
    expect(await packBytes(world.store, volume, 1)).toBe(pack.length);
  });

  it('is read on by its head and directory by directory where the first request does not bring it all', async () => {
    const { pack, check } = await sealed();
    const header = parsePackHeader(pack);
    const [first, second] = parsePackIndex(header, pack);
    const whole = `0+${pack.length}`;
    const rest = [first, second].map((entry) => `${entry?.offset}+${entry?.length}`);
    expect((await check(pack.length, PACK_HEADER_BYTES)).reads).toEqual([whole, `0+${header.headBytes}`, ...rest]);
    expect((await check(pack.length, header.headBytes)).reads).toEqual([whole, ...rest]);
    expect((await check(pack.length, header.headBytes - 1)).reads).toEqual([whole, `0+${header.headBytes}`, ...rest]);
    const upTo = (first?.offset ?? 0) + (first?.length ?? 0);
    const short = await check(pack.length, upTo);
    expect(short.reads).toEqual([whole, rest[1]]);
    expect(short.seen).toEqual((await check()).seen);
    expect((await check(pack.length, upTo - 1)).reads).toEqual([whole, ...rest]);
    expect((await check(pack.length, pack.length - 1)).reads).toEqual([whole, rest[1]]);
  });

  it('is cut, or is none, if it is not as long as it says', async () => {
    const { volume, pack, check } = await sealed();
    const name = `the directory pack of column 1 in volume ${volume.id}`;
    await expect(check(pack.length - 1)).rejects.toMatchObject({
      code: 'CHUNK_TRUNCATED',
      message: `${name} has ${pack.length - 1} of ${pack.length} bytes`,
    });
    await expect(check(pack.length + 1)).rejects.toMatchObject({
      code: 'DIRECTORY_MALFORMED',
      message: `${name} has ${pack.length + 1} of ${pack.length} bytes`,
    });
    await expect(check(PACK_HEADER_BYTES - 1)).rejects.toMatchObject({
      code: 'CHUNK_TRUNCATED',
      message: `${name} has no whole header`,
    });
    await expect(check(PACK_HEADER_BYTES)).rejects.toMatchObject({
      message: `${name} has ${PACK_HEADER_BYTES} of ${pack.length} bytes`,
    });
  });

  it('is that of its volume and generation', async () => {
    const { world, volume, pack } = await sealed();
    for (const other of [{ generation: 2 }, { id: '00000000000000ee' as typeof volume.id }])
      await expect(checkPack(world.store, { ...volume, ...other }, 1, pack.length)).rejects.toMatchObject({
        code: 'DIRECTORY_FOREIGN',
      });
  });

  it('of store format 1 is an object for each bucket', async () => {
    const { world, volume, pack } = await sealed();
    const [entry] = parsePackIndex(parsePackHeader(pack), pack);
    const { bucket, offset, length } = entry as NonNullable<typeof entry>;
    const extent = volume.extents[0] as (typeof volume.extents)[number];
    const at = { zone: extent.zone, generation: extent.zoneGeneration };
    await world.media[extent.drive]?.append(at, bucketDirectoryName(bucket), [pack.slice(offset, offset + length)]);
    const row = await world.bucketRow(bucket);
    expect([...(await checkDirectoryObject(world.store, volume, 0, bucket))]).toEqual([[row.seq, row.token]]);
    await expect(checkDirectoryObject(world.store, { ...volume, generation: 2 }, 0, bucket)).rejects.toMatchObject({
      code: 'DIRECTORY_FOREIGN',
    });
  });
});
