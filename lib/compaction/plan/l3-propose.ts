// L3's planning: the volumes most worth draining first, in batches that the budgets carry. Their live bytes stream into
// open volumes of their class, which are sealed only when full, so a batch fills a fraction of a volume and needs no
// packing.

import type { Reason } from '../../foundation/reason.ts';
import { fullestFill } from '../facts/plan-settings.ts';
import type { Group } from './groups.ts';
import { Kin } from './kin.ts';
import { type Context, type Draft, draftOf, type Proposer } from './proposals.ts';

export class DrainProposer implements Proposer {
  readonly strategy = 'l3' as const;
  readonly groups: readonly Group[];
  readonly #context: Context;
  /** Next place to drain, per group. */
  readonly #next: number[];
  readonly #rank: (i: number) => number;
  #runs = 0;

  constructor(context: Context, groups: readonly Group[]) {
    this.#context = context;
    this.groups = groups;
    this.#next = groups.map(() => 0);
    const { view, settings } = context;
    const kin = settings.drainOrder === 'worth' && groups.length > 1 ? new Kin(view) : undefined;
    this.#rank = (i) => kin?.rank(i) ?? -(view.liveBytes[i] as number) / (view.capacityBytes[i] as number);
  }

  propose(fits: (draft: Draft) => boolean, wantedBytes: number): Draft | undefined {
    if (this.#runs >= this.#context.settings.runsMax) return undefined;
    const at = this.#bestGroup();
    if (at < 0) return undefined;
    const group = this.groups[at] as Group;
    const from = this.#next[at] as number;
    // A batch that the budgets do not carry is halved until one volume is too much.
    for (let size = this.#batch(group, from, wantedBytes); size >= 1; size = Math.floor(size / 2)) {
      const draft = this.#draft(group, from, size);
      if (!fits(draft)) continue;
      group.used.fill(1, from, from + size);
      this.#next[at] = from + size;
      this.#runs++;
      return draft;
    }
    return undefined;
  }

  readonly leftover = (): 'budget' | 'later' => (this.#runs >= this.#context.settings.runsMax ? 'later' : 'budget');

  #bestGroup(): number {
    let best = -1;
    let bestRank = Number.NEGATIVE_INFINITY;
    for (let g = 0; g < this.groups.length; g++) {
      const group = this.groups[g] as Group;
      const place = this.#next[g] as number;
      if (place >= group.order.length) continue;
      const rank = this.#rank(group.order[place] as number);
      if (rank > bestRank) {
        best = g;
        bestRank = rank;
      }
    }
    return best;
  }

  /** As many as a batch may hold, one destination takes, and it takes to free what is wanted. */
  #batch(group: Group, from: number, wantedBytes: number): number {
    const { drainBatchMax, bucketsPerVolumeMax } = this.#context.settings;
    let filled = 0;
    let buckets = 0;
    let size = 0;
    const full = fullestFill(this.#context.settings);
    const isEnough = (): boolean => (size - filled / full) * group.capacityBytes >= wantedBytes;
    while (size < drainBatchMax && from + size < group.order.length && !isEnough()) {
      filled += group.fills[from + size] as number;
      buckets += this.#context.view.bucketCount[group.order[from + size] as number] as number;
      if (size > 0 && (filled > 1 || buckets > bucketsPerVolumeMax)) break;
      size++;
    }
    return size;
  }

  #draft(group: Group, from: number, size: number): Draft {
    const { view, settings } = this.#context;
    const sources = [...group.order.subarray(from, from + size)];
    let live = 0;
    let buckets = 0;
    for (const i of sources) {
      live += view.liveBytes[i] as number;
      buckets += view.bucketCount[i] as number;
    }
    const byBytes = live / (group.capacityBytes * fullestFill(settings));
    // A volume is full at so many buckets, however short they are: then merging remnants would pay first.
    const byBuckets = live > 0 ? buckets / settings.bucketsPerVolumeMax : 0;
    const newVolumes = Math.max(byBytes, byBuckets);
    const text = `merging the ${buckets} bucket remnants first would fill ${byBytes.toFixed(3)} volumes instead of ${byBuckets.toFixed(3)}`;
    const better: Reason | null = byBuckets > 2 * byBytes ? { code: 'MERGING_FILLS_FEWER', text } : null;
    return draftOf(this.#context, { strategy: 'l3', group, host: null, sources, newVolumes }, better);
  }
}
