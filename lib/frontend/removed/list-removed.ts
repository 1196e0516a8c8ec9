// What was deleted or overwritten and can be restored for a while, oldest first: what is next to go.
import { holdsReferences } from '../../panda/rows/removed/held-references.ts';
import type { RemovedObject, RemovedRow } from '../../panda/rows/removed/removed-row.ts';
import { removedFromRow, removedPartitions } from '../../panda/rows/removed/removed-row.ts';
import { readOrTell } from '../../panda/rows/row-reader.ts';
import type { Components } from '../../volume/rows/components.ts';
import { rowsOf } from '../../volume/rows/read-rows.ts';
import { checkNamespace } from '../object-keys.ts';

/** One of them, and the row that tells of it. */
export interface Removed extends RemovedObject {
  readonly row: RemovedRow;
  /** The row holds references. */
  readonly holds: boolean;
}

export interface RemovedRequest {
  readonly namespace: string;
  readonly prefix?: string | undefined;
}

export async function* listRemoved(
  components: Components,
  { namespace, prefix = '' }: RemovedRequest,
): AsyncGenerator<Removed> {
  checkNamespace(namespace);
  for await (const { row, holds } of byTime(components))
    for (const removed of row.objects) {
      const { object, isRestored } = removed;
      if (!isRestored && object.namespace === namespace && object.key.startsWith(prefix))
        yield { ...removed, row, holds };
    }
}

/** The rows of all partitions, each of which is in order. */
interface Found {
  readonly row: RemovedRow;
  readonly holds: boolean;
}

async function* byTime(components: Components): AsyncGenerator<Found> {
  const streams = await Promise.all(
    removedPartitions(components.settings.cell).map(async (partition) => {
      const rows = readable(components, partition);
      return { rows, head: (await rows.next()).value };
    }),
  );
  for (;;) {
    const [first] = streams
      .filter(({ head }) => head !== undefined)
      .sort((a, b) => ((a.head?.row.sort ?? '') < (b.head?.row.sort ?? '') ? -1 : 1));
    if (first?.head === undefined) return;
    yield first.head;
    first.head = (await first.rows.next()).value;
  }
}

async function* readable({ panda, badRow }: Components, partition: string): AsyncGenerator<Found, undefined> {
  for await (const row of rowsOf(panda, partition)) {
    const removed = readOrTell(row, removedFromRow, badRow);
    if (removed !== undefined) yield { row: removed, holds: holdsReferences(row) };
  }
  return undefined;
}
