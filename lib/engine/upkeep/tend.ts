// The steps of maintenance, as the stage's schedules do them on AWS: encode what is ripe, shred what may be shredded.
// What was done is added to the day's tally.
import { writersHeld } from '../../compaction/move/l3/hold.ts';
import type { Reason } from '../../foundation/reason.ts';
import { collectGarbage, type GarbageReport } from '../../gc/collect-garbage.ts';
import { type EncodeOptions, type EncodeReport, encodeHot } from '../../live-coder/encode-hot.ts';
import { addTally } from '../status/tally.ts';
import type { EngineStore } from '../wire/engine-store.ts';
import { rewriteWasteful } from './rewrite-wasteful.ts';

/** ENCODE, tallied, and what deletes left in volumes too few to be compacted. */
export async function encodeStore(store: EngineStore, options: EncodeOptions = {}): Promise<EncodeReport> {
  const heldBy = (): Promise<Reason | undefined> => writersHeld(store.components, store.queue);
  const encoded = await encodeHot(store.volumes, { ...options, heldBy });
  const { force = false, signal } = options;
  const rewritten = await rewriteWasteful(store.volumes, { force, ...(signal === undefined ? {} : { signal }) });
  const report = { ...encoded, stalled: encoded.stalled ?? rewritten.stalled };
  await addTally(store.components, {
    encodedBytes: report.recordBytes,
    encodedStoredBytes: report.storedBytes,
    encodedGroups: report.groups,
    encodedVolumes: report.sources,
  });
  return report;
}

/** GC, tallied. */
export async function shredStore(
  store: EngineStore,
  options: NonNullable<Parameters<typeof collectGarbage>[1]> = {},
): Promise<GarbageReport> {
  const report = await collectGarbage(store.components, options);
  await addTally(store.components, { shreddedBytes: report.recordBytes });
  return report;
}
