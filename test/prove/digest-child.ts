// Run by prove.test.ts in a process of its own: the digests of seeds.
import { PROFILES, type Profile } from './faults/profile.ts';
import { planOf } from './plan/plan.ts';
import { runPlan } from './run/run-plan.ts';

const swarm = PROFILES.find(({ name }) => name === 'swarm') as Profile;
for (const seed of process.argv.slice(2).map(Number))
  console.log(`${seed} ${(await runPlan(planOf(seed, swarm))).digest}`);
