// Plan files: edited, stale, foreign or nonsensical ones are refused, with what is wrong.
import { describe, expect, it } from 'vitest';
import { type FleetVolume, fleetOf } from '../../lib/compaction/facts/fleet.ts';
import { planSettingsOf } from '../../lib/compaction/facts/plan-settings.ts';
import { type CompactionPlan, type PlannedRun, parsePlan, planJson, planOf } from '../../lib/compaction/plan/plan.ts';
import { checkPlan, requirePlan } from '../../lib/compaction/plan/plan-check.ts';
import { planCompaction } from '../../lib/compaction/plan/planner.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { shapedFills, volumeOf } from './fleets.ts';

const volumes = [...shapedFills(new SeededRandomness(2), 'incident', 200)].map((fill, n) => volumeOf(n + 1, fill));
const view = fleetOf('store', 'c0', volumes);
const plan = planCompaction({ view, settings: planSettingsOf({ topOffs: 'always' }), threshold: 0.1 });
const packed = plan.runs.find((run) => run.strategy === 'l2') as PlannedRun;
const victim = packed.sources[0]?.volume as string;

const refused = (json: string, code: string, message: RegExp): void => {
  expect(() => parsePlan(json)).toThrowError(expect.objectContaining({ kind: 'invalid', code }));
  expect(() => parsePlan(json)).toThrow(message);
};

/** The fleet with one volume changed, or gone. */
const changed = (id: string, changes: Partial<FleetVolume> | null) =>
  fleetOf(
    'store',
    'c0',
    volumes.flatMap((v) => (v.id !== id ? [v] : changes === null ? [] : [{ ...v, ...changes }])),
  );

/** The plan with one run changed and signed again, as only a bug or a forger would. */
function forged(change: (run: PlannedRun) => PlannedRun): CompactionPlan {
  const { digest: _, ...body } = plan;
  return planOf({ ...body, runs: body.runs.map((run) => (run.name === packed.name ? change(run) : run)) });
}

describe('a plan file', () => {
  it('is the same plan whatever its indentation or order of fields, and frozen', () => {
    const shuffledFields = JSON.stringify(Object.fromEntries(Object.entries(plan).reverse()), null, 2);
    expect(planJson(parsePlan(shuffledFields))).toBe(planJson(plan));
    expect(Object.isFrozen(parsePlan(planJson(plan)).runs[0]?.sources)).toBe(true);
  });

  it('edited by hand, of another version, or no plan at all is refused', () => {
    const json = planJson(plan);
    refused(json.replace(/"takeBytes":\d/, '"takeBytes":9'), 'PLAN_EDITED', /changed after it was made/);
    refused(
      json.replace('"version":4', '"version":3'),
      'PLAN_VERSION',
      /version 3, this release applies version 4 only: make a new plan/,
    );
    refused(json.slice(0, -20), 'PLAN_INVALID', /not JSON/);
    refused('{}', 'PLAN_INVALID', /version/);
    refused('null', 'PLAN_INVALID', /plan/);
    refused(json.replace(/"strategy":"l2"/, '"strategy":"l9"'), 'PLAN_INVALID', /strategy/);
    refused(json.replace('{"version"', '{"extra":1,"version"'), 'PLAN_INVALID', /extra/);
  });
});

describe('the checker', () => {
  it('passes the plan on its own snapshot, and after deletes', () => {
    expect(checkPlan(view, plan)).toEqual([]);
    const before = volumes.find((v) => v.id === victim) as FleetVolume;
    expect(checkPlan(changed(victim, { liveBytes: before.liveBytes - 1000, bucketCount: 1 }), plan)).toEqual([]);
  });

  it('says what changed: gone, open, leased, rewritten, grown', () => {
    const kinds = (changes: Partial<FleetVolume> | null) =>
      checkPlan(changed(victim, changes), plan).map((p) => p.kind);
    expect(kinds(null)).toEqual(['unknown']);
    expect(kinds({ state: 'open' })).toEqual(['state']);
    expect(kinds({ state: 'leased' })).toEqual(['state']);
    expect(kinds({ generation: 2 })).toEqual(['changed']);
    expect(kinds({ liveBytes: packed.capacityBytes })).toEqual(['changed']);
    expect(kinds({ bucketCount: 200 })).toEqual(['changed']);
    const stale = changed(victim, { state: 'leased' });
    expect(() => requirePlan(stale, plan)).toThrowError(
      expect.objectContaining({ kind: 'conflict', code: 'PLAN_STALE', message: expect.stringContaining(victim) }),
    );
  });

  it('refuses a plan for another store or cell', () => {
    const foreign = fleetOf('store', 'c1', volumes);
    expect(() => requirePlan(foreign, plan)).toThrowError(expect.objectContaining({ code: 'PLAN_FOREIGN' }));
  });

  it('finds what does not add up, even under a good signature', () => {
    const kinds = (change: (run: PlannedRun) => PlannedRun) =>
      new Set(checkPlan(view, forged(change)).map((problem) => problem.kind));
    const first = packed.sources[0] as PlannedRun['sources'][number];
    expect(kinds((run) => ({ ...run, sources: [...run.sources, first] })).has('twice')).toBe(true);
    expect(kinds((run) => ({ ...run, newVolumes: run.newVolumes - 1 })).has('overfull')).toBe(true);
    expect(kinds((run) => ({ ...run, strategy: 'l3' })).has('range')).toBe(true);
    expect(kinds((run) => ({ ...run, freedVolumes: run.freedVolumes + 1 })).has('sums')).toBe(true);
    const halved = { ...first, takeBytes: first.takeBytes / 2 };
    expect(kinds((run) => ({ ...run, sources: [halved, ...run.sources.slice(1)] })).has('sums')).toBe(true);
    const host = plan.runs.find((run) => run.host !== null)?.host ?? null;
    expect(kinds((run) => ({ ...run, host })).has('range')).toBe(true);
    expect(() =>
      requirePlan(
        view,
        forged((run) => ({ ...run, strategy: 'l3' })),
      ),
    ).toThrowError(expect.objectContaining({ kind: 'invalid', code: 'PLAN_WRONG' }));
  });
});

describe('a snapshot', () => {
  it('refuses volumes whose figures cannot be, and a volume listed twice', () => {
    const code = expect.objectContaining({ kind: 'invalid', code: 'FLEET_INVALID' });
    const of = (changes: Partial<FleetVolume>) => () => fleetOf('s', 'c0', [volumeOf(1, 0.5, changes)]);
    expect(of({ liveBytes: -1 })).toThrowError(code);
    expect(of({ usedBytes: 5 })).toThrowError(code);
    expect(of({ liveBytes: Number.NaN })).toThrowError(code);
    expect(() => fleetOf('s', 'c0', [volumeOf(1, 0.5), volumeOf(1, 0.4)])).toThrowError(code);
    expect(of({ ageMs: -5 })().ageMs[0]).toBe(0);
  });

  it('an empty fleet has an empty plan', () => {
    const empty = planCompaction({ view: fleetOf('s', 'c0', []), settings: planSettingsOf(), threshold: 0.1 });
    expect(empty.runs).toEqual([]);
    expect(empty.after.overhead).toBe(1);
  });
});
