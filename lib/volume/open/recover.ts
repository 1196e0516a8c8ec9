// RECOVER (protocol 5): a committed group, of an append or a merge, whose index transactions are not known to be
// complete. Slots that no block row names become dead; then the volume takes appends again.
import { assert } from '../../foundation/assert.ts';
import { conflict, corrupt, isKind } from '../../foundation/errors.ts';
import type { BucketId } from '../../foundation/ids.ts';
import { CONFLICT_ATTEMPTS_MAX } from '../../limits/volume.ts';
import type { Condition, Write } from '../../panda/panda.ts';
import { type DeadRow, deadFromRow, deadKey } from '../../panda/rows/bucket-row.ts';
import { objectFromRow, objectKey } from '../../panda/rows/object-row.ts';
import { voidFromRow, voidKey } from '../../panda/rows/void-row.ts';
import { type VolumeRow, volumeKey } from '../../panda/rows/volume-row.ts';
import type { Components } from '../rows/components.ts';
import { readBlocks, readGroup, readVolume, rowsAt } from '../rows/read-rows.ts';
import { backOffMs, transact } from '../rows/transact.ts';
import { intentWrites, type ListedGroup, partsOf, settledWrite, unnamedWrites } from '../steps/recover-steps.ts';

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
  const held: Write = { kind: 'check', ...volumeKey(cell, volume.id), if: settled.if as Condition };
  for (let attempt = 0; ; ) {
    const { writes, isAll } = await lostWrites(components, group);
    try {
      // Sent again after an unknown outcome it may meet itself: then what is left is looked at again.
      await transact(components, [isAll ? settled : held, ...writes], isAll ? took : async () => false);
      if (isAll) return;
    } catch (error) {
      // GC, a put or a delete touched one of the rows in between: look again. A lost token fails every time.
      if (!isKind(error, 'conflict') || attempt++ >= CONFLICT_ATTEMPTS_MAX) throw error;
      const now = await readVolume(components.panda, cell, volume.id);
      if (now?.token !== token) throw error;
      if (isAll && now.pendingSeq !== seq) return;
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

interface Lost {
  readonly writes: readonly Write[];
  /** Nothing is left when they are done. */
  readonly isAll: boolean;
}

async function lostWrites({ panda, clock, settings: { cell } }: Components, group: ListedGroup): Promise<Lost> {
  const parts = partsOf(group);
  const intents = group.kind === 'append' ? (group.intents ?? []) : [];
  const objects = await rowsAt(
    panda,
    intents.map(({ namespace, key }) => objectKey(namespace, key)),
  );
  const voids = await rowsAt(
    panda,
    intents.map(({ namespace, key }) => voidKey(namespace, key)),
  );
  const deads = new Map<BucketId, DeadRow>();
  for (const { bucket } of parts) deads.set(bucket, deadFromRow(await panda.get(deadKey(cell, bucket))));
  const ids = [...new Set(parts.flatMap(({ slots }) => slots.map(({ blockId }) => blockId)))];
  const blocks = await readBlocks(panda, ids);
  if (group.kind === 'merge' || intents.length === 0)
    return { writes: unnamedWrites(cell, parts, blocks, deads), isAll: true };
  return intentWrites(cell, group, {
    objects: new Map(intents.map(({ version }, i) => [version, objects[i] && objectFromRow(objects[i])])),
    voids: new Map(intents.map(({ version }, i) => [version, voids[i] && voidFromRow(voids[i])])),
    blocks,
    dead: deads.get(group.bucket) as DeadRow,
    nowMs: Math.max(0, clock.nowMs()),
  });
}
