// Which open volume the next append takes, and which one is full: decisions on what the pool knows, nobody is asked.
import { isAhead } from '../../limits/clock-skew.ts';
import { VOLUME_BUCKETS_MAX } from '../../limits/panda.ts';
import { LEASE_MS } from '../../limits/volume.ts';
import type { VolumeRow } from '../../panda/rows/volume-row.ts';
import type { Components } from '../rows/components.ts';
import type { DriveHealth } from '../rows/drive-health.ts';
import { type DriveRows, isActive } from '../rows/drive-states.ts';
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
  /** This process made it, or leased it last as far as it knows. */
  isMine: boolean;
  /** Its place in the order in which this process tries those of others: each process has another order. */
  readonly draw: number;
}

export interface View {
  readonly components: Components;
  readonly health: DriveHealth;
  readonly states: DriveRows;
  /** Not seen for a while: whoever had it leased may have given it back. It is read again before it is leased. */
  readonly isStale: (one: Known) => boolean;
  /** Other processes were first at volumes that this one wanted. */
  readonly isContended: boolean;
}

/** What an append takes: bytes of every extent, and buckets. */
export interface Need {
  readonly bytes: number;
  readonly buckets: number;
}

export const isWritable = (health: DriveHealth, { extents }: VolumeRow): boolean =>
  extents.every(({ drive }) => health.isHealthy(drive));

/**
 * Every drive of it answers, and takes what is new: of one that is given up or being emptied whatever came would have
 * to be moved again. Such a volume is left as it is; the next repair seals it.
 */
export const takesAppends = ({ health, states }: Pick<View, 'health' | 'states'>, row: VolumeRow): boolean =>
  isWritable(health, row) && row.extents.every(({ drive }) => isActive(states, drive));

/** Nobody else has it, or nobody who can still be waited for. The condition of the lease decides. */
export function isLeasable(components: Components, row: VolumeRow): boolean {
  if (row.owner === undefined || row.owner === components.owner) return true;
  const nowMs = components.clock.nowMs();
  // No lease is so long: its holder's clock had jumped. Breaking it costs its holder an append, and nobody data.
  if (isAhead(row.expiresAtMs, nowMs + LEASE_MS)) return true;
  return row.expiresAtMs <= nowMs || components.isOwnerGone(row.owner);
}

const mayBeLeasable = ({ components, isStale }: View, one: Known): boolean =>
  !one.busy && (isStale(one) || isLeasable(components, one.row));

const hasRoom = (freeBytes: number, { buckets }: VolumeRow, need: Need): boolean =>
  freeBytes >= need.bytes && buckets.size + need.buckets <= VOLUME_BUCKETS_MAX;

/**
 * The fullest volume that still has room, so that volumes fill one after the other; those that other processes use
 * last, so that each process comes to fill its own.
 */
export function pickWithRoom(view: View, known: readonly Known[], need: Need): Known | undefined {
  const { components } = view;
  let best: Known | undefined;
  let bestFreeBytes = Number.POSITIVE_INFINITY;
  for (const one of known) {
    if (!mayBeLeasable(view, one) || !takesAppends(view, one.row)) continue;
    const freeBytes = extentFreeBytes(components, one.row);
    if (!hasRoom(freeBytes, one.row, need)) continue;
    if (best !== undefined && (orderOf(view, one, best) || freeBytes - bestFreeBytes) >= 0) continue;
    best = one;
    bestFreeBytes = freeBytes;
  }
  return best;
}

/** Those nobody disputes first, then those of this process; many that take one of others must not all want the same. */
function orderOf({ isContended }: View, a: Known, b: Known): number {
  const before = a.conflicts - b.conflicts || Number(b.isMine) - Number(a.isMine);
  return before !== 0 || !isContended || a.isMine ? before : a.draw - b.draw;
}

/** No volume has room and another is needed: the one with the least room is as full as it gets. */
export function pickFull(view: View, known: readonly Known[], need: Need): Known | undefined {
  const { components } = view;
  const idle = known
    .filter((one) => mayBeLeasable(view, one) && one.row.nextSeq > 1)
    .map((one) => ({ one, freeBytes: extentFreeBytes(components, one.row) }))
    .filter(({ one, freeBytes }) => !hasRoom(freeBytes, one.row, need))
    .sort((a, b) => a.freeBytes - b.freeBytes);
  return idle[0]?.one;
}
