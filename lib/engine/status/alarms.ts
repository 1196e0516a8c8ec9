// What keeps a store whole, in figures: what is to be made again and how long that takes, which volumes survive less
// than they should, and what a person has to see to. Pure, from rows and from what the drives answer. Each alarm has a
// heading of its name in docs/operations.md.
import { codecShape } from '../../codec/shape.ts';
import { HOUR_MS } from '../../foundation/durations.ts';
import { REPAIR_BYTES_PER_SECOND_ASSUMED, REPAIR_WITHIN_MS } from '../../limits/verify.ts';
import { LOST_AFTER_MS } from '../../limits/volume.ts';
import type { DamageRow } from '../../panda/rows/damage-row.ts';
import type { DriveRow } from '../../panda/rows/drives/drive-row.ts';
import type { VolumeRow } from '../../panda/rows/volume-row.ts';
import { holdsData } from '../../volume/check/look.ts';
import { spareOf, volumeSpare } from '../../volume/check/redundancy.ts';
import { planOf } from '../../volume/repair/repair-store.ts';
import { asksPerson } from './drive-watch.ts';

export type AlarmName = 'drive-away' | 'redundancy-low' | 'repair-behind' | 'repair-blocked';

export interface Alarm {
  readonly name: AlarmName;
  readonly text: string;
}

export interface CareFacts {
  readonly nowMs: number;
  readonly volumes: readonly VolumeRow[];
  readonly damage: readonly DamageRow[];
  readonly drives: ReadonlyMap<number, DriveRow>;
  /** Of all drives: cannot be read now. */
  readonly away: ReadonlySet<number>;
  /** Of all drives: take extents now. */
  readonly takers: number;
  /** Of the last days; nothing if no repair was measured. */
  readonly measured?: { readonly bytes: number; readonly ms: number } | undefined;
}

export interface CareStatus {
  /** What a repair made now would make again. */
  readonly repair: {
    readonly volumes: number;
    readonly columns: number;
    readonly bytes: number;
    /** At the speed of repairs in the last days, or at one that is assumed. */
    readonly estimateMs: number;
    readonly isMeasured: boolean;
    /** Since when the first of it has waited; null: nothing does. */
    readonly sinceMs: number | null;
    readonly withinMs: number;
  };
  /** Volumes that certainly survive less than when nothing is missing. */
  readonly atRisk: number;
  readonly alarms: readonly Alarm[];
}

export function careOf(facts: CareFacts): CareStatus {
  const { volumes, damage, drives } = facts;
  const { repairs, bytes } = planOf(volumes, drives, damage);
  const speed = speedOf(facts);
  const estimateMs = Math.round((bytes / speed.bytesPerSecond) * 1000);
  const since = [
    ...repairs.flatMap(({ volume }) => volume.extents.map(({ drive }) => leavingSince(drives.get(drive)))),
    ...damage.map(({ sinceMs }) => sinceMs),
  ].filter((ms) => ms !== undefined);
  const sinceMs = repairs.length === 0 ? null : Math.min(facts.nowMs, ...since);
  const repair = {
    volumes: repairs.length,
    columns: repairs.reduce((sum, { columns }) => sum + columns.length, 0),
    bytes,
    estimateMs,
    isMeasured: speed.isMeasured,
    sinceMs,
    withinMs: REPAIR_WITHIN_MS,
  };
  const { atRisk, low } = countAtRisk(facts);
  const alarms = [...awayAlarms(facts), ...lowAlarms(low), ...blockedAlarms(facts), ...behindAlarms(facts, repair)];
  return { repair, atRisk, alarms };
}

const leavingSince = (row: DriveRow | undefined): number | undefined =>
  row?.state === 'lost' || row?.state === 'draining' ? row.sinceMs : undefined;

function speedOf({ measured }: CareFacts): { bytesPerSecond: number; isMeasured: boolean } {
  if (measured === undefined || measured.bytes === 0 || measured.ms === 0)
    return { bytesPerSecond: REPAIR_BYTES_PER_SECOND_ASSUMED, isMeasured: false };
  return { bytesPerSecond: (measured.bytes * 1000) / measured.ms, isMeasured: true };
}

/** `low`: what one loss, or two where the code survives two and more, would be too much for. */
function countAtRisk({ volumes, damage, drives, away }: CareFacts): { atRisk: number; low: number } {
  const gone = new Set([
    ...away,
    ...[...drives.values()].filter(({ state }) => state === 'lost').map(({ drive }) => drive),
  ]);
  const byVolume = Map.groupBy(damage, ({ volume }) => volume);
  let atRisk = 0;
  let low = 0;
  for (const volume of volumes.filter(holdsData)) {
    const of = spareOf(volume.codec);
    const spare = volumeSpare(volume, byVolume.get(volume.id) ?? [], gone);
    if (spare >= of) continue;
    atRisk += 1;
    if (spare <= (of >= 2 ? 1 : 0)) low += 1;
  }
  return { atRisk, low };
}

function awayAlarms({ drives, nowMs }: CareFacts): Alarm[] {
  const asks = [...drives.values()].filter((row) => asksPerson(row, nowMs, LOST_AFTER_MS));
  return asks.map(({ drive, away }) => ({
    name: 'drive-away',
    text: `drive ${drive} has not answered for ${hours(nowMs - (away?.sinceMs ?? nowMs))}: bring it back, or say that it is gone: pocketful drives lost ${drive}`,
  }));
}

const lowAlarms = (low: number): Alarm[] =>
  low === 0 ? [] : [{ name: 'redundancy-low', text: `${low} volumes survive one more loss at the most` }];

/** A repair wants another drive than those that the volume has. */
function blockedAlarms({ volumes, drives, away, takers }: CareFacts): Alarm[] {
  const isLeaving = (drive: number): boolean => away.has(drive) || leavingSince(drives.get(drive)) !== undefined;
  const needed = volumes
    .filter(holdsData)
    .filter(({ extents }) => extents.some(({ drive }) => isLeaving(drive)))
    .map(({ codec }) => codecShape(codec).dataColumns + codecShape(codec).parityColumns);
  const most = Math.max(0, ...needed);
  if (takers >= most) return [];
  return [
    {
      name: 'repair-blocked',
      text: `volumes need ${most} different drives, and ${takers} take data: add a drive: pocketful drives add PATH`,
    },
  ];
}

function behindAlarms({ nowMs }: CareFacts, { sinceMs, estimateMs, withinMs }: CareStatus['repair']): Alarm[] {
  if (sinceMs === null || nowMs + estimateMs - sinceMs <= withinMs) return [];
  const left = estimateMs < HOUR_MS / 10 ? '' : `, and takes another ${hours(estimateMs)}`;
  return [
    {
      name: 'repair-behind',
      text: `what is to be repaired has waited for ${hours(nowMs - sinceMs)}${left}: ${hours(withinMs)} are meant to be enough`,
    },
  ];
}

const hours = (ms: number): string =>
  ms < HOUR_MS ? `${Math.round(ms / 60_000)} min` : `${Math.round(ms / HOUR_MS)} h`;
