// Which remnants could become one bucket. Size-tiered: remnants are merged with those of their own lane, age and
// size, so that a block is rewritten at most once a tier.
import { FLEET_STATES } from '../../facts/fleet.ts';
import type { MergeSettings } from '../../facts/merge-settings.ts';
import type { RemnantView } from '../../facts/remnants.ts';
import type { PlannedMerge } from './merge-plan.ts';

const SEALED = FLEET_STATES.indexOf('sealed');

/** Every merge there could be, the one that writes fewest block rows for each row it saves first. */
export function mergeCandidates(view: RemnantView, settings: MergeSettings): PlannedMerge[] {
  const groups = new Map<string, { readonly alike: Alike; readonly members: number[] }>();
  for (let i = 0; i < view.count; i++) {
    const live = view.liveBytes[i] as number;
    const home = view.volume[i] as number;
    if (view.state[home] !== SEALED || live <= 0 || live > settings.remnantFraction * settings.bucketBytes) continue;
    const alike = { ageClass: view.ageClass[home] as number, tier: tierOf(live, settings) };
    const key = `${view.lane[home]}/${alike.ageClass}/${alike.tier}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { alike, members: [i] });
    else group.members.push(i);
  }
  const merges = [...groups.values()].flatMap(({ alike, members }) => mergesOf(view, settings, alike, members));
  return merges.sort((a, b) => blockRowsPerRow(a) - blockRowsPerRow(b) || (idOf(a) < idOf(b) ? -1 : 1));
}

type Alike = Pick<PlannedMerge, 'ageClass' | 'tier'>;

const idOf = (merge: PlannedMerge): string => merge.sources[0]?.bucket ?? '';
/** Block rows written for each row saved. */
export const blockRowsPerRow = (merge: PlannedMerge): number => merge.blocks / merge.rowsSaved;

/** How often a full bucket has to be divided by the factor to get to this size. */
export function tierOf(liveBytes: number, { bucketBytes, tierFactor }: MergeSettings): number {
  let tier = 0;
  for (let bytes = liveBytes * tierFactor; bytes <= bucketBytes && tier < 63; bytes *= tierFactor) tier += 1;
  return tier;
}

/** Remnants of one lane, age and tier, those of fewest blocks first, as many to a bucket as it holds. */
function mergesOf(
  view: RemnantView,
  settings: MergeSettings,
  alike: Alike,
  members: readonly number[],
): PlannedMerge[] {
  const blocksOf = (i: number): number => view.blocks[i] as number;
  const ordered = [...members].sort((a, b) => blocksOf(a) - blocksOf(b) || a - b);
  const out: PlannedMerge[] = [];
  let taken: number[] = [];
  let liveBytes = 0;
  let blocks = 0;
  const close = (): void => {
    if (taken.length >= settings.sourcesMin) out.push(mergeOf(view, settings, alike, taken, liveBytes, blocks));
    taken = [];
    liveBytes = 0;
    blocks = 0;
  };
  for (const i of ordered) {
    const bytes = view.liveBytes[i] as number;
    if (liveBytes + bytes > settings.bucketBytes || blocks + blocksOf(i) > settings.slotsPerBucketMax) close();
    taken.push(i);
    liveBytes += bytes;
    blocks += blocksOf(i);
  }
  close();
  return out;
}

function mergeOf(
  view: RemnantView,
  settings: MergeSettings,
  { tier, ageClass }: Alike,
  taken: readonly number[],
  liveBytes: number,
  blocks: number,
): PlannedMerge {
  const fill = (liveBytes / settings.bucketBytes).toFixed(3);
  const rowsSaved = taken.length - 1;
  return {
    tier,
    ageClass,
    sources: taken.map((i) => ({
      bucket: view.buckets[i] as string,
      volume: view.volumes[view.volume[i] as number] as string,
      liveBytes: view.liveBytes[i] as number,
      blocks: view.blocks[i] as number,
    })),
    liveBytes,
    blocks,
    rowsSaved,
    reason: {
      code: 'MERGES_REMNANTS',
      text: `${taken.length} remnants of tier ${tier} make a bucket of fill ${fill}; ${blocks} block rows for ${rowsSaved} rows saved`,
    },
  };
}
