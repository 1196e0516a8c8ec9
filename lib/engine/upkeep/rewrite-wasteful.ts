// What deletes leave in open erasure-coded volumes, and in one that nothing packs with: compaction plans whole sealed
// volumes, and those of a small store never fill. They are sealed and drained into a new open one once that halves what
// they store.

import { drain } from '../../compaction/do/drain.ts';
import { mapLimit } from '../../foundation/concurrency.ts';
import type { Reason } from '../../foundation/reason.ts';
import { isAhead } from '../../limits/clock-skew.ts';
import { WASTEFUL_SEALED_MAX } from '../../limits/compaction.ts';
import { REWRITTEN_BUCKETS_AT_ONCE } from '../../limits/engine.ts';
import { LiveCoder } from '../../live-coder/live-coder.ts';
import { laneOf, type VolumeRow } from '../../panda/rows/volume-row.ts';
import { listVolumes, readBucket } from '../../volume/rows/read-rows.ts';
import type { VolumeStore } from '../../volume/volume-store.ts';
import { contentsOf, isWasteful } from '../../volume/write/waste.ts';

export interface RewriteReport {
  readonly rewritten: number;
  readonly rewrittenBytes: number;
  readonly stalled: Reason | undefined;
}

/** One pass. Safe to run twice and beside anything, as draining is. */
export async function rewriteWasteful(
  store: VolumeStore,
  options: { readonly force?: boolean; readonly signal?: AbortSignal } = {},
): Promise<RewriteReport> {
  const { force = false, ...rest } = options;
  const wasteful = await wastefulVolumes(store, force);
  if (wasteful.length === 0) return { rewritten: 0, rewrittenBytes: 0, stalled: undefined };
  const open = wasteful.filter(({ state }) => state === 'open');
  if (open.length > 0) await store.open.sealAll('warm', new Set(open.map(({ id }) => id)));
  const only = new Set(wasteful.map(({ id }) => id));
  const { retired, movedBytes, stalled } = await drain(store, (run, moved) => new LiveCoder(store, run, moved), {
    ...rest,
    only,
  });
  return { rewritten: retired, rewrittenBytes: movedBytes, stalled };
}

async function wastefulVolumes({ components }: VolumeStore, force: boolean): Promise<VolumeRow[]> {
  const { panda, settings, clock } = components;
  const isAnyAge = force || settings.encodeAfterMs === 0;
  const ripeAtMs = isAnyAge ? Number.POSITIVE_INFINITY : clock.nowMs() - settings.encodeAfterMs;
  const warm = (await listVolumes(panda, settings.cell, components.badRow)).filter(
    (v) => v.class === 'warm' && v.run === undefined,
  );
  const isRipe = ({ createdAtMs }: VolumeRow): boolean =>
    createdAtMs <= ripeAtMs || isAhead(createdAtMs, clock.nowMs());
  const open = warm.filter((v) => v.state === 'open' && v.nextSeq > 1 && isRipe(v));
  const sealed = warm.filter((v) => v.state === 'sealed' && v.codec === settings.warmCodec);
  const looked = sealed.length > WASTEFUL_SEALED_MAX ? open : [...open, ...sealed];
  const rows = await mapLimit(
    looked.flatMap(({ buckets }) => [...buckets]),
    REWRITTEN_BUCKETS_AT_ONCE,
    (id) => readBucket(panda, settings.cell, id),
  );
  const buckets = new Map(rows.flatMap((row) => (row === undefined ? [] : [[row.id, row]])));
  const wasteful = looked.filter((v) => isWasteful(contentsOf([v], buckets), v.codec, v.codec));
  // Two that are half empty make one: that is for compaction, which weighs them.
  const sealedIn = Map.groupBy(
    wasteful.filter(({ state }) => state === 'sealed'),
    laneOf,
  );
  return wasteful.filter((v) => v.state === 'open' || sealedIn.get(laneOf(v))?.length === 1);
}
