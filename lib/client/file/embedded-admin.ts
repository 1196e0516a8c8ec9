// The operator's commands on the embedded engine: each is one use-case of the layers below, with the recovery that has to come
// first and the freeing that has to come after.

import { drain } from '../../compaction/do/drain.ts';
import type { CompactReport } from '../../compaction/do/rounds.ts';
import { parsePlan } from '../../compaction/plan/plan.ts';
import type { ThresholdStep } from '../../compaction/threshold/law.ts';
import { backupTo } from '../../engine/backup/backup.ts';
import { type DoctorReport, examine } from '../../engine/doctor/doctor.ts';
import { compactStore } from '../../engine/upkeep/compaction.ts';
import { encodeStore, shredStore, type TendReport, tend } from '../../engine/upkeep/tend.ts';
import { tune } from '../../engine/upkeep/tune.ts';
import type { EmbeddedStore } from '../../engine/wire/embedded.ts';
import { LiveCoder } from '../../live-coder/live-coder.ts';
import { freeTrash } from '../../volume/runs/free.ts';
import type { DrainPass, EncodePass, GcReport, StoreAdmin } from '../admin.ts';
import { EngineAdmin } from '../engine-admin.ts';

type Given<T> = Record<string, T | undefined>;

export class EmbeddedAdmin extends EngineAdmin implements StoreAdmin {
  readonly #store: EmbeddedStore;
  readonly #recovered: (keepRuns?: boolean) => Promise<void>;

  constructor(store: EmbeddedStore, namespace: string, recovered: (keepRuns?: boolean) => Promise<void>) {
    super(async () => store, namespace);
    this.#store = store;
    this.#recovered = recovered;
  }

  async gc(options: Parameters<StoreAdmin['gc']>[0] = {}): Promise<GcReport> {
    await this.#recovered();
    const { signal, onProgress, now = false } = options;
    const garbage = await shredStore(this.#store, given({ signal, onProgress }));
    return { ...garbage, free: await freeTrash(this.#store.volumes, { ignoreGrace: now }) };
  }

  async encode(options: Parameters<StoreAdmin['encode']>[0] = {}): Promise<EncodePass> {
    await this.#recovered();
    const { signal, onProgress, all = false } = options;
    const sealed = all ? await this.#store.volumes.open.sealAll('hot') : 0;
    const report = await encodeStore(this.#store, { force: all, flush: all, ...given({ signal, onProgress }) });
    return { ...report, sealed: sealed + report.sealed, free: await freeTrash(this.#store.volumes) };
  }

  async drain(options: Parameters<StoreAdmin['drain']>[0] = {}): Promise<DrainPass> {
    await this.#recovered();
    const { volumes } = this.#store;
    const { signal, onProgress, fillPermilleMax, targetOverhead, sourcesMax } = options;
    const report = await drain(
      volumes,
      (run, moved) => new LiveCoder(volumes, run, moved),
      given({ signal, onProgress, fillPermilleMax, targetOverhead, sourcesMax }),
    );
    return { ...report, free: await freeTrash(volumes) };
  }

  async compact(options: Parameters<StoreAdmin['compact']>[0] = {}): Promise<CompactReport> {
    if (options.planJson !== undefined) parsePlan(options.planJson); // before anything is recovered
    await this.#recovered(true);
    const { onProgress, ...request } = options;
    let movedBytes = 0;
    let runs = 0;
    let reclaimed = 0;
    return compactStore(this.#store, {
      ...request,
      onMoved: ({ recordBytes }) => {
        movedBytes += recordBytes;
        onProgress?.({ runs, reclaimed, movedBytes });
      },
      onRun: ({ retired }) => {
        runs += 1;
        reclaimed += retired;
        onProgress?.({ runs, reclaimed, movedBytes });
      },
    });
  }

  tune(): Promise<ThresholdStep> {
    return tune(this.#store.components);
  }

  async tend(options: Parameters<StoreAdmin['tend']>[0] = {}): Promise<TendReport> {
    await this.#recovered();
    return tend(this.#store, options.signal);
  }

  backup(file: string, options: Parameters<StoreAdmin['backup']>[1] = {}): ReturnType<StoreAdmin['backup']> {
    return backupTo(this.#store, file, options);
  }

  async doctor(options: Parameters<StoreAdmin['doctor']>[0] = {}): Promise<DoctorReport> {
    return examine(this.#store, options);
  }
}

/** Without the options that were not given. */
function given<T extends Given<unknown>>(options: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
