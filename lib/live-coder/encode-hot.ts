// ENCODE: hot volumes that are old enough go through the Live Coder into erasure-coded volumes (hot-sources.ts says
// which, and which open ones are sealed for that). A rest too small for a group stays hot until more comes, unless it
// is mostly what deletes left, or costs the store more than a small group would: then it goes as it is.

import { isPocketfulError } from '../foundation/errors.ts';
import { type Reason, reasonOf } from '../foundation/reason.ts';
import { DrainingSources, feedOrSkip } from '../volume/runs/drain-source.ts';
import { newRunId, takeRun } from '../volume/runs/runs.ts';
import type { VolumeStore } from '../volume/volume-store.ts';
import { groupTargetBytes } from './choose-group.ts';
import { hotSources, type LaneSources } from './hot-sources.ts';
import { LiveCoder } from './live-coder.ts';

export interface EncodeOptions {
  /** Encode whatever is sealed, however young. */
  readonly force?: boolean;
  /** Write the last, small group too. */
  readonly flush?: boolean;
  /** Only so many, those with the least that lives: a little room is enough for them. */
  readonly sparsest?: number;
  /** Only volumes of which nothing lives, open ones too, however young: nothing is written for them. */
  readonly dead?: boolean;
  /** Asked before every source: a reason, and the rest waits. */
  readonly heldBy?: (() => Promise<Reason | undefined>) | undefined;
  /** Whether so many bytes more may lie on the drives until a source is free: a reason, and the pass ends. */
  readonly roomFor?: ((codedBytes: number) => Promise<Reason | undefined>) | undefined;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: { readonly encodedBytes: number; readonly totalBytes: number }) => void;
}

export interface EncodeReport {
  /** Open volumes sealed: they were aged, or deletes left more in them than lives. */
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

export const NOTHING_ENCODED: Omit<EncodeReport, 'stalled'> = {
  ...{ sealed: 0, sources: 0, destinations: 0, groups: 0, recordBytes: 0, storedBytes: 0, leftBytes: 0 },
};

/** One pass. Safe to run twice and beside puts; a source whose records cannot all be read stays as it is. */
export async function encodeHot(store: VolumeStore, options: EncodeOptions = {}): Promise<EncodeReport> {
  const run = newRunId(store.components, 'encode');
  let encodedBytes = 0;
  const { force = false, sparsest, dead = false } = options;
  const { sealed, totalBytes, lanes } = await hotSources(store, { force, sparsest, dead });
  const sources = new DrainingSources(store, run);
  const coder = new LiveCoder(store, run, (result) => {
    sources.moved(result);
    encodedBytes += result.recordBytes;
    options.onProgress?.({ encodedBytes, totalBytes });
  });
  let stalled: Reason | undefined;
  const encode = async (lane: LaneSources): Promise<void> => {
    const flush = options.flush === true || lane.flush;
    let left = lane.totalBytes;
    for (const { volume, liveBytes, codedBytes } of lane.ripe) {
      if (options.signal?.aborted) break;
      const noRoom = codedBytes > 0 ? await options.roomFor?.(codedBytes) : undefined;
      if (noRoom !== undefined) {
        stalled = noRoom;
        break;
      }
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
    // What makes no group stays, and none of it goes with the next lane.
    coder.discard();
  };
  try {
    for (const lane of lanes) if (stalled?.code !== 'WRITERS_HELD') await encode(lane);
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
