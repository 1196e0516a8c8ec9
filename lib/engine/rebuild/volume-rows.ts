// Volumes with at least one bucket, sealed, with the rows of their append groups and what is dead of their buckets, one
// volume at a time; and which zones they take.
import type { CodecName } from '../../codec/codec.ts';
import { codecShape } from '../../codec/shape.ts';
import type { Drive } from '../../drive/drive.ts';
import { encodeDirectoryPack } from '../../format/directory-pack.ts';
import type { BlockId, BucketId, RecordId, StoreId, VolumeId } from '../../foundation/ids.ts';
import { GROUP_SLOTS_MAX } from '../../limits/panda.ts';
import type { Row } from '../../panda/panda.ts';
import { groupAttributes, groupKey } from '../../panda/rows/group-row.ts';
import { rebuiltVolumeAttributes, volumeKey } from '../../panda/rows/volume-row.ts';
import type { Settings } from '../../settings/settings.ts';
import { directoryColumns } from '../../volume/rows/directory-room.ts';
import { putClass } from '../../volume/write/append.ts';
import { deadRow } from './bucket-rows.ts';
import { leadsToPlaced } from './check-directories.ts';
import { extentOf, type Places, placesOf } from './extents.ts';
import type { Sorter } from './sorter.ts';

type FoundGroup = {
  id: number;
  sequence: number;
  token: number;
  kind: string;
  codec: CodecName;
  columnBytes: string;
  bucket: BucketId;
};
const REBUILD_RUN = 'rebuild';

/** With a directory of what lives in it. */
type Held = { bucket: BucketId; move: number; sequence: number; directory: Uint8Array; slots: number };

export interface VolumesInput {
  readonly storeId: StoreId;
  readonly settings: Settings;
  readonly drives: readonly Drive[];
  readonly nowMs: number;
}

export async function* volumeRows(sorter: Sorter, input: VolumesInput, places: Places): AsyncGenerator<Row> {
  const volumes = 'SELECT volume AS id, max(generation) AS generation FROM used GROUP BY volume';
  for (const { id, generation } of sorter.each<{ id: VolumeId; generation: number }>(volumes)) {
    const held = sorter.all<Held>(
      'SELECT u.bucket, u.move, h.sequence, u.directory, u.slots FROM used u JOIN homes h ON h.bucket = u.bucket WHERE u.volume = ?',
      id,
    );
    const groups = sorter.all<FoundGroup>(
      'SELECT id, sequence, token, kind, codec, columnBytes, bucket FROM groups WHERE volume = ? AND generation = ? ORDER BY sequence, token',
      id,
      generation,
    );
    const slotsListed = new Map<BucketId, number>();
    const found = { id, generation, held, groups, slotsListed };
    const { row, needsGroups } = await volumeRow(sorter, input, places, found);
    yield row;
    for (const { bucket, directory, slots } of held)
      yield* deadRow(input.settings.cell, { bucket, directory, slots: Math.max(slots, slotsListed.get(bucket) ?? 0) });
    if (needsGroups) yield* groupRows(sorter, id, generation, held, groups);
  }
}

interface FoundVolume {
  readonly id: VolumeId;
  readonly generation: number;
  readonly held: readonly Held[];
  readonly groups: readonly FoundGroup[];
  /** Noted as its directories are read. */
  readonly slotsListed: Map<BucketId, number>;
}

