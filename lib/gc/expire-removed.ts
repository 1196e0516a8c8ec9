// GC of what was deleted and overwritten (protocol 20): when the grace of removed objects is over, the references that
// their row holds are given back, and the row goes, with what could be restored by it. Many rows at a time, so that all
// slots of a bucket die together. First the block lists of long objects go, and none while references are still being
// given back, which puts block lists there.
import { mapLimit } from '../foundation/concurrency.ts';
import { isKind } from '../foundation/errors.ts';
import type { ObjectVersion } from '../foundation/ids.ts';
import { isAhead } from '../limits/clock-skew.ts';
import { HELD_REFERENCES_AT_ONCE, HELD_ROWS_AT_ONCE } from '../limits/frontend.ts';
import { ROWS_PER_TRANSACTION } from '../limits/panda.ts';
import type { Clause, Row, Write } from '../panda/panda.ts';
import { releaseKey } from '../panda/rows/object-row.ts';
import {
  type HoldingRow,
  heldAttributes,
  holdingFromRow,
  holdsReferences,
  type NotedSlot,
  referencesLeft,
  stepIs,
} from '../panda/rows/removed/held-references.ts';
import {
  type RemovedRow,
  removedAs,
  removedAttributes,
  removedFromRow,
  removedKey,
  removedPartitions,
  removedSegmentPartition,
} from '../panda/rows/removed/removed-row.ts';
import { readOrTell } from '../panda/rows/row-reader.ts';
import type { Components } from '../volume/rows/components.ts';
import { rowsOf } from '../volume/rows/read-rows.ts';
import { transactUnlessConflict } from '../volume/rows/transact.ts';
import { buryNoted } from './bury.ts';
import { type GivenBack, giveBack } from './give-back.ts';

export interface ExpireOptions {
  /** All of them, since whenever. */
  readonly ignoreGrace?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  /** That one step has in memory; fewer where there is little room to write. */
  readonly referencesAtOnce?: number | undefined;
  /** Slots whose key is gone, some at a time. */
  readonly onShredded?: ((slots: readonly NotedSlot[]) => void) | undefined;
}

export interface ExpireReport {
  /** They cannot be restored any more. */
  readonly objects: number;
  /** References whose grace has not passed. */
  readonly waiting: number;
}

/** Safe beside anything, cut off anywhere, and twice. */
export async function expireRemoved(components: Components, options: ExpireOptions = {}): Promise<ExpireReport> {
  const { settings, panda, badRow, clock } = components;
  const graceMs = options.ignoreGrace ? Number.NEGATIVE_INFINITY : settings.deleteGraceMs;
  const read = (row: Row): RemovedRow | HoldingRow =>
    holdsReferences(row) ? holdingFromRow(row) : removedFromRow(row);
  const batch = new Batch(components, options);
  let waiting = 0;
  for (const partition of removedPartitions(settings.cell))
    for await (const row of rowsOf(panda, partition)) {
      if (options.signal?.aborted) return { objects: batch.objects, waiting };
      const removed = readOrTell(row, read, badRow);
      if (removed === undefined) continue;
      // By a clock that says it is before 1970 rows are of its beginning, and not ahead of it.
      const nowMs = Math.max(0, clock.nowMs());
      if (isAhead(removed.atMs, nowMs)) await beginGraceNow(components, removed);
      if (removed.atMs + graceMs > nowMs) waiting += isHolding(removed) ? referencesLeft(removed).length : 0;
      else await batch.add(removed);
    }
  await batch.flush();
  return { objects: batch.objects, waiting };
}

const isHolding = (row: RemovedRow | HoldingRow): row is HoldingRow => 'step' in row;

class Batch {
  readonly #components: Components;
  readonly #options: ExpireOptions;
  #rows: HoldingRow[] = [];
  #references = 0;
  objects = 0;

  constructor(components: Components, options: ExpireOptions) {
    this.#components = components;
    this.#options = options;
  }

