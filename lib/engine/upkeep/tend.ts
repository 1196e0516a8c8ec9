// One pass of maintenance, as the stage's schedules do on AWS: encode what is ripe, shred what may be shredded, free what is empty. What
// was done is added to the day's tally.
import { collectGarbage, type GarbageReport } from '../../gc/collect-garbage.ts';
import { type EncodeOptions, type EncodeReport, encodeHot } from '../../live-coder/encode-hot.ts';
import { type FreeReport, freeTrash } from '../../volume/runs/free.ts';
import { addTally } from '../status/tally.ts';
import type { EngineStore } from '../wire/engine-store.ts';
import { rewriteWasteful } from './rewrite-wasteful.ts';

export interface TendReport {
  readonly encode: EncodeReport;
  readonly garbage: GarbageReport;
  readonly free: FreeReport;
}

export async function tend(store: EngineStore, signal?: AbortSignal): Promise<TendReport> {
  const options = signal === undefined ? {} : { signal };
  const encode = await encodeStore(store, options);
  const garbage = await shredStore(store, options);
  const free = await freeTrash(store.volumes);
  return { encode, garbage, free };
}

/** ENCODE, tallied, and what deletes left in volumes too few to be compacted. */
export async function encodeStore(store: EngineStore, options: EncodeOptions = {}): Promise<EncodeReport> {
  const encoded = await encodeHot(store.volumes, options);
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
