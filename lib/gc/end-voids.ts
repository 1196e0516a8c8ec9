// The end of what RECOVER noted as void (protocol 20f): the row of an object that was to be put plain, and was given
// up, may land late, but not for ever. Whoever sent it is a function, which ends within FUNCTION_SECONDS_MAX, and what
// it signed last is refused a few minutes later. VOID_KEPT_MS is far beyond both; then the row goes, and what landed.
// Were one to land even later, a listing would show a name that cannot be read, and that any put or delete replaces.
import { isAhead } from '../limits/clock-skew.ts';
import { VOID_KEPT_MS } from '../limits/frontend.ts';
import type { Row, Write } from '../panda/panda.ts';
import { type ObjectRow, objectFromRow, objectKey, versionIs } from '../panda/rows/object-row.ts';
import { readOrTell } from '../panda/rows/row-reader.ts';
import {
  VOID_NAMESPACES,
  type VoidRow,
  voidEnds,
  voidFromRow,
  voidNamespaceEnds,
  voidPartition,
  voidSince,
} from '../panda/rows/void-row.ts';
import type { Components } from '../volume/rows/components.ts';
import { rowsOf } from '../volume/rows/read-rows.ts';
import { transactUnlessConflict } from '../volume/rows/transact.ts';

/** Safe beside anything, cut off anywhere, and twice. */
export async function endVoids(components: Components, signal?: AbortSignal): Promise<void> {
  for await (const namespace of rowsOf(components.panda, VOID_NAMESPACES)) {
    let isEmpty = true;
    for await (const row of rowsOf(components.panda, voidPartition(namespace.sort))) {
      if (signal?.aborted) return;
      isEmpty = (await endVoid(components, namespace.sort, row)) && isEmpty;
    }
    if (isEmpty) await change(components, [voidNamespaceEnds(namespace)], namespace);
  }
}

/** True if the row is gone. */
async function endVoid(components: Components, namespace: string, row: Row): Promise<boolean> {
  const tell = components.badRow ?? (() => {});
  const found = readOrTell(row, voidFromRow, tell);
  if (found === undefined) return false;
  const nowMs = Math.max(0, components.clock.nowMs());
  if (found.sinceMs === undefined || isAhead(found.sinceMs, nowMs)) {
    await change(components, [voidSince(row, found, nowMs)], row);
    return false;
  }
  if (found.sinceMs + VOID_KEPT_MS > nowMs) return false;
  const stored = await components.panda.get(objectKey(namespace, row.sort));
  const object = stored === undefined ? undefined : readOrTell(stored, objectFromRow, tell);
  if (stored !== undefined && object === undefined) return false;
  return change(components, endWrites(namespace, row, found, object), row);
}

/** Pure: the row goes if it is as it was read, and the object that landed, if it is there; none lands in between. */
export function endWrites(namespace: string, row: Row, found: VoidRow, object: ObjectRow | undefined): Write[] {
  const { partition, sort } = row;
  const isVoid = object?.isNamed === true && found.versions.includes(object.version);
  const key = objectKey(namespace, sort);
  const asRead = versionIs(object);
  return [
    voidEnds({ partition, sort }, found),
    isVoid ? { kind: 'delete', ...key, if: asRead } : { kind: 'check', ...key, if: asRead },
  ];
}

/** False if somebody changed a row meanwhile: the next pass looks again. */
const change = (components: Components, writes: readonly Write[], { partition, sort }: Row): Promise<boolean> =>
  transactUnlessConflict(
    components,
    writes,
    async () => (await components.panda.get({ partition, sort })) === undefined,
  );
