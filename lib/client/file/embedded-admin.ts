// The operator's commands on the embedded engine: each is one use-case of the layers below, with the recovery that has
// to come first and the freeing that has to come after.

import { drain } from '../../compaction/do/drain.ts';
import type { CompactReport } from '../../compaction/do/rounds.ts';
import { parsePlan } from '../../compaction/plan/plan.ts';
import type { ThresholdStep } from '../../compaction/threshold/law.ts';
import { backupTo } from '../../engine/backup/backup.ts';
import { type DoctorReport, examine } from '../../engine/doctor/doctor.ts';
import { addDrives } from '../../engine/drives/add-drives.ts';
import { changeDrive } from '../../engine/drives/change-drive.ts';
import { devicesOf } from '../../engine/drives/devices.ts';
import { replaceDrive } from '../../engine/drives/replace-drive.ts';
import { compactStore } from '../../engine/upkeep/compaction.ts';
import { reclaim, type TendReport, tend } from '../../engine/upkeep/reclaim.ts';
import { repairPass } from '../../engine/upkeep/repair.ts';
import { encodePass } from '../../engine/upkeep/tend.ts';
import { tune } from '../../engine/upkeep/tune.ts';
import { type VerifyReport, verifyStore } from '../../engine/upkeep/verify.ts';
import type { EmbeddedStore } from '../../engine/wire/embedded/embedded-store.ts';
import { invalid } from '../../foundation/errors.ts';
import { given } from '../../foundation/given.ts';
import { LiveCoder } from '../../live-coder/live-coder.ts';
import { balanceStore } from '../../volume/repair/balance-store.ts';
import { freeTrash } from '../../volume/runs/free.ts';
import type { DrainPass, EncodePass, GcReport, StoreAdmin } from '../admin.ts';
import { EngineAdmin, watchedBy } from '../engine-admin.ts';

export class EmbeddedAdmin extends EngineAdmin implements StoreAdmin {
  readonly #store: EmbeddedStore;
  readonly #recovered: (keepRuns?: boolean) => Promise<void>;

  constructor(store: EmbeddedStore, namespace: string, recovered: (keepRuns?: boolean) => Promise<void>) {
    super(async () => store, namespace);
    this.#store = store;
    this.#recovered = recovered;
  }

  override async status(options: Parameters<StoreAdmin['status']>[0] = {}): ReturnType<StoreAdmin['status']> {
    const status = await super.status(options);
    const devices = await devicesOf(this.#store.components.drives.map(({ label }) => label));
    return { ...status, devices };
  }

  async gc(options: Parameters<StoreAdmin['gc']>[0] = {}): Promise<GcReport> {
    return this.#freeing(async () => {
      await this.#recovered();
      return reclaim(this.#store, options);
    });
  }