async function volumeRow(
  sorter: Sorter,
  { storeId, settings, drives, nowMs }: VolumesInput,
  places: Places,
  { id, generation, held, groups, slotsListed }: FoundVolume,
): Promise<{ readonly row: Row; readonly needsGroups: boolean }> {
  const codec = (groups[0] as FoundGroup).codec;
  const cls = putClass(settings) === 'hot' && codec === settings.hotCodec ? 'hot' : 'warm';
  const { dataColumns, parityColumns } = codecShape(codec);
  const extents = placesOf(sorter, places, id, generation, dataColumns + parityColumns);
  const columns = cls === 'warm' ? directoryColumns({ codec }) : [];
  // On every column that has directories: fewer copies are a seal that is not at its end.
  const owner = { storeId, volumeId: id, generation };
  const placed = new Map(held.map(({ bucket, directory }) => [bucket, directory]));
  let isPending = false;
  for (const column of columns) {
    const extent = extentOf(extents[column] as string);
    if (!(await leadsToPlaced(drives, extent, owner, { placed, slotsListed }))) isPending = true;
  }
  const packBytes = isPending ? bytesOfAll(encodeDirectoryPack(owner, placed)) : 0;
  // Writers who went by a full extent for a while leave more in its zone than it may have: that is garbage. A pack that
  // is still to be written, or to be written anew, has room; so has a longer one that is there: a seal may take it.
  const usedBytes = extents.map((extent, column) => {
    const stored = storedIn(sorter, extent);
    const isPackToCome = isPending && columns.includes(column);
    return isPackToCome
      ? Math.min(stored.bytes - stored.packBytes, settings.extentBytes - Math.max(packBytes, stored.packBytes))
      : Math.min(stored.bytes, settings.extentBytes);
  });
  const lastToken = groups.reduce((highest, { token }) => Math.max(highest, token), 0);
  const row = {
    ...volumeKey(settings.cell, id),
    attributes: rebuiltVolumeAttributes({
      class: cls,
      codec,
      generation,
      extents,
      // All that a top-off writes has the token of its volume afterwards.
      token: generation > 1 ? lastToken : lastToken + 1,
      nextSeq: groups.reduce((highest, { sequence }) => Math.max(highest, sequence), 0) + 1,
      extentUsedBytes: usedBytes,
      buckets: new Set(held.map(({ bucket }) => bucket)),
      createdAtMs: nowMs,
      directoriesPending: isPending,
    }),
  };
  return { row, needsGroups: columns.length === 0 || isPending };
}

const bytesOfAll = (parts: readonly Uint8Array[]): number => parts.reduce((sum, { length }) => sum + length, 0);

function storedIn(sorter: Sorter, extent: string): { readonly bytes: number; readonly packBytes: number } {
  const { drive, zone, zoneGeneration } = extentOf(extent);
  const found = sorter.get<{ bytes: number; packBytes: number }>(
    'SELECT bytes, packBytes FROM zones WHERE drive = ? AND zone = ? AND generation = ?',
    ...[drive, zone, zoneGeneration],
  );
  return found ?? { bytes: 0, packBytes: 0 };
}

/**
 * Groups that buckets lie in: until there are directories nothing else says which objects must exist, and buckets that
 * were never moved are found through these rows.
 */
function* groupRows(
  sorter: Sorter,
  id: VolumeId,
  generation: number,
  held: readonly Held[],
  groups: readonly FoundGroup[],
): Generator<Row> {
  const own = new Set(held.filter(({ move }) => move === 0).map(({ bucket }) => bucket));
  const movedTo = new Set(held.filter(({ move }) => move > 0).map(({ sequence }) => sequence));
  for (const group of groups) {
    const key = groupKey(id, generation, group.sequence);
    if (group.kind !== 'append') {
      if (movedTo.has(group.sequence)) yield { ...key, attributes: moveAttributes(group) };
    } else if (own.has(group.bucket)) {
      const slots = slotsOf(sorter, group);
      if (slots.length === 0 || slots.length > GROUP_SLOTS_MAX) continue;
      yield { ...key, attributes: appendAttributes(group, slots) };
    }
  }
}

/** Whoever moved them: that run is over. */
const moveAttributes = ({ sequence: seq, token, columnBytes }: FoundGroup): Row['attributes'] =>
  groupAttributes({ kind: 'move', seq, token, columnBytes: JSON.parse(columnBytes), run: REBUILD_RUN });

type GroupSlotFound = { slot: number; record: RecordId; length: number; block: BlockId | null };

const slotsOf = (sorter: Sorter, { id, bucket }: FoundGroup): GroupSlotFound[] =>
  sorter.all<GroupSlotFound>(
    `SELECT r.slot, r.record, r.length, p.block FROM records r LEFT JOIN named n ON n.record = r.record LEFT JOIN placed p ON p.block = n.block
     WHERE r.bucket = ? AND r.move = 0 AND r.groupId = ? ORDER BY r.slot`,
    bucket,
    id,
  );

const UNNAMED = '0'.repeat(64) as BlockId;

const appendAttributes = (group: FoundGroup, slots: readonly GroupSlotFound[]): Row['attributes'] =>
  groupAttributes({
    kind: 'append',
    seq: group.sequence,
    token: group.token,
    columnBytes: JSON.parse(group.columnBytes),
    bucket: group.bucket,
    firstSlot: slots[0]?.slot ?? 0,
    slots: slots.map(({ record, length, block }) => ({
      blockId: block ?? UNNAMED,
      recordId: record,
      recordBytes: length,
    })),
  });
