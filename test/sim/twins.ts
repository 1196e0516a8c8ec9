// A store under churn and its twin in the simulator, which is told what was put and deleted, never what became of it:
// both are led by the same planners, and what compaction makes of them each finds for itself.
import { inProcess } from '../../lib/compaction/do/batches.ts';
import { planRequestOf } from '../../lib/compaction/do/plan-request.ts';
import { compact } from '../../lib/compaction/do/rounds.ts';
import { ASSUMED_RATES } from '../../lib/compaction/facts/measured-rates.ts';
import { type MergeSettings, mergeSettingsFor } from '../../lib/compaction/facts/merge-settings.ts';
import { type PlanSettings, STRATEGIES } from '../../lib/compaction/facts/plan-settings.ts';
import { planSettingsFor, snapshotOf } from '../../lib/compaction/facts/snapshot.ts';
import { planMerges } from '../../lib/compaction/plan/merges/merge-propose.ts';
import { planCompaction } from '../../lib/compaction/plan/planner.ts';
import { encodeStore } from '../../lib/engine/upkeep/tend.ts';
import type { EngineStore } from '../../lib/engine/wire/engine-store.ts';
import { DAY_MS } from '../../lib/foundation/durations.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { LiveCoder } from '../../lib/live-coder/live-coder.ts';
import { capacityBytes, type Settings, settingsOf } from '../../lib/settings/settings.ts';
import { applyPlan, nothingMoved } from '../../lib/sim/fleet/apply-plan.ts';
import { besidesOf } from '../../lib/sim/fleet/besides.ts';
import { FleetModel } from '../../lib/sim/fleet/fleet-model.ts';
import { applyMerges, remnantsOf } from '../../lib/sim/fleet/merges.ts';
import { Stream } from '../../lib/sim/fleet/streams.ts';
import { MemoryStream } from '../../lib/stream/memory-stream.ts';
import { listBuckets } from '../../lib/volume/rows/read-rows.ts';
import { freeTrash } from '../../lib/volume/runs/free.ts';
import { CHURNED, Churn } from '../compaction/churn.ts';
import { World } from '../store/harness.ts';

export interface Led {
  readonly changes: Partial<PlanSettings>;
  readonly threshold: number;
  /** Remnants are merged before each plan. */
  readonly merging?: Partial<MergeSettings>;
}

export interface Compacted {
  /** By strategy, and `merge`. */
  readonly bytes: Readonly<Record<string, number>>;
}

/** Of 512 records, in buckets of about 16. */
export const settingsFor = (recordBytes: number): Settings =>
  settingsOf('personal', {
    ...CHURNED,
    warmCodec: 'xor-2-1',
    blockBytesMax: recordBytes,
    extentBytes: 256 * recordBytes,
    bucketBytes: 16 * recordBytes,
    groupBytesMin: 128 * recordBytes,
    openVolumes: 1,
  });

export class StoreSide {
  readonly settings: Settings;
  readonly #world: World;
  readonly #store: EngineStore;
  readonly #churn: Churn;

  constructor(recordBytes: number, records: number) {
    this.settings = settingsFor(recordBytes);
    this.#world = new World(9, this.settings, 6);
    const process = this.#world.start();
    this.#store = { ...process, queue: new MemoryStream(this.#world.clock) };
    this.#churn = new Churn(this.#store, { files: records, bytesMin: recordBytes, bytesMax: recordBytes, seed: 6 });
  }

