// The small parts that reads are made of: reads that are shared, ranges that are joined, what a drive's answer says of it, and damage that is noted.
import { describe, expect, it } from 'vitest';
import { driveBusy, driveFull, driveReadOnly, driveUnavailable } from '../../../lib/drive/errors.ts';
import type { ErrorCode } from '../../../lib/foundation/error-codes.ts';
import { corrupt, retryLater } from '../../../lib/foundation/errors.ts';
import type { VolumeId } from '../../../lib/foundation/ids.ts';
import type { VolumeRow } from '../../../lib/panda/rows/volume-row.ts';
import { columnFault } from '../../../lib/volume/read/column-faults.ts';
import { noteBroken } from '../../../lib/volume/read/note-broken.ts';
import {
  chunkNameOf,
  isReadable,
  ownHeader,
  readableFirst,
  readExactly,
  readHeader,
  readObject,
  readSoundPayload,
} from '../../../lib/volume/read/read-column.ts';
import { both } from '../../../lib/volume/read/reconstruct.ts';
import { SharedReads } from '../../../lib/volume/read/shared-reads.ts';
import { readDamage } from '../../../lib/volume/rows/damage.ts';
import { ReadingWorld, type Stored } from '../reading-world.ts';
import { toldCalls } from './told-panda-calls.ts';

async function worldOf() {
  const world = new ReadingWorld({ warm: 'xor-2-1' });
  const stored = await world.append([300]);
  const volume = await world.volumeOf(stored[0] as Stored);
  const place = { volume, sequence: 1, token: 1 };
  const drive = (column: number): number => (volume.extents[column] as VolumeRow['extents'][number]).drive;
  return { world, volume, place, drive, health: world.store.health };
}

describe('shared reads', () => {
  it('of one key that is under way are one, and a later one is another', async () => {
    const reads = new SharedReads();
    let begun = 0;
    const answers: ((value: number) => void)[] = [];
    const read = () => {
      begun += 1;
      return new Promise<number>((resolve) => answers.push(resolve));
    };
    const [one, two, other] = [reads.once('a', read), reads.once('a', read), reads.once('b', read)];
    expect(begun).toBe(2);
    answers.forEach((answer, i) => {
      answer(i);
    });
    expect(await Promise.all([one, two, other])).toEqual([0, 0, 1]);
    const next = reads.once('a', read);
    expect(begun).toBe(3);
    answers[2]?.(7);
    expect(await next).toBe(7);
    const failed = new Error('no');
    await expect(reads.once('a', () => Promise.reject(failed))).rejects.toBe(failed);
    expect(await reads.once('a', async () => 8)).toBe(8);
  });

  it('know which keys are of a volume until it is forgotten', () => {
    const reads = new SharedReads();
    const [a, b] = ['a', 'b'] as VolumeId[] as [VolumeId, VolumeId];
    reads.note(a, '1');
    reads.note(b, '2');
    reads.note(a, '3');
    reads.note(a, '1');
    expect([...reads.forget(a)]).toEqual(['1', '3']);
    expect([...reads.forget(a)]).toEqual([]);
    expect([...reads.forget(b)]).toEqual(['2']);
  });
});

describe('two at once', () => {
  it('are both over when one fails, the first of them first', async () => {
    const over: string[] = [];
    const later = async (name: string, error?: Error): Promise<string> => {
      for (let i = 0; i < 5; i++) await undefined;
      over.push(name);
      if (error !== undefined) throw error;
      return name;
    };
    const [one, two] = [new Error('one'), new Error('two')];
    expect(await both(later('a'), later('b'))).toEqual(['a', 'b']);
    await expect(both(Promise.reject(one), later('c'))).rejects.toBe(one);
    await expect(both(later('d'), Promise.reject(two))).rejects.toBe(two);
    await expect(both(later('e', one), Promise.reject(two))).rejects.toBe(one);
    expect(over).toEqual(['a', 'b', 'c', 'd', 'e']);
  });
});

