// How much an open volume can still take: what is free of its extents, less what its directories will want at seal.
import type { VolumeRow } from '../../panda/rows/volume-row.ts';
import type { Components } from '../rows/components.ts';
import { packRoomBytes, writesDirectories } from '../rows/directory-room.ts';

/** Bytes a group, and what it adds to the directories at seal, may still add to every extent. */
export function extentFreeBytes(components: Components, volume: VolumeRow): number {
  const used = Math.max(...volume.extentUsedBytes);
  return components.settings.extentBytes - used - sealReserveBytes(components, volume);
}

/**
 * What the directories of all that is in it will take on one extent at seal. A volume begun before that was counted
 * takes no more.
 */
export function sealReserveBytes(components: Components, volume: Pick<VolumeRow, 'class' | 'directoryBytes'>): number {
  if (!writesDirectories(components, volume.class)) return 0;
  return packRoomBytes(volume) ?? components.settings.extentBytes;
}
