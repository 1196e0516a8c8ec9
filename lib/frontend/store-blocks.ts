// A batch of blocks on their way in: which are known already, which must be sealed and appended, and the index
// transactions that make them, and the objects made of them, part of the store.
import { assert } from '../foundation/assert.ts';
import { isPocketfulError } from '../foundation/errors.ts';
import { type BlockId, newObjectVersion, type ObjectVersion } from '../foundation/ids.ts';
import { type Lane, SHARED_LANE } from '../foundation/lane.ts';
import { blockIdInPool, type SealedBlock } from '../keys/envelope.ts';
import { blockMemory, sealHere } from '../keys/sealer.ts';
import { BATCH_ATTEMPTS_MAX } from '../limits/frontend.ts';
import type { ReadOptions, Write } from '../panda/panda.ts';
import type { BlockRow } from '../panda/rows/block-row.ts';
import { unreadableRecords } from '../volume/read/unreadable.ts';
import { raiseStoreFormat } from '../volume/rows/store-format.ts';
import { backOffMs } from '../volume/rows/transact.ts';
import { voidBlocks } from '../volume/rows/void-blocks.ts';
import type { VolumeStore } from '../volume/volume-store.ts';
import { appendGroup, KEK_RETIRING } from '../volume/write/append.ts';
import type { AppendedGroup } from '../volume/write/appended-group.ts';
import type { BulkStream } from '../volume/write/bulk-stream.ts';
import { HeldBlock } from './blocks/held-block.ts';
import { rowsOfBatch } from './blocks/rows-of-batch.ts';
import { cutBlocks } from './cut-blocks.ts';
import { type Appended, IndexBatch } from './index-batch.ts';
import { type AlongRequest, contended, indexAlong } from './index-objects.ts';
import type { FreshBlock, ObjectChange } from './index-plan.ts';
import type { KekRing } from './kek-ring.ts';
import { type NamedPuts, namedPutsOf } from './named/put-named.ts';
import type { PutItem } from './put-item.ts';

export interface Stored {
  /** Record bytes appended for blocks the store did not have. */
  readonly newBytes: ReadonlyMap<BlockId, number>;
}

/** How records of a batch may go into a large group with those of others. */
export interface BulkWay {
  readonly stream: BulkStream;
  /** Before records go into hot volumes: throws `retry` HOT_FULL. */
  beforeHot(bytes: number): Promise<void>;
}

export interface BlockBatch {
  /** Each block once. They are held until they are indexed: GC may take a known block away under a put. */
  readonly blocks: ReadonlyMap<BlockId, HeldBlock>;
  readonly changes: readonly ObjectChange[];
  /** References beside those of the changes: a segment's. */
  readonly extra?: ReadonlyMap<BlockId, number>;
  /** Further writes of the (then single) transaction. */
  readonly guards?: readonly Write[];
  readonly took?: () => Promise<boolean>;
  /** Missing: they are appended as a group of their own. */
  readonly bulk?: BulkWay | undefined;
  /** Where its new blocks go; missing: SHARED_LANE. */
  readonly lane?: Lane | undefined;
}

/** What became of a change: an error, or the version under which it is durable. */
export interface ChangeOutcome {
  readonly error: Error | undefined;
  readonly version: ObjectVersion | undefined;
}

export interface StoredBatch {
  readonly outcomes: readonly ChangeOutcome[];
  readonly stored: Stored;
}

/**
 * Stores and indexes a batch. A change whose condition fails does not keep the others from being written. Its blocks
 * are dropped then, whatever came of it.
 */
export async function storeBatch(store: VolumeStore, keks: KekRing, batch: BlockBatch): Promise<StoredBatch> {
  const sealed: SealedBlock[] = [];
  try {
    return await storeHeld(store, keks, batch, sealed);
  } finally {
    for (const block of batch.blocks.values()) block.drop();
    store.components.sealer?.release?.(sealed);
  }
}

