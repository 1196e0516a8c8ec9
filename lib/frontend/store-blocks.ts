// A batch of blocks on their way in: which are known already, which must be sealed and appended, and the index transactions that
// make them, and the objects made of them, part of the store.
import { assert } from '../foundation/assert.ts';
import { mapLimit } from '../foundation/concurrency.ts';
import { isKind, isPocketfulError } from '../foundation/errors.ts';
import type { BlockId, RecordId } from '../foundation/ids.ts';
import { sealBlockInPool } from '../keys/envelope.ts';
import type { ReadOptions, Write } from '../panda/panda.ts';
import type { BlockRow } from '../panda/rows/block-row.ts';
import type { ObjectRow } from '../panda/rows/object-row.ts';
import { notRetiring } from '../panda/rows/retiring-kek-row.ts';
import type { VolumeStore } from '../volume/volume-store.ts';
import { type AppendedGroup, appendGroup } from '../volume/write/append.ts';
import { inTransactions, isGuardFailure, readBlocks, readObjects, runIndex } from './index-objects.ts';
import type { FreshBlock, ObjectChange } from './index-plan.ts';
import type { KekRing } from './kek-ring.ts';
import { unreadableRecords } from './unreadable.ts';

const SEALS_AT_ONCE = 4;
/** Of one batch at once: those that are pending together share an fsync. */
const TRANSACTIONS_AT_ONCE = 16;
/** (block, object) pairs of an index transaction: protocol 4. */
const PAIRS_MAX = 45;
const ATTEMPTS_MAX = 8;
/** With 45 blocks that all come back from trash, this many still fit a transaction's 100 items. */
const REPLACED_MAX = 3;

export interface Plain {
  readonly id: BlockId;
  readonly bytes: Uint8Array;
}

export interface Stored {
  /** Record bytes appended for blocks the store did not have. */
  readonly newBytes: ReadonlyMap<BlockId, number>;
}

export interface BlockBatch {
  /** Each block once. Their bytes are kept until they are indexed: GC may take a known block away under a put. */
  readonly blocks: ReadonlyMap<BlockId, Plain>;
  readonly changes: readonly ObjectChange[];
  /** References beside those of the changes: a segment's. */
  readonly extra?: ReadonlyMap<BlockId, number>;
  /** Further writes of the (then single) transaction. */
  readonly guards?: readonly Write[];
  readonly took?: () => Promise<boolean>;
}

interface Appended {
  readonly group: AppendedGroup;
  readonly kekVersion: number;
  readonly fresh: ReadonlyMap<BlockId, FreshBlock>;
}

/** What became of each change: an error, or undefined when it is durable. */
export type ChangeErrors = readonly (Error | undefined)[];

/** Stores and indexes a batch. A change whose condition fails does not keep the others from being written. */
export async function storeBatch(
  store: VolumeStore,
  keks: KekRing,
  batch: BlockBatch,
): Promise<{ readonly errors: ChangeErrors; readonly stored: Stored }> {
  const newBytes = new Map<BlockId, number>();
  const errors = new Map<ObjectChange, Error>();
  let open = batch.changes;
  let isDone = batch.extra === undefined && open.length === 0;
  for (let attempt = 0; !isDone; attempt++) {
    // At first a cheap look: every row it finds, or does not find, is a condition of the index transaction.
    const look: ReadOptions = { consistency: attempt === 0 ? 'eventual' : 'strong' };
    const { rows, unknown, unreadable } = await blocksToStore(store, batch, open, look);
    const appended = unknown.length === 0 ? undefined : await appendBlocks(store, keks, unknown);
    for (const [id, { recordBytes }] of appended?.fresh ?? []) newBytes.set(id, recordBytes);
    const rest = await indexAll(store, keks, { ...batch, changes: open }, look, rows, appended, unreadable, errors);
    isDone = rest === 'done';
    if (rest === 'done') break;
    open = rest;
    // The lease was broken, or GC took a block in between: what is left is done again from the start.
    assert(attempt < ATTEMPTS_MAX, 'a batch is indexed after a bounded number of tries');
  }
  return { errors: batch.changes.map((change) => errors.get(change)), stored: { newBytes } };
}

interface ToStore {
  /** Of all blocks of the batch, as read. */
  readonly rows: ReadonlyMap<BlockId, BlockRow | undefined>;
  readonly unknown: readonly Plain[];
  /** Of known blocks among them, the records that cannot be read. */
  readonly unreadable: ReadonlySet<RecordId>;
}

async function blocksToStore(
  store: VolumeStore,
  batch: BlockBatch,
  open: readonly ObjectChange[],
  look: ReadOptions,
): Promise<ToStore> {
  const needed = new Set<BlockId>(batch.extra?.keys());
  for (const { next } of open) for (const id of next?.blocks ?? []) needed.add(id);
  const rows = await readBlocks(store.c.panda, [...needed], look);
  const known = [...rows.values()].filter((row) => row !== undefined);
  const unreadable = await unreadableRecords(store, known);
  // A transaction takes few of the writes that replace a record: the others refer to what is there and wait for its drives.
  const replaced = new Set([...unreadable].slice(0, REPLACED_MAX));
  const unknown = [...needed].filter((id) => {
    const row = rows.get(id);
    return row === undefined || replaced.has(row.recordId);
  });
  return { rows, unknown: unknown.map((id) => plainOf(batch, id)), unreadable: replaced };
}

