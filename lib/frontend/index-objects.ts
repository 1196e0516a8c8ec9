// Runs index transactions: reads the rows, plans, sends, and on a conflict reads and plans again.
import { conflict, isKind, unknownOutcome } from '../foundation/errors.ts';
import type { BlockId } from '../foundation/ids.ts';
import { INDEX_ATTEMPTS_MAX } from '../limits/frontend.ts';
import { COMMIT_ROWS, HELD_BYTES_MAX, PAIRS_PER_TRANSACTION, TRANSACTION_ITEMS_MAX } from '../limits/panda.ts';
import { CONFLICT_BACK_OFF_STEPS_MAX } from '../limits/volume.ts';
import { PandaConflict } from '../panda/conflict.ts';
import type { Panda, ReadOptions, Write } from '../panda/panda.ts';
import type { BlockRow } from '../panda/rows/block-row.ts';
import { type ObjectRow, objectFromRow, objectKey, releaseKey } from '../panda/rows/object-row.ts';
import { removedBytesMax } from '../panda/rows/removed/removed-row.ts';
import type { Components } from '../volume/rows/components.ts';
import { readBlocks, rowsAt } from '../volume/rows/read-rows.ts';
import { raiseStoreFormat } from '../volume/rows/store-format.ts';
import { backOffMs, LateConflict, transact } from '../volume/rows/transact.ts';
import { voidBlocks } from '../volume/rows/void-blocks.ts';
import { type FreshBlock, type IndexPlan, itemsOf, type ObjectChange, planIndex, referencesOf } from './index-plan.ts';

export interface IndexRequest {
  readonly changes: readonly ObjectChange[];
  readonly extra?: ReadonlyMap<BlockId, number>;
  readonly fresh: ReadonlyMap<BlockId, FreshBlock>;
  /**
   * Further writes of the same transaction, such as the check of a lease; they come first. They may depend on which
   * fresh blocks it uses.
   */
  readonly guards: readonly Write[] | ((used: readonly BlockId[]) => readonly Write[]);
  /** For transactions without objects: tells whether it took effect. */
  readonly took?: () => Promise<boolean>;
  /**
   * Rows that were read before, perhaps not the newest, for the first try: what is not so any more shows as a conflict,
   * and is read again.
   */
  readonly seen?: SeenRows;
}

export interface SeenRows {
  readonly objects: ReadonlyMap<ObjectChange, ObjectRow | undefined>;
  /** Blocks without an entry are read. */
  readonly blocks: ReadonlyMap<BlockId, BlockRow | undefined>;
}

export type IndexOutcome =
  | { readonly ok: true; readonly used: readonly BlockId[] }
  /** Known blocks that GC took meanwhile: store them and ask again. */
  | { readonly ok: false; readonly gone: readonly BlockId[] };

export async function readObjects(
  panda: Panda,
  keys: readonly { readonly namespace: string; readonly key: string }[],
  options?: ReadOptions,
): Promise<(ObjectRow | undefined)[]> {
  const rows = await rowsAt(
    panda,
    keys.map(({ namespace, key }) => objectKey(namespace, key)),
    options,
  );
  return rows.map((row) => row && objectFromRow(row));
}

/**
 * One transaction. Throws `conflict` GUARD_FAILED when a guard's condition does not hold, VERSION_MISMATCH, CONTENDED
 * after many tries, or INDEX_TOO_LONG when by the newest rows it takes more items than a transaction has: with fewer
 * changes it may fit.
 */
export async function runIndex(components: Components, request: IndexRequest): Promise<IndexOutcome> {
  const { changes, guards } = request;
  await raiseStoreFormat(components);
  let seen = request.seen;
  for (let attempt = 0; ; attempt++) {
    const { objects, plan } = await planned(components, request, seen);
    if (plan.gone.length > 0) return { ok: false, gone: plan.gone };
    const own = [...(typeof guards === 'function' ? guards(plan.used) : guards)];
    const free = changes.find(({ next }, i) => next !== undefined && objects[i] === undefined)?.next;
    // Of one write there is no telling whether it is the same request again (docs/decisions/0026).
    if (free !== undefined && own.length + plan.writes.length === 1) own.push(notReleased(free));
    if (own.length + plan.writes.length > TRANSACTION_ITEMS_MAX)
      throw conflict('INDEX_TOO_LONG', `${changes.length} objects need too many rows for one transaction`);
    try {
      await transact(
        components,
        [...own, ...plan.writes],
        request.took ?? (() => tookEffect(components, changes, objects)),
      );
      return { ok: true, used: plan.used };
    } catch (error) {
      if (!(error instanceof PandaConflict)) throw error;
      if (error.failed.some((index) => index < own.length)) throw guardFailed(error);
      // Once deleted its name is free again: what comes late would bring it back.
      if (free !== undefined && error instanceof LateConflict) throw notKnown(error);
      if (attempt >= INDEX_ATTEMPTS_MAX) throw contended(error);
      if (seen === undefined)
        await components.clock.sleep(backOffMs(Math.min(attempt, CONFLICT_BACK_OFF_STEPS_MAX), components.randomness));
      seen = undefined;
    }
  }
}

