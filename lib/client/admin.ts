// What an operator does with a store, apart from its objects.

import type { DrainProgress, DrainReport } from '../compaction/do/drain.ts';
import type { CompactReport } from '../compaction/do/rounds.ts';
import type { DeadDrain } from '../compaction/move/l3/stream-runs.ts';
import type { MergePlan } from '../compaction/plan/merges/merge-plan.ts';
import type { CompactionPlan } from '../compaction/plan/plan.ts';
import type { ThresholdStep } from '../compaction/threshold/law.ts';
import type { DoctorReport } from '../engine/doctor/doctor.ts';
import type { DrivesReport } from '../engine/drives/list-drives.ts';
import type { ReplacedDrive } from '../engine/drives/replace-drive.ts';
import type { Status } from '../engine/status/status.ts';
import type { VolumeView } from '../engine/status/volume-view.ts';
import type { WatchStatus } from '../engine/status/watch-status.ts';
import type { PlanRequest } from '../engine/upkeep/compaction.ts';
import type { HistoryDay } from '../engine/upkeep/history.ts';
import type { NamespaceChange } from '../engine/upkeep/namespaces.ts';
import type { OperatingLine, OperatingValue } from '../engine/upkeep/operating.ts';
import type { ReclaimReport, TendReport } from '../engine/upkeep/reclaim.ts';
import type { EmptyReport, EncodePassReport } from '../engine/upkeep/tend.ts';
import type { VerifyProgress, VerifyReport, VerifyRequest } from '../engine/upkeep/verify.ts';
import type { Reason } from '../foundation/reason.ts';
import type { RestoreRequest } from '../frontend/frontend.ts';
import type { RewrapReport } from '../gc/rewrap-keys.ts';
import type { KekVersion } from '../keys/keys.ts';
import type { DriveRow, DriveState } from '../panda/rows/drives/drive-row.ts';
import type { NamespaceRow } from '../panda/rows/namespace-row.ts';
import type { ObjectInfo } from '../service/object-info.ts';
import type { BalancePlan } from '../volume/repair/balance-plan.ts';
import type { BalanceOptions, BalanceReport } from '../volume/repair/balance-store.ts';
import type { RepairOptions, RepairPlan, RepairReport } from '../volume/repair/repair-store.ts';
import type { FreeReport } from '../volume/runs/free.ts';

export interface Watch<T> {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: T) => void) | undefined;
}

export type GcReport = ReclaimReport;

export interface EncodeProgress {
  readonly encodedBytes: number;
  readonly totalBytes: number;
}

export type EncodePass = EncodePassReport;

export interface DrainPass extends DrainReport {
  readonly free: FreeReport;
}

export interface CompactProgress {
  readonly runs: number;
  readonly reclaimed: number;
  readonly movedBytes: number;
}

export interface CompactChoice {
  readonly untilStable?: boolean | undefined;
  /** Exactly this plan, from `plan --json`. */
  readonly planJson?: string | undefined;
}

/** An object that could be restored. */
export interface RemovedInfo extends ObjectInfo {
  readonly removedAtMs: number;
  /** Until when its blocks are kept; what others still refer to is kept longer. */
  readonly keptUntilMs: number;
  readonly isOverwritten: boolean;
}

export interface VerifyChoice extends Pick<VerifyRequest, 'what' | 'volumes'> {
  readonly all?: boolean | undefined;
}

