// What is known of a batch before it is stored: the rows of its blocks, and those of its objects as they are now. One
// read where one takes so many keys: each is a way to a thread and back, or a request.
import type { BlockId } from '../../foundation/ids.ts';
import { KEYS_AT_ONCE } from '../../limits/panda.ts';
import type { Panda, ReadOptions } from '../../panda/panda.ts';
import { type BlockRow, blockFromRow, blockKey } from '../../panda/rows/block-row.ts';
import { type ObjectRow, objectFromRow, objectKey } from '../../panda/rows/object-row.ts';
import { readBlocks } from '../../volume/rows/read-rows.ts';
import { readObjects } from '../index-objects.ts';

export interface RowsOfBatch {
  /** Every block has an entry; undefined: it has no row. */
  readonly rows: Map<BlockId, BlockRow | undefined>;
  /** In the order given. */
  readonly olds: readonly (ObjectRow | undefined)[];
}

export async function rowsOfBatch(
  panda: Panda,
  blocks: readonly BlockId[],
  objects: readonly { readonly namespace: string; readonly key: string }[],
  look: ReadOptions,
): Promise<RowsOfBatch> {
  if (blocks.length + objects.length > KEYS_AT_ONCE) {
    const rows = await readBlocks(panda, blocks, look);
    return { rows, olds: await readObjects(panda, objects, look) };
  }
  const keys = [...objects.map(({ namespace, key }) => objectKey(namespace, key)), ...blocks.map(blockKey)];
  const found = await panda.getMany(keys, look);
  const olds = found.slice(0, objects.length).map((row) => row && objectFromRow(row));
  const ofBlocks = found.slice(objects.length).map((row) => row && blockFromRow(row));
  return { rows: new Map(blocks.map((id, i) => [id, ofBlocks[i]])), olds };
}