interface Planned {
  readonly objects: readonly (ObjectRow | undefined)[];
  readonly plan: IndexPlan;
}

/**
 * From rows seen before, if there are; what cannot be written by those may only be out of date, and is planned from new
 * ones.
 */
async function planned(components: Components, request: IndexRequest, seen: SeenRows | undefined): Promise<Planned> {
  if (seen !== undefined) {
    try {
      const rows = await readRows(components, request, seen);
      const found = planFrom(components, request, rows);
      if (found.plan.gone.length === 0) return found;
    } catch (error) {
      if (!isKind(error, 'conflict', 'corrupt')) throw error;
    }
  }
  for (let attempt = 0; ; attempt++) {
    const rows = await readRows(components, request, undefined);
    try {
      return planFrom(components, request, rows);
    } catch (error) {
      // Objects and blocks are read one after the other: what disagrees may only have changed in between.
      if (!isKind(error, 'corrupt') || attempt >= INDEX_ATTEMPTS_MAX) throw error;
      if (await request.took?.()) throw conflict('GUARD_FAILED', 'another worker did it meanwhile', error);
      if (!(await haveChanged(components, request.changes, rows.objects))) throw error;
    }
  }
}

interface ReadRows {
  readonly objects: readonly (ObjectRow | undefined)[];
  readonly blocks: ReadonlyMap<BlockId, BlockRow | undefined>;
  readonly voids: ReadonlySet<BlockId>;
}

async function haveChanged(
  components: Components,
  changes: readonly ObjectChange[],
  before: readonly (ObjectRow | undefined)[],
): Promise<boolean> {
  const now = await readObjects(components.panda, changes);
  return now.some((object, i) => object?.version !== before[i]?.version);
}

async function readRows(components: Components, request: IndexRequest, seen: SeenRows | undefined): Promise<ReadRows> {
  const { changes, extra } = request;
  const objects =
    seen === undefined
      ? await readObjects(components.panda, changes)
      : changes.map((change) => seen.objects.get(change));
  const { counted, named } = referencesOf({ changes, objects, ...(extra ? { extra } : {}) });
  const needed = new Set([...counted].filter(([, delta]) => delta !== 0).map(([id]) => id));
  // What an object's block says of it counts only if it is read after it.
  const again = named;
  const blocks = await readBlocks(
    components.panda,
    [...needed, ...again].filter((id) => again.has(id) || !seen?.blocks.has(id)),
  );
  for (const id of needed) if (!again.has(id) && seen?.blocks.has(id)) blocks.set(id, seen.blocks.get(id));
  const referred = [...counted].filter(([, delta]) => delta > 0).map(([id]) => blocks.get(id));
  return { objects, blocks, voids: await voidBlocks(components, referred) };
}

function planFrom(
  components: Components,
  request: Pick<IndexRequest, 'changes' | 'fresh' | 'extra'>,
  { objects, blocks, voids }: ReadRows,
): Planned {
  const { changes, fresh, extra } = request;
  const { cell, deleteGraceMs } = components.settings;
  const nowMs = Math.max(0, components.clock.nowMs());
  const input = { cell, nowMs, keepsRemoved: deleteGraceMs > 0, changes, objects, blocks, fresh, voids };
  return { objects, plan: planIndex(extra === undefined ? input : { ...input, extra }) };
}

