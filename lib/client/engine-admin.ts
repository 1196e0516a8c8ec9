// The operator's commands that only need rows, keys and an answer from the drives: the same on every engine.
import { type DeadDrain, listDead, redriveDead } from '../compaction/move/l3/stream-runs.ts';
import type { MergePlan } from '../compaction/plan/merges/merge-plan.ts';
import type { CompactionPlan } from '../compaction/plan/plan.ts';
import { type DrivesReport, listDrives } from '../engine/drives/list-drives.ts';
import type { Portions } from '../engine/ship/portions.ts';
import { collectStatus } from '../engine/status/collect-status.ts';
import { placesOfKey } from '../engine/status/explain-key.ts';
import type { Status } from '../engine/status/status.ts';
import { type VolumeView, viewVolume } from '../engine/status/volume-view.ts';
import { collectWatch, type WatchStatus } from '../engine/status/watch-status.ts';
import {
  type CompactRequest,
  explainVolumes,
  type PlanRequest,
  planMergesOf,
  planOf,
} from '../engine/upkeep/compaction.ts';
import { type HistoryDay, readHistory } from '../engine/upkeep/history.ts';
import { changeNamespace, listNamespaceRules, type NamespaceChange } from '../engine/upkeep/namespaces.ts';
import { listOperating, type OperatingLine, resetOperating, setOperating } from '../engine/upkeep/operating.ts';
import { type EmptyReport, emptyTrash } from '../engine/upkeep/tend.ts';
import type { EngineStore } from '../engine/wire/engine-store.ts';
import { invalid, missing } from '../foundation/errors.ts';
import { given } from '../foundation/given.ts';
import { volumeId } from '../foundation/ids.ts';
import type { Reason } from '../foundation/reason.ts';
import { retireKek } from '../gc/retire-kek.ts';
import { blocksByKekVersion, rewrapKeys } from '../gc/rewrap-keys.ts';
import { LETTERS_MAX } from '../limits/compaction.ts';
import type { NamespaceRow } from '../panda/rows/namespace-row.ts';
import { infoOf, type ObjectInfo } from '../service/object-info.ts';
import type { BalancePlan } from '../volume/repair/balance-plan.ts';
import { planBalanceNow } from '../volume/repair/balance-store.ts';
import { planRepair, type RepairPlan } from '../volume/repair/repair-store.ts';
import { currentKek } from '../volume/rows/known-keks.ts';
import { readVolume } from '../volume/rows/read-rows.ts';
import type { RemovedInfo, StoreAdmin, Watch } from './admin.ts';

const VOLUME = /^[0-9a-f]{16}$/;

/** Progress by the bytes that move, where they move here; by whole runs elsewhere. */
export function watchedBy({
  onProgress,
  ...request
}: NonNullable<Parameters<StoreAdmin['compact']>[0]>): CompactRequest {
  let moving = 0;
  const done = { runs: 0, reclaimed: 0, movedBytes: 0 };
  const tell = (): void => onProgress?.({ ...done, movedBytes: Math.max(moving, done.movedBytes) });
  return {
    ...request,
    onMoved: ({ recordBytes }) => {
      moving += recordBytes;
      tell();
    },
    onRun: ({ retired, movedBytes }) => {
      done.runs += 1;
      done.reclaimed += retired;
      done.movedBytes += movedBytes;
      tell();
    },
  };
}

export class EngineAdmin {
  readonly #open: () => Promise<EngineStore>;
  readonly #namespace: string;

  constructor(open: () => Promise<EngineStore>, namespace: string) {
    this.#open = open;
    this.#namespace = namespace;
  }

  async status(options: { readonly countObjects?: boolean | undefined } = {}): Promise<Status> {
    const { components, queue, journal } = await this.#open();
    const countObjectsOf = options.countObjects ? this.#namespace : undefined;
    const status = await collectStatus(components, given({ queue, countObjectsOf }));
    return { ...status, ...given({ journal: await journal?.status() }) };
  }

