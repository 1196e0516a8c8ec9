// work/cursor | rewrap: how far a pass of rewrapping has come, and to which KEK version it wraps.
import type { Attributes, Key, Row } from '../panda/panda.ts';

export const rewrapKey: Key = { partition: 'work/cursor', sort: 'rewrap' };

/** The partition to go on with; a cursor of a pass to another version means nothing. */
export function rewrapCursor(row: Row | undefined, version: number): number {
  const at = row?.attributes['at'];
  return row?.attributes['v'] === version && typeof at === 'number' ? at : 0;
}

/** The partitions before `at` are done. */
export const rewrapAttributes = (version: number, at: number): Attributes => ({ v: version, at });
