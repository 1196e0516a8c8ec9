// ENCODE: hot volumes that are sealed and old enough go through the Live Coder into erasure-coded volumes. A rest too small for a
// group stays hot until more comes.
import { isPocketfulError } from '../foundation/errors.ts';
import { listBuckets, listVolumes } from '../volume/rows/read-rows.ts';
import { DrainingSources } from '../volume/runs/drain-source.ts';
import { newRunId, takeRun } from '../volume/runs/runs.ts';
import type { VolumeStore } from '../volume/volume-store.ts';
import { groupTargetBytes } from './choose-group.ts';
import { LiveCoder } from './live-coder.ts';

export interface EncodeOptions {
  /** Encode whatever is sealed, however young. */
  readonly force?: boolean;
  /** Write the last, small group too. */
  readonly flush?: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: { readonly encodedBytes: number; readonly totalBytes: number }) => void;
}

export interface EncodeReport {
  readonly sources: number;
  readonly destinations: number;
  readonly groups: number;
  readonly recordBytes: number;
  readonly storedBytes: number;
  /** Live bytes that stay hot because they do not make a group yet. */
  readonly leftBytes: number;
  readonly stalled: string | undefined;
}

/** One pass. Safe to run twice and beside puts; a source whose records cannot all be read stays as it is. */
export async function encodeHot(store: VolumeStore, options: EncodeOptions = {}): Promise<EncodeReport> {
  const run = newRunId(store.c, 'encode');
  let encodedBytes = 0;
  const { ripe, totalBytes } = await ripeSources(store, options.force ?? false);
  const sources = new DrainingSources(store, run);
  const coder = new LiveCoder(store, run, (result) => {
    sources.moved(result);
    encodedBytes += result.recordBytes;
    options.onProgress?.({ encodedBytes, totalBytes });
  });
  let left = totalBytes;
  let stalled: string | undefined;
  try {
    for (const { volume, liveBytes } of ripe) {
      if (options.signal?.aborted) break;
      // What is left makes no group by itself, and nothing waits for it: it stays hot.
      const waiting = coder.waiting().length > 0;
      if (!options.flush && !waiting && left < groupTargetBytes(store.c.settings)) break;
      const source = await takeRun(store.c, volume.id, run);
      if (source === undefined) continue;
      await sources.feed(source, (content) => coder.push(content));
      left -= liveBytes;
    }
    if (options.flush && !options.signal?.aborted) await coder.flush();
  } catch (error) {
    if (!isPocketfulError(error)) throw error;
    stalled = `${error.code}: ${error.message}`;
  }
  coder.discard();
  await sources.end();
  const report = coder.report();
  return {
    sources: sources.retired,
    destinations: report.destinations.size,
    groups: report.groups,
    recordBytes: report.recordBytes,
    storedBytes: report.storedBytes,
    leftBytes: Math.max(0, totalBytes - report.recordBytes),
    stalled,
  };
}

async function ripeSources(store: VolumeStore, force: boolean) {
  const { panda, settings, clock } = store.c;
  if (settings.hotCodec === settings.warmCodec) return { ripe: [], totalBytes: 0 };
  const ripeAtMs = clock.nowMs() - settings.encodeAfterMs;
  const volumes = (await listVolumes(panda, settings.cell))
    .filter((v) => v.class === 'hot' && v.state === 'sealed' && v.run === undefined)
    .filter((v) => force || settings.encodeAfterMs === 0 || (v.sealedAtMs ?? 0) <= ripeAtMs)
    .sort((a, b) => (a.sealedAtMs ?? 0) - (b.sealedAtMs ?? 0) || (a.id < b.id ? -1 : 1));
  const live = new Map((await listBuckets(panda, settings.cell)).map((bucket) => [bucket.id, bucket.liveBytes]));
  const ripe = volumes.map((volume) => ({
    volume,
    liveBytes: [...volume.buckets].reduce((sum, id) => sum + (live.get(id) ?? 0), 0),
  }));
  return { ripe, totalBytes: ripe.reduce((sum, { liveBytes }) => sum + liveBytes, 0) };
}
