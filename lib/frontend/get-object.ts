// GET: the blocks of an object, in order, with bounded read-ahead. A range reads only the blocks it needs. Every block
// is checked against its hash before a byte of it is handed out.
import { conflict, corrupt, invalid, isKind, isPocketfulError, missing } from '../foundation/errors.ts';
import type { BlockId } from '../foundation/ids.ts';
import { giveBack, openBlockInPool } from '../keys/envelope.ts';
import { BLOCK_ROWS_AT_ONCE, GET_AHEAD_BLOCKS_MAX, GET_AHEAD_BYTES_MAX } from '../limits/frontend.ts';
import { READ_ATTEMPTS_MAX } from '../limits/reads.ts';
import type { BlockRow } from '../panda/rows/block-row.ts';
import { namespacePartition } from '../panda/rows/namespace-row.ts';
import { type ObjectRow, objectFromRow, objectKey } from '../panda/rows/object-row.ts';
import { readBlocks, rowsOf } from '../volume/rows/read-rows.ts';
import type { VolumeStore } from '../volume/volume-store.ts';
import { blockIdsOf } from './compose/block-ids.ts';
import { blockAt } from './compose/block-layout.ts';
import { isVoidObject } from './index-plan.ts';
import type { KekRing } from './kek-ring.ts';
import { checkKey, checkNamespace, shown } from './object-keys.ts';
import type { ReadBudget } from './read-budget.ts';

export interface Range {
  readonly offset: number;
  /** To the end if not given; more than there is means the end too. */
  readonly length?: number | undefined;
}

/** Which range is wanted of the object that is there; throws if it is not to be read. */
export type RangeOf = (object: ObjectRow) => Range | undefined;

export interface GetResult {
  readonly object: ObjectRow;
  /** What is read of it. */
  readonly offset: number;
  readonly length: number;
  readonly body: AsyncIterable<Uint8Array>;
}

/** Throws `missing` OBJECT_MISSING. */
export const headObject = async (store: VolumeStore, namespace: string, key: string): Promise<ObjectRow> =>
  (await lookUp(store, namespace, key)).object;

/** An object that was put plain with its block's row, which says whether it counts. */
async function lookUp(
  store: VolumeStore,
  namespace: string,
  key: string,
): Promise<{ readonly object: ObjectRow; readonly block: BlockRow | undefined }> {
  const { panda } = store.components;
  const row = await panda.get(objectKey(checkNamespace(namespace), checkKey(key)));
  const object = row === undefined ? undefined : objectFromRow(row);
  const blocks = object?.isNamed ? await readBlocks(panda, object.blocks ?? []) : new Map<BlockId, BlockRow>();
  if (object === undefined || isVoidObject(object, blocks))
    throw missing('OBJECT_MISSING', `"${shown(key)}" is not there`);
  return { object, block: blocks.get(object.blocks?.[0] as BlockId) };
}

/**
 * Errors while reading: `corrupt` RECORD_LOST, `retry` RECORD_WAITS, `conflict` OBJECT_CHANGED when it was overwritten
 * meanwhile.
 */
export async function getObject(
  store: VolumeStore,
  keks: KekRing,
  budget: ReadBudget,
  namespace: string,
  key: string,
  range?: Range | RangeOf,
): Promise<GetResult> {
  const { object, block } = await lookUp(store, namespace, key);
  const { offset, length } = clip(typeof range === 'function' ? range(object) : range, object.sizeBytes);
  return { object, offset, length, body: bodyOf(store, keks, budget, object, offset, length, block) };
}

function clip(range: Range | undefined, sizeBytes: number): { offset: number; length: number } {
  if (range === undefined) return { offset: 0, length: sizeBytes };
  const { offset, length = sizeBytes } = range;
  if (!Number.isSafeInteger(offset) || offset < 0 || !Number.isSafeInteger(length) || length < 0)
    throw invalid('RANGE_INVALID', 'a range has a non-negative offset and length');
  if (offset > sizeBytes)
    throw invalid('RANGE_INVALID', `the range begins at ${offset}, the object has ${sizeBytes} bytes`);
  return { offset, length: Math.min(length, sizeBytes - offset) };
}