describe('the fault of one column', () => {
  it('is any that says something of it; what only a newer release can read, and a mistake, come out', () => {
    const fault = corrupt('CHUNK_MALFORMED', '');
    expect(columnFault(fault)).toBe(fault);
    for (const code of ['CHUNK_VERSION', 'RECORD_VERSION', 'DIRECTORY_VERSION'] as const) {
      const newer = corrupt(code, '');
      expect(() => columnFault(newer)).toThrow(newer);
    }
    const mistake = new TypeError('a mistake');
    expect(() => columnFault(mistake)).toThrow(mistake);
  });
});

describe('a drive', () => {
  it('that cannot be written can be read, and one that does not answer goes last', async () => {
    const { world, volume, drive, health } = await worldOf();
    health.failed(drive(0), driveUnavailable('d', ''));
    health.failed(drive(1), driveFull('d'));
    expect([0, 1, 2].map((column) => isReadable(health, drive(column)))).toEqual([false, true, true]);
    health.failed(drive(1), driveReadOnly('d'));
    expect(isReadable(health, drive(1))).toBe(true);
    expect(readableFirst(world.store, volume, [0, 2, 1])).toEqual([2, 1, 0]);
    expect(readableFirst(world.store, volume, [1, 0])).toEqual([1, 0]);
    health.failed(drive(1), driveBusy('d', ''));
    expect(readableFirst(world.store, volume, [0, 1, 2])).toEqual([2, 0, 1]);
  });

  it('that was believed away works if it answers, be it that it has no such object; a full one stays full', async () => {
    const { world, volume, place, drive, health } = await worldOf();
    const read = (name: string) => readObject(world.store, volume, 0, name);
    health.failed(drive(0), driveUnavailable('d', ''));
    await read(chunkNameOf(place));
    expect(health.fault(drive(0))).toBeUndefined();
    health.failed(drive(0), driveUnavailable('d', ''));
    await expect(read('9-9')).rejects.toMatchObject({ code: 'CHUNK_MISSING' });
    expect(health.fault(drive(0))).toBeUndefined();
    health.failed(drive(0), driveFull('d'));
    await read(chunkNameOf(place));
    await expect(read('9-9')).rejects.toMatchObject({ code: 'CHUNK_MISSING' });
    expect(health.fault(drive(0))).toBe('DRIVE_FULL');
    world.driveOf(volume, 0).state = 'lost';
    await expect(read('9-9')).rejects.toMatchObject({ code: 'DRIVE_UNAVAILABLE' });
    expect(health.fault(drive(0))).toBe('DRIVE_UNAVAILABLE');
  });

  it('that the store does not know does not answer', async () => {
    const { world, volume } = await worldOf();
    const extents = volume.extents.map((extent) => ({ ...extent, drive: 77 }));
    await expect(readObject(world.store, { ...volume, extents }, 0, 'x')).rejects.toMatchObject({
      code: 'DRIVE_UNAVAILABLE',
      message: 'drive 77: it is not among the drives of this store',
    });
  });
});

