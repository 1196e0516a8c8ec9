// The tasks of maintenance as a stage's schedules run them: those of tend.ts, with the answers of its functions.
import type { Reason } from '../../foundation/reason.ts';
import { Frontend } from '../../frontend/frontend.ts';
import type { GarbageReport } from '../../gc/collect-garbage.ts';
import { ENCODERS_AT_ONCE } from '../../limits/stage.ts';
import { type EncodeReport, NOTHING_ENCODED } from '../../live-coder/encode-hot.ts';
import { type HotPressure, hotPressureOf } from '../../live-coder/hot-pressure.ts';
import type { Stream } from '../../stream/stream.ts';
import type { VerifierName } from '../../verify/verifier-row.ts';
import { holdsData } from '../../volume/check/look.ts';
import { readDriveRows } from '../../volume/rows/drive-states.ts';
import { listVolumes } from '../../volume/rows/read-rows.ts';
import type { VolumeStore } from '../../volume/volume-store.ts';
import { type WatchDrivesReport, watchDrives } from '../drives/watch-drives.ts';
import { readFault } from '../status/drive-state.ts';
import { hotGauges } from '../status/gauges.ts';
import type { MetricsPort } from '../wire/metrics.ts';
import { settleDeadWork } from './end-dead-work.ts';
import { encodePass, shredAndFree } from './tend.ts';
import { type VerifyPace, type VerifyReport, type VerifyRequest, verifyStore } from './verify.ts';

export interface SweepReport extends GarbageReport {
  /** False: the time was used up; the next pass goes on. */
  readonly done: boolean;
  readonly freedVolumes: number;
  readonly freedZones: number;
  /** Leases of functions that are gone, settled. */
  readonly recovered: number;
  /** Uploads given up by their clients. */
  readonly abandoned: number;
}

/** GC of the stage. `now`: emptied volumes are erased without their grace. */
export async function sweepStage(
  volumes: VolumeStore,
  options: { readonly now?: boolean | undefined; readonly signal: AbortSignal },
): Promise<SweepReport> {
  const { signal, now = false } = options;
  const settled = await settleDeadWork(volumes, new Frontend(volumes), { keepRuns: true, signal });
  const { free, ...garbage } = await shredAndFree({ volumes }, { signal, ignoreGrace: now });
  return {
    ...garbage,
    done: !signal.aborted,
    freedVolumes: free.freedVolumes,
    freedZones: free.freedZones,
    recovered: settled.volumes + settled.runs,
    abandoned: settled.uploads,
  };
}

export interface EncodeStageReport extends EncodeReport {
  readonly done: boolean;
  readonly freedZones: number;
}

export interface EncodeStageOptions {
  /** Whatever is hot, however young and however little. */
  readonly all?: boolean | undefined;
  /** Asked for by a put that found little room: nothing to do if others saw to it, or enough do. */
  readonly pressure?: boolean | undefined;
  /** That puts may have called for at once. */
  readonly encodersMax?: number | undefined;
  readonly signal: AbortSignal;
  readonly stream: Stream;
  readonly metrics?: MetricsPort | undefined;
}

/** ENCODE of the stage. What has to go for want of room goes in any pass (lib/live-coder/hot-pressure.ts). */
export async function encodeStage(volumes: VolumeStore, options: EncodeStageOptions): Promise<EncodeStageReport> {
  const { signal, all, pressure = false, stream, metrics, encodersMax = ENCODERS_AT_ONCE } = options;
  const idle = pressure ? idleReason(volumes, await pressureNow(volumes), encodersMax) : undefined;
  if (idle !== undefined) return { ...NOTHING_ENCODED, stalled: idle, freedZones: 0, done: true };
  const { free, ...report } = await encodePass({ volumes, queue: stream }, { all, signal });
  const after = metrics && (await pressureNow(volumes));
  if (after?.isHigh) await metrics?.put(hotGauges(after));
  return { ...report, freedZones: free.freedZones, done: !signal.aborted };
}

async function pressureNow({ components: { panda, settings, badRow } }: VolumeStore): Promise<HotPressure> {
  return hotPressureOf(await listVolumes(panda, settings.cell, badRow), settings);
}

/** Why a call for an encoder needs no answer. */
function idleReason(
  { components }: VolumeStore,
  { isHigh, share, encoders }: HotPressure,
  most: number,
): Reason | undefined {
  const others = [...encoders].filter((owner) => !components.isOwnerGone(owner)).length;
  if (!isHigh) return { code: 'HOT_RELIEVED', text: `hot volumes take ${Math.round(share * 100)} % of what they may` };
  return others < most ? undefined : { code: 'ENCODERS_AT_WORK', text: `${others} encoders are at work` };
}

/**
 * The 15-minute rule of the stage: buckets that hold columns, or that the clock gave up, are asked for an object that
 * nobody has.
 */
export async function watchStage(volumes: VolumeStore, signal: AbortSignal): Promise<WatchDrivesReport> {
  const { panda, settings, badRow } = volumes.components;
  const held = (await listVolumes(panda, settings.cell, badRow)).filter(holdsData);
  const only = new Set(held.flatMap(({ extents }) => extents.map(({ drive }) => drive)));
  for (const { drive, lostByClockMs } of (await readDriveRows(volumes.components)).values())
    if (lostByClockMs !== undefined) only.add(drive);
  return watchDrives(volumes, { ask: readFault, only, signal });
}

/** Those that read no plaintext: what works behind the frontend cannot unwrap keys. */
export const STAGE_VERIFIERS: readonly VerifierName[] = ['trash', 'index', 'scrub'];

/**
 * The storage watcher of the stage, by the one function that can unwrap keys, for at most so long; nothing where
 * nothing is stored.
 */
export async function sampleStage(volumes: VolumeStore, msMax: number): Promise<VerifyReport | undefined> {
  const { panda, settings, badRow } = volumes.components;
  if (!(await listVolumes(panda, settings.cell, badRow)).some(holdsData)) return undefined;
  const store = { volumes, frontend: new Frontend(volumes) };
  return verifyStore(store, { what: ['sample'], probesDrives: false }, { everyMs: msMax, sharePermille: 1000 });
}

/** VERIFY of the stage, cut where the time of a function ends; the next call goes on. */
export function verifyStage(
  volumes: VolumeStore,
  { what = STAGE_VERIFIERS, ...request }: Omit<VerifyRequest, 'onProgress' | 'probesDrives'>,
  pace?: VerifyPace,
): Promise<VerifyReport> {
  const asked = what.filter((name) => STAGE_VERIFIERS.includes(name));
  const store = { volumes, frontend: new Frontend(volumes) };
  return verifyStore(store, { ...request, what: asked, probesDrives: false }, pace);
}
