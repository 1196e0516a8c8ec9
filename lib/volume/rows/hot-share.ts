// How much of what hot volumes may allocate they do, in volumes: all of them are of one size.
import { codecShape } from '../../codec/shape.ts';
import type { Settings } from '../../settings/settings.ts';

type Sizes = Pick<Settings, 'hotCodec' | 'extentBytes' | 'hotBytesMax'>;

/** On all drives together. */
export function hotVolumeBytes({ hotCodec, extentBytes }: Omit<Sizes, 'hotBytesMax'>): number {
  const { dataColumns, parityColumns } = codecShape(hotCodec);
  return (dataColumns + parityColumns) * extentBytes;
}

/** Hot volumes that fit this part of `hotBytesMax`. */
export const hotVolumesWithin = (share: number, settings: Sizes): number =>
  Math.floor((share * settings.hotBytesMax) / hotVolumeBytes(settings));

/** Part of `hotBytesMax` that so many hot volumes allocate. */
export const hotShareOf = (volumes: number, settings: Sizes): number =>
  (volumes * hotVolumeBytes(settings)) / settings.hotBytesMax;