function plainOf(batch: BlockBatch, id: BlockId): Plain {
  const plain = batch.blocks.get(id);
  assert(plain !== undefined, 'a batch holds the bytes of its blocks');
  return plain;
}

async function appendBlocks(store: VolumeStore, keks: KekRing, plains: readonly Plain[]): Promise<Appended> {
  const kek = await keks.current();
  const sealed = await mapLimit(plains, SEALS_AT_ONCE, ({ bytes }) => sealBlockInPool(bytes, store.c.randomness, kek));
  const group = await appendGroup(
    store,
    sealed.map(({ recordId, record }, i) => ({ blockId: (plains[i] as Plain).id, recordId, record })),
  );
  const fresh = new Map<BlockId, FreshBlock>();
  for (const [i, { id, bytes }] of plains.entries()) {
    const seal = sealed[i] as (typeof sealed)[number];
    const placed = group.placed[i] as AppendedGroup['placed'][number];
    fresh.set(id, {
      id,
      cell: store.c.settings.cell,
      bucket: group.bucket,
      slot: placed.slot,
      recordId: seal.recordId,
      recordBytes: seal.record.length,
      plaintextBytes: bytes.length,
      hint: placed.hint,
      wrappedBek: seal.wrappedBek,
      kekVersion: seal.kekVersion,
    });
  }
  return { group, kekVersion: kek.version, fresh };
}

/** 'done', or the changes that must be tried again with new records. */
async function indexAll(
  store: VolumeStore,
  keks: KekRing,
  batch: BlockBatch,
  look: ReadOptions,
  rows: ReadonlyMap<BlockId, BlockRow | undefined>,
  appended: Appended | undefined,
  unreadable: ReadonlySet<RecordId>,
  errors: Map<ObjectChange, Error>,
): Promise<'done' | readonly ObjectChange[]> {
  const fresh = appended?.fresh ?? new Map<BlockId, FreshBlock>();
  const group = appended?.group;
  const own = batch.guards ?? [];
  const objects = new Map<ObjectChange, ObjectRow | undefined>();
  // Those that earlier transactions of the batch made are not as they were read.
  const blocks = new Map(rows);
  const used = new Set<BlockId>();
  const again: ObjectChange[] = [];
  let isLost = false;
  let isFinished = false;
  const run = async (changes: readonly ObjectChange[], isLast: boolean): Promise<void> => {
    let finishes = false;
    const guards = (using: readonly BlockId[]): Write[] => {
      // The last transaction settles the group too, if with it no slot stays unused: a block that turned out to be known
      // leaves its slot to be marked dead.
      const named = new Set([...used, ...using]);
      finishes = isLast && [...fresh.keys()].every((id) => named.has(id));
      return appended === undefined || group === undefined
        ? [...own]
        : [finishes ? group.finish() : group.check(), notRetiring(appended.kekVersion), ...own];
    };
    const outcome = await runIndex(store.c, {
      changes,
      fresh,
      guards,
      seen: { objects, blocks },
      ...(unreadable.size > 0 ? { unreadable } : {}),
      ...(batch.extra ? { extra: batch.extra } : {}),
      ...(batch.took ? { took: batch.took } : {}),
    });
    if (!outcome.ok) {
      again.push(...changes);
      isLost ||= batch.extra !== undefined;
      return;
    }
    for (const id of outcome.used) {
      used.add(id);
      blocks.delete(id);
    }
    isFinished = finishes;
  };
  const attempt = async (changes: readonly ObjectChange[], isLast: boolean): Promise<void> => {
    try {
      await run(changes, isLast);
    } catch (error) {
      // The lease was broken, or the KEK of the new records is being destroyed: both are had anew.
      if (group !== undefined && (isGuardFailure(error, 0) || isGuardFailure(error, 1))) {
        keks.forget();
        again.push(...changes);
        isLost ||= batch.extra !== undefined;
      } else if (isKind(error, 'conflict', 'corrupt') && batch.extra === undefined) {
        const half = Math.ceil(changes.length / 2);
        if (changes.length === 1) errors.set(changes[0] as ObjectChange, error);
        else for (const some of [changes.slice(0, half), changes.slice(half)]) await attempt(some, false);
      } else throw error;
    }
  };
  // From here on every way out ends the group: one that is kept would keep its volume from all later puts of this process.
  try {
    const olds = await readObjects(store.c.panda, batch.changes, look);
    for (const [i, change] of batch.changes.entries()) objects.set(change, olds[i]);
    const inTrash = (id: BlockId): boolean => rows.get(id)?.state === 'trash';
    const transactions =
      batch.extra === undefined
        ? inTransactions(batch.changes, olds, PAIRS_MAX, own.length + 2, inTrash)
        : [[...batch.changes]];
    await mapLimit(transactions.slice(0, -1), TRANSACTIONS_AT_ONCE, (changes) => attempt(changes, false));
    const last = transactions.at(-1);
    if (last !== undefined) await attempt(last, true);
  } catch (error) {
    if (group !== undefined && !isFinished && isKind(error, 'unknown')) group.leave();
    else if (group !== undefined && !isFinished && isPocketfulError(error)) await group.settle();
    throw error;
  }
  if (group !== undefined) {
    if (isFinished) group.finished();
    else await group.settle();
  }
  return again.length === 0 && !isLost ? 'done' : again;
}
