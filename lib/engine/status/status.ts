// What a store is made of at this moment, in figures: pure, from rows that were read before. The shape is that of
// `status --json` (docs/cli.md).

import type { CodecName } from '../../codec/codec.ts';
import { codecShape } from '../../codec/shape.ts';
import { given } from '../../foundation/given.ts';
import type { BucketId, StoreId } from '../../foundation/ids.ts';
import type { Lane } from '../../foundation/lane.ts';
import type { Reason } from '../../foundation/reason.ts';
import type { BucketRow } from '../../panda/rows/bucket-row.ts';
import type { DamageRow } from '../../panda/rows/damage-row.ts';
import type { VolumeClass, VolumeRow, VolumeState } from '../../panda/rows/volume-row.ts';
import { capacityBytes, type Settings } from '../../settings/settings.ts';
import { type Redundancy, RedundancyCount, volumeSpare } from '../../volume/check/redundancy.ts';
import { type WorstLosses, worstLosses } from '../../volume/check/worst-loss.ts';
import type { JournalStatus } from '../ship/journal-status.ts';
import type { AlarmState } from './alarm-step.ts';
import { type CareFacts, type CareStatus, careOf } from './alarms.ts';
import { type CompactionFacts, type CompactionStatus, compactionStatusOf } from './compaction-status.ts';
import { type FigureAlarm, figureAlarms } from './gauge-alarms.ts';

export const HISTOGRAM_BINS = 20;

/** Raw bytes per live byte; null where nothing is live. */
export interface OverheadOf {
  readonly volumes: number;
  readonly liveBytes: number;
  readonly allocatedBytes: number;
  readonly storedBytes: number;
  readonly allocated: number | null;
  readonly stored: number | null;
}

export interface VolumeStatus {
  readonly id: string;
  readonly class: VolumeClass;
  readonly codec: CodecName;
  readonly state: VolumeState;
  readonly generation: number;
  /** Missing: it is shared by all that is not kept apart. */
  readonly lane?: Lane;
  readonly buckets: number;
  readonly fillPermille: number;
  readonly liveBytes: number;
  readonly usedBytes: number;
}

/** ok, or the code of the error it answers with, in lower case: unavailable, read-only, full, denied, busy. */
export type DriveState = 'ok' | 'unavailable' | 'read-only' | 'full' | 'denied' | 'busy';

/** Read-only and full drives can be read. */
export const isAway = (state: DriveState): boolean => state !== 'ok' && state !== 'read-only' && state !== 'full';

export interface DriveFacts {
  readonly id: number;
  readonly path: string;
  readonly state: DriveState;
  readonly usedZones: number;
  readonly erasingZones: number;
}

export interface DriveStatus {
  readonly id: number;
  readonly path: string;
  readonly state: DriveState;
  readonly zones: { readonly used: number; readonly erasing: number; readonly free: number };
}

export interface StatusFacts {
  /** Why bulk writers wait for L3, if they do. */
  readonly held?: Reason | undefined;
  readonly storeId: StoreId;
  readonly settings: Settings;
  readonly volumes: readonly VolumeRow[];
  readonly buckets: readonly BucketRow[];
  readonly drives: readonly DriveFacts[];
  readonly trash: { readonly blocks: number; readonly bytes: number };
  readonly objects?: number | undefined;
  readonly damage?: readonly DamageRow[] | undefined;
  /** Of figures over time, as the last measurement found them. */
  readonly alarms?: readonly AlarmState[] | undefined;
  /** How many columns are to be made again, and what a person has to see to. */
  readonly keeping?: Pick<CareFacts, 'nowMs' | 'drives' | 'measured'> | undefined;
  /** What is not in the rows above. */
  readonly compaction?:
    | Pick<CompactionFacts, 'nowMs' | 'state' | 'operating' | 'budgetUsed' | 'rates' | 'queue' | 'days'>
    | undefined;
}

