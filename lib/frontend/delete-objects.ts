// DELETE (protocol 19): names go at once; what they were is listed in a release row, and GC gives their references back
// when the grace is over.
import { isKind, isPocketfulError, missing } from '../foundation/errors.ts';
import { DELETE_ATTEMPTS_MAX, DELETES_AT_ONCE } from '../limits/frontend.ts';
import { PAIRS_PER_TRANSACTION } from '../limits/panda.ts';
import { type ObjectRow, releaseKey } from '../panda/rows/object-row.ts';
import type { VolumeStore } from '../volume/volume-store.ts';
import { inTransactions, readObjects, runIndex } from './index-objects.ts';
import { listsBlocks, type ObjectChange } from './index-plan.ts';
import { checkKey, checkNamespace, shown } from './object-keys.ts';
import { finishRelease } from './release-references.ts';

export interface DeleteItem {
  readonly namespace: string;
  readonly key: string;
  readonly ifVersion?: string | undefined;
}
export type DeleteOutcome =
  | { readonly key: string; readonly ok: true }
  | { readonly key: string; readonly ok: false; readonly error: Error };

/** Deletes in batches, in the order given; one outcome each. */
export async function* deleteObjects(
  store: VolumeStore,
  items: AsyncIterable<DeleteItem> | Iterable<DeleteItem>,
): AsyncGenerator<DeleteOutcome> {
  let batch: DeleteItem[] = [];
  for await (const item of items) {
    batch.push(item);
    if (batch.length < DELETES_AT_ONCE) continue;
    yield* await deleteBatch(store, batch);
    batch = [];
  }
  yield* await deleteBatch(store, batch);
}

async function deleteBatch(store: VolumeStore, batch: readonly DeleteItem[], tries = 1): Promise<DeleteOutcome[]> {
  const outcomes = new Map<DeleteItem, DeleteOutcome>();
  const sound: DeleteItem[] = [];
  const seen = new Set<string>();
  for (const item of batch) {
    try {
      checkNamespace(item.namespace);
      checkKey(item.key);
      const name = `${item.namespace}/${item.key}`;
      if (seen.has(name)) throw gone(item.key);
      seen.add(name);
      sound.push(item);
    } catch (error) {
      if (!isPocketfulError(error)) throw error;
      outcomes.set(item, { key: item.key, ok: false, error });
    }
  }
  const objects = await readObjects(store.components.panda, sound);
  const found: { item: DeleteItem; change: ObjectChange; old: ObjectRow }[] = [];
  for (const [i, item] of sound.entries()) {
    const old = objects[i];
    if (old === undefined) outcomes.set(item, { key: item.key, ok: false, error: gone(item.key) });
    else
      found.push({
        item,
        old,
        change: { namespace: item.namespace, key: item.key, next: undefined, ifVersion: item.ifVersion ?? old.version },
      });
  }
  const itemOf = new Map(found.map(({ item, change }) => [change, item]));
  const oldOf = new Map(found.map(({ change, old }) => [change, old]));
  const cut = inTransactions(
    found.map(({ change }) => change),
    found.map(({ old }) => old),
    PAIRS_PER_TRANSACTION,
    0,
    () => false,
  );
  for (const changes of cut) await deleteTogether(store, { changes, oldOf, itemOf, outcomes });
  for (const { item } of found)
    if (tries < DELETE_ATTEMPTS_MAX && isOutdated(item, outcomes.get(item)))
      for (const outcome of await deleteBatch(store, [item], tries + 1)) outcomes.set(item, outcome);
  for (const { item, old } of found) if (outcomes.get(item)?.ok && !listsBlocks(old)) await releaseNow(store, old);
  return batch.map((item) => outcomes.get(item) as DeleteOutcome);
}

interface DeleteTogether {
  readonly changes: readonly ObjectChange[];
  /** As read. */
  readonly oldOf: ReadonlyMap<ObjectChange, ObjectRow>;
  readonly itemOf: ReadonlyMap<ObjectChange, DeleteItem>;
  readonly outcomes: Map<DeleteItem, DeleteOutcome>;
}

async function deleteTogether(store: VolumeStore, request: DeleteTogether): Promise<void> {
  const { changes, oldOf, itemOf, outcomes } = request;
  try {
    const seen = { objects: oldOf, blocks: new Map() };
    await runIndex(store.components, { changes, fresh: new Map(), guards: [], seen });
    for (const change of changes) outcomes.set(itemOf.get(change) as DeleteItem, { key: change.key, ok: true });
  } catch (error) {
    if (!isPocketfulError(error)) throw error;
    if (changes.length > 1) {
      for (const change of changes) await deleteTogether(store, { ...request, changes: [change] });
      return;
    }
    const change = changes[0] as ObjectChange;
    outcomes.set(itemOf.get(change) as DeleteItem, { key: change.key, ok: false, error });
  }
}

/** Somebody changed it since it was read: who names no version means whatever is there now. */
const isOutdated = (item: DeleteItem, outcome: DeleteOutcome | undefined): boolean =>
  item.ifVersion === undefined &&
  outcome?.ok === false &&
  isKind(outcome.error, 'conflict') &&
  outcome.error.code === 'VERSION_MISMATCH';

const gone = (key: string): Error => missing('OBJECT_MISSING', `"${shown(key)}" is not there`);

/** A long object's references: now if nothing is in the way, else by whoever finishes releases. */
async function releaseNow(store: VolumeStore, old: ObjectRow): Promise<void> {
  try {
    if ((await store.components.panda.get(releaseKey(old.version))) !== undefined)
      await finishRelease(store.components, old.version);
  } catch (error) {
    if (!isPocketfulError(error)) throw error;
  }
}
