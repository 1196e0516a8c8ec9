// volume/CELL/SHARD | volume id: an erasure-coded set of extents, its lease, and the buckets it holds. Every protocol
// of docs/protocols.md turns on this row; the attribute names are short because rows are paid by the kilobyte.
import { CODEC_NAMES, type CodecName } from '../../codec/codec.ts';
import { codecShape } from '../../codec/shape.ts';
import { type BucketId, type RunId, SHARDS, shardOf, type VolumeId } from '../../foundation/ids.ts';
import { type Lane, SHARED_LANE } from '../../foundation/lane.ts';
import type { Attributes, Key, Row } from '../panda.ts';
import {
  bucketIdIn,
  countIn,
  countsIn,
  listIn,
  malformedRow,
  optionalCount,
  optionalString,
  setIn,
  stringIn,
  volumeIdIn,
  wordIn,
} from './row-reader.ts';

/**
 * open -> sealed -> draining -> trash -> erasing -> (row deleted). draining goes back to sealed when a run gives up.
 */
export const VOLUME_STATES = ['open', 'sealed', 'draining', 'trash', 'erasing'] as const;
export type VolumeState = (typeof VOLUME_STATES)[number];
/** hot: written by puts, encoded when old enough. warm: written by the Live Coder. */
export const VOLUME_CLASSES = ['hot', 'warm'] as const;
export type VolumeClass = (typeof VOLUME_CLASSES)[number];

/** A volume's column on one drive. */
export interface Extent {
  readonly drive: number;
  readonly zone: number;
  readonly zoneGeneration: number;
}

export interface VolumeRow {
  readonly id: VolumeId;
  readonly class: VolumeClass;
  readonly codec: CodecName;
  /** Only what is of the same lane is written here; absent: SHARED_LANE. */
  readonly lane?: Lane | undefined;
  readonly state: VolumeState;
  readonly generation: number;
  /** k + m, by column. */
  readonly extents: readonly Extent[];
  /** Grows by one with every lease; what an older token wants to write is refused. */
  readonly token: number;
  readonly owner: string | undefined;
  readonly expiresAtMs: number;
  /** The sequence number of the next group; the first is 1. */
  readonly nextSeq: number;
  /** A committed group whose index transactions are not known to be complete. */
  readonly pendingSeq: number | undefined;
  /** Bytes of the objects on each extent, headers and directories included. */
  readonly extentUsedBytes: readonly number[];
  /**
   * What the bucket directories of its groups will take at seal at the most; not known of volumes begun before it was
   * counted.
   */
  readonly directoryBytes?: number | undefined;
  /** The one strategy, encoder or repair that owns a sealed volume. */
  readonly run: RunId | undefined;
  readonly buckets: ReadonlySet<BucketId>;
  /** Buckets that were moved elsewhere: what the inspector looks for before the zones are erased. */
  readonly moved: ReadonlySet<BucketId>;
  /** The bucket that takes the next append; hot volumes only. */
  readonly openBucket: BucketId | undefined;
  readonly createdAtMs: number;
  readonly sealedAtMs: number | undefined;
  /** Sealed, but its bucket directories are not all written yet: slots are found through the groups until then. */
  readonly directoriesPending: boolean;
  readonly trashedAtMs: number | undefined;
  /**
   * A flip in the making: where the next generation is written, owned by `run`. Nothing is read from there before it is
   * flipped to.
   */
  readonly next?: NextGeneration | undefined;
  /** Grows with every repair: the extents changed, and the bytes did not. */
  readonly revision: number;
  /** A repair in the making: where columns are made again. Nothing is read from there before it is committed. */
  readonly repair?: RepairInMaking | undefined;
}

export interface RepairInMaking {
  /** What is copied is of this generation: after a flip it is of no use. */
  readonly generation: number;
  /** The extents that columns are to have. */
  readonly extents: ReadonlyMap<number, Extent>;
}

export interface NextGeneration {
  readonly generation: number;
  readonly extents: readonly Extent[];
}

export const volumePartitions = (cell: string): string[] =>
  Array.from({ length: SHARDS }, (_, shard) => `volume/${cell}/${shard}`);
export const volumeKey = (cell: string, id: VolumeId): Key => ({
  partition: `volume/${cell}/${shardOf(id)}`,
  sort: id,
});

