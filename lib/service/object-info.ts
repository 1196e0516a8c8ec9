// What a client may know of objects.
import type { DamagedName } from '../frontend/list-objects.ts';
import type { ObjectRow } from '../panda/rows/object-row.ts';
import type { WireHead } from './protocol.ts';

/** Not its blocks. */
export type ObjectInfo = Readonly<WireHead>;

export interface ListRequest {
  readonly prefix?: string | undefined;
  /** Keys that have it after the prefix are rolled up into one common prefix each. */
  readonly delimiter?: string | undefined;
  /** Where the page before ended: its `next`. */
  readonly from?: string | undefined;
  readonly limit?: number | undefined;
}

export interface ListPage {
  readonly objects: readonly ObjectInfo[];
  /** Names whose row cannot be read, and why; absent if there are none. */
  readonly damaged?: readonly DamagedName[] | undefined;
  readonly commonPrefixes: readonly string[];
  readonly next?: string | undefined;
}

export const infoOf = ({ key, version, sizeBytes, etag, createdAtMs, metadata }: ObjectRow): ObjectInfo => ({
  key,
  version,
  sizeBytes,
  etag,
  createdAtMs,
  metadata,
});
