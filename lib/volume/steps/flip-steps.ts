// The steps of a flip (protocols 14-15), pure: extents claimed for the next generation, flipped to or dropped, and the
// buckets that arrive with it.
import type { BucketId, RunId, VolumeId } from '../../foundation/ids.ts';
import type { Write } from '../../panda/panda.ts';
import { bucketIsIn, bucketKey, moveIs, moveTo } from '../../panda/rows/bucket-row.ts';
import { together } from '../../panda/rows/change.ts';
import { listedAtFirst } from '../../panda/rows/open-row.ts';
import {
  addBuckets,
  beginNext,
  dropBuckets,
  endNext,
  flipTo,
  generationIs,
  hasNoNext,
  nextGenerationIs,
  noteMoved,
  ownedBy,
  revisionIs,
} from '../../panda/rows/volume-changes.ts';
import { type Extent, trashedVolumeAttributes, type VolumeRow, volumeKey } from '../../panda/rows/volume-row.ts';
import { giveZone, zoneBelongsTo, zoneGenerationIs, zoneKey } from '../../panda/rows/zone-row.ts';

/** Where a donor's bucket lies in the next generation; its rows still say otherwise. */
export interface ArrivingBucket {
  readonly bucket: BucketId;
  readonly source: VolumeId;
  /** Before the move. */
  readonly move: number;
  readonly seq: number;
}

/** The host as it will be. */
export type Flipped = Pick<VolumeRow, 'generation' | 'extents' | 'extentUsedBytes' | 'token' | 'nextSeq'>;

/** `zoneWrites` take the extents. */
export const claimNextWrites = (
  cell: string,
  run: RunId,
  host: Pick<VolumeRow, 'id' | 'generation' | 'revision'>,
  extents: readonly Extent[],
  zoneWrites: readonly Write[],
): Write[] => [
  {
    kind: 'update',
    ...volumeKey(cell, host.id),
    ...beginNext({ generation: host.generation + 1, extents }),
    if: [ownedBy(run), generationIs(host.generation), revisionIs(host.revision), hasNoNext],
  },
  ...zoneWrites,
];

/** The host is at its next generation; its old extents are in trash as volume `old`. */
export const flipWrites = (
  cell: string,
  run: RunId,
  host: VolumeRow,
  next: Flipped,
  old: VolumeId,
  nowMs: number,
): Write[] => [
  {
    kind: 'update',
    ...volumeKey(cell, host.id),
    ...flipTo(next, nowMs),
    if: [generationIs(host.generation), revisionIs(host.revision), ownedBy(run), nextGenerationIs(next.generation)],
  },
  { kind: 'put', ...volumeKey(cell, old), attributes: trashedVolumeAttributes(host, nowMs), if: ['absent'] },
  ...listedAtFirst(cell, { ...host, id: old }),
  ...host.extents.map(
    ({ drive, zone, zoneGeneration }): Write => ({
      kind: 'update',
      ...zoneKey(drive, zone),
      ...giveZone(old),
      if: [zoneBelongsTo(host.id), zoneGenerationIs(zoneGeneration)],
    }),
  ),
];

/**
 * A next that will not be flipped to: its zones go to trash as volume `old`, in the transaction that takes them from
 * the host.
 */
export const dropNextWrites = (
  cell: string,
  run: RunId,
  host: VolumeRow,
  next: NonNullable<VolumeRow['next']>,
  old: VolumeId,
  nowMs: number,
): Write[] => {
  const stray = {
    ...host,
    generation: next.generation,
    extents: next.extents,
    buckets: new Set<BucketId>(),
    extentUsedBytes: next.extents.map(() => 0),
  };
  return [
    {
      kind: 'update',
      ...volumeKey(cell, host.id),
      ...endNext,
      if: [ownedBy(run), nextGenerationIs(next.generation)],
    },
    { kind: 'put', ...volumeKey(cell, old), attributes: trashedVolumeAttributes(stray, nowMs), if: ['absent'] },
    ...listedAtFirst(cell, { ...stray, id: old }),
    ...next.extents.map(
      ({ drive, zone }): Write => ({
        kind: 'update',
        ...zoneKey(drive, zone),
        ...giveZone(old),
        if: [zoneBelongsTo(host.id)],
      }),
    ),
  ];
};

/** Step 11 for a bucket that arrived by a flip. */
export const arrivalWrites = (
  cell: string,
  run: RunId,
  host: Pick<VolumeRow, 'id' | 'generation' | 'token'>,
  { bucket, source, move, seq }: ArrivingBucket,
): Write[] => [
  {
    kind: 'update',
    ...volumeKey(cell, host.id),
    ...addBuckets([bucket]),
    if: [ownedBy(run), generationIs(host.generation)],
  },
  {
    kind: 'update',
    ...volumeKey(cell, source),
    ...together(dropBuckets([bucket]), noteMoved([bucket])),
    if: [ownedBy(run)],
  },
  {
    kind: 'update',
    ...bucketKey(cell, bucket),
    ...moveTo({ volume: host.id, move: move + 1, seq, token: host.token }),
    if: [bucketIsIn(source), moveIs(move)],
  },
];
