// GC where there is little room: a portion after the other, each shipped before the next one.
import {
  type CollectOptions,
  collectGarbage,
  type GarbageReport,
  NOTHING_SHREDDED,
  shreddedTogether,
} from '../../gc/collect-garbage.ts';
import type { Components } from '../../volume/rows/components.ts';
import type { Portions } from '../ship/portions.ts';

export interface PortionedReport extends GarbageReport {
  /** There was no room for more of it. */
  readonly isCut: boolean;
}

export async function collectInPortions(
  components: Components,
  portions: Portions,
  { signal, onProgress = () => {}, ...options }: CollectOptions = {},
): Promise<PortionedReport> {
  let all = NOTHING_SHREDDED;
  while (await portions.begin()) {
    const count = portions.slots();
    const cut = new AbortController();
    const before = all.slots;
    const report = await collectGarbage(components, {
      ...options,
      signal: signal === undefined ? cut.signal : AbortSignal.any([signal, cut.signal]),
      referencesAtOnce: count,
      onProgress: (slots) => {
        onProgress(before + slots);
        if (slots >= count) cut.abort();
      },
    });
    all = shreddedTogether(all, report);
    if (cut.signal.aborted && signal?.aborted !== true) continue;
    await portions.end();
    return { ...all, isCut: false };
  }
  return { ...all, isCut: true };
}