export interface StoreAdmin {
  status(options?: { readonly countObjects?: boolean | undefined }): Promise<Status>;
  /** The last thirty days, the oldest first. */
  history(): Promise<readonly HistoryDay[]>;
  /**
   * Shreds what may be shredded, then frees the zones of empty volumes. `now`: without waiting for the grace of trash
   * volumes.
   */
  gc(options?: Watch<number> & { readonly now?: boolean | undefined }): Promise<GcReport>;
  /** `all`: whatever is hot, however young and however little. */
  encode(options?: Watch<EncodeProgress> & { readonly all?: boolean | undefined }): Promise<EncodePass>;
  drain(
    options?: Watch<DrainProgress> & {
      readonly fillPermilleMax?: number | undefined;
      readonly targetOverhead?: number | undefined;
      readonly sourcesMax?: number | undefined;
    },
  ): Promise<DrainPass>;
  /** What a compaction made now would do; changes nothing. */
  plan(request?: PlanRequest): Promise<CompactionPlan>;
  /** Which bucket remnants would be merged now; changes nothing. */
  planMerges(request?: PlanRequest): Promise<MergePlan>;
  /** Throws for a plan file that cannot be carried out, nothing changed. */
  compact(options?: PlanRequest & CompactChoice & Watch<CompactProgress>): Promise<CompactReport>;
  /** Lines about a volume, or about an object and the volumes it is in. */
  explain(what: string, request?: PlanRequest): Promise<readonly Reason[]>;
  deadLetters(): Promise<readonly DeadDrain[]>;
  /** All, or these. How many. */
  redriveDeadLetters(ids?: readonly string[]): Promise<number>;
  /**
   * Throws these away for good; what is still to be drained is sent again. Throws `missing` LETTER_MISSING, and drops
   * none, if one is not there.
   */
  dropDeadLetters(ids: readonly string[]): Promise<number>;
  /** What can be changed of a running store: each value in force, and where it is from. */
  operating(): Promise<readonly OperatingLine[]>;
  /** All of them, or none. Throws `invalid` OPERATING_INVALID, BOUNDARIES_INVALID, BUDGET_INVALID. */
  setOperating(changes: Readonly<Record<string, OperatingValue>>): Promise<readonly OperatingLine[]>;
  /** All, or these, as if nobody had set them. */
  resetOperating(names: readonly string[]): Promise<readonly OperatingLine[]>;
  /** Of which namespaces anybody has said who may read or write them, and what. */
  namespaces(): Promise<readonly NamespaceRow[]>;
  /** Throws `invalid` NAMESPACE_INVALID, PRINCIPAL_INVALID, NOT_FOR_DIRECTORY. */
  setNamespace(name: string, change: NamespaceChange): Promise<NamespaceRow>;
  /** One step of the threshold controller. */
  tune(): Promise<ThresholdStep>;
  /** One pass of everything that schedules do on AWS: encode, gc, free. For cron. */
  tend(options?: { readonly signal?: AbortSignal | undefined }): Promise<TendReport>;
  keys(): Promise<readonly (KekVersion & { readonly blocks?: number })[]>;
  /** A new key version, and every wrapped key wrapped anew under it. */
  rotateKeys(options?: Watch<RewrapReport>): Promise<{ readonly version: KekVersion; readonly rewrap: RewrapReport }>;
  /** Goes on where a rotation was cut off, and wraps what another process wrapped by an old version meanwhile. */
  rewrapKeys(options?: Watch<RewrapReport>): Promise<RewrapReport>;
  /** From then on nothing is wrapped by it. Throws `invalid` KEY_IN_USE while blocks still are. */
  destroyKey(version: number): Promise<void>;
  /** Throws `conflict` FILE_EXISTS unless told to overwrite. */
  backup(
    file: string,
    options?: Watch<number> & { readonly overwrite?: boolean | undefined },
  ): Promise<{ readonly rows: number; readonly bytes: number }>;
  /** One volume, where its columns lie, what it survives. Throws `missing` VOLUME_UNKNOWN. */
  volume(id: string): Promise<VolumeView>;
  /**
   * What was deleted or overwritten and can be restored for a while, oldest first: of the store's namespace, or of
   * another.
   */
  removed(prefix?: string, namespace?: string): AsyncIterable<RemovedInfo>;
  /** Throws `missing` NOT_IN_TRASH or BLOCKS_SHREDDED, `conflict` NAME_TAKEN. */
  restoreRemoved(
    request: Omit<RestoreRequest, 'namespace'> & { readonly namespace?: string | undefined },
  ): Promise<ObjectInfo>;
  /** Nothing can be restored any more, and every deleted block is shredded, of all namespaces. */
  emptyTrash(options?: Watch<number>): Promise<EmptyReport>;
  /** A pass of the verifiers now; `all`: over everything, not only what is due. */
  verify(options?: VerifyChoice & Watch<VerifyProgress>): Promise<VerifyReport>;
  /** When what was verified last, and what was found. */
  watch(): Promise<WatchStatus>;
  /** Each drive, its state, and what is on it. */
  drives(): Promise<DrivesReport>;
  /** New drives, or none of them. */
  addDrives(
    paths: readonly string[],
    options?: { readonly domain?: string | undefined },
  ): Promise<readonly { readonly drive: number; readonly label: string }[]>;
  /** A new drive, and another given up for it; or neither. */
  replaceDrive(drive: number, path: string, options?: { readonly domain?: string | undefined }): Promise<ReplacedDrive>;
  /** Throws `invalid` DRIVE_UNKNOWN, DRIVE_STATE or DRIVE_IN_USE. */
  changeDrive(drive: number, change: { readonly state?: DriveState; readonly domain?: string }): Promise<DriveRow>;
  /** What a repair made now would do, the most urgent first; changes nothing. */
  planRepair(): Promise<RepairPlan>;
  /** Makes redundancy whole: what lay on drives that are lost, being emptied or damaged. */
  repair(options?: RepairOptions): Promise<RepairReport>;
  /** Which columns would move where, so that all drives hold about the same; changes nothing. */
  planBalance(): Promise<BalancePlan>;
  balance(options?: BalanceOptions): Promise<BalanceReport>;
  doctor(
    options?: Watch<string> & { readonly fix?: boolean | undefined; readonly readAll?: boolean | undefined },
  ): Promise<DoctorReport>;
}
