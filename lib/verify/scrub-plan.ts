// Which volumes the scrubber looks at next, pure: what is new within a day, everything within two weeks, the longest
// unverified first. There is no cursor over the store: every volume has its own (scrub-row.ts), so that a volume that
// comes, goes or is rewritten moves nobody else's turn.
import type { VolumeId } from '../foundation/ids.ts';
import type { VolumeRow } from '../panda/rows/volume-row.ts';
import type { LookKind, ScrubRow } from './scrub-row.ts';

/** What the plan needs of a volume that holds something. */
export interface ScrubVolume
  extends Pick<VolumeRow, 'id' | 'generation' | 'nextSeq' | 'createdAtMs' | 'extentUsedBytes'> {
  /** They are written, and must exist. */
  readonly hasDirectories: boolean;
}

export interface ScrubPeriods {
  /** Every byte is read within this. */
  readonly sweepMs: number;
  /** What was written since the last look is read within this; so is what a look could not reach. */
  readonly freshMs: number;
}

export interface ScrubItem {
  readonly volume: VolumeId;
  readonly kind: LookKind;
  /** Where the look goes on: 0 at its beginning. */
  readonly afterSeq: number;
  /** Of a look that was cut; undefined: it begins now. */
  readonly beganAtMs: number | undefined;
  readonly skipDirectories: boolean;
  /** When it should have been looked at, at the latest. */
  readonly dueAtMs: number;
  readonly bytes: number;
}

export interface ScrubPlan {
  /** What is due first; then what is looked at ahead of its time, so that work is even. */
  readonly items: readonly ScrubItem[];
  /** How many of the items are due. */
  readonly due: number;
}

export interface ScrubRequest {
  readonly nowMs: number;
  readonly periods: ScrubPeriods;
  /** Everything of which no look began since then, whether due or not. */
  readonly allSinceMs?: number | undefined;
  /** A pass comes this often: what is looked at ahead of its time is as much as a steady sweep reads in between. */
  readonly everyMs?: number | undefined;
}

const usedBytes = ({ extentUsedBytes }: ScrubVolume): number => extentUsedBytes.reduce((sum, bytes) => sum + bytes, 0);

const rowOf = (volume: ScrubVolume, rows: ReadonlyMap<VolumeId, ScrubRow>): ScrubRow | undefined => {
  const row = rows.get(volume.id);
  return row?.generation === volume.generation ? row : undefined;
};

export function planScrub(
  volumes: readonly ScrubVolume[],
  rows: ReadonlyMap<VolumeId, ScrubRow>,
  request: ScrubRequest,
): ScrubPlan {
  const { allSinceMs, nowMs, periods, everyMs } = request;
  const wanted =
    allSinceMs === undefined
      ? volumes
      : volumes.filter((volume) => (rowOf(volume, rows)?.allAtMs ?? Number.NEGATIVE_INFINITY) < allSinceMs);
  const items = wanted
    .map((volume) => itemOf(volume, rowOf(volume, rows), request))
    .sort((a, b) => a.dueAtMs - b.dueAtMs || (a.volume < b.volume ? -1 : 1));
  if (allSinceMs !== undefined) return { items, due: items.length };
  const due = items.filter(({ dueAtMs }) => dueAtMs <= nowMs);
  if (everyMs === undefined) return { items: due, due: due.length };
  let paceBytes = (volumes.reduce((sum, volume) => sum + usedBytes(volume), 0) * everyMs) / periods.sweepMs;
  for (const { bytes } of due) paceBytes -= bytes;
  const ahead: ScrubItem[] = [];
  for (const item of items.slice(due.length)) {
    if (paceBytes <= 0 || item.dueAtMs - nowMs > periods.sweepMs / 2) break;
    if (item.kind === 'new') continue;
    ahead.push(item);
    paceBytes -= item.bytes;
  }
  return { items: [...due, ...ahead], due: due.length };
}

