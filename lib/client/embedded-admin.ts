// The operator's commands on the embedded engine: each is one use-case of the layers below, with the recovery that has to come
// first and the freeing that has to come after.

import type { CompactReport } from '../compaction/compact.ts';
import { drain } from '../compaction/drain.ts';
import { type DeadDrain, listDead, redriveDead } from '../compaction/l3-stream.ts';
import { type CompactionPlan, parsePlan } from '../compaction/plan.ts';
import type { ThresholdStep } from '../compaction/threshold.ts';
import { backupTo } from '../engine/backup.ts';
import { collectStatus } from '../engine/collect-status.ts';
import { compactStore, explainVolumes, type PlanRequest, planOf } from '../engine/compaction.ts';
import { type DoctorReport, examine } from '../engine/doctor.ts';
import type { EmbeddedStore } from '../engine/embedded.ts';
import { placesOfKey } from '../engine/explain-key.ts';
import type { Status } from '../engine/status.ts';
import { type TendReport, tend } from '../engine/tend.ts';
import { tune } from '../engine/tune.ts';
import { invalid } from '../foundation/errors.ts';
import { volumeId } from '../foundation/ids.ts';
import { collectGarbage } from '../gc/collect-garbage.ts';
import { blocksByKekVersion, rewrapKeys } from '../gc/rewrap-keys.ts';
import { encodeHot } from '../live-coder/encode-hot.ts';
import { LiveCoder } from '../live-coder/live-coder.ts';
import { retireKek } from '../panda/rows/retiring-kek-row.ts';
import { freeTrash } from '../volume/free.ts';
import { readVolume } from '../volume/volumes.ts';
import type { DrainPass, EncodePass, GcReport, StoreAdmin } from './admin.ts';

const VOLUME = /^[0-9a-f]{16}$/;

type Given<T> = Record<string, T | undefined>;

export class EmbeddedAdmin implements StoreAdmin {
  readonly #store: EmbeddedStore;
  readonly #namespace: string;
  readonly #recovered: (keepRuns?: boolean) => Promise<void>;

  constructor(store: EmbeddedStore, namespace: string, recovered: (keepRuns?: boolean) => Promise<void>) {
    this.#store = store;
    this.#namespace = namespace;
    this.#recovered = recovered;
  }

  status(options: { readonly countObjects?: boolean | undefined } = {}): Promise<Status> {
    return collectStatus(this.#store.components, options.countObjects ? { countObjectsOf: this.#namespace } : {});
  }

  async gc(options: Parameters<StoreAdmin['gc']>[0] = {}): Promise<GcReport> {
    await this.#recovered();
    const { signal, onProgress, now = false } = options;
    const garbage = await collectGarbage(this.#store.components, given({ signal, onProgress }));
    return { ...garbage, free: await freeTrash(this.#store.volumes, { ignoreGrace: now }) };
  }

  async encode(options: Parameters<StoreAdmin['encode']>[0] = {}): Promise<EncodePass> {
    await this.#recovered();
    const { signal, onProgress, all = false } = options;
    const sealed = all ? await this.#store.volumes.open.sealAll('hot') : 0;
    const report = await encodeHot(this.#store.volumes, { force: all, flush: all, ...given({ signal, onProgress }) });
    return { ...report, sealed, free: await freeTrash(this.#store.volumes) };
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

  plan(request: PlanRequest = {}): Promise<CompactionPlan> {
    return planOf(this.#store, request);
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

  async explain(what: string, request: PlanRequest = {}): Promise<readonly string[]> {
    if (VOLUME.test(what)) {
      const { panda, settings } = this.#store.components;
      if ((await readVolume(panda, settings.cell, volumeId(what))) !== undefined)
        return explainVolumes(this.#store, [what], request);
    }
    const { lines, volumes } = await placesOfKey(this.#store, this.#namespace, what);
    return [...lines, ...(await explainVolumes(this.#store, volumes, request))];
  }

  deadLetters(): Promise<readonly DeadDrain[]> {
    return listDead(this.#store.volumes, this.#store.queue);
  }

  redriveDeadLetters(ids?: readonly string[]): Promise<number> {
    return redriveDead(this.#store.queue, ids);
  }

  tune(): Promise<ThresholdStep> {
    return tune(this.#store.components);
  }

  async tend(options: Parameters<StoreAdmin['tend']>[0] = {}): Promise<TendReport> {
    await this.#recovered();
    return tend(this.#store, options.signal);
  }

  async keys(): Promise<Awaited<ReturnType<StoreAdmin['keys']>>> {
    const counts = await blocksByKekVersion(this.#store.components);
    const versions = await this.#store.components.keks.versions();
    return versions.map((version) => ({ ...version, blocks: counts.get(version.version) ?? 0 }));
  }

  async rotateKeys(options: Parameters<StoreAdmin['rotateKeys']>[0] = {}): ReturnType<StoreAdmin['rotateKeys']> {
    const version = await this.#store.components.keks.rotate();
    return { version, rewrap: await rewrapKeys(this.#store.components, options) };
  }

  rewrapKeys(options: Parameters<StoreAdmin['rewrapKeys']>[0] = {}): ReturnType<StoreAdmin['rewrapKeys']> {
    return rewrapKeys(this.#store.components, options);
  }

  async destroyKey(version: number): Promise<void> {
    const { keks } = this.#store.components;
    const known = (await keks.versions()).find((one) => one.version === version);
    if (known === undefined)
      throw invalid('KEY_UNKNOWN', `there is no key version ${version}: see pocketful keys list`);
    if (known.state === 'destroyed') return;
    // From here on no process can index a block under it, so the count below is final.
    if (known.state === 'previous') await this.#store.components.panda.transact([retireKek(version)]);
    const blocks = (await blocksByKekVersion(this.#store.components)).get(version) ?? 0;
    if (blocks > 0 && known.state === 'previous')
      throw invalid(
        'KEY_IN_USE',
        `${blocks} blocks are wrapped by version ${version}: run pocketful keys rewrap first`,
      );
    await keks.destroy(version);
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
