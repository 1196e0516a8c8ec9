// Rows of removed objects go when the grace of their blocks is over: they hold no reference, so nothing but the choice
// to restore goes with them. First the block lists of long ones, and none while references are still being given back,
// which puts block lists there.
import type { ObjectVersion } from '../foundation/ids.ts';
import { isAhead } from '../limits/clock-skew.ts';
import { ROWS_PER_TRANSACTION } from '../limits/panda.ts';
import type { Row, Write } from '../panda/panda.ts';
import { releaseKey } from '../panda/rows/object-row.ts';
import {
  type RemovedRow,
  removedAs,
  removedAttributes,
  removedFromRow,
  removedKey,
  removedPartitions,
  removedSegmentPartition,
  removedUntil,
} from '../panda/rows/removed/removed-row.ts';
import { readOrTell } from '../panda/rows/row-reader.ts';
import type { Components } from '../volume/rows/components.ts';
import { rowsOf } from '../volume/rows/read-rows.ts';
import { transactUnlessConflict } from '../volume/rows/transact.ts';

export interface ExpireOptions {
  /** All of them, since whenever. */
  readonly ignoreGrace?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** How many objects cannot be restored any more. Safe beside anything, cut off anywhere, and twice. */
export async function expireRemoved(components: Components, options: ExpireOptions = {}): Promise<number> {
  const { settings, panda, badRow } = components;
  const nowMs = Math.max(0, components.clock.nowMs());
  let expired = 0;
  const read = (row: Row): RemovedRow | undefined =>
    badRow === undefined ? removedFromRow(row) : readOrTell(row, removedFromRow, badRow);
  for (const partition of removedPartitions(settings.cell)) {
    const until = options.ignoreGrace === true ? undefined : removedUntil(nowMs - settings.deleteGraceMs);
    for await (const row of rowsOf(panda, partition, undefined, until)) {
      if (options.signal?.aborted) return expired;
      const removed = read(row);
      if (removed !== undefined && (await forget(components, removed))) expired += stillThere(removed);
    }
    for await (const row of rowsOf(panda, partition, removedUntil(nowMs))) {
      const removed = read(row);
      if (removed !== undefined && isAhead(removed.atMs, nowMs)) await beginGraceNow(components, removed, nowMs);
    }
  }
  return expired;
}

const stillThere = ({ objects }: RemovedRow): number => objects.filter(({ isRestored }) => !isRestored).length;

async function forget(components: Components, removed: RemovedRow): Promise<boolean> {
  const versions = removed.objects
    .filter(({ object }) => object.segments !== undefined)
    .map(({ object }) => object.version);
  for (const version of versions) if (!(await dropSegments(components, version))) return false;
  const { partition, sort } = removed;
  const writes: Write[] = [
    { kind: 'delete', partition, sort, if: [removedAs(removed)] },
    ...versions.map((version): Write => ({ kind: 'check', ...releaseKey(version), if: ['absent'] })),
  ];
  const took = async (): Promise<boolean> => (await components.panda.get({ partition, sort })) === undefined;
  return transactUnlessConflict(components, writes, took);
}

/** False while references of the object are still to be given back. */
async function dropSegments(components: Components, version: ObjectVersion): Promise<boolean> {
  for (;;) {
    const page = await components.panda.query(removedSegmentPartition(version), {}, { limit: ROWS_PER_TRANSACTION });
    if (page.rows.length === 0) return true;
    const writes: Write[] = [
      { kind: 'check', ...releaseKey(version), if: ['absent'] },
      ...page.rows.map(({ partition, sort }): Write => ({ kind: 'delete', partition, sort })),
    ];
    // What did not take effect is still there, and found by the next look.
    if (!(await transactUnlessConflict(components, writes, async () => true))) return false;
  }
}

/** Removed in the future, by a clock that had jumped: its grace begins now, for otherwise it would end in years. */
async function beginGraceNow(components: Components, removed: RemovedRow, nowMs: number): Promise<void> {
  const [first] = removed.objects;
  if (first === undefined) return;
  const { partition, sort } = removed;
  const next = removedKey(components.settings.cell, nowMs, first.object.version);
  const writes: Write[] = [
    { kind: 'delete', partition, sort, if: [removedAs(removed)] },
    { kind: 'put', ...next, attributes: removedAttributes(removed.objects) },
  ];
  await transactUnlessConflict(
    components,
    writes,
    async () => (await components.panda.get({ partition, sort })) === undefined,
  );
}
