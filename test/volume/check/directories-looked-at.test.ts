// The directories of a sealed volume, looked at: which copies are read and how far, what is found of each, and whether all groups are known then.
import { describe, expect, it } from 'vitest';
import { driveBusy } from '../../../lib/drive/errors.ts';
import { PACK_HEADER_BYTES, parsePackHeader, parsePackIndex } from '../../../lib/format/directory-pack.ts';
import { bucketDirectoryName, DIRECTORY_PACK_NAME } from '../../../lib/format/object-names.ts';
import type { VolumeRow } from '../../../lib/panda/rows/volume-row.ts';
import { listColumns } from '../../../lib/volume/check/listing.ts';
import { directoriesOf } from '../../../lib/volume/check/look-at-directories.ts';
import type { LookOptions, PartLook } from '../../../lib/volume/check/part-look.ts';
import { flipped } from '../planted.ts';
import { ReadingWorld, type Stored } from '../reading-world.ts';

/** Copies are on these columns of xor-2-1. */
const [FIRST, SECOND] = [1, 2];

async function sealed() {
  const world = new ReadingWorld({ hot: 'replica-4', warm: 'xor-2-1' });
  const buckets = [await world.virtualBucket([300, 40]), await world.virtualBucket([400])];
  for (const bucket of buckets) await world.move([bucket]);
  await world.store.open.sealAll('warm');
  const [[stored]] = buckets as [[Stored]];
  const volume = await world.volumeOf(stored);
  let pack = new Uint8Array(0);
  await world.tamper(volume, FIRST, (bytes, name) => {
    if (name === DIRECTORY_PACK_NAME) pack = bytes.slice();
    return bytes;
  });
  const reads: string[] = [];
  for (const column of [FIRST, SECOND]) {
    const drive = world.driveOf(volume, column);
    const { read } = drive;
    drive.read = (at, name, range, signal) => {
      reads.push(`${column} ${range?.length ?? name}`);
      return read.call(drive, at, name, range, signal);
    };
  }
  const replace = (column: number, change: (bytes: Uint8Array) => Uint8Array | undefined) =>
    world.tamper(volume, column, (bytes, name) => (name === DIRECTORY_PACK_NAME ? change(bytes) : bytes));
  const look = async (options: LookOptions = {}, of: VolumeRow = volume) => {
    const listings = await listColumns(world.store, volume);
    reads.splice(0);
    const { parts, pending, named, areComplete } = await directoriesOf(world.store, of, listings, options);
    const shown = ({ part, stored: on, faults, unread }: PartLook) => {
      const kinds = [...faults].map(([column, { kind, reason }]) => `${column} ${kind} ${reason}`);
      return { part, stored: on, faults: kinds, unread };
    };
    const groups = [...named].sort(([a], [b]) => a - b);
    return { parts: parts.map(shown), pending: pending && shown(pending), groups, areComplete, reads: [...reads] };
  };
  /** As before there were packs: each bucket an object. */
  const split = async (): Promise<string[]> => {
    const index = parsePackIndex(parsePackHeader(pack), pack);
    for (const column of [FIRST, SECOND]) {
      await replace(column, () => undefined);
      const extent = volume.extents[column] as VolumeRow['extents'][number];
      const at = { zone: extent.zone, generation: extent.zoneGeneration };
      for (const { bucket, offset, length } of index)
        await world.media[extent.drive]?.append(at, bucketDirectoryName(bucket), [pack.slice(offset, offset + length)]);
    }
    return [...volume.buckets].map(bucketDirectoryName);
  };
  return { world, volume, pack, replace, look, split };
}

const GROUPS = [
  [1, 1],
  [2, 2],
];
const part = (faults: readonly string[], unread: readonly number[] = [], name = 'pack') => ({
  part: name,
  stored: [FIRST, SECOND],
  faults,
  unread,
});
const whole = (pack: Uint8Array, column: number): string => `${column} ${pack.length}`;
const head = (column: number): string => `${column} ${PACK_HEADER_BYTES}`;
const NONE = { parts: [], pending: undefined, groups: [], areComplete: true, reads: [] };

describe('a volume without directories', () => {
  it('is an open one, one of a class that has none, and one that holds no bucket and has no pack', async () => {
    const { volume, look, replace } = await sealed();
    expect(await look({}, { ...volume, state: 'open' })).toEqual(NONE);
    expect(await look({}, { ...volume, class: 'hot' })).toEqual(NONE);
    const empty = { ...volume, buckets: new Set<never>() };
    expect(await look({}, empty)).toMatchObject({ parts: [part([])], areComplete: true });
    for (const column of [FIRST, SECOND]) await replace(column, () => undefined);
    expect(await look({}, empty)).toEqual(NONE);
  });
});

