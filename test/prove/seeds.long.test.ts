// Some seeds of every profile, a test each: what the mutation runner (test/mutation) finds of the simulation. `npm run prove` runs as many as are wanted.
import { describe, expect, it } from 'vitest';
import { PROFILES } from './faults/profile.ts';
import { planOf } from './plan/plan.ts';
import { runPlan } from './run/run-plan.ts';

/** A profile's seeds begin here: those below are other tests'. */
const FIRST = 20_001;
const SEEDS: Readonly<Record<string, number>> = { swarm: 60 };
const SEEDS_ELSE = 10;
/** What it finds is listed in docs/testing.md, and not mended yet. */
const LEFT_OUT = ['rebuild'];

describe.each(PROFILES.filter(({ name }) => !LEFT_OUT.includes(name)))('$name', (profile) => {
  const seeds = Array.from({ length: SEEDS[profile.name] ?? SEEDS_ELSE }, (_, i) => FIRST + i);
  it.each(seeds)('seed %i finds nothing wrong', async (seed) => {
    const { failure } = await runPlan(planOf(seed, profile));
    expect(failure, `npm run prove -- --seed ${seed} --seeds 1 --profile ${profile.name}`).toBeUndefined();
  });
});
