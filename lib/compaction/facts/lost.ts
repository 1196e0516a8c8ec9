// What a volume that streams has lost: headers, directories and records that left its columns uneven have not died.
import { DATA_SHARE_MIN, FLEET_CODECS_MAX } from '../../limits/compaction.ts';
import { FLEET_STATES, type FleetView } from './fleet.ts';
import { fullestFill, type PlanSettings } from './plan-settings.ts';

const OPEN = FLEET_STATES.indexOf('open');

/**
 * By index: whether a rewritten volume would hold more than it does: of what was written into it the threshold's part
 * has died, and its columns, as uneven as they came out, have room for as much. Or else volumes that came out thin,
 * because their records are short or uneven, would be rewritten for ever. What headers take has not died. Two that are
 * half full fill one in any case.
 */
export function lostIn(view: FleetView, settings: PlanSettings, threshold: number): (i: number) => boolean {
  const soundShares = soundSharesOf(view);
  return (i) => {
    const live = view.liveBytes[i] as number;
    const full = (view.capacityBytes[i] as number) * fullestFill(settings);
    if (live <= full / 2) return true;
    const holds = Math.min(full, live + (view.roomBytes[i] as number));
    const written = (view.usedBytes[i] as number) * (soundShares[view.codec[i] as number] as number);
    return live <= (1 - threshold) * Math.min(holds, written);
  };
}

/**
 * By codec: the most, of what a volume has used, that is data in any of them, while some are being written. Where much
 * has died in all of them, or nothing is written, nobody can tell headers from what has died: all of it counts as data.
 */
function soundSharesOf({ count, codec, state, liveBytes, usedBytes }: FleetView): Float64Array {
  const shares = new Float64Array(FLEET_CODECS_MAX);
  const isWritten = new Uint8Array(FLEET_CODECS_MAX);
  for (let i = 0; i < count; i++) {
    const used = usedBytes[i] as number;
    if (used === 0) continue;
    const wire = codec[i] as number;
    shares[wire] = Math.max(shares[wire] as number, Math.min(1, (liveBytes[i] as number) / used));
    if (state[i] === OPEN) isWritten[wire] = 1;
  }
  return shares.map((share, wire) => (isWritten[wire] === 1 && share >= DATA_SHARE_MIN ? share : 1));
}