function itemOf(volume: ScrubVolume, row: ScrubRow | undefined, request: ScrubRequest): ScrubItem {
  const { nowMs, periods, allSinceMs } = request;
  const { sweepMs, freshMs } = periods;
  // A time from the future tells nothing: the clock was wrong then, or is now.
  const past = (ms: number | undefined): number => (ms === undefined || ms > nowMs ? 0 : ms);
  const bytes = usedBytes(volume);
  const whole = { volume: volume.id, kind: 'all' as const, afterSeq: 0, beganAtMs: undefined, skipDirectories: false };
  if (row?.allAtMs === undefined)
    return goOn({ ...whole, bytes, dueAtMs: past(volume.createdAtMs) + freshMs }, volume, row, allSinceMs);
  const sweepDueMs = past(row.allAtMs) + sweepMs;
  const lacksDirectories = volume.hasDirectories && !row.hasReadDirectories;
  const newGroups = volume.nextSeq - 1 - row.readSeq;
  const freshDueMs =
    newGroups > 0 || lacksDirectories || row.hasMissed ? past(row.lastAtMs) + freshMs : Number.POSITIVE_INFINITY;
  const dueAtMs = Math.min(sweepDueMs, freshDueMs);
  // What could not be looked at may be anything; and a sweep that is due has what is new as well.
  if (row.hasMissed || allSinceMs !== undefined || sweepDueMs <= Math.max(freshDueMs, nowMs))
    return goOn({ ...whole, bytes, dueAtMs }, volume, row, allSinceMs);
  const fresh: ScrubItem = {
    ...whole,
    kind: 'new',
    dueAtMs,
    afterSeq: row.readSeq,
    skipDirectories: !lacksDirectories,
    bytes: Math.round((bytes * newGroups) / Math.max(1, volume.nextSeq - 1)),
  };
  return goOn(fresh, volume, row, allSinceMs);
}

/** Where a look of this kind was cut, it goes on; one that began too long ago for what is asked begins anew. */
function goOn(
  item: ScrubItem,
  { hasDirectories }: ScrubVolume,
  row: ScrubRow | undefined,
  allSinceMs: number | undefined,
): ScrubItem {
  const underWay = row?.underWay;
  if (row === undefined || underWay?.kind !== item.kind) return item;
  if (allSinceMs !== undefined && underWay.beganAtMs < allSinceMs) return item;
  const { beganAtMs, afterSeq } = underWay;
  return { ...item, beganAtMs, afterSeq, skipDirectories: row.hasReadDirectories || !hasDirectories };
}

export interface ScrubFigures {
  readonly volumes: number;
  readonly bytes: number;
  /** Volumes and bytes that no look at everything has reached the end of. */
  readonly never: { readonly volumes: number; readonly bytes: number };
  /** Bytes of volumes that were looked at within the period. */
  readonly withinPeriodBytes: number;
  /** No byte was last read, or written, before this; undefined: there are none. */
  readonly oldestAtMs: number | undefined;
  /** Of these some objects could not be looked at the last time. */
  readonly missed: number;
}

export function scrubFigures(
  volumes: readonly ScrubVolume[],
  rows: ReadonlyMap<VolumeId, ScrubRow>,
  { nowMs, sweepMs }: { readonly nowMs: number; readonly sweepMs: number },
): ScrubFigures {
  const never = { volumes: 0, bytes: 0 };
  let bytes = 0;
  let withinPeriodBytes = 0;
  let missed = 0;
  let oldestAtMs: number | undefined;
  for (const volume of volumes) {
    const row = rowOf(volume, rows);
    const used = usedBytes(volume);
    bytes += used;
    if (row?.hasMissed) missed += 1;
    if (row?.allAtMs === undefined) {
      never.volumes += 1;
      never.bytes += used;
    } else if (nowMs - row.allAtMs <= sweepMs) withinPeriodBytes += used;
    const sinceMs = row?.allAtMs ?? volume.createdAtMs;
    oldestAtMs = Math.min(oldestAtMs ?? sinceMs, sinceMs);
  }
  return { volumes: volumes.length, bytes, never, withinPeriodBytes, oldestAtMs, missed };
}
