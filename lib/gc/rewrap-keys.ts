// Rotation, second half: the wrapped key of every block is unwrapped with the KEK it has and wrapped with the current
// one. Nothing else of a block changes, and no drive is touched. A cursor row lets anyone go on where a pass was cut
// off; a pass may run beside puts, GC and another pass.
import { isKind } from '../foundation/errors.ts';
import { unwrapBek, wrapBek } from '../keys/envelope.ts';
import { isKeyDestroyed } from '../keys/keys.ts';
import { REWRAP_TRANSACTIONS_AT_ONCE } from '../limits/frontend.ts';
import { ROWS_PER_TRANSACTION } from '../limits/panda.ts';
import { CONFLICT_ATTEMPTS_MAX } from '../limits/volume.ts';
import type { Update } from '../panda/panda.ts';
import {
  type BlockRow,
  blockFromRow,
  blockKey,
  blockPartitions,
  formIs,
  recordIs,
  wrappedAs,
  wrapUnder,
} from '../panda/rows/block-row.ts';
import type { Components } from '../volume/rows/components.ts';
import { currentKek } from '../volume/rows/known-keks.ts';
import { rowsOf } from '../volume/rows/read-rows.ts';
import { raiseStoreFormat } from '../volume/rows/store-format.ts';
import { backOffMs, transact, transactUnlessConflict } from '../volume/rows/transact.ts';
import { isThatVoid, mayBeVoid, voidBlocks } from '../volume/rows/void-blocks.ts';
import { rewrapAttributes, rewrapCursor, rewrapKey } from './rewrap-row.ts';

export interface RewrapReport {
  /** The version everything is wrapped by afterwards. */
  readonly version: number;
  readonly scannedBlocks: number;
  readonly rewrappedBlocks: number;
  /** True if an earlier pass to the same version had been cut off and was gone on with. */
  readonly resumed: boolean;
  /** False when the signal ended it early: the cursor says where. */
  readonly finished: boolean;
}

export interface RewrapOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((report: RewrapReport) => void) | undefined;
}

/**
 * Wraps every block by the current version. Throws `denied` KEYS_BEHIND, KEK_WRONG, KEK_MISSING or KEK_DESTROYED, the
 * cursor kept.
 */
export async function rewrapKeys(components: Components, options: RewrapOptions = {}): Promise<RewrapReport> {
  await raiseStoreFormat(components);
  const { version } = await currentKek(components);
  const first = await cursorAt(components, version);
  const partitions = blockPartitions();
  let scannedBlocks = 0;
  let rewrappedBlocks = 0;
  const report = (finished: boolean): RewrapReport => ({
    version,
    scannedBlocks,
    rewrappedBlocks,
    resumed: first > 0,
    finished,
  });
  for (let at = first; at < partitions.length; at++) {
    if (options.signal?.aborted) return report(false);
    const counted = await rewrapPartition(components, partitions[at] as string, version);
    scannedBlocks += counted.scanned;
    rewrappedBlocks += counted.rewrapped;
    if (counted.rewrapped > 0 && at + 1 < partitions.length) await moveCursor(components, version, at + 1);
    options.onProgress?.(report(false));
  }
  await transact(
    components,
    [{ kind: 'delete', ...rewrapKey }],
    async () => (await components.panda.get(rewrapKey)) === undefined,
  );
  return report(true);
}

/**
 * How many blocks each version wraps: reads every block row. Void ones (docs/decisions/0018) do not count: nobody
 * refers to them any more.
 */
export async function blocksByKekVersion(components: Components): Promise<Map<number, number>> {
  const counts = new Map<number, number>();
  const count = ({ kekVersion }: BlockRow): unknown => counts.set(kekVersion, (counts.get(kekVersion) ?? 0) + 1);
  const countSound = async (some: readonly BlockRow[]): Promise<void> => {
    const voids = await voidBlocks(components, some);
    for (const block of some) if (!voids.has(block.id)) count(block);
  };
  for (const partition of blockPartitions()) {
    let suspects: BlockRow[] = [];
    for await (const row of rowsOf(components.panda, partition)) {
      const block = blockFromRow(row);
      if (!mayBeVoid(block)) count(block);
      else suspects.push(block);
      if (suspects.length < ROWS_PER_TRANSACTION) continue;
      await countSound(suspects);
      suspects = [];
    }
    await countSound(suspects);
  }
  return counts;
}

