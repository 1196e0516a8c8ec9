// One pass of maintenance, as the stage's schedules do on AWS: encode what is ripe, shred what may be shredded, free what is empty.
import { collectGarbage, type GarbageReport } from '../gc/collect-garbage.ts';
import { type EncodeReport, encodeHot } from '../live-coder/encode-hot.ts';
import { type FreeReport, freeTrash } from '../volume/free.ts';
import type { EmbeddedStore } from './embedded.ts';

export interface TendReport {
  readonly encode: EncodeReport;
  readonly garbage: GarbageReport;
  readonly free: FreeReport;
}

export async function tend(store: EmbeddedStore, signal?: AbortSignal): Promise<TendReport> {
  const options = signal === undefined ? {} : { signal };
  const encode = await encodeHot(store.volumes, options);
  const garbage = await collectGarbage(store.components, options);
  const free = await freeTrash(store.volumes);
  return { encode, garbage, free };
}
