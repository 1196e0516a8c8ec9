// What is known of drives, in a rebuilt Panda: states and domains as the backup has them, incarnations as the markers
// say. What nobody sees any more (when a drive answered last) begins anew.
import type { Row } from '../../panda/panda.ts';
import {
  type DriveRow,
  driveAttributes,
  driveFromRow,
  driveKey,
  drivePartition,
} from '../../panda/rows/drives/drive-row.ts';
import { readOrTell } from '../../panda/rows/row-reader.ts';
import type { BackupSource } from './backup-source.ts';

export type KnownDrives = ReadonlyMap<number, DriveRow>;

/** `incarnations`: by number, of the markers that were found. */
export async function knownDrives(
  backup: BackupSource,
  incarnations: ReadonlyMap<number, string>,
  nowMs: number,
): Promise<KnownDrives> {
  const known = new Map<number, DriveRow>();
  for await (const row of backup.rows([drivePartition])) {
    // A row that cannot be read is as good as none: a drive without one is active.
    const drive = row.partition === drivePartition ? readOrTell(row, driveFromRow, () => {}) : undefined;
    if (drive !== undefined) known.set(drive.drive, { ...drive, away: undefined });
  }
  for (const [drive, incarnation] of incarnations) {
    const row = known.get(drive) ?? { drive, state: 'active', change: 1, sinceMs: nowMs, domain: undefined };
    known.set(drive, { ...row, incarnation });
  }
  return known;
}

/** Nothing of the store is on them: nobody looks for them. */
export const retiredIn = (known: KnownDrives): ReadonlySet<number> =>
  new Set([...known.values()].filter(({ state }) => state === 'retired').map(({ drive }) => drive));

export function* driveRows(known: KnownDrives): Generator<Row> {
  for (const { drive, ...row } of known.values()) yield { ...driveKey(drive), attributes: driveAttributes(row) };
}