  async add(row: RemovedRow | HoldingRow): Promise<void> {
    if (!isHolding(row)) return this.#forget(row);
    this.#rows.push(row);
    this.#references += referencesLeft(row).length;
    if (this.#references >= (this.#options.referencesAtOnce ?? HELD_REFERENCES_AT_ONCE)) await this.flush();
  }

  async flush(): Promise<void> {
    const rows = this.#rows;
    this.#rows = [];
    this.#references = 0;
    if (rows.length === 0 || this.#options.signal?.aborted) return;
    const given = await mapLimit(rows, HELD_ROWS_AT_ONCE, (row) => giveBackReadable(this.#components, row));
    const { done, shredded } = await buryNoted(
      this.#components,
      given.filter((one) => one !== undefined),
    );
    await mapLimit(done, HELD_ROWS_AT_ONCE, (row) => this.#forget(row));
    this.#options.onShredded?.(shredded);
  }

  async #forget(row: RemovedRow | HoldingRow): Promise<void> {
    if (await forget(this.#components, row)) this.objects += row.objects.filter(({ isRestored }) => !isRestored).length;
  }
}

/** What a damaged row is in the way of stays as it is. */
async function giveBackReadable(components: Components, row: HoldingRow): Promise<GivenBack | undefined> {
  try {
    return (await dropBlockLists(components, row)) ? await giveBack(components, row) : undefined;
  } catch (error) {
    if (components.badRow === undefined || !isKind(error, 'corrupt')) throw error;
    components.badRow({ partition: row.partition, sort: row.sort, error });
    return undefined;
  }
}

/** Nobody has changed it, restored one of its objects or forgotten it since it was read. */
const asRead = (row: RemovedRow | HoldingRow): Clause[] => [isHolding(row) ? stepIs(row) : removedAs(row)];

const longOnes = (row: RemovedRow): ObjectVersion[] =>
  row.objects.filter(({ object }) => object.segments !== undefined).map(({ object }) => object.version);

/** False while references of one of them are still to be given back. */
async function dropBlockLists(components: Components, row: RemovedRow): Promise<boolean> {
  for (const version of longOnes(row)) if (!(await dropSegments(components, version))) return false;
  return true;
}

/** 20e: false if another worker has changed the row since, or references of a long one are still to be given back. */
async function forget(components: Components, row: RemovedRow | HoldingRow): Promise<boolean> {
  if (!(await dropBlockLists(components, row))) return false;
  const { partition, sort } = row;
  const writes: Write[] = [
    { kind: 'delete', partition, sort, if: asRead(row) },
    ...longOnes(row).map((version): Write => ({ kind: 'check', ...releaseKey(version), if: ['absent'] })),
  ];
  const took = async (): Promise<boolean> => (await components.panda.get({ partition, sort })) === undefined;
  return transactUnlessConflict(components, writes, took);
}

/**
 * False while references of the object are still to be given back: that is asked before its lists are looked for, as
 * the last of them may come between that look and the end of the release, which never begins again.
 */
async function dropSegments(components: Components, version: ObjectVersion): Promise<boolean> {
  if ((await components.panda.get(releaseKey(version))) !== undefined) return false;
  for (;;) {
    const page = await components.panda.query(removedSegmentPartition(version), {}, { limit: ROWS_PER_TRANSACTION });
    const [first] = page.rows;
    if (first === undefined) return true;
    const writes: Write[] = [
      { kind: 'check', ...releaseKey(version), if: ['absent'] },
      ...page.rows.map(({ partition, sort }): Write => ({ kind: 'delete', partition, sort })),
    ];
    // All of them go together; whoever took them away meanwhile did the same.
    const took = async (): Promise<boolean> => (await components.panda.get(first)) === undefined;
    if (!(await transactUnlessConflict(components, writes, took))) return false;
  }
}

/** Removed in the future, by a clock that had jumped: its grace begins now, for otherwise it would end in years. */
async function beginGraceNow(components: Components, row: RemovedRow | HoldingRow): Promise<void> {
  const [first] = row.objects;
  if (first === undefined) return;
  const { partition, sort } = row;
  const next = removedKey(components.settings.cell, Math.max(0, components.clock.nowMs()), first.object.version);
  const attributes = isHolding(row) ? heldAttributes(row) : removedAttributes(row.objects);
  const writes: Write[] = [
    { kind: 'delete', partition, sort, if: asRead(row) },
    { kind: 'put', ...next, attributes, if: ['absent'] },
  ];
  await transactUnlessConflict(
    components,
    writes,
    async () => (await components.panda.get({ partition, sort })) === undefined,
  );
}
