// From how many bytes on a put is a bulk one, and how large the groups are that it writes: pure.
import { codecShape } from '../codec/shape.ts';
import {
  BULK_BATCHES_PER_GROUP,
  BULK_FROM_BYTES_MAX,
  BULK_FROM_GROUPS,
  BULK_RECORDS_PER_COLUMN,
} from '../limits/frontend.ts';
import type { Settings } from '../settings/settings.ts';
import { appendBytesMax } from '../volume/write/append.ts';
import { keptBackBytes, waitingBytesMax } from './choose-group.ts';

/** As large as groups of the Live Coder, but for what a put may hold in memory until it is written. */
export function bulkSettings(settings: Settings): Settings {
  const { dataColumns } = codecShape(settings.warmCodec);
  const levelBytes = BULK_RECORDS_PER_COLUMN * dataColumns * settings.blockBytesMax;
  return { ...settings, groupBytesMin: Math.min(settings.groupBytesMin, Math.max(BULK_FROM_BYTES_MAX, levelBytes)) };
}

/** A few groups, or as much as a put holds in memory. */
export function bulkFromBytes(settings: Settings): number {
  const { groupBytesMin } = bulkSettings(settings);
  return Math.max(groupBytesMin, Math.min(BULK_FROM_GROUPS * groupBytesMin, BULK_FROM_BYTES_MAX));
}

/** Records of one batch: it stays together, so several make a group. */
export const bulkBatchBytes = (settings: Settings): number =>
  Math.min(appendBytesMax(settings), Math.floor(bulkSettings(settings).groupBytesMin / BULK_BATCHES_PER_GROUP));

/** What may wait before a group is written in any case, and two batches more. */
export function bulkHeldBytes(settings: Settings): number {
  const bulk = bulkSettings(settings);
  const mostWaiting = waitingBytesMax(bulk) + keptBackBytes(bulk);
  return Math.max(bulkFromBytes(settings), mostWaiting) + 2 * bulkBatchBytes(settings);
}
