// RECOVER (DESIGN 6a, 5): a committed group whose index transactions are not known to be complete. Slots that no block
// row names become dead; then the volume takes appends again.
import { assert } from '../foundation/assert.ts';
import { isKind } from '../foundation/errors.ts';
import type { Write } from '../panda/panda.ts';
import { blockFromRow, blockKey } from '../panda/rows/block-row.ts';
import { bucketKey, deadFromRow, deadKey, isDead, withDead } from '../panda/rows/bucket-row.ts';
import type { AppendGroupRow } from '../panda/rows/group-row.ts';
import { type VolumeRow, volumeKey } from '../panda/rows/volume-row.ts';
import type { Components } from './components.ts';
import { backOffMs, transact } from './transact.ts';
import { readGroup, readVolume } from './volumes.ts';

const ATTEMPTS_MAX = 20;
const KEYS_AT_ONCE = 100;

/** The write that makes a volume's pending group settled and, if `release`, gives the lease back. */
export function settledWrite(cell: string, volume: VolumeRow, token: number, seq: number, release: boolean): Write {
  return {
    kind: 'update',
    ...volumeKey(cell, volume.id),
    remove: release ? ['p', 'o', 'e'] : ['p'],
    if: [
      { attribute: 't', equals: token },
      { attribute: 'p', equals: seq },
    ],
  };
}

/**
 * Settles the pending group of a volume leased under `token`. Afterwards pendingSeq is none, and the lease is kept or given back.
 * Throws PandaConflict when the token is no longer the volume's.
 */
export async function recoverPending(c: Components, volume: VolumeRow, token: number, release: boolean): Promise<void> {
  const seq = volume.pendingSeq;
  assert(seq !== undefined, 'a volume to recover has a pending group');
  const cell = c.settings.cell;
  const group = await readGroup(c.panda, volume, seq);
  assert(group !== undefined, `the pending group ${seq} of volume ${volume.id} has a row`);
  const settled = settledWrite(cell, volume, token, seq, release);
  const took = async (): Promise<boolean> => {
    const now = await readVolume(c.panda, cell, volume.id);
    return now !== undefined && now.pendingSeq !== seq && now.token === token;
  };
  if (group.kind === 'move') return transact(c, [settled], took);
  for (let attempt = 0; ; attempt++) {
    const writes = [settled, ...(await deadWrites(c, group))];
    try {
      return await transact(c, writes, took);
    } catch (error) {
      // GC or a delete touched the dead row in between: look again. A lost token fails every time.
      if (!isKind(error, 'conflict') || attempt >= ATTEMPTS_MAX) throw error;
      const now = await readVolume(c.panda, cell, volume.id);
      if (now?.token !== token) throw error;
      await c.clock.sleep(backOffMs(attempt, c.randomness));
    }
  }
}

/** Dead bits and live bytes of the slots whose block row does not name their record; only bits that flip count. */
async function deadWrites(c: Components, group: AppendGroupRow): Promise<Write[]> {
  const cell = c.settings.cell;
  const dead = deadFromRow(await c.panda.get(deadKey(cell, group.bucket)));
  const lost: number[] = [];
  let lostBytes = 0;
  for (let first = 0; first < group.slots.length; first += KEYS_AT_ONCE) {
    const slots = group.slots.slice(first, first + KEYS_AT_ONCE);
    const rows = await readBlocks(
      c,
      slots.map((slot) => slot.blockId),
    );
    for (const [i, slot] of slots.entries()) {
      const number = group.firstSlot + first + i;
      const block = rows.get(slot.blockId);
      const named = block?.recordId === slot.recordId;
      if (named || isDead(dead, number)) continue;
      lost.push(number);
      lostBytes += slot.recordBytes;
    }
  }
  if (lost.length === 0) return [];
  return [
    { kind: 'update', ...bucketKey(cell, group.bucket), add: { l: -lostBytes } },
    {
      kind: 'put',
      ...deadKey(cell, group.bucket),
      attributes: { v: dead.version + 1, b: withDead(dead, lost) },
      if: dead.version === 0 ? ['absent'] : [{ attribute: 'v', equals: dead.version }],
    },
  ];
}

async function readBlocks(c: Components, ids: readonly AppendGroupRow['slots'][number]['blockId'][]) {
  const unique = [...new Set(ids)];
  const rows = await c.panda.getMany(unique.map(blockKey));
  return new Map(unique.map((id, i) => [id, rows[i] === undefined ? undefined : blockFromRow(rows[i])]));
}
