// What use of a stage costs, counted from the real calls of a store on memory bodies and priced from the book. Only compute is reckoned, from
// the durations below; drives and metadata are as slow on AWS as they are, and that is not known here.

import { inProcess } from '../../lib/compaction/do/batches.ts';
import { compact } from '../../lib/compaction/do/rounds.ts';
import type { Actors } from '../../lib/compaction/run/actors.ts';
import { dollarsOf, MS_PER_MONTH, storageDollarsPerMonth, type Work } from '../../lib/cost/cost-of.ts';
import { PRICE_BOOK } from '../../lib/cost/price-book.ts';
import { BLOBS_PER_CALL, FRONTEND_MEMORY_MIB, RECKONED, WORKER_MEMORY_MIB } from '../../lib/cost/usage.ts';
import { verifyStage } from '../../lib/engine/upkeep/stage-tasks.ts';
import { collectGarbage } from '../../lib/gc/collect-garbage.ts';
import { LIGHT_MEMORY_MIB } from '../../lib/infra/stage-parts.ts';
import { SCRUB_SWEEP_MS } from '../../lib/limits/verify.ts';
import { encodeHot } from '../../lib/live-coder/encode-hot.ts';
import { LiveCoder } from '../../lib/live-coder/live-coder.ts';
import { rowBytes } from '../../lib/panda/attributes.ts';
import { FrontendService } from '../../lib/service/service.ts';
import { capacityBytes, PRESETS, type Settings, settingsOf } from '../../lib/settings/settings.ts';
import { MemoryStream } from '../../lib/stream/memory-stream.ts';
import { freeTrash } from '../../lib/volume/runs/free.ts';
import { VolumeStore } from '../../lib/volume/volume-store.ts';
import { putClass } from '../../lib/volume/write/append.ts';
import { World } from '../store/harness.ts';
import { plantSealed } from '../store/plant-sealed.ts';
import { incompressible } from '../store/sealed-overhead.ts';
import { Meter, MeteredPanda, meteredDrive } from './metered.ts';

export const BLOB_BYTES = 64 * 1024;
/** Half of them are deleted before compaction, and a little more: scaled down, headers and directories take a larger share of a volume. */
const COMPACTED_BLOB_BYTES = 256 * 1024;

/** A preset whose bytes are all so many times smaller: what a record, a group or a volume holds of the next smaller thing stays. */
export const scaledDown = (preset: 'personal' | 'thrifty', scale: number, more: Partial<Settings> = {}): Settings =>
  settingsOf(preset, {
    preset: 'custom',
    blockBytesMax: PRESETS[preset].blockBytesMax / scale,
    extentBytes: PRESETS[preset].extentBytes / scale,
    bucketBytes: PRESETS[preset].bucketBytes / scale,
    groupBytesMin: PRESETS[preset].groupBytesMin / scale,
    openVolumes: 1,
    ...more,
  });

/** The code and the groups of the preset `cell`, in volumes of the preset `personal`: those of `cell` fill no memory here. */
export const lrcOfCell = (scale: number): Settings =>
  scaledDown('personal', scale, { warmCodec: 'lrc-12-2-2', groupBytesMin: PRESETS.cell.groupBytesMin / scale });
/** Spread evenly: about every second one. */
const DEAD = 13;
const DEAD_OF = 25;
export const MILLION = 1e6;
const GIB = 1024 ** 3;
const GB = 1e9;

/** Of the runs of a plan: planning and the end are shared by them. */
const TRANSITIONS_PER_RUN = 4;

export interface CostFigure {
  /** What was counted, in all. */
  readonly work: Work;
  readonly requests: number;
  readonly metadata: number;
  readonly compute: number;
  readonly total: number;
}

/** Longer than any list of volumes is believed. */
const LOOK_MS = 10_000;

export class MeteredStore {
  readonly meter = new Meter();
  readonly volumes: VolumeStore;
  readonly world: World;
  readonly service: FrontendService;
  #blobs = 0;

  constructor(settings: Settings) {
    this.world = new World(7, settings);
    this.volumes = this.startVolumes();
    this.service = new FrontendService(this.volumes);
  }

  /** Of one process more. `far`: how its ports are reached. */
  startVolumes(far: <T extends object>(port: T) => T = (port) => port): VolumeStore {
    const { components } = this.world.start();
    const drives = components.drives.map((drive) => far(meteredDrive(drive, this.meter)));
    return new VolumeStore({ ...components, drives, panda: far(new MeteredPanda(components.panda, this.meter)) });
  }

