// void/NAMESPACE | key: versions of an object that was to be put plain, and whose block gave its name back when the
// group was recovered: their row may land yet, and counts for nothing then. A listing goes by this, as it reads no
// blocks. voids | NAMESPACE: where there are such rows, for GC, which ends them (lib/gc/end-voids.ts).
import { bytesOf, hexOf, type ObjectVersion } from '../../foundation/ids.ts';
import { VOID_VERSIONS_MAX } from '../../limits/panda.ts';
import type { Clause, Condition, Delete, Key, Put, Row, Update } from '../panda.ts';
import { bytesIn, optionalCount } from './row-reader.ts';

export interface VoidRow {
  /** Oldest first. */
  readonly versions: readonly ObjectVersion[];
  /** When the last of them came; undefined: it was written by an earlier release. */
  readonly sinceMs: number | undefined;
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
  return { versions, sinceMs: optionalCount(row, 'a') };
}

const packed = (versions: readonly ObjectVersion[]): Uint8Array => bytesOf(versions.join(''));

/** No version came since it was read, and nobody said when the last one did. */
const asRead = ({ versions, sinceMs }: VoidRow): Clause[] => [
  { attribute: 'v', equals: packed(versions) },
  sinceMs === undefined ? { attribute: 'a', missing: true } : { attribute: 'a', equals: sinceMs },
];

/** One more, if the row is as it was read. */
export function voidWrite(key: Key, found: VoidRow | undefined, version: ObjectVersion, nowMs: number): Put {
  const condition: Condition = found === undefined ? ['absent'] : asRead(found);
  const versions = [...(found?.versions ?? []), version].slice(-VOID_VERSIONS_MAX);
  return { kind: 'put', ...key, attributes: { v: packed(versions), a: nowMs }, if: condition };
}

/** Its time begins now. */
export const voidSince = (key: Key, found: VoidRow, nowMs: number): Update => ({
  kind: 'update',
  ...key,
  set: { a: nowMs },
  if: asRead(found),
});

export const voidEnds = (key: Key, found: VoidRow): Delete => ({ kind: 'delete', ...key, if: asRead(found) });

export const VOID_NAMESPACES = 'voids';

/** Written with every void row: whoever saw none of the namespace, and this as it was, knows that there is none. */
export const voidNamespaceWrite = (namespace: string, version: ObjectVersion): Put => ({
  kind: 'put',
  partition: VOID_NAMESPACES,
  sort: namespace,
  attributes: { v: bytesOf(version) },
});

export const voidNamespaceEnds = (row: Row): Delete => ({
  kind: 'delete',
  partition: row.partition,
  sort: row.sort,
  if: [{ attribute: 'v', equals: bytesIn(row, 'v') }],
});
