// What a stage's schedules do beside compaction: encode what has cooled, shred and free, and bring to an end what
// functions that are gone left half done. Every pass may be cut off anywhere; the next one goes on.
import { endLostLeases } from '../../compaction/do/end-runs.ts';
import { writersHeld } from '../../compaction/move/l3/hold.ts';
import type { Reason } from '../../foundation/reason.ts';
import { Frontend } from '../../frontend/frontend.ts';
import { collectGarbage, type GarbageReport } from '../../gc/collect-garbage.ts';
import { type EncodeReport, encodeHot } from '../../live-coder/encode-hot.ts';
import type { Stream } from '../../stream/stream.ts';
import { finishPendingSeals } from '../../volume/open/seal.ts';
import { freeTrash } from '../../volume/runs/free.ts';
import type { VolumeStore } from '../../volume/volume-store.ts';
import { addTally } from '../status/tally.ts';
import { rewriteWasteful } from './rewrite-wasteful.ts';

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
  store: VolumeStore,
  options: { readonly now?: boolean | undefined; readonly signal: AbortSignal },
): Promise<SweepReport> {
  const { signal, now = false } = options;
  const frontend = new Frontend(store);
  let recovered = await store.open.recoverIdle();
  await finishPendingSeals(store);
  recovered += await endLostLeases(store);
  const abandoned = signal.aborted ? 0 : await frontend.abandonUploads();
  if (!signal.aborted) await frontend.finishReleases();
  const seen: GarbageReport = await collected(store, signal);
  await addTally(store.c, { shreddedBytes: seen.recordBytes });
  const free = signal.aborted ? undefined : await freeTrash(store, { ignoreGrace: now });
  return {
    ...seen,
    done: !signal.aborted,
    freedVolumes: free?.freedVolumes ?? 0,
    freedZones: free?.freedZones ?? 0,
    recovered,
    abandoned,
  };
}

/** What was shredded before the signal is shredded; only its count is lost. */
async function collected(store: VolumeStore, signal: AbortSignal): Promise<GarbageReport> {
  let slots = 0;
  try {
    return await collectGarbage(store.c, {
      signal,
      onProgress: (count) => {
        slots = count;
      },
    });
  } catch (error) {
    if (!signal.aborted) throw error;
    return { slots, recordBytes: 0, buckets: 0, waiting: 0 };
  }
}

export interface EncodeStageReport extends EncodeReport {
  readonly done: boolean;
  readonly freedZones: number;
}

/** ENCODE of the stage. `all`: whatever is hot, however young and however little. */
export async function encodeStage(
  store: VolumeStore,
  options: { readonly all?: boolean | undefined; readonly signal: AbortSignal; readonly stream: Stream },
): Promise<EncodeStageReport> {
  const { signal, all = false, stream } = options;
  const heldBy = (): Promise<Reason | undefined> => writersHeld(store.c, stream);
  await endLostLeases(store);
  const sealed = all ? await store.open.sealAll('hot') : 0;
  const report = await encodeHot(store, { force: all, flush: all, signal, heldBy });
  const rewritten = signal.aborted ? undefined : await rewriteWasteful(store, { force: all, signal });
  await addTally(store.c, {
    encodedBytes: report.recordBytes,
    encodedStoredBytes: report.storedBytes,
    encodedGroups: report.groups,
    encodedVolumes: report.sources,
  });
  const { freedZones } = signal.aborted ? { freedZones: 0 } : await freeTrash(store);
  return {
    ...report,
    stalled: report.stalled ?? rewritten?.stalled,
    sealed: sealed + report.sealed,
    freedZones,
    done: !signal.aborted,
  };
}
