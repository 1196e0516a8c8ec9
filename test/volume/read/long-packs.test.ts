// Packs that are longer than what is read of one at first: which ranges are asked for one bucket, and for many; and directories that are objects, read once.
import { describe, expect, it } from 'vitest';
import { parsePackHeader, parsePackIndex } from '../../../lib/format/directory-pack.ts';
import { bucketDirectoryName, DIRECTORY_PACK_NAME } from '../../../lib/format/object-names.ts';
import { PACK_HEAD_BYTES, WHOLE_PACK_BYTES_MAX } from '../../../lib/limits/reads.ts';
import type { BucketRow } from '../../../lib/panda/rows/bucket-row.ts';
import type { VolumeRow } from '../../../lib/panda/rows/volume-row.ts';
import { ReadingWorld, type Stored } from '../reading-world.ts';

const SPAN = 4000;

/** Buckets of two slots each, far apart, so that their directories are long; in the order in which they lie in the pack. */
async function sealed(count: number) {
  const world = new ReadingWorld({ hot: 'replica-4', warm: 'xor-2-1' });
  const stored: Stored[][] = [];
  for (let i = 0; i < count; i++) {
    const two = await world.virtualBucket([16, 16]);
    stored.push(two.map((one, n) => ({ ...one, slot: n * (SPAN - 1) })));
  }
  for (const one of stored) await world.move([one]);
  await world.store.open.sealAll('warm');
  const volume = await world.volumeOf(stored[0]?.[0] as Stored);
  let pack = new Uint8Array(0);
  await world.tamper(volume, 1, (bytes, name) => {
    if (name === DIRECTORY_PACK_NAME) pack = bytes.slice();
    return bytes;
  });
  const index = parsePackIndex(parsePackHeader(pack), pack);
  const rows = await Promise.all(index.map(({ bucket }) => world.bucketRow(bucket)));
  const reads: string[] = [];
  for (const [drive, faulty] of world.drives.entries()) {
    const { read } = faulty;
    faulty.read = (at, name, range, signal) => {
      const column = volume.extents.findIndex((extent) => extent.drive === drive);
      reads.push(`${column} ${range === undefined ? name : `${range.offset}+${range.length}`}`);
      return read.call(faulty, at, name, range, signal);
    };
  }
  const ask = async (n: number, reading: 'one bucket' | 'many buckets' = 'one bucket'): Promise<string[]> => {
    const { entries, lost } = await world.store.directories.bucketPart(volume, rows[n] as BucketRow, reading);
    expect([[...entries].map(([slot]) => slot), lost]).toEqual([[0, SPAN - 1], undefined]);
    return reads.splice(0);
  };
  const range = (first: number, last = first): string => {
    const [from, to] = [index[first], index[last]] as [(typeof index)[number], (typeof index)[number]];
    return `1 ${from.offset}+${to.offset + to.length - from.offset}`;
  };
  world.restart();
  return { world, volume, pack, index, ask, range };
}

describe('a long pack', () => {
  it('is read by its head, and for a bucket beyond it by just its directory', async () => {
    const { index, pack, ask, range } = await sealed(6);
    const beyond = index.findIndex(({ offset, length }) => offset + length > PACK_HEAD_BYTES);
    expect(beyond).toBeGreaterThan(0);
    expect(beyond).toBeLessThan(4);
    expect(pack.length).toBeGreaterThan(PACK_HEAD_BYTES);
    expect(await ask(beyond + 1)).toEqual([`1 0+${PACK_HEAD_BYTES}`, range(beyond + 1)]);
    expect(await ask(beyond + 1)).toEqual([]);
    expect(await ask(0)).toEqual([]);
    expect(await ask(beyond - 1)).toEqual([]);
    // The one that the head ends in is asked for whole.
    expect(await ask(beyond)).toEqual([range(beyond)]);
    expect(await ask(beyond + 1, 'many buckets')).toEqual([]);
    // Whoever wants many gets all that is left at once.
    expect(await ask(5, 'many buckets')).toEqual([range(beyond, 5)]);
    expect(await ask(4)).toEqual([]);
  });

  it('is read whole by whoever wants many buckets', async () => {
    const { ask } = await sealed(6);
    expect(await ask(5, 'many buckets')).toEqual([`1 0+${WHOLE_PACK_BYTES_MAX}`]);
    for (let n = 0; n < 5; n++) expect(await ask(n)).toEqual([]);
  });

  it('that nobody has yet is read once for all who ask at the same time', async () => {
    const { index, ask, range } = await sealed(6);
    const beyond = index.findIndex(({ offset, length }) => offset + length > PACK_HEAD_BYTES);
    const asked = await Promise.all([ask(0), ask(1), ask(beyond), ask(beyond)]);
    expect(asked.flat()).toEqual([`1 0+${PACK_HEAD_BYTES}`, range(beyond)]);
    const { ask: more, range: of, index: its } = await sealed(6);
    await more(0);
    const first = its.findIndex(({ offset, length }) => offset + length > PACK_HEAD_BYTES);
    const both = await Promise.all([more(first, 'many buckets'), more(5, 'many buckets')]);
    expect(both.flat()).toEqual([of(first, 5)]);
  });
});

describe('a directory that is an object', () => {
  it('is read once', async () => {
    const { world, volume, pack, index, ask } = await sealed(2);
    for (const column of [1, 2])
      await world.tamper(volume, column, (bytes, name) => (name === DIRECTORY_PACK_NAME ? undefined : bytes));
    const { drive, zone, zoneGeneration } = volume.extents[1] as VolumeRow['extents'][number];
    for (const { bucket, offset, length } of index)
      await world.media[drive]?.append({ zone, generation: zoneGeneration }, bucketDirectoryName(bucket), [
        pack.slice(offset, offset + length),
      ]);
    const names = index.map(({ bucket }) => `1 ${bucketDirectoryName(bucket)}`);
    expect(await ask(0)).toEqual([`1 0+${PACK_HEAD_BYTES}`, names[0]]);
    expect(await ask(0)).toEqual([]);
    expect(await ask(1)).toEqual([names[1]]);
    expect(await ask(1)).toEqual([]);
  });
});
