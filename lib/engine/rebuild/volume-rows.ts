// Volumes with at least one bucket, sealed, with the rows of their append groups, one volume at a time; and which zones
// they take.
import type { CodecName } from '../../codec/codec.ts';
import { codecShape } from '../../codec/shape.ts';
import { assert } from '../../foundation/assert.ts';
import type { BlockId, BucketId, RecordId, VolumeId } from '../../foundation/ids.ts';
import { GROUP_SLOTS_MAX } from '../../limits/panda.ts';
import type { Row } from '../../panda/panda.ts';
import { groupAttributes, groupKey } from '../../panda/rows/group-row.ts';
import { rebuiltVolumeAttributes, volumeKey } from '../../panda/rows/volume-row.ts';
import type { Settings } from '../../settings/settings.ts';
import { directoryColumns } from '../../volume/rows/directory-room.ts';
import { putClass } from '../../volume/write/append.ts';
import { type Places, placesOf } from './extents.ts';
import type { Sorter } from './sorter.ts';

type FoundGroup = {
  id: number;
  sequence: number;
  token: number;
  kind: string;
  codec: CodecName;
  columnBytes: string;
  extents: string;
  bucket: BucketId;
};
type Held = { bucket: BucketId; move: number };

export function* volumeRows(sorter: Sorter, settings: Settings, places: Places, nowMs: number): Generator<Row> {
  const volumes = 'SELECT volume AS id, max(generation) AS generation FROM used GROUP BY volume';
  for (const { id, generation } of sorter.each<{ id: VolumeId; generation: number }>(volumes)) {
    const held = sorter.all<Held>('SELECT bucket, move FROM used WHERE volume = ?', id);
    const groups = sorter.all<FoundGroup>(
      'SELECT id, sequence, token, kind, codec, columnBytes, extents, bucket FROM groups WHERE volume = ? AND generation = ? ORDER BY sequence, token',
      id,
      generation,
    );
    yield volumeRow(sorter, settings, places, { id, generation, held, groups, nowMs });
    yield* appendGroupRows(sorter, id, generation, held, groups);
  }
}

interface FoundVolume {
  readonly id: VolumeId;
  readonly generation: number;
  readonly held: readonly Held[];
  readonly groups: readonly FoundGroup[];
  readonly nowMs: number;
}

function volumeRow(sorter: Sorter, settings: Settings, places: Places, found: FoundVolume): Row {
  const { id, generation, held, groups, nowMs } = found;
  const codec = (groups[0] as FoundGroup).codec;
  const cls = putClass(settings) === 'hot' && codec === settings.hotCodec ? 'hot' : 'warm';
  const extents = placesOf(
    sorter,
    places,
    id,
    generation,
    groups.map(({ extents: text }) => JSON.parse(text)),
  );
  assert(extents.length === codecShape(codec).dataColumns + codecShape(codec).parityColumns, 'k + m extents');
  // On every column that has directories: fewer copies are a seal that is not at its end.
  const isListed = ({ bucket }: Held): boolean =>
    directoryColumns({ codec }).every(
      (column) =>
        sorter.get(
          'SELECT 1 AS there FROM directories WHERE volume = ? AND generation = ? AND bucket = ? AND extent = ?',
          ...[id, generation, bucket, extents[column] as string],
        ) !== undefined,
    );
  const isPending = cls === 'warm' && !held.every(isListed);
  return {
    ...volumeKey(settings.cell, id),
    attributes: rebuiltVolumeAttributes({
      class: cls,
      codec,
      generation,
      extents,
      token: groups.reduce((highest, { token }) => Math.max(highest, token), 0) + 1,
      nextSeq: groups.reduce((highest, { sequence }) => Math.max(highest, sequence), 0) + 1,
      // Writers who went by a full extent for a while leave more in its zone than it may have: that is garbage.
      extentUsedBytes: extents.map((extent) => Math.min(storedBytes(sorter, extent), settings.extentBytes)),
      buckets: new Set(held.map(({ bucket }) => bucket)),
      createdAtMs: nowMs,
      directoriesPending: isPending,
    }),
  };
}

const storedBytes = (sorter: Sorter, extent: string): number =>
  sorter.get<{ bytes: number }>(
    'SELECT bytes FROM zones WHERE drive = ? AND zone = ? AND generation = ?',
    ...extent.split(':').map(Number),
  )?.bytes ?? 0;

/** Buckets that were never moved are found through the rows of their groups until there is a directory. */
function* appendGroupRows(
  sorter: Sorter,
  id: VolumeId,
  generation: number,
  held: readonly Held[],
  groups: readonly FoundGroup[],
): Generator<Row> {
  const own = new Set(held.filter(({ move }) => move === 0).map(({ bucket }) => bucket));
  let kept: { sequence: number; row: Row } | undefined;
  for (const group of groups) {
    if (group.kind !== 'append' || !own.has(group.bucket)) continue;
    const slots = slotsOf(sorter, group);
    if (slots.length === 0 || slots.length > GROUP_SLOTS_MAX) continue;
    const { sequence } = group;
    // A stray proposal may have the same sequence number as the committed group: the one whose records are named is it.
    if (kept?.sequence === sequence && !slots.some(({ block }) => block !== null)) continue;
    if (kept !== undefined && kept.sequence !== sequence) yield kept.row;
    kept = { sequence, row: { ...groupKey(id, generation, sequence), attributes: appendAttributes(group, slots) } };
  }
  if (kept !== undefined) yield kept.row;
}

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
