// What the backup says that finding records needs: which record is which block, what was shredded or was in trash, and
// which extents the volumes had (for drives that are away now). Wrapped keys stay in the backup.
import { blockFromRow } from '../../panda/rows/block-row.ts';
import { holdingFromRow, holdsReferences, referencesLeft } from '../../panda/rows/removed/held-references.ts';
import { shredFromRow, trashFromRow } from '../../panda/rows/trash-row.ts';
import { extentText, volumeFromRow } from '../../panda/rows/volume-row.ts';
import type { BackupSource } from './backup-source.ts';
import type { Sorter } from './sorter.ts';

/** `later`: a later backup, whose shred log counts too. */
export async function indexBackup(sorter: Sorter, backup: BackupSource, later?: BackupSource): Promise<void> {
  for await (const row of backup.rows(['block/'])) {
    const { id, recordId, bucket, named } = blockFromRow(row);
    if (named !== undefined) sorter.run('INSERT OR REPLACE INTO names VALUES (?, ?)', named, id);
    sorter.run('INSERT OR REPLACE INTO named VALUES (?, ?, ?)', recordId, id, bucket);
  }
  for (const source of later === undefined ? [backup] : [backup, later])
    for await (const row of source.rows(['shred/']))
      for (const id of shredFromRow(row).recordIds) sorter.run('INSERT OR IGNORE INTO shredded VALUES (?)', id);
  sorter.run(
    "INSERT OR IGNORE INTO unplaced SELECT n.block, 'shredded' FROM shredded s CROSS JOIN named n ON n.record = s.record",
  );
  sorter.run('DELETE FROM named WHERE EXISTS (SELECT 1 FROM shredded s WHERE s.record = named.record)');
  // Blocks of what was deleted, and is not kept, are in trash.
  for await (const row of backup.rows(['removed/'])) {
    if (!holdsReferences(row)) continue;
    const removed = holdingFromRow(row);
    for (const { blockId } of referencesLeft(removed))
      sorter.run('INSERT OR REPLACE INTO trash VALUES (?, ?)', blockId, removed.atMs);
  }
  for await (const row of backup.rows(['trash/'])) {
    const { blockId, sinceMs } = trashFromRow(row);
    sorter.run('INSERT OR REPLACE INTO trash VALUES (?, ?)', blockId, sinceMs);
  }
  for await (const row of backup.rows(['volume/'])) {
    const { id, generation, extents } = volumeFromRow(row);
    const places = JSON.stringify(extents.map(extentText));
    sorter.run('INSERT OR REPLACE INTO oldVolumes VALUES (?, ?, ?)', id, generation, places);
  }
}
