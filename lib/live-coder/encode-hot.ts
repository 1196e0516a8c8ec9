// ENCODE: hot volumes that are sealed and old enough go through the Live Coder into erasure-coded volumes. A rest too
// small for a group stays hot until more comes, unless it is mostly what deletes left: then it goes as it is, open
// volumes too.

import { isPocketfulError } from '../foundation/errors.ts';
import { type Reason, reasonOf } from '../foundation/reason.ts';
import { isAhead } from '../limits/clock-skew.ts';
import type { BucketRow } from '../panda/rows/bucket-row.ts';
import type { VolumeRow } from '../panda/rows/volume-row.ts';
import { listBuckets, listVolumes } from '../volume/rows/read-rows.ts';
import { DrainingSources, feedOrSkip } from '../volume/runs/drain-source.ts';
import { newRunId, takeRun } from '../volume/runs/runs.ts';
import type { VolumeStore } from '../volume/volume-store.ts';
import { contentsOf, isWasteful } from '../volume/write/waste.ts';
import { groupTargetBytes } from './choose-group.ts';
import { LiveCoder } from './live-coder.ts';

export interface EncodeOptions {
  /** Encode whatever is sealed, however young. */
  readonly force?: boolean;
  /** Write the last, small group too. */
  readonly flush?: boolean;
  /** Only so many, those with the least that lives: a little room is enough for them. */
  readonly sparsest?: number;
  /** Asked before every source: a reason, and the rest waits. */
  readonly heldBy?: (() => Promise<Reason | undefined>) | undefined;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: { readonly encodedBytes: number; readonly totalBytes: number }) => void;
}

export interface EncodeReport {
  /** Open volumes sealed, because deletes left more in them than lives. */
  readonly sealed: number;
  readonly sources: number;
  readonly destinations: number;
  readonly groups: number;
  readonly recordBytes: number;
  readonly storedBytes: number;
  /** Live bytes that stay hot because they do not make a group yet. */
  readonly leftBytes: number;
  readonly stalled: Reason | undefined;
}

/** One pass. Safe to run twice and beside puts; a source whose records cannot all be read stays as it is. */
export async function encodeHot(store: VolumeStore, options: EncodeOptions = {}): Promise<EncodeReport> {
  const run = newRunId(store.components, 'encode');
  let encodedBytes = 0;
  const force = options.force ?? false;
  const { sealed, facts } = await sealWasteful(store, await hotFacts(store, () => force), force);
  const { ripe, totalBytes, isWaste } = ripeSources(store, facts, options.sparsest);
  const flush = options.flush === true || isWaste;
  const sources = new DrainingSources(store, run);
  const coder = new LiveCoder(store, run, (result) => {
    sources.moved(result);
    encodedBytes += result.recordBytes;
    options.onProgress?.({ encodedBytes, totalBytes });
  });
  let left = totalBytes;
  let stalled: Reason | undefined;
  try {
    for (const { volume, liveBytes } of ripe) {
      if (options.signal?.aborted) break;
      stalled = (await options.heldBy?.()) ?? stalled;
      if (stalled?.code === 'WRITERS_HELD') break;
      // What is left makes no group by itself, and nothing waits for it: it stays hot. An empty volume needs none.
      const waiting = coder.waiting().length > 0;
      if (!flush && !waiting && liveBytes > 0 && left < groupTargetBytes(store.components.settings)) continue;
      const source = await takeRun(store.components, volume.id, run);
      if (source === undefined) continue;
      left -= liveBytes;
      const unread = await feedOrSkip(sources, source, (content) => coder.push(content));
      stalled ??= unread;
    }
    if (flush && !options.signal?.aborted) await coder.flush();
  } catch (error) {
    if (!isPocketfulError(error)) throw error;
    stalled = reasonOf(error);
  }
  coder.discard();
  await sources.end();
  const report = coder.report();
  return {
    sealed,
    sources: sources.retired,
    destinations: report.destinations.size,
    groups: report.groups,
    recordBytes: report.recordBytes,
    storedBytes: report.storedBytes,
    leftBytes: Math.max(0, totalBytes - report.recordBytes),
    stalled,
  };
}

interface HotFacts {
  /** Old enough, and with a content. */
  readonly volumes: readonly VolumeRow[];
  readonly buckets: ReadonlyMap<string, BucketRow>;
}

/**
 * Hot volumes written so long ago that they may be encoded, open ones by when they were begun; all of them if forced.
 */
async function hotFacts({ components }: VolumeStore, isRipe: (volume: VolumeRow) => boolean): Promise<HotFacts> {
  const { panda, settings, clock } = components;
  if (settings.hotCodec === settings.warmCodec) return { volumes: [], buckets: new Map() };
  const ripeAtMs = settings.encodeAfterMs === 0 ? Number.POSITIVE_INFINITY : clock.nowMs() - settings.encodeAfterMs;
  const writtenAtMs = (v: VolumeRow): number => (v.state === 'open' ? v.createdAtMs : (v.sealedAtMs ?? 0));
  const volumes = (await listVolumes(panda, settings.cell, components.badRow))
    .filter((v) => v.class === 'hot' && v.run === undefined)
    .filter((v) => v.state === 'sealed' || (v.state === 'open' && v.nextSeq > 1))
    .filter((v) => isRipe(v) || writtenAtMs(v) <= ripeAtMs || isAhead(writtenAtMs(v), clock.nowMs()));
  if (volumes.length === 0) return { volumes, buckets: new Map() };
  return {
    volumes,
    buckets: new Map((await listBuckets(panda, settings.cell, components.badRow)).map((bucket) => [bucket.id, bucket])),
  };
}

/** What deletes have left in open volumes goes only when these are sealed, and small stores never fill them. */
async function sealWasteful(
  store: VolumeStore,
  facts: HotFacts,
  force: boolean,
): Promise<{ readonly sealed: number; readonly facts: HotFacts }> {
  const open = new Set(facts.volumes.filter((v) => v.state === 'open').map(({ id }) => id));
  if (open.size === 0 || !isWasteOf(store, facts.volumes, facts)) return { sealed: 0, facts };
  const sealed = await store.open.sealAll('hot', open);
  // They are old enough, although their seal is young.
  return { sealed, facts: await hotFacts(store, ({ id }) => force || open.has(id)) };
}

const isWasteOf = (
  { components: { settings } }: VolumeStore,
  volumes: readonly VolumeRow[],
  { buckets }: HotFacts,
): boolean => isWasteful(contentsOf(volumes, buckets), settings.hotCodec, settings.warmCodec);

function ripeSources(store: VolumeStore, facts: HotFacts, sparsest: number | undefined) {
  const volumes = facts.volumes
    .filter(({ state }) => state === 'sealed')
    .sort((a, b) => (a.sealedAtMs ?? 0) - (b.sealedAtMs ?? 0) || (a.id < b.id ? -1 : 1));
  const all = volumes.map((volume) => ({ volume, liveBytes: contentsOf([volume], facts.buckets).liveBytes }));
  const ripe = sparsest === undefined ? all : all.sort((a, b) => a.liveBytes - b.liveBytes).slice(0, sparsest);
  return {
    ripe,
    totalBytes: ripe.reduce((sum, { liveBytes }) => sum + liveBytes, 0),
    isWaste: isWasteOf(store, volumes, facts),
  };
}
