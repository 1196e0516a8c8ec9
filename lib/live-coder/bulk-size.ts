// From how many bytes on a put is a bulk one, and how large the groups are that it writes: pure.
import { codecShape } from '../codec/shape.ts';
import { KEPT_BACK_BYTES_MAX } from '../limits/compaction.ts';
import {
  BULK_BATCHES_PER_GROUP,
  BULK_FROM_BYTES_MAX,
  BULK_FROM_GROUPS,
  BULK_GROUP_BYTES_MIN,
  BULK_RECORDS_PER_COLUMN,
} from '../limits/frontend.ts';
import type { Settings } from '../settings/settings.ts';
import { appendBytesMax } from '../volume/write/append.ts';
import { waitingBytesMax } from './choose-group.ts';

/**
 * As large as groups of the Live Coder, but for what a put may hold in memory until it is written: where records are
 * short, columns are level in smaller ones, too.
 */
export function bulkSettings(settings: Settings, longestRecordBytes = settings.blockBytesMax): Settings {
  const { dataColumns } = codecShape(settings.warmCodec);
  const longest = Math.min(longestRecordBytes, settings.blockBytesMax);
  const levelBytes = BULK_RECORDS_PER_COLUMN * dataColumns * longest;
  return { ...settings, groupBytesMin: Math.min(settings.groupBytesMin, Math.max(BULK_GROUP_BYTES_MIN, levelBytes)) };
}

/** A few groups, or as much as a put holds in memory. */
export function bulkFromBytes(settings: Settings, longestRecordBytes?: number): number {
  const { groupBytesMin } = bulkSettings(settings, longestRecordBytes);
  return Math.max(groupBytesMin, Math.min(BULK_FROM_GROUPS * groupBytesMin, BULK_FROM_BYTES_MAX));
}

/** Records of one batch, of small objects or of a long one: it stays together, so several make a group. */
export const bulkBatchBytes = (settings: Settings, longestRecordBytes: number): number =>
  Math.min(
    appendBytesMax(settings),
    Math.floor(bulkSettings(settings, longestRecordBytes).groupBytesMin / BULK_BATCHES_PER_GROUP),
  );

/** With less than that left a group waits for more: what is written last is then no splinter. */
export const bulkKeptBackBytes = ({ groupBytesMin }: Settings): number =>
  Math.min(groupBytesMin / (2 * BULK_BATCHES_PER_GROUP), KEPT_BACK_BYTES_MAX);

/** What may wait before a group is written in any case, and a batch that comes meanwhile. */
export function bulkHeldBytes(settings: Settings, longestRecordBytes: number): number {
  const mostWaiting = waitingBytesMax(bulkSettings(settings, longestRecordBytes));
  const fromBytes = bulkFromBytes(settings, longestRecordBytes);
  return Math.max(fromBytes, mostWaiting) + bulkBatchBytes(settings, longestRecordBytes);
}