export interface Status {
  readonly storeId: string;
  readonly preset: string;
  readonly objects?: number;
  readonly liveBytes: number;
  readonly hotBytes: number;
  /** `trash` is measured against the live bytes of the whole store: its own are all elsewhere. */
  readonly overhead: Readonly<Record<'hot' | 'open' | 'sealed' | 'trash', OverheadOf>>;
  readonly volumes: readonly VolumeStatus[];
  readonly drives: readonly DriveStatus[];
  readonly fillHistogram: readonly number[];
  readonly trash: { readonly blocks: number; readonly bytes: number };
  /** From what was found damaged and the drives that do not answer; `doctor` looks anew. */
  readonly redundancy: Redundancy;
  /** What the next loss of a drive or of a domain could cost. */
  readonly worst: WorstLosses;
  readonly keeping?: CareStatus;
  /** Figures that have been out of bounds for hours, as the daemon measured them. */
  readonly alarms: readonly FigureAlarm[];
  /** Where drives are directories: on how many disks they lie. */
  readonly devices?: { readonly drives: number; readonly devices: number };
  readonly working: { readonly stalled: readonly Reason[] };
  /** Of the metadata on the drives, where there is one. */
  readonly journal?: JournalStatus;
  /** Bytes stored in all classes per live byte: what durability and holes cost together. */
  readonly replicationFactor: number | null;
  readonly compaction?: CompactionStatus;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

export function statusOf(facts: StatusFacts): Status {
  const { settings } = facts;
  const volumes = volumeStatuses(facts);
  const rowOf = new Map(facts.volumes.map((volume) => [volume.id as string, volume]));
  const liveBytes = sum(facts.buckets.map((bucket) => bucket.liveBytes));
  const overheadOf = (which: (volume: VolumeStatus) => boolean, live?: number): OverheadOf => {
    const chosen = volumes.filter(which);
    const rows = chosen.map(({ id }) => rowOf.get(id) as VolumeRow);
    const allocatedBytes = sum(rows.map((row) => row.extents.length * settings.extentBytes));
    const storedBytes = sum(rows.flatMap((row) => row.extentUsedBytes));
    const own = live ?? sum(chosen.map((volume) => volume.liveBytes));
    const ratio = (raw: number): number | null => (own === 0 ? null : rounded(raw / own));
    return {
      volumes: chosen.length,
      liveBytes: live === undefined ? own : 0,
      allocatedBytes,
      storedBytes,
      allocated: ratio(allocatedBytes),
      stored: ratio(storedBytes),
    };
  };
  const isTrash = ({ state }: VolumeStatus): boolean => state === 'trash' || state === 'erasing';
  const isSealed = ({ class: cls, state }: VolumeStatus): boolean =>
    cls === 'warm' && (state === 'sealed' || state === 'draining');
  const hot = overheadOf((volume) => volume.class === 'hot' && !isTrash(volume));
  const sealed = overheadOf(isSealed);
  const drives = facts.drives.map((drive) => driveStatus(drive, settings));
  const stalled = stalledReasons(settings, drives, hot.allocatedBytes);
  return {
    storeId: facts.storeId,
    preset: settings.preset,
    ...(facts.objects === undefined ? {} : { objects: facts.objects }),
    liveBytes,
    hotBytes: hot.allocatedBytes,
    overhead: {
      hot,
      open: overheadOf((volume) => volume.class === 'warm' && volume.state === 'open'),
      sealed,
      trash: overheadOf(isTrash, liveBytes),
    },
    volumes,
    drives,
    fillHistogram: fillHistogram(volumes.filter(isSealed).map(({ fillPermille }) => fillPermille)),
    trash: facts.trash,
    redundancy: redundancyOf(facts),
    worst: worstOf(facts),
    alarms: figureAlarms(settings, facts.alarms ?? []),
    ...(facts.keeping === undefined ? {} : { keeping: keepingStatus(facts, facts.keeping, drives) }),
    working: { stalled: facts.held === undefined ? stalled : [...stalled, facts.held] },
    replicationFactor:
      liveBytes === 0 ? null : rounded(sum(facts.volumes.flatMap((volume) => volume.extentUsedBytes)) / liveBytes),
    ...(facts.compaction === undefined ? {} : { compaction: compactionOf(facts, facts.compaction, sealed) }),
  };
}

function keepingStatus(
  { volumes, damage = [] }: StatusFacts,
  known: NonNullable<StatusFacts['keeping']>,
  drives: readonly DriveStatus[],
): CareStatus {
  const takes = ({ id, state, zones }: DriveStatus): boolean =>
    state === 'ok' && zones.free > 0 && (known.drives.get(id)?.state ?? 'active') === 'active';
  return careOf({
    ...known,
    volumes,
    damage,
    away: new Set(drives.filter(({ state }) => isAway(state)).map(({ id }) => id)),
    takers: drives.filter(takes).length,
  });
}

function worstOf({ volumes, drives, damage = [], keeping }: StatusFacts): WorstLosses {
  const stateOf = (id: number): string => keeping?.drives.get(id)?.state ?? 'active';
  const isGone = ({ id, state }: DriveFacts): boolean => isAway(state) || stateOf(id) === 'lost';
  return worstLosses({
    volumes: volumes.filter(({ buckets }) => buckets.size > 0),
    damage,
    drives: drives
      .filter((drive) => !isGone(drive) && stateOf(drive.id) !== 'retired')
      .map(({ id, path }) => ({ drive: id, label: path, domain: keeping?.drives.get(id)?.domain })),
    gone: new Set(drives.filter(isGone).map(({ id }) => id)),
  });
}

/** Of volumes that hold something. */
function redundancyOf({ volumes, drives, damage = [] }: StatusFacts): Redundancy {
  const away = new Set(drives.filter(({ state }) => isAway(state)).map(({ id }) => id));
  const byVolume = Map.groupBy(damage, ({ volume }) => volume);
  const count = new RedundancyCount();
  for (const volume of volumes)
    if (volume.buckets.size > 0) count.add(volume.codec, volumeSpare(volume, byVolume.get(volume.id) ?? [], away));
  return count.result;
}

function compactionOf(
  { settings, volumes, buckets }: StatusFacts,
  known: NonNullable<StatusFacts['compaction']>,
  sealed: OverheadOf,
): CompactionStatus {
  const { dataColumns, parityColumns } = codecShape(settings.warmCodec);
  const withoutCode = dataColumns / (dataColumns + parityColumns);
  return compactionStatusOf({
    ...known,
    settings,
    volumes,
    bucketRows: bucketRowsOf(settings, volumes, buckets),
    sealedVolumes: sealed.volumes,
    sealedOverhead: sealed.allocated === null ? null : sealed.allocated * withoutCode,
  });
}

/** Hot volumes are encoded soon, and with that their buckets go: only those that stay count. */
function bucketRowsOf(
  settings: Settings,
  volumes: readonly VolumeRow[],
  buckets: readonly BucketRow[],
): CompactionFacts['bucketRows'] {
  const stay = volumes
    .filter(({ class: cls }) => cls === 'warm' || settings.hotCodec === settings.warmCodec)
    .filter(({ state }) => state !== 'trash' && state !== 'erasing');
  const ids = new Set<string>(stay.map(({ id }) => id));
  const counted = buckets.filter(({ volume }) => ids.has(volume));
  return { rows: counted.length, liveBytes: sum(counted.map(({ liveBytes }) => liveBytes)) };
}

/** Five digits are more than anyone compares, and survive JSON as they are. */
const rounded = (ratio: number): number => Math.round(ratio * 100_000) / 100_000;

function volumeStatuses({ settings, volumes, buckets }: StatusFacts): VolumeStatus[] {
  const live = new Map<BucketId, number>(buckets.map((bucket) => [bucket.id, bucket.liveBytes]));
  const statuses = volumes.map((volume): VolumeStatus => {
    const liveBytes = sum([...volume.buckets].map((id) => live.get(id) ?? 0));
    return {
      id: volume.id,
      class: volume.class,
      codec: volume.codec,
      state: volume.state,
      generation: volume.generation,
      ...given({ lane: volume.lane }),
      buckets: volume.buckets.size,
      fillPermille: Math.round((liveBytes * 1000) / capacityBytes(settings, volume.codec)),
      liveBytes,
      usedBytes: sum(volume.extentUsedBytes),
    };
  });
  return statuses.sort((a, b) => (a.id < b.id ? -1 : 1));
}

const driveStatus = ({ id, path, state, usedZones, erasingZones }: DriveFacts, settings: Settings): DriveStatus => ({
  id,
  path,
  state,
  zones: { used: usedZones, erasing: erasingZones, free: settings.zonesPerDrive - usedZones - erasingZones },
});

/** How many volumes are 0 to 5 % full, 5 to 10 %, and so on; a volume of exactly 100 % counts in the last bin. */
export function fillHistogram(fillsPermille: readonly number[]): number[] {
  const bins = new Array<number>(HISTOGRAM_BINS).fill(0);
  for (const fill of fillsPermille) {
    const bin = Math.min(HISTOGRAM_BINS - 1, Math.floor((fill * HISTOGRAM_BINS) / 1000));
    bins[bin] = (bins[bin] as number) + 1;
  }
  return bins;
}

/** Why the Live Coder, or puts, have to wait now. */
function stalledReasons(settings: Settings, drives: readonly DriveStatus[], hotBytes: number): Reason[] {
  const reasons: Reason[] = [];
  const usable = drives.filter(({ state, zones }) => state === 'ok' && zones.free > 0).length;
  const away = drives.filter(({ state }) => state !== 'ok').map(({ path, state }) => `${path} (${state})`);
  const why = away.length === 0 ? '' : `; not: ${away.join(', ')}`;
  const columns = (codec: CodecName): number => codecShape(codec).dataColumns + codecShape(codec).parityColumns;
  const { warmCodec, hotCodec } = settings;
  if (usable < columns(hotCodec))
    reasons.push({
      code: 'PUTS_LACK_DRIVES',
      text: `puts: ${usable} of the ${columns(hotCodec)} drives of ${hotCodec} can take a new volume${why}`,
    });
  if (hotCodec !== warmCodec && usable < columns(warmCodec))
    reasons.push({
      code: 'CODER_LACKS_DRIVES',
      text: `Live Coder: ${usable} of the ${columns(warmCodec)} drives of ${warmCodec} can take a new volume${why}`,
    });
  if (hotCodec !== warmCodec && hotBytes > settings.hotBytesMax)
    reasons.push({
      code: 'HOT_FULL',
      text: `puts: hot volumes allocate ${hotBytes} of at most ${settings.hotBytesMax} bytes`,
    });
  return reasons;
}
