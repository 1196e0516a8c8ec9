// Ends every lease that was there before: what its holder has not indexed by then, it never indexes. For a change that
// writers look for once under each lease: those who could not have seen it are stopped by the token.
import { isKind } from '../../foundation/errors.ts';
import type { VolumeRow } from '../../panda/rows/volume-row.ts';
import type { Components } from '../rows/components.ts';
import { listVolumes } from '../rows/read-rows.ts';
import { leaseOf, leaseVolume } from './lease.ts';
import { recoverPending } from './recover.ts';

/**
 * A volume without owner and pending group has no lease to be ended: who leases it after this read, or makes a volume
 * that this list does not have, does so after the change.
 */
export async function endLeases(components: Components): Promise<number> {
  const volumes = await listVolumes(components.panda, components.settings.cell, components.badRow);
  const leased = volumes.filter(
    ({ state, owner, pendingSeq }) => state === 'open' && (owner !== undefined || pendingSeq !== undefined),
  );
  for (const volume of leased) await endLease(components, volume);
  return leased.length;
}

/** Another token than the one that was read is as good: whoever has it leased after the change. */
async function endLease(components: Components, volume: VolumeRow): Promise<void> {
  const mine = await leaseVolume(components, volume);
  if (mine === undefined) return;
  if (mine.pendingSeq === undefined) return leaseOf(components, mine, () => {}).release();
  try {
    await recoverPending(components, mine, mine.token, true);
  } catch (error) {
    if (!isKind(error, 'conflict')) throw error;
  }
}