/** What was sealed for it is told as it goes on. */
async function storeHeld(
  store: VolumeStore,
  keks: KekRing,
  batch: BlockBatch,
  sealed: SealedBlock[],
): Promise<StoredBatch> {
  const { panda, clock, randomness } = store.components;
  const newBytes = new Map<BlockId, number>();
  const errors = new Map<ObjectChange, Error>();
  /** By what a change is now: what it was. */
  const origins = new Map(batch.changes.map((change) => [change, change]));
  let open = batch.changes;
  let isDone = batch.extra === undefined && open.length === 0;
  for (let attempt = 0; !isDone; attempt++) {
    if (attempt > 0) await clock.sleep(backOffMs(attempt, randomness));
    // At first a cheap look: every row it finds, or does not find, is a condition of the index transaction.
    const look: ReadOptions = { consistency: attempt === 0 ? 'eventual' : 'strong' };
    const { rows, olds } = await rowsOfBatch(panda, neededBy(batch, open), open, look);
    const { voids, lost, plains } = await blocksToStore(store, batch, rows);
    // Even if all is known: what these keys may not be able to open is not to be acknowledged.
    if (plains.length === 0) await keks.current();
    const isPlain = attempt === 0 && panda.paysByWrite && batch.extra === undefined && batch.guards === undefined;
    const named = isPlain ? namedPutsOf(open, olds, rows) : new Map();
    const isOnlyPut = batch.extra === undefined && batch.guards === undefined && lost.size === 0 && voids.size === 0;
    const along = isOnlyPut && named.size === 0 ? { changes: open, olds, rows } : undefined;
    const put = { plains, named, along, bulk: batch.bulk, lane: batch.lane ?? SHARED_LANE, sealed };
    const appended = plains.length === 0 ? undefined : await appendUnderUsableKey(store, keks, put);
    for (const [id, { recordBytes }] of appended?.fresh ?? []) newBytes.set(id, recordBytes);
    // A large group tells whoever recovers it of no objects that are put plain.
    const plainly = appended?.group.isShared ? new Map() : named;
    const request = { ...batch, changes: open, rows, lost, appended, olds, named: plainly };
    if (appended?.group.isIndexed) break;
    const done = await new IndexBatch(store.components, request).run();
    for (const [change, error] of done.errors) errors.set(origins.get(change) as ObjectChange, error);
    open = done.again.map((change) => (plainly.has(change) ? anew(change) : change));
    isDone = open.length === 0 && !done.isLost;
    if (isDone) break;
    // The lease was broken, or GC took a block in between: what is left is done again from the start.
    keks.forget();
    if (attempt < BATCH_ATTEMPTS_MAX) continue;
    if (batch.extra !== undefined) throw contended();
    for (const change of open) errors.set(origins.get(change) as ObjectChange, contended());
    break;
  }
  const versions = new Map([...origins].map(([change, origin]) => [origin, change.next?.version]));
  return {
    outcomes: batch.changes.map((change) => ({ error: errors.get(change), version: versions.get(change) })),
    stored: { newBytes },
  };

  /** A plain write of it may still come: a version is used once. */
  function anew(change: ObjectChange): ObjectChange {
    const version = newObjectVersion(randomness);
    const next = change.next === undefined ? undefined : { ...change.next, version };
    const again = { ...change, next };
    origins.set(again, origins.get(change) as ObjectChange);
    return again;
  }
}

interface ToStore {
  /** Blocks whose row is void. */
  readonly voids: ReadonlySet<BlockId>;
  /** Known blocks among them whose record cannot be read. */
  readonly lost: ReadonlyMap<BlockId, BlockRow>;
  /** What must be stored: the unknown ones and the lost ones. */
  readonly plains: readonly HeldBlock[];
}

function neededBy(batch: BlockBatch, open: readonly ObjectChange[]): readonly BlockId[] {
  const needed = new Set<BlockId>(batch.extra?.keys());
  for (const { next } of open) for (const id of next?.blocks ?? []) needed.add(id);
  return [...needed];
}

/** `rows`: of all blocks of the batch, as read. */
async function blocksToStore(
  store: VolumeStore,
  batch: BlockBatch,
  rows: ReadonlyMap<BlockId, BlockRow | undefined>,
): Promise<ToStore> {
  const voids = await voidBlocks(store.components, [...rows.values()]);
  const known = [...rows.values()].filter((row) => row !== undefined && !voids.has(row.id)) as BlockRow[];
  // An acknowledgement means that it can be read now: what is referred to must be there, not only known.
  const unreadable = known.length === 0 ? [] : await unreadableRecords(store, known);
  const lost = new Map(unreadable.map((row) => [row.id, row]));
  const isNew = (id: BlockId): boolean => rows.get(id) === undefined || voids.has(id) || lost.has(id);
  return { voids, lost, plains: [...rows.keys()].filter(isNew).map((id) => plainOf(batch, id)) };
}

