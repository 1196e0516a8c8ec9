// What a delete or an overwrite leaves for `trash restore`, pure: one row for all objects of the transaction, without a
// reference. The blocks are on their own; as long as none of them was shredded the object can be brought back.
import type { Write } from '../../panda/panda.ts';
import type { ObjectRow } from '../../panda/rows/object-row.ts';
import { type RemovedObject, removedAttributes, removedKey } from '../../panda/rows/removed/removed-row.ts';

/** The same content under the same metadata, put once more, takes nothing away. */
export const isLoss = (old: ObjectRow, next: ObjectRow | undefined): boolean =>
  next === undefined ||
  next.etag !== old.etag ||
  next.sizeBytes !== old.sizeBytes ||
  next.blockBytes !== old.blockBytes ||
  next.metadata !== old.metadata;

export function removedWrites(cell: string, nowMs: number, removed: readonly RemovedObject[]): Write[] {
  const [first] = removed;
  if (first === undefined) return [];
  const key = removedKey(cell, nowMs, first.object.version);
  return [{ kind: 'put', ...key, attributes: removedAttributes(removed) }];
}
