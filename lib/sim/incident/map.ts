// The map of the incident: which settings reach the published figures.
import { type OnProgress, runIncident, stageIncident } from './run.ts';
import type { Arm, IncidentSettings } from './settings.ts';

/** Where in the published bands a setting falls: 30 to 50 % lower excess after a week; two to three times faster. */
export const isLower = ({ excessRatio }: MapPoint): boolean => excessRatio >= 0.5 && excessRatio <= 0.7;
export const isQuicker = ({ speed }: MapPoint): boolean => speed !== null && speed >= 2 && speed <= 3;

export interface MapPoint {
  readonly arm: Arm;
  readonly size: number;
  readonly byteBudget: number;
  readonly l2Share: number;
  readonly excessRatio: number;
  readonly excessOverBaselineRatio: number;
  readonly speed: number | null;
}

const MAP_SIZES: readonly number[] = [0.1, 0.3, 0.5, 0.8, 1, 1.2, 1.4];
const MAP_BUDGETS: readonly number[] = [1, 1.25, 1.5, 1.75, 2, 2.25];
const MAP_SHARES: readonly number[] = [0.05, 0.3, 0.8];

/** The region of settings: L1 + L2, k -> 1 as published and k -> m, against L1 only after a week. */
export function mapIncident(s: IncidentSettings, onProgress: OnProgress = () => {}): MapPoint[] {
  return MAP_SIZES.flatMap((size, at) => {
    return MAP_BUDGETS.flatMap((byteBudget, b) => {
      // L1 has the same budgets during the roll-out as afterwards.
      const stage = stageIncident({ ...s, size, byteBudget });
      onProgress((at + b / MAP_BUDGETS.length) / MAP_SIZES.length, `map, incident of ${size}`);
      return MAP_SHARES.flatMap((l2Share) => {
        const { arms } = runIncident({ ...s, size, byteBudget, l2Share, days: 7 }, ['l1', 'l2-one', 'l2-many'], stage);
        return arms.slice(1).map(({ arm, excessRatio, excessOverBaselineRatio, speed }) => {
          return { arm, size, byteBudget, l2Share, excessRatio, excessOverBaselineRatio, speed };
        });
      });
    });
  });
}