function plainOf(batch: BlockBatch, id: BlockId): HeldBlock {
  const plain = batch.blocks.get(id);
  assert(plain !== undefined, 'a batch holds its blocks');
  return plain;
}

interface BlocksToPut {
  readonly plains: readonly HeldBlock[];
  readonly named: NamedPuts;
  /** What may be indexed in the transaction that commits them. */
  readonly along: AlongRequest | undefined;
  readonly bulk: BulkWay | undefined;
  readonly lane: Lane;
  /** What is sealed is added here. */
  readonly sealed: SealedBlock[];
}

/** The key that this process has for the current one may be about to be destroyed: the new one is looked up then. */
async function appendUnderUsableKey(store: VolumeStore, keks: KekRing, put: BlocksToPut): Promise<Appended> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await appendBlocks(store, keks, put);
    } catch (error) {
      if (!isPocketfulError(error) || error.code !== KEK_RETIRING || attempt >= BATCH_ATTEMPTS_MAX) throw error;
      keks.forget();
      await store.components.clock.sleep(backOffMs(attempt, store.components.randomness));
    }
  }
}

async function appendBlocks(
  store: VolumeStore,
  keks: KekRing,
  { plains, named, along, bulk, lane, sealed: all }: BlocksToPut,
): Promise<Appended> {
  const { components } = store;
  const kek = await keks.current();
  const { sealer = sealHere } = components;
  const sealed = await sealer.seal(
    plains.map((plain) => plain.plaintext()),
    components.randomness,
    kek,
    // As each is, not when all are: its plaintext goes with that.
    (i, block) => {
      all.push(block);
      plains[i]?.sealedAs(block, kek);
    },
  );
  const intents = new Map(
    [...named].map(([{ namespace, key, next }, id]) => {
      assert(next !== undefined, 'what is put has a row');
      return [id, { namespace, key, version: next.version }] as const;
    }),
  );
  const recordBytes = sealed.map(({ record }) => record.length);
  const freshAt = (placed: AppendedGroup['placed']): Map<BlockId, FreshBlock> =>
    new Map(
      plains.map(({ id, length }, i) => {
        const { recordId, wrappedBek, kekVersion } = sealed[i] as SealedBlock;
        const where = placed[i] as AppendedGroup['placed'][number];
        const lengths = { recordBytes: recordBytes[i] as number, plaintextBytes: length };
        return [id, { id, cell: components.settings.cell, ...where, recordId, ...lengths, wrappedBek, kekVersion }];
      }),
    );
  const records = sealed.map(({ recordId, record }, i) => ({
    blockId: (plains[i] as HeldBlock).id,
    recordId,
    record,
  }));
  const group = (await bulk?.stream.offer(records, kek.version, lane)) ?? (await appendHot());
  return { group, fresh: freshAt(group.placed) };

  async function appendHot(): Promise<AppendedGroup> {
    await bulk?.beforeHot(records.reduce((sum, { record }) => sum + record.length, 0));
    if (along !== undefined) await raiseStoreFormat(components);
    return appendGroup(
      store,
      records.map((one) => ({ ...one, intent: intents.get(one.blockId) })),
      kek.version,
      (placed) => (along === undefined ? undefined : indexAlong(components, along, freshAt(placed))),
      lane,
    );
  }
}

/** All of a body that its owner has read and hashed already; undefined: it has to be read. */
export async function wholeOf(item: PutItem, blockBytes: number): Promise<readonly HeldBlock[] | undefined> {
  const whole = await item.whole?.(blockBytes);
  if (whole === undefined) return undefined;
  const { bytes, sha256, free } = whole;
  if (bytes.length > 0) return [new HeldBlock(sha256 as BlockId, bytes, { owner: ownerOf(item), free })];
  free?.();
  return [];
}

/** A body as blocks. */
export async function* heldBlocksOf(item: PutItem, blockBytes: number): AsyncGenerator<HeldBlock> {
  // What comes in pieces was copied, and is this block's alone.
  const isOwn = !(item.body instanceof Uint8Array);
  for await (const bytes of cutBlocks(item.body, blockBytes, { memory: blockMemory, sizeBytes: item.sizeBytes })) {
    const free = isOwn ? () => blockMemory.give(bytes.buffer as ArrayBuffer) : undefined;
    yield new HeldBlock(await blockIdInPool(bytes), bytes, { owner: ownerOf(item), free });
  }
}

const ownerOf = ({ namespace, ownBlocks }: PutItem): string | undefined => (ownBlocks ? namespace : undefined);
