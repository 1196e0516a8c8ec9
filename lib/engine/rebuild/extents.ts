// Where the columns of a found volume are, those included that no drive shows; and the zone rows that follow from all
// volumes.
import type { VolumeId } from '../../foundation/ids.ts';
import type { Row } from '../../panda/panda.ts';
import type { Extent } from '../../panda/rows/volume-row.ts';
import { zoneAttributes, zoneFromRow, zoneKey, zonePartition } from '../../panda/rows/zone-row.ts';
import type { BackupSource } from './backup-source.ts';
import type { Sorter } from './sorter.ts';

/**
 * Numbers of zones that nobody has: columns that never got a byte, or are on a drive that is away. Counted down, beyond
 * every real one.
 */
const UNKNOWN_ZONE = 9_999_999;

export interface Places {
  readonly drives: number;
  readonly away: ReadonlySet<number>;
  /** Unknown zones given out so far, by drive. */
  readonly unknown: Map<number, number>;
}

/** The fullest last: a repair leaves some of a column where it was. */
const SEEN = `
SELECT c.column, c.extent FROM groups g CROSS JOIN chunks c ON c.groupId = g.id WHERE g.volume = ? AND g.generation = ?
GROUP BY c.column, c.extent ORDER BY count(*)`;

/** The extents of a volume as text, by column, and noted as used. */
export function placesOf(sorter: Sorter, places: Places, id: VolumeId, generation: number, columns: number): string[] {
  const rows = sorter.all<{ column: number; extent: string }>(SEEN, id, generation);
  const seen = new Map(rows.map(({ column, extent }) => [column, extent]));
  const found = Array.from({ length: columns }, (_, column) => seen.get(column));
  const taken = new Set(found.flatMap((extent) => (extent === undefined ? [] : [driveOf(extent)])));
  const old = oldExtents(sorter, id, generation);
  const known = found.map((extent, i) => {
    const before = old?.[i];
    // Extents never change within a generation: what the backup says of a drive that is away still holds.
    if (extent !== undefined || before === undefined) return extent;
    if (!places.away.has(driveOf(before)) || taken.has(driveOf(before))) return undefined;
    taken.add(driveOf(before));
    return before;
  });
  const extents = known.map((extent) => extent ?? unknownPlace(places, taken));
  for (const extent of extents) {
    const { drive, zone, zoneGeneration } = extentOf(extent);
    sorter.run('INSERT OR REPLACE INTO usedZones VALUES (?, ?, ?, ?)', drive, zone, zoneGeneration, id);
  }
  return extents;
}

/** As `extentText` has it. */
export function extentOf(text: string): Extent {
  const [drive = 0, zone = 0, zoneGeneration = 0] = text.split(':').map(Number);
  return { drive, zone, zoneGeneration };
}

const driveOf = (extent: string): number => extentOf(extent).drive;

function oldExtents(sorter: Sorter, id: VolumeId, generation: number): string[] | undefined {
  const old = sorter.get<{ extents: string }>(
    'SELECT extents FROM oldVolumes WHERE volume = ? AND generation = ?',
    id,
    generation,
  );
  return old === undefined ? undefined : (JSON.parse(old.extents) as string[]);
}

/** On a drive the volume has no other column on: one that is away before one that is there. */
function unknownPlace({ drives, away, unknown }: Places, taken: Set<number>): string {
  const free = Array.from({ length: drives }, (_, drive) => drive).filter((drive) => !taken.has(drive));
  const drive = free.find((candidate) => away.has(candidate)) ?? free[0] ?? 0;
  taken.add(drive);
  const given = unknown.get(drive) ?? 0;
  unknown.set(drive, given + 1);
  return `${drive}:${UNKNOWN_ZONE - given}:1`;
}

type ZoneFound = { drive: number; zone: number; generation: number };

const UNUSED_ZONES = `
SELECT z.drive, z.zone, max(z.generation) AS generation FROM zones z
WHERE NOT EXISTS (SELECT 1 FROM usedZones u WHERE u.drive = z.drive AND u.zone = z.zone) GROUP BY z.drive, z.zone`;
const USED_ZONES = 'SELECT drive, zone, generation, volume FROM usedZones';

/**
 * Every zone seen: used by its volume, or free under a new generation, as what is in it is garbage. To be called after
 * all volumes.
 */
export async function* zoneRows(
  sorter: Sorter,
  places: Places,
  zonesPerDrive: number,
  backup: BackupSource,
): AsyncGenerator<Row> {
  for (const drive of places.away) yield* awayZones(sorter, drive, zonesPerDrive, backup);
  for (const { drive, zone, generation } of sorter.each<ZoneFound>(UNUSED_ZONES))
    if (!places.away.has(drive)) yield zoneRow(drive, zone, generation + 1, 'free');
  for (const { drive, zone, generation, volume } of sorter.each<ZoneFound & { volume: VolumeId }>(USED_ZONES))
    yield zoneRow(drive, zone, generation, 'used', volume);
}

/**
 * What lies on a drive that is away is not known, so none of its zones is free: each that no volume has is used by
 * nobody. Where the drive turns out to hold more than the backup knew, its generations say so.
 */
async function* awayZones(
  sorter: Sorter,
  drive: number,
  zonesPerDrive: number,
  backup: BackupSource,
): AsyncGenerator<Row> {
  const partition = zonePartition(drive);
  for await (const row of backup.rows([partition])) {
    if (row.partition !== partition) continue;
    const { zone, generation, state } = zoneFromRow(row);
    const written = state === 'used' ? generation : generation - 1;
    sorter.run('INSERT OR IGNORE INTO zones VALUES (?, ?, ?, 0, 0)', drive, zone, written);
  }
  for (let zone = 0; zone < zonesPerDrive; zone++) {
    if (sorter.get('SELECT 1 AS there FROM usedZones WHERE drive = ? AND zone = ?', drive, zone) !== undefined)
      continue;
    const known = sorter.get<{ n: number | null }>(
      'SELECT max(generation) AS n FROM zones WHERE drive = ? AND zone = ?',
      drive,
      zone,
    );
    yield zoneRow(drive, zone, known?.n ?? 0, 'used');
  }
}

const zoneRow = (drive: number, zone: number, generation: number, state: 'used' | 'free', volume?: VolumeId): Row => ({
  ...zoneKey(drive, zone),
  attributes: zoneAttributes({ generation, state, volume }),
});