describe('a chunk', () => {
  it('is read as far as is asked, or is said to be cut', async () => {
    const { world, volume, place } = await worldOf();
    const { length } = await readObject(world.store, volume, 0, chunkNameOf(place));
    const read = (offset: number, bytes: number) => readExactly(world.store, place, 0, { offset, length: bytes });
    expect(await read(length - 4, 4)).toHaveLength(4);
    await expect(read(length - 4, 5)).rejects.toMatchObject({
      code: 'CHUNK_TRUNCATED',
      message: `column 0 of 1-1 in volume ${volume.id}: 4 of 5 bytes at ${length - 4}`,
    });
  });

  it('is that of its place, its volume and its code alone', async () => {
    const { world, volume, place } = await worldOf();
    const header = await readHeader(world.store, place, 0);
    expect(ownHeader(world.store, place, 0, header)).toBe(header);
    const { components } = world;
    const others = [
      { ...place, sequence: 2 },
      { ...place, token: 2 },
      ...[{ generation: 2 }, { id: '00000000000000ee' as VolumeId }, { codec: 'xor-3-1' as const }].map((change) => ({
        ...place,
        volume: { ...volume, ...change },
      })),
    ];
    const foreign = expect.objectContaining({ code: 'CHUNK_FOREIGN' });
    for (const other of others) expect(() => ownHeader(world.store, other, 0, header)).toThrow(foreign);
    expect(() => ownHeader(world.store, place, 1, header)).toThrow(foreign);
    const elsewhere = { ...components, storeId: '0'.repeat(32) as typeof components.storeId };
    expect(() => ownHeader({ ...world.store, components: elsewhere }, place, 0, header)).toThrow(foreign);
  });

  it('has a sound payload by its length and its checksum, whatever lies behind it', async () => {
    const { world, volume, place } = await worldOf();
    const payload = await readSoundPayload(world.store, place, 0);
    const header = await readHeader(world.store, place, 0);
    expect(payload).toHaveLength(header.columnBytes[0] as number);
    const end = 256 + payload.length;
    await world.tamper(volume, 0, (bytes) => bytes.slice(0, end));
    expect(await readSoundPayload(world.store, place, 0)).toEqual(payload);
    await world.tamper(volume, 0, (bytes) => bytes.map((byte, i) => (i === end - 1 ? byte ^ 1 : byte)));
    await expect(readSoundPayload(world.store, place, 0)).rejects.toMatchObject({
      code: 'CHUNK_MALFORMED',
      message: 'chunk is malformed: the checksum of column 0 does not match',
    });
    await world.tamper(volume, 0, (bytes) => bytes.slice(0, end - 1));
    await expect(readSoundPayload(world.store, place, 0)).rejects.toMatchObject({
      code: 'CHUNK_TRUNCATED',
      message: expect.stringContaining(`${payload.length - 1} of ${payload.length} bytes at 256`),
    });
  });
});

describe('what a read leaves behind', () => {
  const broken = (...codes: readonly (readonly [number, ErrorCode])[]) =>
    codes.map(([column, code]) => ({ column, code }));
  const noted = async ({ world, volume }: Awaited<ReturnType<typeof worldOf>>) =>
    (await readDamage(world.components, volume.id)).map(({ column, part, kind, reason }) => [
      column,
      part,
      kind,
      reason,
    ]);

  it('are the columns that have a chunk and are not what they must be, each as what it is', async () => {
    const made = await worldOf();
    const { world, place } = made;
    await noteBroken(world.store, place, 0, broken([0, 'CHUNK_MISSING'], [1, 'CHUNK_MISSING'], [2, 'CHUNK_FOREIGN']));
    expect(await noted(made)).toEqual([
      [0, 1, 'missing', 'CHUNK_MISSING'],
      [2, 1, 'foreign', 'CHUNK_FOREIGN'],
    ]);
    await noteBroken(world.store, place, 0, broken([0, 'CHUNK_TRUNCATED'], [2, 'RECORD_MALFORMED']));
    expect(await noted(made)).toEqual([
      [0, 1, 'short', 'CHUNK_TRUNCATED'],
      [2, 1, 'wrong', 'RECORD_MALFORMED'],
    ]);
  });

  it('is that of the record alone where nothing tells how long columns are', async () => {
    const made = await worldOf();
    const unknown = { ...made.place, sequence: 5, token: 5 };
    await noteBroken(made.world.store, unknown, 1, broken([0, 'CHUNK_MISSING'], [1, 'CHUNK_MISSING']));
    expect(await noted(made)).toEqual([[1, 5, 'missing', 'CHUNK_MISSING']]);
  });

  it('is nothing, and nothing is written, where only empty columns failed, or where it cannot be', async () => {
    const made = await worldOf();
    const { world, place } = made;
    let sent = 0;
    const failing = (error: Error) => {
      world.panda.transact = () => {
        sent += 1;
        return Promise.reject(error);
      };
      return noteBroken(world.store, place, 0, broken([0, 'CHUNK_MISSING']));
    };
    const calls = toldCalls(world);
    await noteBroken(world.store, place, 0, broken([1, 'CHUNK_MISSING']));
    await noteBroken(world.store, place, 0, []);
    expect(calls()).toEqual([]);
    await failing(retryLater('PANDA_FULL', 'full'));
    const mistake = new TypeError('a mistake');
    await expect(failing(mistake)).rejects.toBe(mistake);
    expect([sent, await noted(made)]).toEqual([2, []]);
  });
});