  async encode(options: Parameters<StoreAdmin['encode']>[0] = {}): Promise<EncodePass> {
    return this.#freeing(async (isShort) => {
      await this.#recovered();
      return encodePass(this.#store, { ...options, ignoreGrace: isShort });
    });
  }

  async drain(options: Parameters<StoreAdmin['drain']>[0] = {}): Promise<DrainPass> {
    return this.#freeing(async (isShort) => {
      await this.#recovered();
      const { volumes } = this.#store;
      const { signal, onProgress, fillPermilleMax, targetOverhead, sourcesMax } = options;
      const report = await drain(
        volumes,
        (run, moved) => new LiveCoder(volumes, run, moved),
        given({ signal, onProgress, fillPermilleMax, targetOverhead, sourcesMax }),
      );
      return { ...report, free: await freeTrash(volumes, { ignoreGrace: isShort }) };
    });
  }

  /** On a full disk this goes on in the room of the reserve; the grace of emptied volumes does not count then. */
  async #freeing<T>(work: (isShort: boolean) => Promise<T>): Promise<T> {
    const { disk } = this.#store;
    const isShort = await disk.beforeFreeing();
    try {
      return await work(isShort);
    } finally {
      disk.afterFreeing();
    }
  }

  async compact(options: Parameters<StoreAdmin['compact']>[0] = {}): Promise<CompactReport> {
    if (options.planJson !== undefined) parsePlan(options.planJson); // before anything is recovered
    return this.#freeing(async (isShort) => {
      await this.#recovered(true);
      const report = await compactStore(this.#store, watchedBy(options));
      if (isShort) await freeTrash(this.#store.volumes, { ignoreGrace: true });
      return report;
    });
  }

  /** Whoever may open the directory may do everything. */
  override setNamespace(): Promise<never> {
    throw invalid('NOT_FOR_DIRECTORY', 'principals are of stages: on this machine the file system says who may what');
  }

  tune(): Promise<ThresholdStep> {
    return tune(this.#store.components);
  }

  async tend(options: Parameters<StoreAdmin['tend']>[0] = {}): Promise<TendReport> {
    return this.#freeing(async () => {
      await this.#recovered();
      return tend(this.#store, options.signal);
    });
  }

  override async restoreRemoved(
    request: Parameters<StoreAdmin['restoreRemoved']>[0],
  ): ReturnType<StoreAdmin['restoreRemoved']> {
    await this.#recovered();
    return super.restoreRemoved(request);
  }

  override async emptyTrash(
    options: Parameters<StoreAdmin['emptyTrash']>[0] = {},
  ): ReturnType<StoreAdmin['emptyTrash']> {
    return this.#freeing(async (isShort) => {
      await this.#recovered();
      return super.emptyTrash(options, isShort ? this.#store.disk.shredding() : undefined);
    });
  }

  override async rotateKeys(
    options: Parameters<StoreAdmin['rotateKeys']>[0] = {},
  ): ReturnType<StoreAdmin['rotateKeys']> {
    await this.#store.beginWriting();
    return super.rotateKeys(options);
  }

  override async rewrapKeys(
    options: Parameters<StoreAdmin['rewrapKeys']>[0] = {},
  ): ReturnType<StoreAdmin['rewrapKeys']> {
    await this.#store.beginWriting();
    return super.rewrapKeys(options);
  }

  override async destroyKey(version: number): Promise<void> {
    await this.#store.beginWriting();
    // What was shipped before dies with the key: first it is all on the drives under another.
    return super.destroyKey(version, async () => this.#store.journal?.snapshotNow());
  }

  addDrives(paths: readonly string[], options: { readonly domain?: string | undefined } = {}) {
    return addDrives(this.#store, paths, options.domain);
  }

  async replaceDrive(drive: number, path: string, options: { readonly domain?: string | undefined } = {}) {
    await this.#store.beginWriting();
    return replaceDrive(this.#store, drive, path, options.domain);
  }

  async changeDrive(...[drive, change]: Parameters<StoreAdmin['changeDrive']>): ReturnType<StoreAdmin['changeDrive']> {
    await this.#store.beginWriting();
    return changeDrive(this.#store.volumes, drive, change);
  }

  async balance(options: Parameters<StoreAdmin['balance']>[0] = {}): ReturnType<StoreAdmin['balance']> {
    await this.#recovered();
    return balanceStore(this.#store.volumes, options);
  }

  async repair(options: Parameters<StoreAdmin['repair']>[0] = {}): ReturnType<StoreAdmin['repair']> {
    return this.#freeing(async (isShort) => {
      await this.#recovered();
      return repairPass(this.#store.volumes, { ...options, ignoreGrace: options.ignoreGrace ?? isShort });
    });
  }

  backup(file: string, options: Parameters<StoreAdmin['backup']>[1] = {}): ReturnType<StoreAdmin['backup']> {
    return backupTo(this.#store, file, options);
  }

  async verify({ all = false, ...request }: Parameters<StoreAdmin['verify']>[0] = {}): Promise<VerifyReport> {
    const allSinceMs = all ? Math.max(0, this.#store.components.clock.nowMs()) : undefined;
    return verifyStore(this.#store, { ...request, allSinceMs });
  }

  async doctor(options: Parameters<StoreAdmin['doctor']>[0] = {}): Promise<DoctorReport> {
    return examine(this.#store, options);
  }
}
