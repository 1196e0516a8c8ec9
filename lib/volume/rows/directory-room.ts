// How much room the directory pack of a volume will want at seal: counted with every group that is added, never
// guessed, so that sealing cannot make an extent larger than it may be. An upper bound: slots that die until then only
// make it shorter.
import { codecShape } from '../../codec/shape.ts';
import { PACK_HEADER_BYTES, packedBytes } from '../../format/directory-pack.ts';
import type { VolumeClass, VolumeRow } from '../../panda/rows/volume-row.ts';
import type { Components } from './components.ts';

/** Slots from the first to the last of these: what a directory has entries for. */
export function slotSpan(records: readonly { readonly slot: number }[]): number {
  let first = Number.POSITIVE_INFINITY;
  let last = -1;
  for (const { slot } of records) {
    first = Math.min(first, slot);
    last = Math.max(last, slot);
  }
  return last < 0 ? 0 : last + 1 - first;
}

/** What a group adds for buckets that are new to the volume, by their spans. */
export const directoryBytesOf = (spans: readonly number[]): number =>
  spans.reduce((sum, span) => sum + packedBytes(span, 1), 0);

/** What a group adds for slots right behind those that its bucket has in the volume already. */
export const moreDirectoryBytes = (slots: number): number => packedBytes(slots, 1) - packedBytes(0, 0);

/** What the pack will take on an extent; undefined for a volume begun before this was counted. */
export const packRoomBytes = ({ directoryBytes }: Pick<VolumeRow, 'directoryBytes'>): number | undefined =>
  directoryBytes === undefined ? undefined : PACK_HEADER_BYTES + directoryBytes;

type Filled = Pick<VolumeRow, 'extentUsedBytes' | 'directoryBytes'>;

/** A volume's extents with one more group. */
export const filledBy = (volume: Filled, objectBytes: readonly number[], directoryBytes: number): Filled => ({
  extentUsedBytes: volume.extentUsedBytes.map((bytes, i) => bytes + (objectBytes[i] ?? 0)),
  directoryBytes: volume.directoryBytes === undefined ? undefined : volume.directoryBytes + directoryBytes,
});

/** The last data column and all parity: m+1 copies, so that a directory is as safe as what it leads to. */
export function directoryColumns(volume: Pick<VolumeRow, 'codec'>): number[] {
  const { dataColumns, parityColumns } = codecShape(volume.codec);
  return Array.from({ length: parityColumns + 1 }, (_, i) => dataColumns - 1 + i);
}

/** Hot volumes are encoded soon, and their slots found by hints: only volumes that stay get directories. */
export const writesDirectories = ({ settings }: Pick<Components, 'settings'>, cls: VolumeClass): boolean =>
  cls === 'warm' || settings.hotCodec === settings.warmCodec;

/** They are written, and name its groups: the rows of these go. */
export const hasDirectories = (
  components: Pick<Components, 'settings'>,
  volume: Pick<VolumeRow, 'state' | 'class' | 'directoriesPending'>,
): boolean => volume.state !== 'open' && !volume.directoriesPending && writesDirectories(components, volume.class);
