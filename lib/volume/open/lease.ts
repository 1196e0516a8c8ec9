// LEASE (protocol 1): the right to append to an open volume. A lease is one transaction that makes the token one
// larger; everything the holder writes afterwards carries that token.
import { isKind } from '../../foundation/errors.ts';
import { LEASE_MS } from '../../limits/volume.ts';
import { type Change, together } from '../../panda/rows/change.ts';
import { endLease, type NextLease, skipSeq, tokenIs } from '../../panda/rows/volume-changes.ts';
import { type VolumeRow, volumeFromRow, volumeKey } from '../../panda/rows/volume-row.ts';
import type { Components } from '../rows/components.ts';
import { readVolume } from '../rows/read-rows.ts';
import { transact } from '../rows/transact.ts';
import { leaseWrite } from '../steps/volume-steps.ts';

/** Where one group is written: the extents of `volume`, under this token and sequence number. */
export interface GroupPlace {
  readonly volume: VolumeRow;
  readonly token: number;
  readonly seq: number;
  /** After a failed put: the sequence number is not used again. `strayBytes` by column. */
  burn(strayBytes: readonly number[]): Promise<void>;
}

/**
 * The right to append one group to an open volume; `volume` is the row as it is under this lease, nothing pending. Ends
 * with a commit that gives it back, `release` or `burn`.
 */
export interface Lease extends GroupPlace {
  /** Gives it back unused. */
  release(): Promise<void>;
  /** What the holder's last transaction leases in place of giving it back. */
  next(): NextLease | undefined;
  /**
   * A transaction of the holder ended it; `next` is the row it left, with an owner if that transaction leased anew, or
   * undefined if that is not known.
   */
  done(next: VolumeRow | undefined): void;
}

/** One transaction; undefined when somebody else leased or sealed it first. */
export async function leaseVolume(components: Components, row: VolumeRow): Promise<VolumeRow | undefined> {
  // Whoever leases may seal what is left, and so take away what shows that this Panda is the older one.
  await components.mayWrite?.();
  const token = row.token + 1;
  const expiresAtMs = Math.max(0, components.clock.nowMs() + LEASE_MS);
  const key = volumeKey(components.settings.cell, row.id);
  const took = async (): Promise<boolean> => {
    const now = await readVolume(components.panda, components.settings.cell, row.id);
    return now?.token === token && now.owner === components.owner && now.expiresAtMs === expiresAtMs;
  };
  try {
    await transact(components, [leaseWrite(components.settings.cell, row, components.owner, expiresAtMs)], took);
  } catch (error) {
    if (isKind(error, 'conflict')) return undefined;
    throw error;
  }
  // The token alone decides who may write, but pendingSeq may have changed under the old token since the row was read.
  const now = await components.panda.get(key);
  if (now === undefined) return undefined;
  const leased = volumeFromRow(now);
  return leased.token === token ? leased : undefined;
}

/**
 * The lease of a row that `leaseVolume` brought. `settle` hears once that it has ended, and with which row if that is
 * known.
 */
export function leaseOf(
  components: Components,
  volume: VolumeRow,
  settle: (next: VolumeRow | undefined) => void,
  next: () => NextLease | undefined = () => undefined,
): Lease {
  const key = volumeKey(components.settings.cell, volume.id);
  const free = { ...volume, owner: undefined, expiresAtMs: 0 };
  const giveBack = async (change: Change, next: VolumeRow): Promise<void> => {
    try {
      const took = async (): Promise<boolean> => {
        const now = await readVolume(components.panda, components.settings.cell, volume.id);
        return now?.token === volume.token && now.owner === undefined;
      };
      await transact(
        components,
        [{ kind: 'update', ...key, ...together(change, endLease), if: [tokenIs(volume.token)] }],
        took,
      );
      settle(next);
    } catch (error) {
      settle(undefined);
      if (!isKind(error, 'conflict', 'retry', 'unknown')) throw error; // lost or late: whoever comes next breaks it
    }
  };
  return {
    volume,
    token: volume.token,
    seq: volume.nextSeq,
    release: () => giveBack({}, free),
    burn: (strayBytes) => {
      const used = volume.extentUsedBytes.map((bytes, i) => bytes + (strayBytes[i] ?? 0));
      return giveBack(skipSeq(volume.nextSeq, used), { ...free, nextSeq: volume.nextSeq + 1, extentUsedBytes: used });
    },
    next,
    done: settle,
  };
}