  async history(): Promise<readonly HistoryDay[]> {
    return readHistory((await this.#open()).components);
  }

  async watch(): Promise<WatchStatus> {
    return collectWatch((await this.#open()).components);
  }

  async plan(request: PlanRequest = {}): Promise<CompactionPlan> {
    return planOf(await this.#open(), request);
  }

  async planMerges(request: PlanRequest = {}): Promise<MergePlan> {
    return planMergesOf(await this.#open(), request);
  }

  async explain(what: string, request: PlanRequest = {}): Promise<readonly Reason[]> {
    const store = await this.#open();
    if (VOLUME.test(what)) {
      const { panda, settings } = store.components;
      if ((await readVolume(panda, settings.cell, volumeId(what))) !== undefined)
        return explainVolumes(store, [what], request);
    }
    const { lines, volumes } = await placesOfKey(store, this.#namespace, what);
    return [...lines, ...(await explainVolumes(store, volumes, request))];
  }

  async operating(): Promise<readonly OperatingLine[]> {
    return listOperating(await this.#open());
  }

  async setOperating(changes: Parameters<StoreAdmin['setOperating']>[0]): Promise<readonly OperatingLine[]> {
    return setOperating(await this.#open(), changes);
  }

  async resetOperating(names: readonly string[]): Promise<readonly OperatingLine[]> {
    return resetOperating(await this.#open(), names);
  }

  async namespaces(): Promise<readonly NamespaceRow[]> {
    return listNamespaceRules((await this.#open()).components);
  }

  async setNamespace(name: string, change: NamespaceChange): Promise<NamespaceRow> {
    return changeNamespace((await this.#open()).components, name, change);
  }

  async deadLetters(): Promise<readonly DeadDrain[]> {
    const { volumes, queue } = await this.#open();
    return listDead(volumes, queue);
  }

  async redriveDeadLetters(ids?: readonly string[]): Promise<number> {
    return redriveDead((await this.#open()).queue, ids);
  }

  async dropDeadLetters(ids: readonly string[]): Promise<number> {
    const { queue } = await this.#open();
    const there = new Set((await queue.dead(LETTERS_MAX)).map(({ id }) => id));
    const unknown = ids.find((id) => !there.has(id));
    if (unknown !== undefined)
      throw missing('LETTER_MISSING', `there is no dead letter ${unknown}: see pocketful dlq list`);
    return queue.drop(ids);
  }

  async keys(): Promise<Awaited<ReturnType<StoreAdmin['keys']>>> {
    const { components } = await this.#open();
    const counts = await blocksByKekVersion(components);
    const versions = await components.keks.versions();
    return versions.map((version) => ({ ...version, blocks: counts.get(version.version) ?? 0 }));
  }

  async drives(): Promise<DrivesReport> {
    return listDrives((await this.#open()).components);
  }

  async planBalance(): Promise<BalancePlan> {
    return planBalanceNow((await this.#open()).volumes);
  }

  async planRepair(): Promise<RepairPlan> {
    return planRepair((await this.#open()).volumes);
  }

  async volume(id: string): Promise<VolumeView> {
    return viewVolume((await this.#open()).components, volumeId(id));
  }

  async *removed(prefix?: string, namespace = this.#namespace): AsyncGenerator<RemovedInfo> {
    const { components, frontend } = await this.#open();
    const { deleteGraceMs } = components.settings;
    for await (const { object, row, isOverwritten } of frontend.removed({ namespace, prefix }))
      yield { ...infoOf(object), removedAtMs: row.atMs, keptUntilMs: row.atMs + deleteGraceMs, isOverwritten };
  }

  async restoreRemoved(request: Parameters<StoreAdmin['restoreRemoved']>[0]): Promise<ObjectInfo> {
    const { frontend } = await this.#open();
    return infoOf(await frontend.restore({ ...request, namespace: request.namespace ?? this.#namespace }));
  }

  async emptyTrash(options: Watch<number> = {}, portions?: Portions): Promise<EmptyReport> {
    const { volumes, frontend } = await this.#open();
    // References of long objects that are still to be given back.
    await frontend.finishReleases();
    return emptyTrash({ volumes }, options, portions);
  }

  async rotateKeys(options: Parameters<StoreAdmin['rotateKeys']>[0] = {}): ReturnType<StoreAdmin['rotateKeys']> {
    const { components } = await this.#open();
    // An older copy of the keys would make another key of a number that is taken.
    await currentKek(components);
    const version = await components.keks.rotate();
    return { version, rewrap: await rewrapKeys(components, options) };
  }

  async rewrapKeys(options: Parameters<StoreAdmin['rewrapKeys']>[0] = {}): ReturnType<StoreAdmin['rewrapKeys']> {
    return rewrapKeys((await this.#open()).components, options);
  }

  /** `before`: what must be done while the key is still there. */
  async destroyKey(version: number, before: () => Promise<void> = async () => {}): Promise<void> {
    const { components } = await this.#open();
    const { keks } = components;
    const known = (await keks.versions()).find((one) => one.version === version);
    if (known === undefined)
      throw invalid('KEY_UNKNOWN', `there is no key version ${version}: see pocketful keys list`);
    if (known.state === 'destroyed') return;
    await currentKek(components);
    const blocks = known.state === 'previous' ? await retireKek(components, version) : 0;
    if (blocks > 0)
      throw invalid(
        'KEY_IN_USE',
        `${blocks} blocks are wrapped by version ${version} or one before it: run pocketful keys rewrap first`,
      );
    await before();
    await keks.destroy(version);
  }
}
