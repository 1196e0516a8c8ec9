// DRAIN (L3): the sparsest sealed volumes first, in one journalled run of this process, without the queue. Destinations
// are sealed only when full.
import type { VolumeId } from '../../foundation/ids.ts';
import type { Reason } from '../../foundation/reason.ts';
import type { VolumeRow } from '../../panda/rows/volume-row.ts';
import { capacityBytes } from '../../settings/settings.ts';
import { listBuckets, listVolumes } from '../../volume/rows/read-rows.ts';
import { newRunId } from '../../volume/runs/runs.ts';
import type { VolumeStore } from '../../volume/volume-store.ts';
import type { MakeTarget } from '../run/actors.ts';
import { beginJournal } from '../run/journal.ts';
import { carryHere } from './batches.ts';
import { NEVER } from './executor.ts';

export interface DrainOptions {
  /** Only volumes at most this full; 500 unless told. */
  readonly fillPermilleMax?: number;
  /** Stop once sealed capacity / live bytes is at most this. */
  readonly targetOverhead?: number;
  readonly sourcesMax?: number;
  /** Of the sealed volumes only these, however full. */
  readonly only?: ReadonlySet<VolumeId>;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: DrainProgress) => void;
}

export interface DrainProgress {
  readonly sources: number;
  readonly retired: number;
  readonly movedBytes: number;
}

export interface DrainReport extends DrainProgress {
  readonly buckets: number;
  readonly storedBytes: number;
  readonly stalled: Reason | undefined;
}

interface Candidate {
  readonly volume: VolumeRow;
  readonly liveBytes: number;
}

/** One pass. Safe to run twice, and beside puts, deletes and GC; a source that cannot be read as a whole stays. */
export async function drain(
  store: VolumeStore,
  makeTarget: MakeTarget,
  options: DrainOptions = {},
): Promise<DrainReport> {
  const { components } = store;
  const { signal = NEVER, onProgress } = options;
  const sources = (await candidates(store, options)).map(({ volume }) => volume.id);
  if (sources.length === 0) return NOTHING_DRAINED;
  const task = { strategy: 'l3' as const, plan: '', name: 'drain', host: null, sources };
  const { id } = await beginJournal(components, newRunId(components, 'l3'), task);
  let movedBytes = 0;
  const counted: MakeTarget = (run, onMoved) =>
    makeTarget(run, (result) => {
      onMoved(result);
      movedBytes += result.recordBytes;
      onProgress?.({ sources: sources.length, retired: 0, movedBytes });
    });
  const done = await carryHere({ store, makeTarget: counted }, id, signal);
  const progress = { sources: sources.length, retired: done.retired, movedBytes: done.movedBytes };
  onProgress?.(progress);
  return {
    ...progress,
    buckets: done.movedBuckets,
    storedBytes: done.storedBytes,
    stalled: done.stalled ?? done.skipped[0]?.reason,
  };
}

const NOTHING_DRAINED: DrainReport = Object.freeze({
  sources: 0,
  retired: 0,
  movedBytes: 0,
  buckets: 0,
  storedBytes: 0,
  stalled: undefined,
});

/** Sealed warm volumes, sparsest first, as many as the options and the gain allow. */
async function candidates(store: VolumeStore, options: DrainOptions): Promise<Candidate[]> {
  const { panda, settings, badRow } = store.components;
  const live = new Map(
    (await listBuckets(panda, settings.cell, badRow)).map((bucket) => [bucket.id, bucket.liveBytes]),
  );
  const sealed = (await listVolumes(panda, settings.cell, badRow))
    .filter((v) => v.class === 'warm' && v.state === 'sealed' && v.run === undefined)
    .filter((v) => options.only?.has(v.id) !== false)
    .map((volume) => ({ volume, liveBytes: sum([...volume.buckets].map((id) => live.get(id) ?? 0)) }));
  const chosen = options.only === undefined ? options : { ...options, fillPermilleMax: 1000 };
  return sparsestFirst(sealed, capacityBytes(settings, settings.warmCodec), chosen);
}

/** Pure: which of the sealed volumes a drain takes, in order. */
export function sparsestFirst<T extends { readonly liveBytes: number; readonly volume: { readonly id: string } }>(
  sealed: readonly T[],
  capacity: number,
  options: Pick<DrainOptions, 'fillPermilleMax' | 'targetOverhead' | 'sourcesMax'>,
): T[] {
  const bound = ((options.fillPermilleMax ?? 500) / 1000) * capacity;
  const ordered = [...sealed].sort((a, b) => a.liveBytes - b.liveBytes || (a.volume.id < b.volume.id ? -1 : 1));
  const totalLive = sum(sealed.map(({ liveBytes }) => liveBytes));
  const chosen: T[] = [];
  let movedLive = 0;
  for (const candidate of ordered) {
    if (chosen.length >= (options.sourcesMax ?? Number.POSITIVE_INFINITY) || candidate.liveBytes > bound) break;
    // What remains sealed, and full destinations for what moved.
    const allocated = (sealed.length - chosen.length) * capacity + movedLive;
    if (options.targetOverhead !== undefined && allocated <= options.targetOverhead * totalLive) break;
    chosen.push(candidate);
    movedLive += candidate.liveBytes;
  }
  return chosen;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
