// DRAIN (L3): the sparsest sealed volumes first, their live buckets streamed into the Live Coder, each source retired as soon as it
// is empty. Destinations are sealed only when full.
import { isPocketfulError } from '../../foundation/errors.ts';
import type { RunId, VolumeId } from '../../foundation/ids.ts';
import { type Reason, reasonOf } from '../../foundation/reason.ts';
import type { VolumeRow } from '../../panda/rows/volume-row.ts';
import { capacityBytes } from '../../settings/settings.ts';
import type { BucketContent } from '../../volume/read/collect-bucket.ts';
import { listBuckets, listVolumes } from '../../volume/rows/read-rows.ts';
import { DrainingSources, feedOrSkip } from '../../volume/runs/drain-source.ts';
import { newRunId, takeRun } from '../../volume/runs/runs.ts';
import type { VolumeStore } from '../../volume/volume-store.ts';
import type { MoveResult } from '../../volume/write/move.ts';

/** Where drained buckets go: the Live Coder, made for one run. */
export interface DrainTarget {
  push(content: BucketContent): Promise<void>;
  flush(): Promise<void>;
  discard(): unknown;
}
export type MakeTarget = (run: RunId, onMoved: (result: MoveResult) => void) => DrainTarget;

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
  const run = newRunId(store.c, 'l3');
  const sources = new DrainingSources(store, run);
  let movedBytes = 0;
  let storedBytes = 0;
  let buckets = 0;
  let taken = 0;
  const target = makeTarget(run, (result) => {
    sources.moved(result);
    movedBytes += result.recordBytes;
    storedBytes += result.storedBytes;
    buckets += result.moved.length;
  });
  let stalled: Reason | undefined;
  try {
    for (const { volume } of await candidates(store, options)) {
      if (options.signal?.aborted) break;
      const source = await takeRun(store.c, volume.id, run);
      if (source === undefined) continue;
      taken += 1;
      const unread = await feedOrSkip(sources, source, (content) => target.push(content));
      stalled ??= unread;
      options.onProgress?.({ sources: taken, retired: sources.retired, movedBytes });
    }
    if (!options.signal?.aborted) await target.flush();
  } catch (error) {
    if (!isPocketfulError(error)) throw error;
    stalled = reasonOf(error);
  }
  target.discard();
  await sources.end();
  const progress = { sources: taken, retired: sources.retired, movedBytes };
  options.onProgress?.(progress);
  return { ...progress, buckets, storedBytes, stalled };
}

/** Sealed warm volumes, sparsest first, as many as the options and the gain allow. */
async function candidates(store: VolumeStore, options: DrainOptions): Promise<Candidate[]> {
  const { panda, settings, badRow } = store.c;
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
