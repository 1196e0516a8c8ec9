// GC as an operator means it: what may be shredded is shredded, what is empty is freed, hot volumes of which nothing
// lives among it, however young. On a disk with little room no grace of emptied volumes counts (their inspection does),
// volumes in which next to nothing is alive are drained, and hot data is encoded however young: that takes less than
// half of its place.
import { isKind } from '../../foundation/errors.ts';
import { given } from '../../foundation/given.ts';
import type { Reason } from '../../foundation/reason.ts';
import { type GarbageReport, NOTHING_SHREDDED, shreddedTogether } from '../../gc/collect-garbage.ts';
import { THRESHOLD_MAX } from '../../limits/compaction.ts';
import { type EncodeReport, encodeHot } from '../../live-coder/encode-hot.ts';
import { type FreeReport, freeTrash } from '../../volume/runs/free.ts';
import type { DiskRoom, EngineStore } from '../wire/engine-store.ts';
import { compactStore } from './compaction.ts';
import { encodeStore, type GcReport, NOTHING_FREED, type ShredOptions, shredStore } from './tend.ts';

export interface ReclaimReport extends GcReport {
  /** Only where space was short. */
  readonly pressure?: PressureReport;
}

export interface PressureReport {
  /** Record bytes that went from hot into erasure-coded volumes to make room. */
  readonly encodedBytes: number;
  readonly stalled: Reason | undefined;
  /** True if there is no room after it either. */
  readonly isFull: boolean;
}

export interface ReclaimOptions extends ShredOptions {
  /** Without waiting for the grace of emptied volumes. */
  readonly now?: boolean | undefined;
}

export async function reclaim(store: EngineStore, options: ReclaimOptions = {}): Promise<ReclaimReport> {
  const { now = false, ...watch } = options;
  const { disk } = store;
  const isShort = (await disk?.beforeFreeing()) ?? false;
  try {
    if (disk !== undefined && isShort) return await reclaimShort(store, disk, watch);
    return await reclaimAtEase(store, now, watch);
  } finally {
    disk?.afterFreeing();
  }
}

/**
 * In portions here, too: what is shredded at once of very many blocks fills a disk that had some room. If it is short
 * by then the rest goes as on a short one; if only too few drives take the journal, GC waits for them no more than
 * puts do.
 */
async function reclaimAtEase(store: EngineStore, ignoreGrace: boolean, watch: ShredOptions): Promise<ReclaimReport> {
  const { disk } = store;
  const { isCut, ...garbage } = await shredStore(store, watch, disk?.shredding());
  if (disk === undefined || !isCut || watch.signal?.aborted) return freeAtEase(store, ignoreGrace, watch, garbage);
  const isShort = await disk.beforeFreeing();
  try {
    if (isShort) {
      const rest = await reclaimShort(store, disk, watch);
      return { ...rest, ...shreddedTogether(garbage, rest) };
    }
    const { isCut: _, ...rest } = await shredStore(store, watch);
    return await freeAtEase(store, ignoreGrace, watch, shreddedTogether(garbage, rest));
  } finally {
    disk.afterFreeing();
  }
}

async function freeAtEase(
  store: EngineStore,
  ignoreGrace: boolean,
  watch: ShredOptions,
  garbage: GarbageReport,
): Promise<ReclaimReport> {
  if (watch.signal?.aborted) return { ...garbage, free: NOTHING_FREED };
  // These are no encoder's yet: a disk with some room is full at the next put if they wait for their age.
  await encodeHot(store.volumes, { dead: true, ...given({ signal: watch.signal }) });
  return { ...garbage, free: await freeTrash(store.volumes, { ignoreGrace }) };
}

/** As much as there is room for; what that frees is the room of the rest. */
async function reclaimShort(store: EngineStore, disk: DiskRoom, watch: ShredOptions): Promise<ReclaimReport> {
  let garbage = NOTHING_SHREDDED;
  let made: RoomMade = { encodedBytes: 0, stalled: undefined, free: NOTHING_FREED };
  for (;;) {
    const { isCut, ...shredded } = await shredStore(store, watch, disk.shredding());
    garbage = shreddedTogether(garbage, shredded);
    if (watch.signal?.aborted) break;
    const free = await freeTrash(store.volumes, { ignoreGrace: true });
    const more = await makeRoom(store, disk, watch.signal);
    const freed = together(free, more.free);
    made = {
      encodedBytes: made.encodedBytes + more.encodedBytes,
      stalled: more.stalled,
      free: together(made.free, freed),
    };
    if (!isCut || freed.freedVolumes === 0 || watch.signal?.aborted) break;
  }
  const { encodedBytes, stalled, free } = made;
  return { ...garbage, free, pressure: { encodedBytes, stalled, isFull: await disk.isFull() } };
}

interface RoomMade {
  readonly encodedBytes: number;
  readonly stalled: Reason | undefined;
  readonly free: FreeReport;
}

/**
 * Hot volumes, the emptiest first and one by one: what one frees is the room of the next. Until there is enough, or
 * nothing helps.
 */
async function makeRoom(store: EngineStore, disk: DiskRoom, signal: AbortSignal | undefined): Promise<RoomMade> {
  const { volumes } = store;
  let made: RoomMade = { encodedBytes: 0, stalled: undefined, free: await freeDead(store, signal) };
  if (await disk.isShort()) await volumes.open.sealAll('hot');
  const roomFor = (bytes: number): Promise<Reason | undefined> => disk.roomFor(bytes);
  while (signal?.aborted !== true && (await disk.isShort())) {
    volumes.health.forgetFull();
    const encoded = await encodeStore(store, { force: true, flush: true, sparsest: 1, roomFor, ...given({ signal }) });
    const free = await freeTrash(volumes, { ignoreGrace: true });
    made = {
      encodedBytes: made.encodedBytes + encoded.recordBytes,
      stalled: encoded.stalled,
      free: together(made.free, free),
    };
    if (free.freedVolumes === 0) break;
  }
  // A pass that finds too little room leaves less: what it wrote until then stays for a while.
  if (signal?.aborted === true || (await disk.isShort())) return made;
  // With that room, whatever is mostly dead goes at once.
  const { recordBytes, stalled } = await encodeStore(store, { force: true, ...given({ signal }) });
  const free = together(made.free, await freeTrash(volumes, { ignoreGrace: true }));
  return { encodedBytes: made.encodedBytes + recordBytes, stalled: stalled ?? made.stalled, free };
}

/** What is coded and all but dead waits for no compaction: to drain it wants next to no room. */
async function freeDead(store: EngineStore, signal: AbortSignal | undefined): Promise<FreeReport> {
  try {
    await compactStore(store, { strategies: ['l3'], threshold: THRESHOLD_MAX, signal });
  } catch (error) {
    // What little is alive there found no room: the rest of this may make some.
    if (!isKind(error, 'retry')) throw error;
  }
  return freeTrash(store.volumes, { ignoreGrace: true });
}

export interface TendReport {
  readonly encode: EncodeReport;
  readonly garbage: GarbageReport;
  readonly free: FreeReport;
}

/** One pass of everything: for cron. */
export async function tend(store: EngineStore, signal?: AbortSignal): Promise<TendReport> {
  const encode = await encodeStore(store, given({ signal }));
  const { free, pressure: _, ...garbage } = await reclaim(store, { signal });
  return { encode, garbage, free };
}

export const together = (one: FreeReport, next: FreeReport): FreeReport => ({
  freedVolumes: one.freedVolumes + next.freedVolumes,
  freedZones: one.freedZones + next.freedZones,
  kept: next.kept,
});