  /** All of it ends up in coded volumes. */
  async put(records: number): Promise<void> {
    await this.#churn.put(records);
    await this.#store.volumes.open.sealAll('hot');
    const { stalled } = await encodeStore(this.#store, { force: true, flush: true });
    if (stalled !== undefined) throw new Error(stalled.text);
    await freeTrash(this.#store.volumes, { ignoreGrace: true });
  }

  async delete(share: number): Promise<void> {
    await this.#churn.delete(share);
  }

  async compact({ changes, threshold, merging }: Led): Promise<Compacted> {
    const { volumes, queue } = this.#store;
    const actors = {
      store: volumes,
      stream: queue,
      makeTarget: (
        run: ConstructorParameters<typeof LiveCoder>[1],
        moved: ConstructorParameters<typeof LiveCoder>[2],
      ) => new LiveCoder(volumes, run, moved),
    };
    const { runs } = await compact(inProcess(actors), {
      settings: changes,
      threshold,
      merge: merging !== undefined,
      ...(merging === undefined ? {} : { merging }),
    });
    await freeTrash(volumes, { ignoreGrace: true });
    const bytes: Record<string, number> = {};
    for (const run of runs) bytes[run.strategy] = (bytes[run.strategy] ?? 0) + run.movedBytes + run.hostBytes;
    return { bytes };
  }

  /** Live bytes of a record, and records of a bucket that is full. */
  async units(records: number): Promise<{ readonly unitBytes: number; readonly unitsPerBucket: number }> {
    const buckets = await listBuckets(this.#store.components.panda, this.settings.cell);
    const liveBytes = buckets.reduce((sum, bucket) => sum + bucket.liveBytes, 0);
    return { unitBytes: liveBytes / records, unitsPerBucket: Math.round(records / buckets.length) };
  }

  /** Of what is sealed, and of open volumes what is used. */
  async overhead(): Promise<number> {
    const view = await snapshotOf(this.#store.components);
    return overheadOf(view.state, view.liveBytes, (i) => view.usedBytes[i] as number, view.capacityBytes);
  }

  aDayPasses(): void {
    this.#world.clock.advance(DAY_MS);
  }
}

export class TwinSide {
  readonly #settings: Settings;
  readonly #model: FleetModel;
  readonly #stream: Stream;
  #nowMs = 0;

  constructor(settings: Settings, { unitBytes, unitsPerBucket }: Awaited<ReturnType<StoreSide['units']>>) {
    this.#settings = settings;
    const capacity = capacityBytes(settings, settings.warmCodec);
    const unitsPerVolume = Math.round(capacity / unitBytes);
    const shape = {
      codec: settings.warmCodec,
      unitsPerVolume,
      unitsPerBucket,
      besides: besidesOf(settings, unitBytes),
    };
    const unit = { unitBytes: Math.floor(capacity / unitsPerVolume), blobBytes: unitBytes };
    this.#model = new FleetModel(
      { ...shape, ...unit, classes: 1, relocation: 'bucket', slots: 64 },
      new SeededRandomness(7),
    );
    this.#stream = new Stream(this.#model, true);
  }

  put(records: number): void {
    this.#stream.ingest(0, records, this.#nowMs);
  }

  delete(records: number): void {
    const model = this.#model;
    for (let n = 0; n < records; n++) {
      const volume = model.deleteAny(0);
      if (model.liveBytes[volume] === 0 && model.isSealed(volume)) model.free(volume);
    }
  }

  compact({ changes, threshold, merging }: Led): Compacted {
    const model = this.#model;
    const settings = this.#settings;
    const merged = merging === undefined ? 0 : this.#merge(changes, merging);
    const deletesPerDay = ASSUMED_RATES.perDay;
    const standing = { settings, operating: {}, deletesPerDay, threshold, budgets: undefined, changes };
    const plan = planCompaction(planRequestOf(model.view(this.#nowMs), standing));
    const moved = nothingMoved();
    const streams = { streamOf: () => this.#stream, packsIntoOwn: false, fillsUp: true, writing: { mergeBelow: 0 } };
    applyPlan(plan, { model, nowMs: this.#nowMs, moved, ...streams });
    const bytes = Object.fromEntries(STRATEGIES.map((strategy) => [strategy, moved[strategy].bytes]));
    return { bytes: { ...bytes, merge: merged } };
  }

  #merge(changes: Partial<PlanSettings>, merging: Partial<MergeSettings>): number {
    const plan = planMerges({
      view: remnantsOf(this.#model, this.#nowMs),
      settings: mergeSettingsFor(this.#settings, merging),
      codec: this.#settings.warmCodec,
      plan: planSettingsFor(this.#settings, changes),
    });
    return applyMerges(plan, this.#model, this.#stream, this.#nowMs);
  }

  get overhead(): number {
    const { state, liveBytes, usedBytes, besidesBytes, capacity } = this.#model;
    const used = (i: number): number => (usedBytes[i] as number) + (besidesBytes[i] as number);
    return overheadOf(state, liveBytes, used, capacity);
  }

  aDayPasses(): void {
    this.#nowMs += DAY_MS;
  }
}

const OPEN = 0;
const SEALED = 1;

function overheadOf(
  state: Uint8Array,
  liveBytes: Float64Array,
  usedBytes: (i: number) => number,
  capacityBytes: Float64Array,
): number {
  let allocated = 0;
  let live = 0;
  for (const [i, is] of state.entries()) {
    if (is !== OPEN && is !== SEALED) continue;
    live += liveBytes[i] as number;
    allocated += is === OPEN ? usedBytes(i) : (capacityBytes[i] as number);
  }
  return allocated / live;
}
