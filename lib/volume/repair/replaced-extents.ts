// Extents of a volume that repairs have replaced and nobody has erased yet: what is missing now may lie there, as soon
// as their drives answer.
import type { DiscardRow } from '../../panda/rows/drives/discard-row.ts';
import { discardFromRow, discardPartition } from '../../panda/rows/drives/discard-row.ts';
import type { VolumeRow } from '../../panda/rows/volume-row.ts';
import type { Components } from '../rows/components.ts';
import { rowsOf } from '../rows/read-rows.ts';

interface Ports {
  readonly components: Components;
}

export type ReplacedExtent = DiscardRow & { readonly column: number };

export async function listDiscards({ components }: Ports): Promise<DiscardRow[]> {
  const rows: DiscardRow[] = [];
  for await (const row of rowsOf(components.panda, discardPartition)) rows.push(discardFromRow(row));
  return rows;
}

/** Rows of earlier releases do not say which column they were. */
export async function replacedExtents(ports: Ports, { id }: VolumeRow): Promise<ReplacedExtent[]> {
  const discards = await listDiscards(ports);
  return discards.flatMap(({ column, ...extent }) =>
    column === undefined || extent.volume !== id ? [] : [{ ...extent, column }],
  );
}
