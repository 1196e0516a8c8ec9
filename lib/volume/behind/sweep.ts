// SWEEP: zone generations that belong to nothing are erased, but not at once. They first go into quarantine: a row, and
// seven days. What a restore gave up lies there too, so a newer backup that turns up meanwhile finds its chunks. The
// clock decides only how long that is; that nothing is erased which Panda is merely too old to know is decided by the
// drives, each time anew.
import type { Drive, ZoneRef } from '../../drive/drive.ts';
import { mapLimit } from '../../foundation/concurrency.ts';
import { isKind, isPocketfulError } from '../../foundation/errors.ts';
import { isAhead } from '../../limits/clock-skew.ts';
import { ROWS_PER_TRANSACTION } from '../../limits/panda.ts';
import { QUARANTINE_MS, SWEPT_DRIVES_AT_ONCE } from '../../limits/volume.ts';
import type { Write } from '../../panda/panda.ts';
import {
  quarantineAttributes,
  quarantineFromRow,
  quarantineKey,
  quarantinePartition,
} from '../../panda/rows/drives/quarantine-row.ts';
import type { Extent } from '../../panda/rows/volume-row.ts';
import type { Components } from '../rows/components.ts';
import { rowsOf } from '../rows/read-rows.ts';
import { transact } from '../rows/transact.ts';
import type { VolumeStore } from '../volume-store.ts';
import { giveUpLostZones } from './lost-zones.ts';
import { behindError, type DriveLook, lookAtDrives } from './newer-chunks.ts';

type SweepPorts = Pick<Components, 'panda' | 'drives' | 'clock' | 'randomness'>;

export interface SweepReport {
  readonly erasedZones: number;
  /** Zone generations that wait in quarantine now. */
  readonly quarantinedZones: number;
}

/** The current generation of a used zone is never touched. Throws `corrupt` PANDA_BEHIND, nothing erased. */
export async function sweepStrays(store: VolumeStore): Promise<SweepReport> {
  const { components } = store;
  await components.mayWrite?.();
  const looks = await lookAtDrives(components);
  const behind = behindError(components, looks);
  if (behind !== undefined) throw behind;
  await giveUpLostZones(components);
  const counts = await mapLimit(looks, SWEPT_DRIVES_AT_ONCE, async (look) => {
    try {
      return await sweepDrive(components, look);
    } catch (error) {
      if (!isPocketfulError(error)) throw error;
      store.health.failed(look.drive, error);
      return { erasedZones: 0, quarantinedZones: 0 };
    }
  });
  return {
    erasedZones: counts.reduce((sum, { erasedZones }) => sum + erasedZones, 0),
    quarantinedZones: counts.reduce((sum, { quarantinedZones }) => sum + quarantinedZones, 0),
  };
}

async function sweepDrive(components: Components, { drive: id, isListed, strays }: DriveLook): Promise<SweepReport> {
  if (!isListed) return { erasedZones: 0, quarantinedZones: 0 };
  const nowMs = Math.max(0, components.clock.nowMs());
  const since = new Map<string, number>();
  for await (const row of rowsOf(components.panda, quarantinePartition(id)))
    since.set(row.sort, quarantineFromRow(row).sinceMs);
  const keyOf = (at: ZoneRef): string => quarantineKey(id, at).sort;
  const isOver = (at: ZoneRef): boolean => nowMs - (since.get(keyOf(at)) ?? nowMs) >= QUARANTINE_MS;
  const over = strays.filter(isOver);
  const fresh = strays.filter((at) => !since.has(keyOf(at)));
  const there = new Set(strays.map(keyOf));
  // Rows of zones in use (a restore's) are FREE's to look at, until their time is over.
  const gone = [...since].filter(([sort, ms]) => !there.has(sort) && nowMs - ms >= QUARANTINE_MS).map(([sort]) => sort);
  // Begun in the future, by a clock that had jumped: it begins now, for otherwise it would end in years.
  const ahead = [...since].filter(([, ms]) => isAhead(ms, nowMs)).map(([sort]) => sort);
  await change(
    components,
    [...fresh.map(keyOf), ...ahead].map((sort) => ({
      kind: 'put',
      partition: quarantinePartition(id),
      sort,
      attributes: quarantineAttributes({ sinceMs: nowMs }),
    })),
  );
  for (const at of over) await (components.drives[id] as Drive).erase(at);
  const ended = [...gone, ...over.map(keyOf)];
  await change(
    components,
    ended.map((sort) => ({ kind: 'delete', partition: quarantinePartition(id), sort })),
  );
  return { erasedZones: over.length, quarantinedZones: strays.length - over.length };
}

/** None of these rows has a condition: whoever sweeps at the same time writes the same. */
async function change(components: SweepPorts, writes: readonly Write[]): Promise<void> {
  for (let at = 0; at < writes.length; at += ROWS_PER_TRANSACTION)
    try {
      await transact(components, writes.slice(at, at + ROWS_PER_TRANSACTION), async () => false);
    } catch (error) {
      if (!isKind(error, 'unknown')) throw error; // the next sweep writes them
    }
}

/** After a restore, seven days begin anew: what lies there now may be what a newer backup knows. */
export async function restartQuarantine(components: SweepPorts): Promise<void> {
  for (const id of components.drives.keys()) {
    const deletes: Write[] = [];
    for await (const { partition, sort } of rowsOf(components.panda, quarantinePartition(id)))
      deletes.push({ kind: 'delete', partition, sort });
    await change(components, deletes);
  }
}

/**
 * Extents in use that also hold what a newer Panda could know: they are not erased for seven days, whatever becomes of
 * their volume.
 */
export async function quarantineExtents(components: SweepPorts, extents: readonly Extent[]): Promise<void> {
  const attributes = quarantineAttributes({ sinceMs: Math.max(0, components.clock.nowMs()) });
  await change(
    components,
    extents.map((extent) => ({ kind: 'put', ...keyOfExtent(extent), attributes })),
  );
}

/** How long the extents of a volume must be kept yet; 0 if they may be erased. */
export async function quarantineLeftMs(components: SweepPorts, extents: readonly Extent[]): Promise<number> {
  const rows = await components.panda.getMany(extents.map(keyOfExtent));
  const until = rows.map((row) => (row === undefined ? 0 : quarantineFromRow(row).sinceMs + QUARANTINE_MS));
  return Math.max(0, ...until.map((ms) => ms - components.clock.nowMs()));
}

const keyOfExtent = ({ drive, zone, zoneGeneration }: Extent) =>
  quarantineKey(drive, { zone, generation: zoneGeneration });
