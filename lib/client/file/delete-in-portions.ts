// Deletes on a disk with little room: as long as what they write can be shipped, and what GC will write of them. The
// others fail, and nothing of them is done.
import type { Portions } from '../../engine/ship/portions.ts';
import type { EmbeddedStore } from '../../engine/wire/embedded/embedded-store.ts';
import type { DeleteItem, DeleteOutcome } from '../../frontend/frontend.ts';
import { countHeldReferences } from '../../gc/count-held.ts';
import { DELETED_FRAME_BYTES } from '../../limits/engine.ts';
import { objectFromRow, objectKey } from '../../panda/rows/object-row.ts';
import { BLOCK_ID_BYTES } from '../../panda/rows/objects/object-form.ts';
import { rowBytesOf } from '../../panda/sqlite/row-bytes.ts';
import type { Components } from '../../volume/rows/components.ts';

type Items = AsyncIterable<DeleteItem> | Iterable<DeleteItem>;

/** One outcome each: `retry` DISK_FULL of those that there is no room for. */
export async function* deleteInPortions(
  { disk, frontend, components }: EmbeddedStore,
  items: Items,
): AsyncGenerator<DeleteOutcome> {
  const portions = disk.deleting(await countHeldReferences(components));
  const rest = iteratorOf(items);
  let next = await rest.next();
  while (next.done !== true && (await portions.begin())) {
    const some: DeleteItem[] = [];
    for (; next.done !== true && (await isTaken(components, portions, next.value)); next = await rest.next())
      some.push(next.value);
    if (some.length === 0) break;
    yield* frontend.deleteAll(some);
  }
  await portions.end();
  const error = disk.noRoomToDelete();
  for (; next.done !== true; next = await rest.next()) yield { key: next.value.key, ok: false, error };
}

async function* iteratorOf(items: Items): AsyncGenerator<DeleteItem, undefined> {
  yield* items;
  return undefined;
}

/** By the object's row: what was in it goes into a row of removed objects, the lists of a long one beside it. */
async function isTaken(
  { panda, settings }: Components,
  portions: Portions,
  { namespace, key }: DeleteItem,
): Promise<boolean> {
  const row = await panda.get(objectKey(namespace, key));
  if (row === undefined) return true;
  const { blocks, sizeBytes, segments = 0 } = objectFromRow(row);
  const references = blocks?.length ?? Math.ceil(sizeBytes / settings.blockBytesMax) + segments;
  const listBytes = blocks === undefined ? 2 * BLOCK_ID_BYTES * references : 0;
  const rowBytes = rowBytesOf(row, row.attributes).length + 2 * Buffer.byteLength(key) + DELETED_FRAME_BYTES;
  return portions.takes(rowBytes + listBytes, references);
}
