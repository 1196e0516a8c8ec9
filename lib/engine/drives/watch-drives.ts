// Looks whether every drive answers, and lets those that have not for long be lost, so that repair begins without
// anybody awake. At most as many in a day as every volume survives: more at once is a cable, a mount, a power supply,
// and a person is asked.
import type { Drive } from '../../drive/drive.ts';
import type { ErrorCode } from '../../foundation/error-codes.ts';
import { isPocketfulError } from '../../foundation/errors.ts';
import { LOST_AFTER_MS } from '../../limits/volume.ts';
import { brakeKey, countLoss } from '../../panda/rows/drives/brake-row.ts';
import type { DriveRow } from '../../panda/rows/drives/drive-row.ts';
import { spareOf } from '../../volume/check/redundancy.ts';
import { finishReturned } from '../../volume/repair/returned.ts';
import type { Components } from '../../volume/rows/components.ts';
import { readDriveRows } from '../../volume/rows/drive-states.ts';
import { raiseStoreFormat } from '../../volume/rows/store-format.ts';
import type { VolumeStore } from '../../volume/volume-store.ts';
import { driveFault, isUnreadable } from '../status/drive-state.ts';
import { lossesByClock, stepOf, type WatchStep } from '../status/drive-watch.ts';
import { writeDrive } from './change-drive.ts';

export interface WatchDrivesReport {
  /** Do not answer, and are waited for. */
  readonly away: readonly number[];
  /** Became lost now: repair makes again what was on them. */
  readonly lost: readonly number[];
  /** Answer again: what volumes still have on them counts. */
  readonly returned: readonly number[];
  /** Would be lost, but too many were within a day: somebody has to say so, by `drives lost N`. */
  readonly asks: readonly number[];
}

export interface WatchDrivesOptions {
  readonly lostAfterMs?: number | undefined;
  /** How a drive is asked; default: it is written to and read. */
  readonly ask?: ((drive: Drive) => Promise<ErrorCode | undefined>) | undefined;
  /** Only these; the others are as they were. */
  readonly only?: ReadonlySet<number> | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** As many as any volume of the store survives. */
export const lossesMax = ({ settings }: Pick<Components, 'settings'>): number =>
  Math.min(spareOf(settings.hotCodec), spareOf(settings.warmCodec));

export async function watchDrives(
  store: VolumeStore,
  { lostAfterMs = LOST_AFTER_MS, ask = driveFault, only, signal }: WatchDrivesOptions = {},
): Promise<WatchDrivesReport> {
  const { components } = store;
  await components.findDrives?.();
  const asked = [...components.drives.entries()].filter(([drive]) => only?.has(drive) !== false);
  const faults = await Promise.all(asked.map(async ([drive, body]) => [drive, await ask(body)] as const));
  const report = { away: [] as number[], lost: [] as number[], returned: [] as number[], asks: [] as number[] };
  const rows = await readDriveRows(components);
  const nowMs = Math.max(0, components.clock.nowMs());
  for (const [drive, fault] of faults) {
    if (signal?.aborted) break;
    const isAway = isUnreadable(fault);
    // Nearly always, of nearly all of them; what is to be done is decided by rows read for it.
    if (stepOf(rows.get(drive), isAway, nowMs, lostAfterMs).do === 'nothing') continue;
    try {
      const became = await watchOne(store, drive, isAway, lostAfterMs);
      if (became !== undefined) report[became].push(drive);
    } catch (error) {
      // Somebody else said something of it in this moment: the next look sees what.
      if (!isPocketfulError(error) || error.code !== 'DRIVE_CHANGED') throw error;
    }
  }
  return report;
}

async function watchOne(
  store: VolumeStore,
  drive: number,
  isAway: boolean,
  lostAfterMs: number,
): Promise<keyof WatchDrivesReport | undefined> {
  const { components } = store;
  const nowMs = Math.max(0, components.clock.nowMs());
  // In this order: who counts a loss in between changes the brake's row, too.
  const brake = await components.panda.get(brakeKey);
  const rows = await readDriveRows(components);
  const before = rows.get(drive);
  const step = stepOf(before, isAway, nowMs, lostAfterMs);
  if (step.do === 'nothing') return undefined;
  await raiseStoreFormat(components);
  const isBraked = step.do === 'lose' && lossesByClock(rows.values(), nowMs) >= lossesMax(components);
  const next = after(drive, before, isBraked ? { do: 'note', sinceMs: step.sinceMs } : step, nowMs);
  await writeDrive(components, before, next, step.do === 'lose' && !isBraked ? [countLoss(brake)] : []);
  if (step.do === 'note') return 'away';
  if (step.do === 'back') return 'returned';
  if (isBraked) return 'asks';
  store.zones.states.forget();
  store.zones.reload();
  if (step.do === 'lose') return 'lost';
  await finishReturned(store, drive);
  return 'returned';
}

/** Only what changes the state counts as a change: notes of a process do not meet what an operator says. */
function after(drive: number, before: DriveRow | undefined, step: WatchStep, nowMs: number): DriveRow {
  const row: DriveRow = before ?? { drive, state: 'active', change: 1, sinceMs: nowMs, domain: undefined };
  const { change } = row;
  switch (step.do) {
    case 'note':
      return { ...row, away: { sinceMs: step.sinceMs, seenMs: nowMs } };
    case 'lose':
      return { ...row, state: 'lost', change: change + 1, sinceMs: nowMs, away: undefined, lostByClockMs: nowMs };
    case 'return':
      return { ...row, state: 'active', change: change + 1, sinceMs: nowMs, away: undefined };
    default:
      return { ...row, away: undefined };
  }
}
