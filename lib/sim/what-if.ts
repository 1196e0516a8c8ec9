// `sim what-if FILE`: the sealed volumes of a real store, from its `status --json`, under several strategies and
// thresholds: what the production planner would do with them now, and what it would cost.
import * as z from 'zod';
import { CODEC_NAMES } from '../codec/codec.ts';
import { type FleetView, fleetOf } from '../compaction/facts/fleet.ts';
import { type PlanSettings, planSettingsOf } from '../compaction/facts/plan-settings.ts';
import { planCompaction } from '../compaction/plan/planner.ts';
import { invalid, notMet } from '../foundation/errors.ts';
import { capacityBytes, PRESETS } from '../settings/settings.ts';

/** Only what is needed of a status; it may say more. */
const statusSchema = z.object({
  storeId: z.string(),
  preset: z.enum(['demo', 'personal', 'thrifty', 'cell']),
  volumes: z.array(
    z.object({
      id: z.string().min(1),
      class: z.string(),
      codec: z.enum(CODEC_NAMES),
      state: z.string(),
      generation: z.int().nonnegative(),
      lane: z.int().nonnegative().optional(),
      buckets: z.int().nonnegative(),
      liveBytes: z.number().nonnegative(),
    }),
  ),
});

export interface WhatIfRow {
  readonly strategies: string;
  readonly threshold: number;
  readonly runs: number;
  readonly overheadBefore: number;
  readonly overheadAfter: number;
  readonly volumesFreed: number;
  readonly bytesRead: number;
  readonly metadataWrites: number;
  readonly dollars: number;
  readonly savedDollars: number;
}

export interface WhatIf {
  readonly store: string;
  readonly preset: string;
  readonly volumes: number;
  readonly rows: readonly WhatIfRow[];
}

/** A fleet out of `status --json`. Throws `invalid` STATUS_INVALID. */
export function fleetOfStatus(json: string): { readonly view: FleetView; readonly preset: string } {
  let data: unknown;
  try {
    data = JSON.parse(json);
  } catch (cause) {
    throw invalid('STATUS_INVALID', 'status: the file is not JSON', cause);
  }
  const parsed = statusSchema.safeParse(data);
  if (!parsed.success) throw notMet('STATUS_INVALID', 'status', parsed.error);
  const { storeId, preset, volumes } = parsed.data;
  const sealed = volumes.filter((volume) => volume.class !== 'hot' && volume.state === 'sealed');
  const view = fleetOf(
    storeId,
    'c0',
    sealed.map((volume) => {
      const capacity = capacityBytes(PRESETS[preset], volume.codec);
      return {
        id: volume.id,
        generation: volume.generation,
        codec: volume.codec,
        ...(volume.lane === undefined ? {} : { lane: volume.lane }),
        state: 'sealed' as const,
        liveBytes: Math.min(volume.liveBytes, capacity),
        usedBytes: capacity,
        capacityBytes: capacity,
        bucketCount: volume.buckets,
        // A status does not say when a volume was written: all of one age, so that all may be packed together.
        ageMs: 0,
      };
    }),
  );
  return { view, preset };
}

const ARMS: readonly (readonly [name: string, plan: Partial<PlanSettings>])[] = [
  ['L1', { strategies: ['l1'], minFill: 0.001, l3UpTo: 0.0001, l2UpTo: 0.0002 }],
  ['L1 + L2', { strategies: ['l1', 'l2'], sourcesMax: 32, l3UpTo: 0.9 / 32 }],
  ['L1 + L2 + L3', {}],
];
const THRESHOLDS: readonly number[] = [0.05, 0.1, 0.25, 0.5];

export function whatIf(json: string): WhatIf {
  const { view, preset } = fleetOfStatus(json);
  const rows = ARMS.flatMap(([strategies, plan]) =>
    THRESHOLDS.map((threshold) => {
      const planned = planCompaction({ view, settings: planSettingsOf({ finish: true, ...plan }), threshold });
      const sum = (of: (run: (typeof planned.runs)[number]) => number): number =>
        planned.runs.reduce((all, run) => all + of(run), 0);
      return {
        strategies,
        threshold,
        runs: planned.runs.length,
        overheadBefore: planned.before.overhead,
        overheadAfter: planned.after.overhead,
        volumesFreed: planned.before.volumes - planned.after.volumes,
        bytesRead: sum((run) => run.work.bytesRead),
        metadataWrites: sum((run) => run.work.metadataWrites),
        dollars: sum((run) => run.dollars),
        savedDollars: planned.savedDollars,
      };
    }),
  );
  return { store: view.store, preset, volumes: view.count, rows };
}