describe('copies of a pack', () => {
  const sound = { parts: [part([])], pending: undefined, groups: GROUPS, areComplete: true };

  it('are read whole until one was, or all, or those that are asked for', async () => {
    const { pack, look } = await sealed();
    expect(await look()).toEqual({ ...sound, reads: [whole(pack, FIRST), head(SECOND)] });
    expect(await look({ read: true })).toEqual({ ...sound, reads: [whole(pack, FIRST), whole(pack, SECOND)] });
    const some = { readColumns: new Set([SECOND]) };
    expect(await look(some)).toEqual({ ...sound, reads: [whole(pack, FIRST), whole(pack, SECOND)] });
    expect((await look({ readColumns: new Set([FIRST]) })).reads).toEqual([whole(pack, FIRST), head(SECOND)]);
  });

  it.each<[string, (bytes: Uint8Array) => Uint8Array | undefined, string | undefined, boolean]>([
    ['gone', () => undefined, '1 missing CHUNK_MISSING', false],
    ['wrong', (bytes) => flipped(bytes, bytes.length - 5, 1), '1 wrong DIRECTORY_MALFORMED', true],
    ['cut', (bytes) => bytes.slice(0, -1), '1 short CHUNK_TRUNCATED', true],
    ['longer', (bytes) => new Uint8Array([...bytes, 0]), '1 wrong DIRECTORY_MALFORMED', true],
    ['too short for a header', (bytes) => bytes.slice(0, PACK_HEADER_BYTES - 1), '1 short CHUNK_TRUNCATED', false],
  ])('that are %s leave it to the next', async (_, change, fault, isRead) => {
    const { pack, look, replace } = await sealed();
    await replace(FIRST, change);
    const length = change(pack)?.length;
    const reads = [...(isRead ? [`${FIRST} ${length}`] : []), whole(pack, SECOND)];
    expect(await look()).toEqual({ ...sound, parts: [part([fault as string])], reads });
  });

  it('behind a sound one are told by their header to be cut or longer', async () => {
    const { look, replace } = await sealed();
    await replace(SECOND, (bytes) => bytes.slice(0, -1));
    expect((await look()).parts).toEqual([part(['2 short CHUNK_TRUNCATED'])]);
    await replace(SECOND, (bytes) => new Uint8Array([...bytes, 0, 0]));
    expect((await look()).parts).toEqual([part(['2 wrong DIRECTORY_MALFORMED'])]);
  });

  it('on a drive that is away, or that does not give them now, say nothing', async () => {
    const { world, volume, pack, look } = await sealed();
    const drive = world.driveOf(volume, FIRST);
    drive.read = () => Promise.reject(driveBusy('d', 'not now'));
    expect(await look()).toEqual({ ...sound, parts: [part([], [FIRST])], reads: [whole(pack, SECOND)] });
    drive.state = 'lost';
    expect(await look()).toEqual({ ...sound, parts: [part([], [FIRST])], reads: [whole(pack, SECOND)] });
  });

  it('that are all gone, or away, leave it open which groups there are', async () => {
    const { world, volume, look, replace } = await sealed();
    for (const column of [FIRST, SECOND]) await replace(column, () => undefined);
    const faults = ['1 missing CHUNK_MISSING', '2 missing CHUNK_MISSING'];
    expect(await look()).toEqual({ ...NONE, parts: [part(faults)], areComplete: false });
    for (const column of [0, FIRST, SECOND]) world.driveOf(volume, column).state = 'lost';
    expect(await look()).toEqual({ ...NONE, parts: [part([], [FIRST, SECOND])], areComplete: false });
  });

  it('of a seal that is pending are read whole, and nothing depends on them', async () => {
    const { volume, pack, look, replace } = await sealed();
    const pending = { ...volume, directoriesPending: true };
    const reads = [whole(pack, FIRST), whole(pack, SECOND)];
    expect(await look({}, pending)).toEqual({ ...NONE, pending: part([]), reads });
    await replace(SECOND, () => undefined);
    await replace(FIRST, (bytes) => flipped(bytes, bytes.length - 5, 1));
    const faults = ['1 wrong DIRECTORY_MALFORMED', '2 missing CHUNK_MISSING'];
    expect(await look({}, pending)).toEqual({ ...NONE, pending: part(faults), reads: reads.slice(0, 1) });
  });
});

describe('objects of store format 1', () => {
  it('are a part for each bucket, of which one copy is read, or each', async () => {
    const { look, split } = await sealed();
    const names = await split();
    const parts = names.map((name) => part([], [], name));
    const once = names.map((name) => `${FIRST} ${name}`);
    const found = { ...NONE, parts, groups: GROUPS };
    expect(await look()).toEqual({ ...found, reads: once });
    const each = names.flatMap((name) => [`${FIRST} ${name}`, `${SECOND} ${name}`]);
    expect(await look({ read: true })).toEqual({ ...found, reads: each });
    const stopped = new AbortController();
    stopped.abort(new Error('enough'));
    await expect(look({ signal: stopped.signal })).rejects.toThrow('enough');
  });

  it('are complete if a copy of each could be read', async () => {
    const { world, volume, look, split } = await sealed();
    const names = await split();
    const spoil = (column: number, bad: string | undefined) =>
      world.tamper(volume, column, (bytes, name) => (name === bad ? flipped(bytes, bytes.length - 5, 1) : bytes));
    await spoil(FIRST, names[0]);
    const wrong = part([`${FIRST} wrong DIRECTORY_MALFORMED`], [], names[0]);
    const sound = part([], [], names[1]);
    expect(await look()).toMatchObject({ parts: [wrong, sound], groups: GROUPS, areComplete: true });
    await spoil(SECOND, names[0]);
    const lost = await look();
    const both = part([`${FIRST} wrong DIRECTORY_MALFORMED`, `${SECOND} wrong DIRECTORY_MALFORMED`], [], names[0]);
    expect(lost).toMatchObject({ parts: [both, sound], areComplete: false });
    expect(lost.groups).toHaveLength(1);
    // Whichever of them it is.
    await spoil(FIRST, names[0]);
    await spoil(SECOND, names[0]);
    for (const column of [FIRST, SECOND]) await spoil(column, names[1]);
    expect(await look()).toMatchObject({ areComplete: false });
  });

  it('beside a pack are none of its volume: the pack is read', async () => {
    const { world, volume, pack, look, split } = await sealed();
    await split();
    const extent = volume.extents[SECOND] as VolumeRow['extents'][number];
    const at = { zone: extent.zone, generation: extent.zoneGeneration };
    await world.media[extent.drive]?.append(at, DIRECTORY_PACK_NAME, [pack]);
    expect(await look()).toMatchObject({ parts: [part(['1 missing CHUNK_MISSING'])], groups: GROUPS });
  });
});
