// Which volumes' survivors L3 keeps together, and in which order it drains: by how fast each volume's own data has been
// dying. What died alike so far dies alike from now on, so it ends up in volumes of its own; and of two volumes equally
// empty the one that has been dying slowly goes first, because the other frees itself. Needs nothing but the snapshot.
import { DAY_MS } from '../../foundation/durations.ts';
import { AGE_CLASSES, FLEET_STATES, type FleetView } from '../facts/fleet.ts';
import { ownRatePerDay, worthRank } from './worth.ts';

const SEALED = FLEET_STATES.indexOf('sealed');
/**
 * Upper ends of the first three classes, as parts of the fleet's mean life; what is left alive lives longer than the
 * mean.
 */
const LIFE_BOUNDS: readonly number[] = [0.25, 0.5, 1];

export class Kin {
  readonly #view: FleetView;
  readonly #fleetPerDay: number;

  constructor(view: FleetView) {
    this.#view = view;
    this.#fleetPerDay = ratePerDayOf(view);
  }

  ratePerDay(i: number): number {
    const { usedBytes, liveBytes, ageMs } = this.#view;
    const days = (ageMs[i] as number) / DAY_MS;
    return ownRatePerDay(usedBytes[i] as number, liveBytes[i] as number, days, this.#fleetPerDay);
  }

  /** How many times as fast as the fleet it dies; 1 while nothing has died. */
  haste(i: number): number {
    return this.#fleetPerDay > 0 ? this.ratePerDay(i) / this.#fleetPerDay : 1;
  }

  /** 0 (dies fastest) .. AGE_CLASSES - 1. */
  classOf(i: number): number {
    const life = this.#fleetPerDay / this.ratePerDay(i);
    let at = 0;
    while (at < AGE_CLASSES - 1 && life > (LIFE_BOUNDS[at] as number)) at++;
    return at;
  }

  /** Higher is drained first. */
  rank(i: number): number {
    const { liveBytes, capacityBytes } = this.#view;
    return worthRank((liveBytes[i] as number) / (capacityBytes[i] as number), this.ratePerDay(i));
  }
}

/** Deaths over exposure, of all sealed volumes. */
function ratePerDayOf(view: FleetView): number {
  let died = 0;
  let exposed = 0;
  for (let i = 0; i < view.count; i++) {
    if (view.state[i] !== SEALED) continue;
    const used = view.usedBytes[i] as number;
    const live = view.liveBytes[i] as number;
    died += used - live;
    exposed += (((used + live) / 2) * (view.ageMs[i] as number)) / DAY_MS;
  }
  return exposed > 0 ? died / exposed : 0;
}
