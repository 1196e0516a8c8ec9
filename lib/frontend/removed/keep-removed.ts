// What a delete or an overwrite leaves, pure: one row for all objects of the transaction. It holds the references of
// those that list their blocks, which GC gives back when the grace is over; until then they can be restored. Long ones
// are told of without their references: as long as none of their blocks was shredded they can be brought back.
import type { Write } from '../../panda/panda.ts';
import type { ObjectRow } from '../../panda/rows/object-row.ts';
import { holdingAttributes } from '../../panda/rows/removed/held-references.ts';
import { type RemovedObject, removedKey } from '../../panda/rows/removed/removed-row.ts';

/** The same content under the same metadata, put once more, takes nothing away. */
export const isLoss = (old: ObjectRow, next: ObjectRow | undefined): boolean =>
  next === undefined ||
  next.etag !== old.etag ||
  next.sizeBytes !== old.sizeBytes ||
  next.blockBytes !== old.blockBytes ||
  next.metadata !== old.metadata ||
  next.md5 !== old.md5 ||
  next.system !== old.system;

export function removedWrites(cell: string, nowMs: number, removed: readonly RemovedObject[]): Write[] {
  const [first] = removed;
  if (first === undefined) return [];
  const key = removedKey(cell, nowMs, first.object.version);
  return [{ kind: 'put', ...key, attributes: holdingAttributes(removed), if: ['absent'] }];
}
