// The steps of a flip (protocols 14-15), pure: extents claimed for the next generation, flipped to or dropped, and the
// buckets that arrive with it.
import type { BucketId, RunId, VolumeId } from '../../foundation/ids.ts';
import type { Attributes, Write } from '../../panda/panda.ts';
import { bucketKey } from '../../panda/rows/bucket-row.ts';
import { type Extent, extentText, type VolumeRow, volumeKey } from '../../panda/rows/volume-row.ts';
import { zoneKey } from '../../panda/rows/zone-row.ts';

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
  host: Pick<VolumeRow, 'id' | 'generation'>,
  extents: readonly Extent[],
  zoneWrites: readonly Write[],
): Write[] => [
  {
    kind: 'update',
    ...volumeKey(cell, host.id),
    set: { ng: host.generation + 1, nx: extents.map(extentText) },
    if: [
      { attribute: 'r', equals: run },
      { attribute: 'g', equals: host.generation },
      { attribute: 'ng', missing: true },
    ],
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
    set: {
      g: next.generation,
      x: next.extents.map(extentText),
      u: next.extentUsedBytes,
      t: next.token,
      n: next.nextSeq,
      z: nowMs,
    },
    remove: ['ng', 'nx'],
    if: [
      { attribute: 'g', equals: host.generation },
      { attribute: 'r', equals: run },
      { attribute: 'ng', equals: next.generation },
    ],
  },
  { kind: 'put', ...volumeKey(cell, old), attributes: trashOf(host, nowMs), if: ['absent'] },
  ...host.extents.map(
    ({ drive, zone, zoneGeneration }): Write => ({
      kind: 'update',
      ...zoneKey(drive, zone),
      set: { v: old },
      if: [
        { attribute: 'v', equals: host.id },
        { attribute: 'g', equals: zoneGeneration },
      ],
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
      remove: ['ng', 'nx'],
      if: [
        { attribute: 'r', equals: run },
        { attribute: 'ng', equals: next.generation },
      ],
    },
    { kind: 'put', ...volumeKey(cell, old), attributes: trashOf(stray, nowMs), if: ['absent'] },
    ...next.extents.map(
      ({ drive, zone }): Write => ({
        kind: 'update',
        ...zoneKey(drive, zone),
        set: { v: old },
        if: [{ attribute: 'v', equals: host.id }],
      }),
    ),
  ];
};

/** The inspector looks for every bucket of the host before these extents are erased. */
const trashOf = (host: VolumeRow, nowMs: number): Attributes => ({
  cl: host.class,
  c: host.codec,
  s: 'trash',
  g: host.generation,
  x: host.extents.map(extentText),
  t: host.token,
  n: host.nextSeq,
  u: host.extentUsedBytes,
  a: host.createdAtMs,
  d: nowMs,
  ...(host.buckets.size === 0 ? {} : { mv: host.buckets }),
});

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
    insert: { b: [bucket] },
    if: [
      { attribute: 'r', equals: run },
      { attribute: 'g', equals: host.generation },
    ],
  },
  {
    kind: 'update',
    ...volumeKey(cell, source),
    discard: { b: [bucket] },
    insert: { mv: [bucket] },
    if: [{ attribute: 'r', equals: run }],
  },
  {
    kind: 'update',
    ...bucketKey(cell, bucket),
    set: { v: host.id, m: move + 1, q: seq, t: host.token },
    if: [
      { attribute: 'v', equals: source },
      { attribute: 'm', equals: move },
    ],
  },
];
