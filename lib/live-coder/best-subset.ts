// A choice of sizes whose sum comes near a limit from below: in order of arrival first, then single exchanges that fill
// more. Not always the best there is, but within a fraction of the smallest difference between two sizes, and fast.
import { EXCHANGES_MAX } from '../limits/compaction.ts';

/** Indexes, ascending; at most `countMax` of them. */
export function bestSubset(sizes: readonly number[], limit: number, countMax: number): number[] {
  const inside: number[] = [];
  const outside: number[] = [];
  let free = limit;
  for (const [i, size] of sizes.entries()) {
    if (size <= free && inside.length < countMax) {
      inside.push(i);
      free -= size;
    } else outside.push(i);
  }
  for (let exchanges = 0; exchanges < EXCHANGES_MAX && free > 0; exchanges++) {
    const best = bestExchange(sizes, inside, outside, free);
    if (best === undefined) break;
    const out = inside[best.at] as number;
    const come = outside[best.from] as number;
    inside[best.at] = come;
    outside[best.from] = out;
    free -= best.gain;
  }
  return inside.sort((a, b) => a - b);
}

/** The one exchange that gains most without going over. */
function bestExchange(
  sizes: readonly number[],
  inside: readonly number[],
  outside: readonly number[],
  free: number,
): { at: number; from: number; gain: number } | undefined {
  let best: { at: number; from: number; gain: number } | undefined;
  for (const [at, out] of inside.entries()) {
    for (const [from, come] of outside.entries()) {
      const gain = (sizes[come] as number) - (sizes[out] as number);
      if (gain > (best?.gain ?? 0) && gain <= free) best = { at, from, gain };
    }
  }
  return best;
}
