// What rounding to whole cells loses, exact swaps win back: one or two sources of a chosen set are exchanged for as
// many candidates that fill the destinations better and still fit. Exact sums, no finer table.
import { PAIR_ROUNDS_MAX } from '../../limits/compaction.ts';

/** A room this small (in capacities) is left alone. */
const ROOM_MIN = 1e-4;
/** Exchanging pairs is dearer: it is tried only for a room worth a thousandth of a volume. */
const PAIR_ROOM_MIN = 1e-3;
const EPSILON = 1e-12;

interface Exchange {
  gain: number;
  out: readonly number[];
  in: readonly number[];
}

/**
 * The chosen set, or a fuller one of as many sources. `fills` ascend; `chosen` and the result are ascending indexes.
 */
export function improveBySwaps(
  fills: Float64Array,
  count: number,
  chosen: readonly number[],
  destinations: number,
): readonly number[] {
  const set = [...chosen];
  const used = new Uint8Array(count);
  for (const i of set) used[i] = 1;
  let room = destinations - sumOf(fills, set);
  let pairs = 0;
  while (room > ROOM_MIN) {
    let best = bestSingle(fills, count, set, used, room);
    if (best.gain <= EPSILON && room > PAIR_ROOM_MIN && pairs++ < PAIR_ROUNDS_MAX)
      best = bestPair(fills, count, set, used, room);
    if (best.gain <= EPSILON) break;
    for (const [n, at] of best.out.entries()) {
      used[set[at] as number] = 0;
      set[at] = best.in[n] as number;
      used[best.in[n] as number] = 1;
    }
    room -= best.gain;
  }
  return set.sort((a, b) => a - b);
}

/** For each source the fullest unused candidate that fits in its place. */
function bestSingle(fills: Float64Array, count: number, set: number[], used: Uint8Array, room: number): Exchange {
  let gain = 0;
  let out = -1;
  let by = -1;
  for (let s = 0; s < set.length; s++) {
    const from = fills[set[s] as number] as number;
    for (let i = (set[s] as number) + 1; i < count && (fills[i] as number) <= from + room; i++) {
      if (used[i] === 1 || (fills[i] as number) - from <= gain) continue;
      gain = (fills[i] as number) - from;
      out = s;
      by = i;
    }
  }
  return { gain, out: [out], in: [by] };
}

/** For each pair of sources the fullest pair of unused candidates that fits: two pointers over the ascending fills. */
function bestPair(fills: Float64Array, count: number, set: number[], used: Uint8Array, room: number): Exchange {
  let best: Exchange = { gain: 0, out: [], in: [] };
  for (let s = 0; s < set.length; s++) {
    for (let t = s + 1; t < set.length; t++) {
      const from = (fills[set[s] as number] as number) + (fills[set[t] as number] as number);
      let i = 0;
      let j = count - 1;
      while (i < j) {
        const gain = (fills[i] as number) + (fills[j] as number) - from;
        if (used[i] === 1) i++;
        else if (used[j] === 1 || gain > room) j--;
        else {
          if (gain > best.gain) best = { gain, out: [s, t], in: [i, j] };
          i++;
        }
      }
    }
  }
  return best;
}

export function sumOf(fills: Float64Array, chosen: readonly number[]): number {
  let sum = 0;
  for (const i of chosen) sum += fills[i] as number;
  return sum;
}
