// How fast each age class dies, from two snapshots: live bytes lost over live bytes exposed. No state per block is
// needed.
import { DAY_MS } from '../../foundation/durations.ts';
import { AGE_CLASSES, type FleetView } from './fleet.ts';

/**
 * Deletes per live byte and day by age class, over the volumes sealed in both snapshots and not rewritten in between. A
 * class with less exposure than `volumesMin` full volumes and a day keeps the rate in `otherwise`.
 */
export function deleteRatesOf(
  before: FleetView,
  after: FleetView,
  elapsedMs: number,
  otherwise: readonly number[],
  volumesMin = 10,
): number[] {
  const lost = new Float64Array(AGE_CLASSES);
  const exposed = new Float64Array(AGE_CLASSES);
  const needed = new Float64Array(AGE_CLASSES);
  const days = elapsedMs / DAY_MS;
  for (let i = 0, j = 0; i < before.count && j < after.count; ) {
    const a = before.ids[i] as string;
    const b = after.ids[j] as string;
    if (a < b) i++;
    else if (b < a) j++;
    else {
      const age = before.ageClass[i] as number;
      const was = before.liveBytes[i] as number;
      const is = after.liveBytes[j] as number;
      if (before.generation[i] === after.generation[j] && before.state[i] === after.state[j] && is <= was) {
        lost[age] = (lost[age] as number) + was - is;
        exposed[age] = (exposed[age] as number) + was * days;
        needed[age] = Math.max(needed[age] as number, volumesMin * (before.capacityBytes[i] as number));
      }
      i++;
      j++;
    }
  }
  return Array.from({ length: AGE_CLASSES }, (_, age) => {
    const enough = days > 0 && (exposed[age] as number) > 0 && (exposed[age] as number) >= (needed[age] as number);
    return enough ? (lost[age] as number) / (exposed[age] as number) : (otherwise[age] as number);
  });
}
