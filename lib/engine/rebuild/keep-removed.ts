// What was deleted before the backup and whose grace may not be over: it keeps its blocks, and can be had back, as in
// the store that is rebuilt.
import type { Row } from '../../panda/panda.ts';
import { holdingAttributes, holdingFromRow, holdsReferences } from '../../panda/rows/removed/held-references.ts';
import { type RemovedObject, removedAttributes } from '../../panda/rows/removed/removed-row.ts';
import type { BackupSource } from './backup-source.ts';
import { isVoid, lossesOf, refer } from './keep-names.ts';
import type { Sorter } from './sorter.ts';

/**
 * Yields the rows of removed objects, and counts the references that they hold. Once GC had begun with one the grace is
 * over: it holds none any more, and its blocks go to trash if nobody else refers to them.
 */
export async function* keepRemoved(sorter: Sorter, backup: BackupSource): AsyncGenerator<Row> {
  for await (const row of backup.rows(['removed/'])) {
    if (!holdsReferences(row)) {
      yield row;
      continue;
    }
    const { objects, given, notes } = holdingFromRow(row);
    if (given > 0 || notes.length > 0) yield { ...row, attributes: removedAttributes(objects) };
    else yield { ...row, attributes: holdingAttributes(keepWhole(sorter, objects)) };
  }
}

/** Those that can be had back. References are counted anew, so no block names a version any more. */
function keepWhole(sorter: Sorter, objects: readonly RemovedObject[]): RemovedObject[] {
  const whole = objects.filter(
    ({ object }) => !isVoid(sorter, object) && lossesOf(sorter, object.blocks ?? []).size === 0,
  );
  for (const { object } of whole) for (const id of object.blocks ?? []) refer(sorter, id);
  return whole.map(({ object: { isNamed: _, ...object }, ...told }) => ({ ...told, object }));
}
