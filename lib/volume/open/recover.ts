// RECOVER (protocol 5): a committed group, of an append or a merge, whose index transactions are not known to be
// complete. Slots that no block row names become dead; then the volume takes appends again.
import { assert } from '../../foundation/assert.ts';
import { conflict, corrupt, isKind } from '../../foundation/errors.ts';
import type { BlockId, BucketId } from '../../foundation/ids.ts';
import { KEYS_AT_ONCE } from '../../limits/panda.ts';
import { CONFLICT_ATTEMPTS_MAX } from '../../limits/volume.ts';
import type { Write } from '../../panda/panda.ts';
import { type BlockRow, blockFromRow, blockKey } from '../../panda/rows/block-row.ts';
import { type DeadRow, deadFromRow, deadKey } from '../../panda/rows/bucket-row.ts';
import type { VolumeRow } from '../../panda/rows/volume-row.ts';
import type { Components } from '../rows/components.ts';
import { readGroup, readVolume } from '../rows/read-rows.ts';
import { backOffMs, transact } from '../rows/transact.ts';
import { type ListedGroup, partsOf, settledWrite, unnamedWrites } from '../steps/recover-steps.ts';

/**
 * Settles the pending group of a volume leased under `token`. Afterwards pendingSeq is none, and the lease is kept or
 * given back. Throws a conflict when the token is no longer the volume's.
 */
export async function recoverPending(
  components: Components,
  volume: VolumeRow,
  token: number,
  release: boolean,
): Promise<void> {
  const seq = volume.pendingSeq;
  assert(seq !== undefined, 'a volume to recover has a pending group');
  const cell = components.settings.cell;
  const group = await readGroup(components.panda, volume, seq);
  if (group === undefined) throw await rowGone(components, volume, token, seq);
  const settled = settledWrite(cell, volume, token, seq, release);
  const took = async (): Promise<boolean> => {
    const now = await readVolume(components.panda, cell, volume.id);
    return now !== undefined && now.pendingSeq !== seq && now.token === token;
  };
  if (group.kind === 'move') return transact(components, [settled], took);
  for (let attempt = 0; ; attempt++) {
    const writes = [settled, ...(await lostWrites(components, group))];
    try {
      return await transact(components, writes, took);
    } catch (error) {
      // GC or a delete touched the dead row in between: look again. A lost token fails every time.
      if (!isKind(error, 'conflict') || attempt >= CONFLICT_ATTEMPTS_MAX) throw error;
      const now = await readVolume(components.panda, cell, volume.id);
      if (now?.token !== token) throw error;
      await components.clock.sleep(backOffMs(attempt, components.randomness));
    }
  }
}

/**
 * Whoever took the lease meanwhile may have settled the group, and freed the volume since; under this token it cannot
 * be.
 */
async function rowGone(components: Components, volume: VolumeRow, token: number, seq: number): Promise<Error> {
  const now = await readVolume(components.panda, components.settings.cell, volume.id);
  if (now?.token !== token) return conflict('LEASE_LOST', `another worker took volume ${volume.id} over`);
  return corrupt('GROUP_ROW_MISSING', `the pending group ${seq} of volume ${volume.id} has no row: run doctor`);
}

async function lostWrites(components: Components, group: ListedGroup): Promise<Write[]> {
  const cell = components.settings.cell;
  const parts = partsOf(group);
  const deads = new Map<BucketId, DeadRow>();
  for (const { bucket } of parts) deads.set(bucket, deadFromRow(await components.panda.get(deadKey(cell, bucket))));
  const ids = [...new Set(parts.flatMap(({ slots }) => slots.map(({ blockId }) => blockId)))];
  const rows = new Map<BlockId, BlockRow | undefined>();
  for (let at = 0; at < ids.length; at += KEYS_AT_ONCE) {
    const some = ids.slice(at, at + KEYS_AT_ONCE);
    const found = await components.panda.getMany(some.map(blockKey));
    for (const [i, id] of some.entries()) rows.set(id, found[i] === undefined ? undefined : blockFromRow(found[i]));
  }
  return unnamedWrites(cell, parts, rows, deads);
}
