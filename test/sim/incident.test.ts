import { describe, expect, it } from 'vitest';
import { runIncident, stageIncident } from '../../lib/sim/incident/run.ts';
import { type ArmResult, INCIDENT } from '../../lib/sim/incident/settings.ts';

const SMALL = { ...INCIDENT, liveVolumes: 300, size: 0.5, burnInDays: 40, rampDays: 20, days: 14, plansPerDay: 1 };

describe('the incident', () => {
  const stage = stageIncident(SMALL);
  const result = runIncident({ ...SMALL, byteBudget: 2 }, ['l1', 'all', 'all-static'], stage);
  const [l1, all] = result.arms as [ArmResult, ArmResult];

  it('lifts the overhead of a fleet that was steady under L1', () => {
    expect(result.baseline.overhead).toBeLessThan(1.25);
    expect(result.detected.overhead).toBeGreaterThan(result.baseline.overhead + 0.05);
  });

  it('is mended quicker by all strategies than by L1 alone on the same budgets', () => {
    expect(all.day7).toBeLessThan(l1.day7 - 0.01);
    expect(all.excessRatio).toBeLessThan(1);
    expect(l1.excessRatio).toBe(1);
  });

  it('has L1 reclaim less than a volume per run, as published', () => {
    expect(l1.l1VolumesPerRun).toBeGreaterThan(0);
    expect(l1.l1VolumesPerRun).toBeLessThan(1);
  });

  it('keeps every arm within the budgets all of them have', () => {
    const bytes = result.baseline.bytesPerDay * 2 * SMALL.days;
    const writes = result.baseline.metadataPerDay * SMALL.metadataBudget * SMALL.days;
    for (const { samples } of result.arms) {
      expect(samples.at(-1)?.bytes).toBeLessThanOrEqual(bytes);
      expect(samples.at(-1)?.metadataWrites).toBeLessThanOrEqual(writes);
    }
  });

  it('gives the same bytes for the same seed', () => {
    const again = runIncident({ ...SMALL, byteBudget: 2 }, ['l1', 'all', 'all-static'], stageIncident(SMALL));
    expect(JSON.stringify(again)).toBe(JSON.stringify(result));
  });
});
