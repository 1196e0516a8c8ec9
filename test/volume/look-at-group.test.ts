// The chunks of one group, held against each other and against what its row says: which of them are asked for, which are of another group, and what a
// drive that does not answer says of none.
import { describe, expect, it } from 'vitest';
import { CHUNK_HEADER_BYTES, type ChunkHeader, encodeChunkHeader, parseChunkHeader } from '../../lib/format/chunk.ts';
import { appendId } from '../../lib/foundation/ids.ts';
import type { VolumeRow } from '../../lib/panda/rows/volume-row.ts';
import { type ColumnListing, listColumns } from '../../lib/volume/check/listing.ts';
import { lookAtGroup } from '../../lib/volume/check/look-at-group.ts';
import type { NamedGroup } from '../../lib/volume/check/must-exist.ts';
import type { LookOptions } from '../../lib/volume/check/part-look.ts';
import { chunkNameOf, readObject } from '../../lib/volume/read/read-column.ts';
import { flipped } from './planted.ts';
import { ReadingWorld, type Stored } from './reading-world.ts';

/** Of rs-6-3, with records in the first column alone: it and the three of parity are stored. */
const STORED = [0, 6, 7, 8];
const EMPTY = 5;

interface One {
  readonly world: ReadingWorld;
  readonly volume: VolumeRow;
  /** As its row says it. */
  readonly group: NamedGroup;
  /** As its bucket says it, where there is no row. */
  readonly bare: NamedGroup;
}

async function oneGroup(lengths = [700]): Promise<One> {
  const world = new ReadingWorld({ warm: 'rs-6-3' });
  const [stored] = (await world.append(lengths)) as [Stored];
  const volume = await world.volumeOf(stored);
  const { seq, token } = stored.hint;
  const bytes = await readObject(world.store, volume, 0, chunkNameOf({ volume, sequence: seq, token }));
  const { columnBytes } = parseChunkHeader(bytes);
  const filled = lengths.length === 1 ? STORED : [0, 1, ...STORED.slice(1)];
  expect(columnBytes.flatMap((length, column) => (length > 0 ? [column] : []))).toEqual(filled);
  const bare = { seq, token };
  return { world, volume, bare, group: { ...bare, columnBytes, lists: { records: lengths.length, buckets: 1 } } };
}

/** The chunks of these columns with another header, sound in itself. */
async function withHeaders({ world, volume }: One, columns: readonly number[], change: Partial<ChunkHeader>) {
  for (const column of columns)
    await world.tamper(volume, column, (bytes) => {
      const header = encodeChunkHeader({ ...parseChunkHeader(bytes), ...change });
      return new Uint8Array([...header, ...bytes.subarray(CHUNK_HEADER_BYTES)]);
    });
}

async function look(one: One, options: LookOptions, group = one.group, listings?: readonly ColumnListing[]) {
  const { world, volume } = one;
  const listed = listings ?? (await listColumns(world.store, volume));
  world.reads = [];
  const { stored, faults, unread } = await lookAtGroup(world.store, volume, group, listed, options);
  const kinds = [...faults].sort(([a], [b]) => a - b).map(([column, { kind }]) => [column, kind]);
  return { stored, faults: Object.fromEntries(kinds), unread };
}

const foreign = (columns: readonly number[]) => Object.fromEntries(columns.map((column) => [column, 'foreign']));

/** Another length of a column that is not stored: it is in the header of every other. */
const otherBytes = ({ group }: One) => group.columnBytes?.map((bytes, column) => (column === EMPTY ? 8 : bytes)) ?? [];

