// void/NAMESPACE | key: versions of an object that was to be put plain, and whose block gave its name back when the
// group was recovered: their row may land yet, and counts for nothing then. A listing goes by this, as it reads no
// blocks.
import { bytesOf, hexOf, type ObjectVersion } from '../../foundation/ids.ts';
import { VOID_VERSIONS_MAX } from '../../limits/panda.ts';
import type { Key, Put, Row } from '../panda.ts';
import { bytesIn } from './row-reader.ts';

export interface VoidRow {
  /** Oldest first. */
  readonly versions: readonly ObjectVersion[];
}

const VERSION_BYTES = 12;

export const voidPartition = (namespace: string): string => `void/${namespace}`;
export const voidKey = (namespace: string, key: string): Key => ({ partition: voidPartition(namespace), sort: key });

export function voidFromRow(row: Row): VoidRow {
  const bytes = bytesIn(row, 'v');
  const versions = Array.from(
    { length: Math.floor(bytes.length / VERSION_BYTES) },
    (_, i) => hexOf(bytes.subarray(i * VERSION_BYTES, (i + 1) * VERSION_BYTES)) as ObjectVersion,
  );
  return { versions };
}

/** One more, if the row is as it was read. */
export function voidWrite(key: Key, found: VoidRow | undefined, version: ObjectVersion): Put {
  const before = found?.versions ?? [];
  const packed = (versions: readonly ObjectVersion[]): Uint8Array => bytesOf(versions.join(''));
  return {
    kind: 'put',
    ...key,
    attributes: { v: packed([...before, version].slice(-VOID_VERSIONS_MAX)) },
    if: found === undefined ? ['absent'] : [{ attribute: 'v', equals: packed(before) }],
  };
}