async function* bodyOf(
  store: VolumeStore,
  keks: KekRing,
  budget: ReadBudget,
  object: ObjectRow,
  offset: number,
  length: number,
  known: BlockRow | undefined,
): AsyncGenerator<Uint8Array> {
  if (length === 0) return;
  const firstBlock = blockAt(object, offset);
  const lastBlock = blockAt(object, offset + length - 1);
  const { index: first } = firstBlock;
  const { index: last } = lastBlock;
  const owners = [object.namespace];
  const ahead: { readonly block: Promise<Uint8Array>; readonly takenBytes: number }[] = [];
  const width = Math.max(2, Math.min(GET_AHEAD_BLOCKS_MAX, Math.floor(GET_AHEAD_BYTES_MAX / object.blockBytes)));
  let index = first;
  // Begun and taken in functions of their own: a generator that waits to be asked on keeps what it held last.
  const begin = (id: BlockId, known: BlockRow | undefined, takenBytes: number): void => {
    const block = readBlock(store, keks, { id, known, owners }, () => changedOr(store, object, rowMissing()));
    block.catch(() => {});
    ahead.push({ block, takenBytes });
  };
  const next = async (): Promise<Uint8Array> => {
    const { block, takenBytes } = ahead[0] as (typeof ahead)[number];
    const bytes = await block;
    ahead.shift();
    budget.give(takenBytes);
    const from = index === first ? offset - firstBlock.start : 0;
    const to = index === last ? offset + length - lastBlock.start : bytes.length;
    index += 1;
    return bytes.subarray(from, to);
  };
  try {
    for await (const { id, row } of blockRows(store, object, first, last, known)) {
      // The first one needs no leave; those beyond it are read ahead while there is memory for it.
      let takenBytes = 0;
      while (ahead.length > 0 && takenBytes === 0) {
        if (ahead.length < width && budget.tryTake(object.blockBytes)) takenBytes = object.blockBytes;
        else yield await next();
      }
      begin(id, row, takenBytes);
    }
    while (ahead.length > 0) yield await next();
  } finally {
    await Promise.allSettled(ahead.map(({ block }) => block));
    for (const { takenBytes } of ahead) budget.give(takenBytes);
  }
}

async function* blockRows(
  store: VolumeStore,
  object: ObjectRow,
  first: number,
  last: number,
  known: BlockRow | undefined,
): AsyncGenerator<{ id: BlockId; row: BlockRow | undefined }> {
  if (known !== undefined) {
    yield { id: known.id, row: known };
    return;
  }
  let batch: BlockId[] = [];
  const flush = async function* (): AsyncGenerator<{ id: BlockId; row: BlockRow | undefined }> {
    const rows = await readBlocks(store.components.panda, [...new Set(batch)]);
    for (const id of batch) yield { id, row: rows.get(id) };
    batch = [];
  };
  let index = 0;
  for await (const id of blockIdsOf(store, object)) {
    if (index > last) break;
    if (index >= first) batch.push(id);
    index += 1;
    if (batch.length === BLOCK_ROWS_AT_ONCE) yield* flush();
  }
  yield* flush();
  if (index <= last)
    throw await changedOr(store, object, corrupt('BLOCK_LIST_SHORT', 'blocks of the object are missing: run doctor'));
}

/** A block by its id, checked against it. Throws `missing` BLOCK_MISSING. */
export async function getBlock(store: VolumeStore, keks: KekRing, id: BlockId): Promise<Uint8Array> {
  const row = (await readBlocks(store.components.panda, [id])).get(id);
  return readBlock(store, keks, { id, known: row, owners: [] }, async () =>
    missing('BLOCK_MISSING', 'the block is not there (any more)'),
  );
}

interface WantedBlock {
  readonly id: BlockId;
  readonly known: BlockRow | undefined;
  /** Namespaces that may keep it for themselves. */
  readonly owners: readonly string[];
}

/** `gone`: the error if there is no row of it. */
async function readBlock(
  store: VolumeStore,
  keks: KekRing,
  { id, known, owners: likely }: WantedBlock,
  gone: () => Promise<Error>,
): Promise<Uint8Array> {
  let row = known;
  let owners = likely;
  for (let attempt = 0; ; attempt++) {
    if (row === undefined) throw await gone();
    try {
      const record = await store.records.read(row);
      const plaintext = await openBlockInPool(record, row.wrappedBek, await keks.key(row.kekVersion), {
        recordId: row.recordId,
        blockId: id,
        owners,
      });
      giveBack(record);
      return plaintext;
    } catch (error) {
      // What was copied from another namespace may be that one's.
      if (owners === likely && isPocketfulError(error) && error.code === 'BLOCK_CORRUPT') {
        owners = await namespacesWithRules(store);
        if (owners.length > 0) continue;
      }
      // The record moved under the row that was read (or its key was wrapped anew): read the row again.
      const now = (await readBlocks(store.components.panda, [id])).get(id);
      const isSame = isSameCopy(now, row) && now?.kekVersion === row.kekVersion;
      const isGone = isKind(error, 'missing');
      if (!isKind(error, 'missing', 'corrupt', 'denied') || (isSame && !isGone) || attempt >= READ_ATTEMPTS_MAX)
        throw error;
      row = now;
    }
  }
}

async function namespacesWithRules({ components }: VolumeStore): Promise<string[]> {
  const names: string[] = [];
  for await (const { sort } of rowsOf(components.panda, namespacePartition)) names.push(sort);
  return names;
}

/** Of the same record in the same slot: a merge copies it to another. */
const isSameCopy = (now: BlockRow | undefined, row: BlockRow): boolean =>
  now?.recordId === row.recordId && now.bucket === row.bucket && now.slot === row.slot;

const rowMissing = () => corrupt('BLOCK_ROW_MISSING', 'a block of the object has no row: run doctor');

/** The error to report when something of the object is not there: that it was overwritten or deleted, if so. */
async function changedOr(store: VolumeStore, object: ObjectRow, otherwise: Error): Promise<Error> {
  const row = await store.components.panda.get(objectKey(object.namespace, object.key));
  if (row !== undefined && objectFromRow(row).version === object.version) return otherwise;
  return conflict('OBJECT_CHANGED', `"${shown(object.key)}" was overwritten or deleted while it was read`);
}
