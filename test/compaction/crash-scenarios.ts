// The compaction runs that crash tests interrupt: small, so that every port call can be tried.
import { expect } from 'vitest';
import { type CompactOptions, compact } from '../../lib/compaction/compact.ts';
import { Crash, scriptedPlan } from '../../lib/foundation/faults.ts';
import { MemoryStream } from '../../lib/stream/memory-stream.ts';
import type { Scenario } from '../store/crash.ts';
import type { Process } from '../store/harness.ts';
import { actorsOf, sealedWorld } from './acting-world.ts';

const L2 = { settings: { strategies: ['l2' as const], minFill: 0.1, l3UpTo: 0.01, finish: true } };
const L1 = { settings: { strategies: ['l1' as const], minFill: 0.02, l3UpTo: 0.002, l2UpTo: 0.003 } };
const TWO = { volumes: 2, filesEach: 10, deletedEach: () => 5, bytesMax: 1400 };
const L3 = { settings: { strategies: ['l3' as const], minFill: 0.2, l3UpTo: 0.5, l2UpTo: 0.6 } };

/** Leaves a journal, its leases, and one group moved. */
async function diesWhileCopying({ world }: Awaited<ReturnType<typeof sealedWorld>>): Promise<void> {
  let moves = 0;
  const plan = scriptedPlan((_, detail) => (detail.includes('put group/') && ++moves === 1 ? 'before' : 'none'));
  await expect(compact(actorsOf(world.start({ plan })), L2)).rejects.toBeInstanceOf(Crash);
  world.start({ othersDead: true });
}

/** Did in the calm run what it is for: else nothing was tested. */
async function compacts(p: Process, options: CompactOptions, calm: { tried: boolean }): Promise<void> {
  const done = await compact(actorsOf(p, new MemoryStream(p.c.clock)), options);
  if (!calm.tried) expect(done.runs.reduce((sum, { retired }) => sum + retired, 0)).toBeGreaterThan(0);
  calm.tried = true;
}

const scenario = (prepare: Scenario['prepare'], options: CompactOptions): Scenario => {
  const calm = { tried: false };
  return { prepare, act: (p) => compacts(p, options, calm) };
};

export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  'an L2 run, with the sources freed': scenario(() => sealedWorld(TWO), L2),
  'an L3 run, with the sources freed': scenario(() => sealedWorld(TWO), L3),
  'an L1 run, with the donor and the old extents freed': scenario(
    () => sealedWorld({ ...TWO, deletedEach: (volume) => (volume === 0 ? 2 : 6) }),
    L1,
  ),
  'a process that goes on with a dead one’s run': {
    prepare: async () => {
      const made = await sealedWorld(TWO);
      await diesWhileCopying(made);
      return made;
    },
    act: async (p) => {
      expect((await compact(actorsOf(p), { ...L2, threshold: 0.9 })).resumed).toBe(1);
    },
  },
};
