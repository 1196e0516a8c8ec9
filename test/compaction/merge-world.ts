// Small stores whose buckets are thinned out, for tests of merging.
import { compact } from '../../lib/compaction/do/rounds.ts';
import type { MergeSettings } from '../../lib/compaction/facts/merge-settings.ts';
import { collectGarbage } from '../../lib/gc/collect-garbage.ts';
import type { Settings } from '../../lib/settings/settings.ts';
import type { Model } from '../store/crash.ts';
import type { Process, World } from '../store/harness.ts';
import { batchesOf, deleteFiles, SMALL, sealedWorld } from './acting-world.ts';

/** Merges whatever can be merged. */
export const MERGING: Partial<MergeSettings> = { rowsPerGibMax: 1, remnantFraction: 0.5, tierFactor: 2, sourcesMin: 2 };

export const MERGE_ONLY = {
  merge: true,
  merging: MERGING,
  // Nothing for the others: no volume is that full or that empty.
  settings: { strategies: ['l1' as const], l3UpTo: 0.002, l2UpTo: 0.003, l1UpTo: 0.003, minFill: 0.02 },
};

/** Sealed volumes in which one file of `keep` is left, spread over all buckets. */
export async function thinnedWorld(options: {
  readonly volumes: number;
  readonly filesEach: number;
  readonly keep: number;
  readonly seed?: number;
  readonly settings?: Settings;
}): Promise<{ world: World; model: Model; p: Process }> {
  const settings = options.settings ?? { ...SMALL, openVolumes: 8 };
  const made = await sealedWorld({
    ...options,
    settings,
    bytesMax: 700,
    deletedEach: () => 0,
    seed: options.seed ?? 21,
  });
  const doomed = [...made.model.there.keys()].filter((_, i) => i % options.keep !== 0);
  await deleteFiles(made.p, made.model, doomed);
  await collectGarbage(made.p.components);
  return made;
}

export const mergeAll = (p: Process) => compact(batchesOf(p), MERGE_ONLY);