const cursorAt = async (components: Components, version: number): Promise<number> =>
  rewrapCursor(await components.panda.get(rewrapKey), version);

async function moveCursor(components: Components, version: number, at: number): Promise<void> {
  const put = { kind: 'put', ...rewrapKey, attributes: rewrapAttributes(version, at) } as const;
  await transact(components, [put], async () => (await cursorAt(components, version)) >= at);
}

async function rewrapPartition(components: Components, partition: string, version: number) {
  let scanned = 0;
  let rewrapped = 0;
  let batch: BlockRow[] = [];
  const running = new Set<Promise<void>>();
  const flush = async (): Promise<void> => {
    if (batch.length === 0) return;
    const work = rewrapBatch(components, batch, version).then((count) => {
      rewrapped += count;
      running.delete(work);
    });
    work.catch(() => {});
    running.add(work);
    batch = [];
    if (running.size >= REWRAP_TRANSACTIONS_AT_ONCE) await Promise.race(running);
  };
  for await (const row of rowsOf(components.panda, partition)) {
    scanned += 1;
    const block = blockFromRow(row);
    if (block.kekVersion >= version) continue; // newer: another pass is at work
    batch.push(block);
    if (batch.length === ROWS_PER_TRANSACTION) await flush();
  }
  await flush();
  await Promise.all(running);
  return { scanned, rewrapped };
}

async function rewrapBatch(components: Components, batch: readonly BlockRow[], version: number): Promise<number> {
  const isDone = async (): Promise<boolean> => {
    const rows = await components.panda.getMany(batch.map(({ id }) => blockKey(id)));
    return rows.every((row) => row === undefined || blockFromRow(row).kekVersion >= version);
  };
  try {
    const writes = await Promise.all(batch.map((block) => rewrapWrite(components, block, version)));
    await transact(components, writes, isDone);
    return batch.length;
  } catch (error) {
    if (!isKind(error, 'conflict') && !isKeyDestroyed(error)) throw error;
  }
  let count = 0;
  for (const block of batch) if (await rewrapOne(components, block, version)) count += 1;
  return count;
}

/**
 * Another writer changed a row of the batch: each by itself, from what the row is now. A key that is gone while the row
 * names it was destroyed too early; if the row names another one by now, or none below the version, all is well. So it
 * is if the row is void: a plain write of a put that came when its key was destroyed, and the row goes.
 */
async function rewrapOne(components: Components, { id }: BlockRow, version: number): Promise<boolean> {
  let missed: number | undefined;
  for (let attempt = 0; ; attempt++) {
    const row = await components.panda.get(blockKey(id));
    if (row === undefined) return false; // shredded meanwhile
    const block = blockFromRow(row);
    if (block.kekVersion >= version) return false;
    const took = async (): Promise<boolean> => {
      const now = await components.panda.get(blockKey(id));
      return now === undefined || blockFromRow(now).kekVersion >= version;
    };
    try {
      await transact(components, [await rewrapWrite(components, block, version)], took);
      return true;
    } catch (error) {
      const isOld = isKeyDestroyed(error) && missed !== block.kekVersion;
      if ((!isKind(error, 'conflict') && !isOld) || attempt >= CONFLICT_ATTEMPTS_MAX) throw error;
      if (isOld && (await dropVoid(components, block))) return false;
      if (isOld) missed = block.kekVersion;
      await components.clock.sleep(backOffMs(attempt, components.randomness));
    }
  }
}

/** True if the row was void, and is gone. */
async function dropVoid(components: Components, block: BlockRow): Promise<boolean> {
  if (!(await voidBlocks(components, [block])).has(block.id)) return false;
  const drop = { kind: 'delete', ...blockKey(block.id), if: isThatVoid(block) } as const;
  const took = async (): Promise<boolean> => (await components.panda.get(blockKey(block.id))) === undefined;
  return transactUnlessConflict(components, [drop], took);
}

async function rewrapWrite(components: Components, block: BlockRow, version: number): Promise<Update> {
  const bek = unwrapBek(block.wrappedBek, await components.keks.kek(block.kekVersion));
  const wrapped = wrapBek(bek, await components.keks.kek(version));
  bek.fill(0);
  return {
    kind: 'update',
    ...blockKey(block.id),
    ...wrapUnder(block, { wrappedBek: wrapped, kekVersion: version }),
    if: [wrappedAs(block), ...formIs(block), recordIs(block.recordId)],
  };
}
