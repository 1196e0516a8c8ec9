// What volumes of a store hold besides data, for each unit, slot and bucket: by the store's own reckoning.
import { codecShape } from '../../codec/shape.ts';
import { capacityBytes, type Settings } from '../../settings/settings.ts';
import { directoryBytesOf } from '../../volume/rows/directory-room.ts';
import { groupOverheadBytes } from '../../volume/write/write-group.ts';
import type { Besides } from './model-shape.ts';

/** A group is at most so much larger than asked for, and one more closes the volume (live-coder/choose-group.ts). */
const GROUP_STRETCH = 1.1;

/**
 * A unit is a record. Columns are as long as the longest, and directories lie on some of them, so a byte of them takes
 * one of each data column; records that are no multiple of the columns leave some a record shorter.
 */
export function besidesOf(settings: Settings, unitBytes: number): Besides {
  const { dataColumns } = codecShape(settings.warmCodec);
  const capacity = capacityBytes(settings, settings.warmCodec);
  const groups = Math.ceil(capacity / (settings.groupBytesMin * GROUP_STRETCH)) + 1;
  const perGroup = dataColumns * groupOverheadBytes(0, 0) + ((dataColumns - 1) / 2) * unitBytes;
  return {
    perUnit:
      dataColumns * (groupOverheadBytes(1, 1) - groupOverheadBytes(0, 1)) + (groups * perGroup * unitBytes) / capacity,
    perSlot: dataColumns * (directoryBytesOf([1]) - directoryBytesOf([0])),
    perBucket: dataColumns * (directoryBytesOf([0]) + groupOverheadBytes(0, 1) - groupOverheadBytes(0, 0)),
  };
}
