// Which objects are what somebody remembers, and can be read now: what a put of the same bytes would find, without the
// bytes.
import type { BlockId, ObjectVersion } from '../../foundation/ids.ts';
import type { BlockRow } from '../../panda/rows/block-row.ts';
import type { ObjectRow } from '../../panda/rows/object-row.ts';
import { unreadableRecords } from '../../volume/read/unreadable.ts';
import { readBlocks } from '../../volume/rows/read-rows.ts';
import { voidBlocks } from '../../volume/rows/void-blocks.ts';
import type { VolumeStore } from '../../volume/volume-store.ts';
import { blockIdsOf } from '../compose/block-ids.ts';
import { readObjects } from '../index-objects.ts';
import type { KekRing } from '../kek-ring.ts';

export interface RememberedObject {
  readonly namespace: string;
  readonly key: string;
  readonly version: ObjectVersion;
}

/**
 * The row of each in the order asked; undefined if the object is another one now or gone, or not all of it can be read:
 * then it is to be put.
 */
export async function confirmObjects(
  store: VolumeStore,
  keks: KekRing,
  remembered: readonly RememberedObject[],
): Promise<(ObjectRow | undefined)[]> {
  const { components } = store;
  // What these keys may not be able to open is not to be acknowledged.
  await keks.current();
  const rows = await readObjects(components.panda, remembered);
  // One that was put plain counts only as long as its block names it: a put looks closer.
  const same = rows.map((row, i) => (row?.version === remembered[i]?.version && !row?.isNamed ? row : undefined));
  const ids: (readonly BlockId[])[] = [];
  for (const row of same) ids.push(row === undefined ? [] : (row.blocks ?? (await allBlockIds(store, row))));
  const blocks = await readBlocks(components.panda, [...new Set(ids.flat())]);
  const bad = await voidBlocks(components, [...blocks.values()]);
  const known = [...blocks.values()].filter((row): row is BlockRow => row !== undefined && !bad.has(row.id));
  for (const { id } of await unreadableRecords(store, known)) bad.add(id);
  const isThere = (id: BlockId): boolean => blocks.get(id) !== undefined && !bad.has(id);
  return same.map((row, i) => (ids[i]?.every(isThere) ? row : undefined));
}

async function allBlockIds(store: VolumeStore, row: ObjectRow): Promise<readonly BlockId[]> {
  const ids: BlockId[] = [];
  for await (const id of blockIdsOf(store, row)) ids.push(id);
  return ids;
}