export function volumeFromRow(row: Row): VolumeRow {
  const volume: VolumeRow = {
    id: volumeIdIn(row, row.sort),
    class: wordIn(row, 'cl', VOLUME_CLASSES),
    codec: wordIn(row, 'c', CODEC_NAMES),
    lane: optionalCount(row, 'ln'),
    state: wordIn(row, 's', VOLUME_STATES),
    generation: countIn(row, 'g'),
    extents: listIn(row, 'x').map((text) => extentIn(row, String(text))),
    token: countIn(row, 't'),
    owner: optionalString(row, 'o'),
    expiresAtMs: optionalCount(row, 'e') ?? 0,
    nextSeq: countIn(row, 'n'),
    pendingSeq: optionalCount(row, 'p'),
    extentUsedBytes: countsIn(row, 'u'),
    directoryBytes: optionalCount(row, 'db'),
    run: optionalString(row, 'r') as RunId | undefined,
    buckets: setIn(row, 'b') as ReadonlySet<BucketId>,
    moved: setIn(row, 'mv') as ReadonlySet<BucketId>,
    openBucket: row.attributes['ob'] === undefined ? undefined : bucketIdIn(row, stringIn(row, 'ob')),
    createdAtMs: countIn(row, 'a'),
    sealedAtMs: optionalCount(row, 'z'),
    directoriesPending: optionalCount(row, 'dp') === 1,
    trashedAtMs: optionalCount(row, 'd'),
    next:
      row.attributes['ng'] === undefined
        ? undefined
        : { generation: countIn(row, 'ng'), extents: listIn(row, 'nx').map((text) => extentIn(row, String(text))) },
    revision: optionalCount(row, 'rv') ?? 0,
    repair:
      row.attributes['rx'] === undefined
        ? undefined
        : {
            generation: countIn(row, 'rg'),
            extents: new Map(listIn(row, 'rx').map((text) => replacementIn(row, String(text)))),
          },
  };
  const shape = codecShape(volume.codec);
  const columns = shape.dataColumns + shape.parityColumns;
  if (volume.extents.length !== columns)
    malformedRow(row, `it has ${volume.extents.length} extents, ${volume.codec} has ${columns}`);
  return volume;
}

export const laneOf = ({ lane = SHARED_LANE }: Pick<VolumeRow, 'lane'>): Lane => lane;

/** Whether a row that was read has these extents still, whatever else may be wrong with it. */
export const isOfRevision = (row: Row | undefined, generation: number, revision: number): boolean =>
  row?.attributes['g'] === generation && (row.attributes['rv'] ?? 0) === revision;

export function newVolumeAttributes(
  volume: Pick<VolumeRow, 'class' | 'codec' | 'lane' | 'extents' | 'createdAtMs'> & { readonly token: number },
): Attributes {
  return {
    cl: volume.class,
    c: volume.codec,
    s: 'open',
    g: 1,
    x: volume.extents.map(extentText),
    t: volume.token,
    n: 1,
    u: volume.extents.map(() => 0),
    db: 0,
    a: volume.createdAtMs,
    ...(laneOf(volume) === SHARED_LANE ? {} : { ln: laneOf(volume) }),
  };
}

type Trashed = 'class' | 'codec' | 'generation' | 'extents' | 'token' | 'nextSeq' | 'extentUsedBytes' | 'createdAtMs';

/** A volume in trash that has a flipped host's extents; the inspector looks for every bucket of the host. */
export const trashedVolumeAttributes = (
  host: Pick<VolumeRow, Trashed | 'buckets'>,
  trashedAtMs: number,
): Attributes => ({
  cl: host.class,
  c: host.codec,
  s: 'trash',
  g: host.generation,
  x: host.extents.map(extentText),
  t: host.token,
  n: host.nextSeq,
  u: host.extentUsedBytes,
  a: host.createdAtMs,
  d: trashedAtMs,
  ...(host.buckets.size === 0 ? {} : { mv: host.buckets }),
});

type RebuiltVolume = Pick<VolumeRow, 'class' | 'codec' | 'generation' | 'token' | 'nextSeq' | 'extentUsedBytes'> &
  Pick<VolumeRow, 'buckets' | 'createdAtMs' | 'directoriesPending'> & {
    /** As `extentText` writes them. */
    readonly extents: readonly string[];
  };

/** A sealed volume of which only the drives tell; for its age it is as if it were new. */
export const rebuiltVolumeAttributes = (volume: RebuiltVolume): Attributes => ({
  cl: volume.class,
  c: volume.codec,
  s: 'sealed',
  g: volume.generation,
  x: volume.extents,
  t: volume.token,
  n: volume.nextSeq,
  u: volume.extentUsedBytes,
  b: volume.buckets,
  a: volume.createdAtMs,
  z: volume.createdAtMs,
  ...(volume.directoriesPending ? { dp: 1 } : {}),
});

export const extentText = (e: Extent): string => `${e.drive}:${e.zone}:${e.zoneGeneration}`;

/** `column=drive:zone:generation`. */
export const replacementText = (column: number, extent: Extent): string => `${column}=${extentText(extent)}`;

function replacementIn(row: Row, text: string): [number, Extent] {
  const [column = '', extent = ''] = text.split('=');
  if (!/^\d+$/.test(column)) malformedRow(row, `a replaced extent is column=extent, not ${JSON.stringify(text)}`);
  return [Number(column), extentIn(row, extent)];
}

function extentIn(row: Row, text: string): Extent {
  const [drive, zone, zoneGeneration] = text.split(':').map(Number);
  if (![drive, zone, zoneGeneration].every((n) => Number.isSafeInteger(n)))
    malformedRow(row, `an extent is drive:zone:generation, not ${JSON.stringify(text)}`);
  return { drive: drive as number, zone: zone as number, zoneGeneration: zoneGeneration as number };
}