describe('chunks of a group that disagree', () => {
  it.each([[[0, 6]], [[7, 8]], [[0, 8]], [[6, 7]]])(
    'two to two: the row tells, whichever come first (%j)',
    async (half) => {
      const one = await oneGroup();
      await withHeaders(one, half, { columnBytes: otherBytes(one) });
      expect(await look(one, { read: true })).toEqual({ stored: STORED, faults: foreign(half), unread: [] });
      const others = STORED.filter((column) => !half.includes(column));
      const { faults } = await look(one, { read: true }, { ...one.group, columnBytes: otherBytes(one) });
      expect(faults).toEqual({ ...foreign(others), [EMPTY]: 'missing' });
      // Where no row tells, that of the first column, whichever answers first.
      one.world.beforeRead = async (label) => {
        if (label === one.world.driveOf(one.volume, 0).label) for (let i = 0; i < 100; i++) await undefined;
      };
      expect((await look(one, { read: true }, one.bare)).faults).toMatchObject(
        foreign(half.includes(0) ? others : half),
      );
    },
  );

  it('three to one: most tell, whatever the row says', async () => {
    const one = await oneGroup();
    await withHeaders(one, [6, 7, 8], { columnBytes: otherBytes(one) });
    expect((await look(one, { read: true })).faults).toEqual({ 0: 'foreign', [EMPTY]: 'missing' });
  });

  it.each<[string, (one: One) => Partial<ChunkHeader>]>([
    ['append', () => ({ appendId: appendId('5'.repeat(32)) })],
    ['kind', () => ({ kind: 'move' })],
    ['lengths', (one) => ({ columnBytes: otherBytes(one) })],
    ['checksums', () => ({ columnCrcs: [] })],
  ])('by their %s', async (name, changeOf) => {
    const one = await oneGroup();
    const change = changeOf(one);
    if (name !== 'checksums') await withHeaders(one, [7], change);
    else
      await one.world.tamper(one.volume, 7, (bytes) => {
        const header = parseChunkHeader(bytes);
        const columnCrcs = header.columnCrcs.map((crc, column) => (column === 8 ? crc ^ 1 : crc) >>> 0);
        return new Uint8Array([...encodeChunkHeader({ ...header, columnCrcs }), ...bytes.subarray(CHUNK_HEADER_BYTES)]);
      });
    expect(await look(one, { read: true })).toEqual({ stored: STORED, faults: { 7: 'foreign' }, unread: [] });
    expect((await look(one, {})).faults).toEqual({});
  });

  it('in no way: nothing is wrong, by its row or without one', async () => {
    const one = await oneGroup();
    for (const group of [one.group, one.bare])
      for (const options of [{ read: true }, {}, { readColumns: new Set([0, EMPTY, 8]) }])
        expect(await look(one, options, group)).toEqual({ stored: STORED, faults: {}, unread: [] });
  });
});

describe('columns that are read of those that are listed', () => {
  it('are those asked for that hold an object', async () => {
    const one = await oneGroup();
    const { world, volume } = one;
    const spoil = (bytes: Uint8Array) => flipped(bytes, bytes.length - 1, 1);
    for (const column of [0, 7]) await world.tamper(volume, column, spoil);
    // What tells the lengths is read first.
    await look(one, {});
    const { length } = world.reads;
    const columnsOf = async (columns: readonly number[]) => {
      const { faults } = await look(one, { readColumns: new Set(columns) });
      world.reads = world.reads.slice(length);
      return { faults, read: world.columnsRead(volume) };
    };
    expect(await columnsOf([EMPTY])).toEqual({ faults: {}, read: [] });
    expect(await columnsOf([6, EMPTY])).toEqual({ faults: {}, read: [6] });
    expect(await columnsOf([7])).toEqual({ faults: { 7: 'wrong' }, read: [7] });
    expect(await columnsOf([0, 7])).toEqual({ faults: { 0: 'wrong', 7: 'wrong' }, read: [0, 7] });
    // Whoever reads all of them asks for no column twice.
    expect((await look(one, { read: true, readColumns: new Set([7]) })).faults).toEqual({ 0: 'wrong', 7: 'wrong' });
    expect(world.reads).toHaveLength(STORED.length);
  });

  it('are foreign if they are of another group, however long', async () => {
    const one = await oneGroup();
    await withHeaders(one, [7], { sequence: one.group.seq + 1 });
    await one.world.tamper(one.volume, 7, (bytes) => new Uint8Array([...bytes, 0]));
    expect((await look(one, { readColumns: new Set([7]) })).faults).toEqual({ 7: 'foreign' });
    expect((await look(one, {})).faults).toEqual({ 7: 'wrong' });
  });

  it('are unread while their drive does not answer, and no damage', async () => {
    const one = await oneGroup();
    const { world, volume } = one;
    const listings = await listColumns(world.store, volume);
    for (const column of [EMPTY, 8]) world.driveOf(volume, column).state = 'lost';
    const unread = { stored: STORED, faults: {}, unread: [8] };
    expect(await look(one, { read: true }, one.group, listings)).toEqual(unread);
    expect(await look(one, { readColumns: new Set([EMPTY, 8]) }, one.group, listings)).toEqual(unread);
    expect(await look(one, {}, one.group, listings)).toEqual({ ...unread, unread: [] });
    // Nor can it be listed then: what must not be there is not waited for.
    for (const options of [{ read: true }, {}]) expect(await look(one, options)).toEqual(unread);
  });
});