  async putCall(blobs = BLOBS_PER_CALL, blobBytes = BLOB_BYTES): Promise<string[]> {
    const objects = Array.from({ length: blobs }, () => {
      this.#blobs += 1;
      return { key: `backup/2026/blob-${this.#blobs}`, body: incompressible(blobBytes, this.#blobs) };
    });
    for (const outcome of await this.service.put('default', objects)) if (!outcome.ok) throw outcome.error;
    return objects.map(({ key }) => key);
  }
}

export function figureOf(work: Work, calls: number, msPerCall: number, memoryMb: number, units: number): CostFigure {
  const computeMs = calls * msPerCall;
  const dollars = dollarsOf({ ...work, computeMs }, { book: PRICE_BOOK, storageClass: 'standard', memoryMb });
  const perUnit = {
    requests: dollars.requests / units,
    metadata: dollars.metadata / units,
    compute: (dollars.compute + dollars.messages + (calls * PRICE_BOOK.lambda.perMillionCalls) / MILLION) / units,
  };
  return { work, ...perUnit, total: perUnit.requests + perUnit.metadata + perUnit.compute };
}

/** Dollars per million blobs of 64 KiB put; opening and sealing volumes included. */
export async function putCost(settings: Settings, calls: number, blobsPerCall = BLOBS_PER_CALL): Promise<CostFigure> {
  const store = new MeteredStore(settings);
  await store.putCall(blobsPerCall);
  store.meter.take();
  for (let call = 0; call < calls; call++) await store.putCall(blobsPerCall);
  const ms = blobsPerCall === 1 ? RECKONED.put1Ms : RECKONED.put64Ms;
  return figureOf(store.meter.take(), calls, ms, FRONTEND_MEMORY_MIB, (calls * blobsPerCall) / MILLION);
}

export interface DeleteCost {
  readonly deleted: CostFigure;
  /** Once the grace is over, by one pass of GC. */
  readonly shredded: CostFigure;
}

/** Dollars per million blobs of 64 KiB deleted, and of shredding them. */
export async function deleteCost(
  settings: Settings,
  calls: number,
  blobsPerCall = BLOBS_PER_CALL,
): Promise<DeleteCost> {
  const store = new MeteredStore(settings);
  const keys: string[][] = [];
  for (let call = 0; call < calls; call++) keys.push(await store.putCall(blobsPerCall));
  const units = (calls * blobsPerCall) / MILLION;
  store.meter.take();
  for (const some of keys)
    for (const outcome of await store.service.delete(
      'default',
      some.map((key) => ({ key })),
    ))
      if ('error' in outcome) throw outcome.error;
  const deleted = figureOf(
    store.meter.take(),
    calls,
    blobsPerCall === 1 ? RECKONED.delete1Ms : RECKONED.delete64Ms,
    FRONTEND_MEMORY_MIB,
    units,
  );
  store.world.clock.advance(settings.deleteGraceMs + 1);
  const { slots } = await collectGarbage(store.volumes.components);
  if (slots !== calls * blobsPerCall) throw new Error(`${slots} slots were shredded`);
  // A schedule runs it anyhow: what it takes longer is reckoned.
  const ms = (slots / RECKONED.shreddedPerSecond) * 1000;
  return { deleted, shredded: figureOf(store.meter.take(), 1, ms, WORKER_MEMORY_MIB, units) };
}

/** Bytes of rows a blob of 64 KiB, put 64 a call, as DynamoDB bills what it keeps. */
export async function metadataBytes(settings: Settings, calls: number): Promise<number> {
  const store = new MeteredStore(settings);
  await store.putCall();
  const before = keptBytes(store);
  for (let call = 0; call < calls; call++) await store.putCall();
  return (keptBytes(store) - before) / (calls * BLOBS_PER_CALL);
}

const keptBytes = ({ world }: MeteredStore): number =>
  world.panda
    .snapshot()
    .reduce((sum, row) => sum + rowBytes(row, row.attributes) + PRICE_BOOK.dynamo.itemBytesExtra, 0);

/**
 * Dollars per million puts of looking which volumes are open, where so many are sealed and each put comes after the
 * last look is out of date: what such a put reads more than one that comes soon after it.
 */
export async function lookCost(settings: Settings, sealed: number): Promise<number> {
  const store = new MeteredStore(settings);
  const leases = [];
  for (let open = 0; open < settings.openVolumes; open++)
    leases.push(await store.volumes.open.lease(putClass(settings), 1000));
  for (const lease of leases) await lease.release();
  await plantSealed(store.world.panda, settings, sealed);
  const reads: number[] = [];
  for (const waitMs of [LOOK_MS, 0, LOOK_MS, 0]) {
    store.world.clock.advance(waitMs);
    store.meter.take();
    await store.putCall(1);
    reads.push(store.meter.take().metadataReads);
  }
  return ((reads[2] as number) - (reads[3] as number)) * PRICE_BOOK.dynamo.perMillionReadUnits;
}

/** Dollars per million blobs of 64 KiB read, one a call. */
export async function getCost(settings: Settings, calls: number): Promise<CostFigure> {
  const store = new MeteredStore(settings);
  const keys = (await store.putCall()).slice(0, calls);
  store.meter.take();
  for (const key of keys) await store.service.read('default', key);
  return figureOf(store.meter.take(), keys.length, RECKONED.getMs, FRONTEND_MEMORY_MIB, keys.length / MILLION);
}

export interface CompactionCost extends CostFigure {
  readonly movedBytes: number;
  readonly runs: number;
  readonly putsPerGib: number;
  readonly getsPerGib: number;
  readonly metadataWritesPerGib: number;
}

export interface ScrubCost extends CostFigure {
  readonly liveBytes: number;
  readonly storedBytes: number;
  /** Of a month of sweeps, what part of the month's storage they cost. */
  readonly ofStorage: number;
  readonly getsPerStoredGb: number;
}

/** Dollars a month per GB of live bytes that are scrubbed as often as a stage does it; `scale` as below. */
export async function scrubCost(settings: Settings, volumes: number, scale: number): Promise<ScrubCost> {
  const store = new MeteredStore(settings);
  const { volumes: inner } = store;
  const warmBytes = capacityBytes(settings, settings.warmCodec);
  const blobBytes = BLOB_BYTES / scale;
  let liveBytes = 0;
  while (liveBytes < volumes * warmBytes) liveBytes += blobBytes * (await store.putCall(256, blobBytes)).length;
  await inner.open.sealAll('hot');
  await encodeHot(inner, { force: true, flush: true });
  await inner.open.sealAll('warm');
  await freeTrash(inner, { ignoreGrace: true });
  store.meter.take();
  const allSinceMs = Math.max(0, inner.components.clock.nowMs());
  const { level, done, scrub } = await verifyStage(inner, { what: ['scrub'], allSinceMs });
  if (level !== 'healthy' || !done || scrub === undefined) throw new Error('a sound store was not scrubbed whole');
  const work = store.meter.take();
  const sweeps = MS_PER_MONTH / SCRUB_SWEEP_MS;
  const storedBytes = scrub.bytes * scale;
  const ms = (storedBytes / RECKONED.scrubBytesPerSecond) * 1000;
  const figure = figureOf(work, 1, ms, LIGHT_MEMORY_MIB, (liveBytes * scale) / GB / sweeps);
  const storage = storageDollarsPerMonth((storedBytes / (liveBytes * scale)) * GB, 0, PRICE_BOOK, 'standard');
  const getsPerStoredGb = (work.getRequests * GB) / storedBytes;
  return { ...figure, liveBytes: liveBytes * scale, storedBytes, ofStorage: figure.total / storage, getsPerStoredGb };
}

/**
 * Dollars per GiB of live bytes that compaction moves out of half-live volumes. `scale`: how many times smaller every byte of the settings is than
 * in the store meant; requests and rows are then as many as for so many times the bytes.
 */
export async function compactionCost(settings: Settings, volumes: number, scale: number): Promise<CompactionCost> {
  const store = new MeteredStore(settings);
  const { volumes: inner } = store;
  const keys: string[] = [];
  const blobBytes = COMPACTED_BLOB_BYTES / scale;
  const warmBytes = capacityBytes(settings, settings.warmCodec);
  while (keys.length * blobBytes < volumes * warmBytes) keys.push(...(await store.putCall(256, blobBytes)));
  await inner.open.sealAll('hot');
  await encodeHot(inner, { force: true });
  await freeTrash(inner, { ignoreGrace: true });
  const dead = keys.filter((_, i) => (i * DEAD) % DEAD_OF < DEAD).map((key) => ({ key }));
  for (const outcome of await store.service.delete('default', dead)) if ('error' in outcome) throw outcome.error;
  store.world.clock.advance(settings.deleteGraceMs + 1);
  await collectGarbage(inner.components);
  store.meter.take();
  const actors: Actors = {
    store: inner,
    stream: new MemoryStream(inner.components.clock),
    makeTarget: (run, moved) => new LiveCoder(inner, run, moved),
  };
  const report = await compact(inProcess(actors));
  const movedBytes = report.runs.reduce((sum, run) => sum + run.movedBytes, 0) * scale;
  const overhead = settings.warmCodec === 'single' ? 1 : 4 / 3;
  const computeMs = ((movedBytes * (1 + overhead)) / RECKONED.moveBytesPerSecond) * 1000;
  const work = { ...store.meter.take(), stateTransitions: report.runs.length * TRANSITIONS_PER_RUN };
  const figure = figureOf(
    work,
    report.runs.length,
    computeMs / report.runs.length,
    WORKER_MEMORY_MIB,
    movedBytes / GIB,
  );
  const perGib = (count: number): number => (count * GIB) / movedBytes;
  return {
    ...figure,
    movedBytes,
    runs: report.runs.length,
    putsPerGib: perGib(work.putRequests),
    getsPerGib: perGib(work.getRequests),
    metadataWritesPerGib: perGib(work.metadataWrites),
  };
}