async function tookEffect(
  components: Components,
  changes: readonly ObjectChange[],
  before: readonly (ObjectRow | undefined)[],
): Promise<boolean> {
  const now = await readObjects(components.panda, changes);
  // All or nothing, so one object that was put tells: nobody else has its version.
  const put = changes.findIndex(({ next }) => next !== undefined);
  if (put >= 0) return now[put]?.version === changes[put]?.next?.version;
  // A delete shows only by the old version being gone, and somebody else may have removed that one: then the others
  // have to be gone as well.
  return now.every((object, i) => object?.version !== before[i]?.version);
}

/**
 * Cuts changes into transactions of bounded size, in order. `guards` is how many further items each carries; `inTrash`
 * tells the blocks that have a trash row to be removed.
 */
export function inTransactions(
  changes: readonly ObjectChange[],
  objects: readonly (ObjectRow | undefined)[],
  pairsMax: number,
  guards: number,
  inTrash: (id: BlockId) => boolean,
): ObjectChange[][] {
  const out: ObjectChange[][] = [];
  // What is removed is listed in one row more.
  const itemsMax = TRANSACTION_ITEMS_MAX - guards - (objects.some((old) => old !== undefined) ? 1 : 0);
  let items = 0;
  let pairs = 0;
  let removedBytes = 0;
  for (const [i, change] of changes.entries()) {
    const old = objects[i];
    const needs = itemsOf(change, old, inTrash);
    const blocks = Math.max(1, change.next?.blocks?.length ?? 1);
    const bytes = old === undefined ? 0 : removedBytesMax(old);
    const last = out.at(-1);
    const isFull = items + needs > itemsMax || pairs + blocks > pairsMax || removedBytes + bytes > HELD_BYTES_MAX;
    if (last === undefined || isFull) {
      out.push([change]);
      items = needs;
      pairs = blocks;
      removedBytes = bytes;
    } else {
      last.push(change);
      items += needs;
      pairs += blocks;
      removedBytes += bytes;
    }
  }
  return out;
}

/** True of every object that is not there yet. */
const notReleased = ({ version }: ObjectRow): Write => ({ kind: 'check', ...releaseKey(version), if: ['absent'] });

/** Done again, a put could meet itself, or come back after it was deleted. */
export const notKnown = (cause?: unknown): Error =>
  unknownOutcome('PANDA_UNKNOWN', 'it is not known whether the object was put: read it, or put it again', cause);

export interface AlongRequest {
  readonly changes: readonly ObjectChange[];
  /** By change, as read. */
  readonly olds: readonly (ObjectRow | undefined)[];
  /** Of all blocks, as read. */
  readonly rows: ReadonlyMap<BlockId, BlockRow | undefined>;
}

/**
 * What indexes a whole batch, for the transaction that commits its records (docs/decisions/0018); undefined if that is
 * not one transaction, or leaves a slot unused. Only from rows as they were first read: whatever needs another look, or
 * tells an object something, goes by index transactions of its own.
 */
export function indexAlong(
  components: Components,
  { changes, olds, rows }: AlongRequest,
  fresh: ReadonlyMap<BlockId, FreshBlock>,
): readonly Write[] | undefined {
  // What such an object's block says of it counts only if it is read after it.
  if (olds.some((old) => old?.isNamed === true)) return undefined;
  const inTrash = (id: BlockId): boolean => rows.get(id)?.state === 'trash';
  if (inTransactions(changes, olds, PAIRS_PER_TRANSACTION, COMMIT_ROWS, inTrash).length !== 1) return undefined;
  try {
    const { plan } = planFrom(components, { changes, fresh }, { objects: olds, blocks: rows, voids: new Set() });
    const fits = plan.writes.length + COMMIT_ROWS <= TRANSACTION_ITEMS_MAX;
    return fits && plan.gone.length === 0 && plan.used.length === fresh.size ? plan.writes : undefined;
  } catch (error) {
    if (!isKind(error, 'conflict', 'corrupt')) throw error;
    return undefined;
  }
}

export const guardFailed = (cause: PandaConflict): Error =>
  conflict('GUARD_FAILED', 'another worker took over: the write is tried again elsewhere', cause);

export const contended = (cause?: unknown): Error =>
  conflict('CONTENDED', 'too many writers of the same objects: try again', cause);

/** True for GUARD_FAILED; with `index`, only if it was that guard. */
export function isGuardFailure(error: unknown, index?: number): boolean {
  if (!isKind(error, 'conflict') || error.code !== 'GUARD_FAILED') return false;
  return index === undefined || (error.cause instanceof PandaConflict && error.cause.failed.includes(index));
}