describe('what listings tell', () => {
  it('is what is gone, cut, longer, or there where nothing must be', async () => {
    const one = await oneGroup();
    const { world, volume, group } = one;
    const listings = (await listColumns(world.store, volume)).map(({ objects }) => new Map(objects));
    const name = chunkNameOf({ volume, sequence: group.seq, token: group.token });
    const [, , , , , , six = 0] = listings.map((objects) => objects.get(name));
    listings[0]?.delete(name);
    listings[6]?.set(name, six - 1);
    listings[7]?.set(name, six + 1);
    listings[EMPTY]?.set(name, six);
    const asListed = listings.map((objects) => ({ objects }));
    const faults = { 0: 'missing', [EMPTY]: 'foreign', 6: 'short', 7: 'wrong' };
    expect(await look(one, {}, group, asListed)).toEqual({ stored: [0, EMPTY, 6, 7, 8], faults, unread: [] });
    expect(await look(one, {}, one.bare, asListed)).toMatchObject({ faults });
  });

  it('needs no directory where the row tells every length', async () => {
    const one = await oneGroup();
    await look(one, {});
    expect(one.world.reads.length).toBeGreaterThan(0);
    const empty = one.group.columnBytes?.map((bytes, column) => (column < 6 ? 0 : bytes)) ?? [];
    await look(one, {}, { ...one.group, columnBytes: empty });
    expect(one.world.reads).toEqual([]);
  });

  it('beside a directory that no column has any more: each that was asked is damaged, and the row tells the empty ones', async () => {
    const one = await oneGroup();
    for (const column of STORED) await one.world.tamper(one.volume, column, (bytes) => flipped(bytes, 10, 1));
    one.world.restart();
    const found = { stored: STORED, faults: { 0: 'wrong', 6: 'wrong', 7: 'wrong', 8: 'wrong' }, unread: [] };
    for (const options of [{}, { read: true }]) expect(await look(one, options)).toMatchObject(found);
  });

  it('beside a directory of which a part is away: lengths go by the row, and where it tells none by nothing', async () => {
    const one = await oneGroup([700, 300]);
    const { world, volume, bare, group } = one;
    await world.tamper(volume, 1, (bytes) => flipped(bytes, 10, 1));
    const listings = (await listColumns(world.store, volume)).map(({ objects }) => ({ objects: new Map(objects) }));
    for (const column of [6, 7, 8]) world.driveOf(volume, column).state = 'lost';
    const found = { stored: [0, 1, 6, 7, 8], faults: { 1: 'wrong' }, unread: [] };
    expect(await look(one, {}, bare, listings)).toEqual(found);
    expect(await look(one, {}, group, listings)).toEqual(found);
    // What the row says is not empty is not, whatever a header says.
    const columnBytes = otherBytes(one);
    const stored = [0, 1, EMPTY, 6, 7, 8];
    const faults = { 1: 'wrong', [EMPTY]: 'missing' };
    expect(await look(one, {}, { ...bare, columnBytes }, listings)).toEqual({ stored, faults, unread: [] });
    const name = chunkNameOf({ volume, sequence: group.seq, token: group.token });
    listings[7]?.objects.set(name, 300);
    expect((await look(one, {}, bare, listings)).faults).toEqual({ 1: 'wrong' });
    expect((await look(one, {}, group, listings)).faults).toEqual({ 1: 'wrong', 7: 'short' });
  });
});
