// What L3 keeps together and drains first: judged by how fast each volume's own data has been dying.

import { describe, expect, it } from 'vitest';
import { fleetOf } from '../../lib/compaction/facts/fleet.ts';
import { planSettingsOf } from '../../lib/compaction/facts/plan-settings.ts';
import { Kin } from '../../lib/compaction/plan/kin.ts';
import { planCompaction } from '../../lib/compaction/plan/planner.ts';
import { DAY_MS } from '../../lib/foundation/durations.ts';
import { CAPACITY, volumeOf } from './fleets.ts';

const kinOf = (...volumes: readonly { fill: number; days: number; used?: number }[]): Kin =>
  new Kin(
    fleetOf(
      's',
      'c0',
      volumes.map(({ fill, days, used = 1 }, n) =>
        volumeOf(n + 1, fill, { ageMs: days * DAY_MS, usedBytes: Math.round(used * CAPACITY) }),
      ),
    ),
  );

describe('kin', () => {
  it('drains the sparser of two volumes of one age first, and an empty one before all', () => {
    const kin = kinOf({ fill: 0.5, days: 30 }, { fill: 0.3, days: 30 }, { fill: 0, days: 30 });
    expect(kin.rank(1)).toBeGreaterThan(kin.rank(0));
    expect(kin.rank(2)).toBe(Number.POSITIVE_INFINITY);
  });

  it('of two equally empty ones drains first the one that has been dying slowly, and classes them apart', () => {
    const kin = kinOf({ fill: 0.6, days: 5 }, { fill: 0.6, days: 200 });
    expect(kin.rank(1)).toBeGreaterThan(10 * kin.rank(0));
    expect(kin.classOf(1)).toBeGreaterThan(kin.classOf(0));
  });

  it('a volume sealed thin has not died: it counts as long-lived, yet waits for one that is really sparse', () => {
    const kin = kinOf({ fill: 0.6, days: 3, used: 0.6 }, { fill: 0.05, days: 60 }, { fill: 0.9, days: 30 });
    expect(kin.classOf(0)).toBe(3);
    expect(kin.rank(1)).toBeGreaterThan(kin.rank(0));
  });

  it('runs of L3 hold one class each', () => {
    const volumes = Array.from({ length: 60 }, (_, n) =>
      volumeOf(n + 1, 0.5 + n / 200, { ageMs: (n % 2 === 0 ? 4 : 160) * DAY_MS }),
    );
    const view = fleetOf('s', 'c0', volumes);
    const settings = planSettingsOf({ strategies: ['l3'], l3UpTo: 0.9, l2UpTo: 0.95 });
    const { runs } = planCompaction({ view, settings, threshold: 0.1 });
    expect(runs.length).toBeGreaterThan(2);
    const isOld = (id: string): boolean => Number.parseInt(id, 16) % 2 === 0;
    for (const run of runs) expect(new Set(run.sources.map((source) => isOld(source.volume))).size).toBe(1);
    // The slowly dying ones first, although the others are as sparse.
    expect(isOld(runs[0]?.sources[0]?.volume ?? '')).toBe(true);
  });
});
