// Which open volume the next append takes, and which one is full: decisions on what the pool knows, nobody is asked.
import { isAhead } from '../../limits/clock-skew.ts';
import { VOLUME_BUCKETS_MAX } from '../../limits/panda.ts';
import { LEASE_MS } from '../../limits/volume.ts';
import type { VolumeRow } from '../../panda/rows/volume-row.ts';
import type { Components } from '../rows/components.ts';
import type { DriveHealth } from '../rows/drive-health.ts';
import { extentFreeBytes } from './room.ts';

/** An open volume as this process knows it. */
export interface Known {
  row: VolumeRow;
  /** When the row was read, or written by this process; monotonic. */
  seenAtMs: number;
  /** This process is at it. */
  busy: boolean;
  /** How often another process was first at it. */
  conflicts: number;
}

export interface View {
  readonly components: Components;
  readonly health: DriveHealth;
}

/** What an append takes: bytes of every extent, and buckets. */
export interface Need {
  readonly bytes: number;
  readonly buckets: number;
}

export const isWritable = (health: DriveHealth, { extents }: VolumeRow): boolean =>
  extents.every(({ drive }) => health.isHealthy(drive));

/** Nobody else has it, or nobody who can still be waited for. The condition of the lease decides. */
export function isLeasable(components: Components, row: VolumeRow): boolean {
  if (row.owner === undefined || row.owner === components.owner) return true;
  const nowMs = components.clock.nowMs();
  // No lease is so long: its holder's clock had jumped. Breaking it costs its holder an append, and nobody data.
  if (isAhead(row.expiresAtMs, nowMs + LEASE_MS)) return true;
  return row.expiresAtMs <= nowMs || components.isOwnerGone(row.owner);
}

const hasRoom = (freeBytes: number, { buckets }: VolumeRow, need: Need): boolean =>
  freeBytes >= need.bytes && buckets.size + need.buckets <= VOLUME_BUCKETS_MAX;

/**
 * The fullest volume that still has room, so that volumes fill one after the other; those that other processes use
 * last, so that each process comes to fill its own.
 */
export function pickWithRoom({ components, health }: View, known: readonly Known[], need: Need): Known | undefined {
  let best: Known | undefined;
  let bestFreeBytes = Number.POSITIVE_INFINITY;
  for (const one of known) {
    if (one.busy || !isLeasable(components, one.row) || !isWritable(health, one.row)) continue;
    const freeBytes = extentFreeBytes(components, one.row);
    if (!hasRoom(freeBytes, one.row, need)) continue;
    if (best !== undefined && (one.conflicts - best.conflicts || freeBytes - bestFreeBytes) >= 0) continue;
    best = one;
    bestFreeBytes = freeBytes;
  }
  return best;
}

/** No volume has room and another is needed: the one with the least room is as full as it gets. */
export function pickFull({ components }: View, known: readonly Known[], need: Need): Known | undefined {
  const idle = known
    .filter(({ busy, row }) => !busy && isLeasable(components, row) && row.nextSeq > 1)
    .map((one) => ({ one, freeBytes: extentFreeBytes(components, one.row) }))
    .filter(({ one, freeBytes }) => !hasRoom(freeBytes, one.row, need))
    .sort((a, b) => a.freeBytes - b.freeBytes);
  return idle[0]?.one;
}
