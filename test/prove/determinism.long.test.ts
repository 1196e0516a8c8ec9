// A seed of the simulation is one run, whatever ran before it and in whichever process.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { codecOf } from '../../lib/codec/codecs.ts';
import { PROFILES, type Profile } from './faults/profile.ts';
import { planOf } from './plan/plan.ts';
import { columnBytesInUse, RunColumns } from './ports/run-columns.ts';
import { runPlan } from './run/run-plan.ts';

const SWARM = PROFILES.find(({ name }) => name === 'swarm') as Profile;
const SEEDS = [3, 8];

describe('a seed', () => {
  it('is the same run again, in this process and in another, which ran others before', async () => {
    const digests = async (seeds: readonly number[]) => {
      const found = new Map<number, string>();
      for (const seed of seeds) found.set(seed, (await runPlan(planOf(seed, SWARM))).digest);
      return SEEDS.map((seed) => `${seed} ${found.get(seed)}`);
    };
    const here = await digests(SEEDS);
    expect(await digests([5, ...SEEDS.toReversed()])).toEqual(here);
    const child = fileURLToPath(new URL('digest-child.ts', import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, ['--no-warnings', child, ...SEEDS.map(String)]);
    expect(stdout.trim().split('\n')).toEqual(here);
  });

  it('leaves nothing to those after it: it is the same first and after ten others, and gives back what its dead held', async () => {
    const digest = async (seed: number): Promise<string> => (await runPlan(planOf(seed, SWARM))).digest;
    const first = await digest(108);
    for (let seed = 110; seed < 120; seed++) await digest(seed);
    expect(await digest(108)).toBe(first);
    expect(columnBytesInUse()).toBe(0);
    const dies = new RunColumns();
    dies.allocate(codecOf('xor-2-1'), 1000);
    expect(columnBytesInUse()).toBeGreaterThan(0);
    dies.end();
    expect(columnBytesInUse()).toBe(0);
  });
});
