// The compaction runs that crash tests interrupt: small, so that every port call can be tried.
import { expect } from 'vitest';
import { type CompactOptions, type CompactReport, compact } from '../../lib/compaction/do/rounds.ts';
import { Crash, scriptedPlan } from '../../lib/foundation/faults.ts';
import { collectGarbage } from '../../lib/gc/collect-garbage.ts';
import { MemoryStream } from '../../lib/stream/memory-stream.ts';
import { besideEachOther, type Model, type Scenario } from '../store/crash.ts';
import type { Process } from '../store/harness.ts';
import { batchesOf, deleteFiles, putFiles, sealedWorld } from './acting-world.ts';
import { atGroup, L1_ONLY, toppingWorld } from './l1-world.ts';
import { MERGE_ONLY, thinnedWorld } from './merge-world.ts';

const L2 = { settings: { strategies: ['l2' as const], minFill: 0.1, l3UpTo: 0.01, finish: true } };
const L1 = { settings: { strategies: ['l1' as const], minFill: 0.02, l3UpTo: 0.002, l2UpTo: 0.003 } };
const TWO = { volumes: 2, filesEach: 10, deletedEach: () => 5, bytesMax: 1400 };
const L3 = { settings: { strategies: ['l3' as const], minFill: 0.2, l3UpTo: 0.5, l2UpTo: 0.6 } };

/** Leaves a journal, its leases, and one group moved. */
async function diesWhileCopying({ world }: Awaited<ReturnType<typeof sealedWorld>>): Promise<void> {
  let moves = 0;
  const plan = scriptedPlan((_, detail) => (detail.includes('put group/') && ++moves === 1 ? 'before' : 'none'));
  await expect(compact(batchesOf(world.start({ plan })), L2)).rejects.toBeInstanceOf(Crash);
  world.start({ othersDead: true });
}

/** Did in the calm run what it is for: else nothing was tested. */
async function compacts(p: Process, options: CompactOptions, calm: { tried: boolean }): Promise<CompactReport> {
  const done = await compact(batchesOf(p, new MemoryStream(p.components.clock)), options);
  if (!calm.tried) expect(done.runs.reduce((sum, { retired }) => sum + retired, 0)).toBeGreaterThan(0);
  calm.tried = true;
  return done;
}

const scenario = (prepare: Scenario['prepare'], options: CompactOptions): Scenario => {
  const calm = { tried: false };
  return { prepare, act: (p) => compacts(p, options, calm) };
};

const THIN = { volumes: 2, filesEach: 12, keep: 3 };

/** Remnants into few buckets; rows were saved in the calm run. */
async function merges(p: Process, calm: { tried: boolean }): Promise<CompactReport> {
  const done = await compact(batchesOf(p), MERGE_ONLY);
  if (!calm.tried) expect(done.runs[0]?.merge?.rowsDropped).toBeGreaterThan(1);
  calm.tried = true;
  return done;
}

/** Leaves a journal, its leases, and a group whose blocks have not all been moved. */
async function diesWhileMerging({ world }: Awaited<ReturnType<typeof thinnedWorld>>): Promise<void> {
  const plan = scriptedPlan((_, detail) => (detail.includes('update block/') ? 'before' : 'none'));
  await expect(compact(batchesOf(world.start({ plan })), MERGE_ONLY)).rejects.toBeInstanceOf(Crash);
  world.start({ othersDead: true });
}

/** Deletes, and puts of blocks that are known, while the same blocks are merged. */
async function writesBeside(p: Process, model: Model): Promise<void> {
  const bodies = [...model.there];
  const keys = bodies.map(([key]) => key);
  await deleteFiles(p, model, keys.slice(0, 3));
  await putFiles(p, model, new Map(bodies.slice(2, 6).map(([key, body]) => [`again/${key}`, body])));
  await collectGarbage(p.components);
}

const calmMerge = { tried: false };

export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  'an L2 run, with the sources freed': scenario(() => sealedWorld(TWO), L2),
  'an L3 run, with the sources freed': scenario(() => sealedWorld(TWO), L3),
  'an L1 run, with the donor and the old extents freed': scenario(
    () => sealedWorld({ ...TWO, deletedEach: (volume) => (volume === 0 ? 2 : 6) }),
    L1,
  ),
  'a process that goes on with a dead one’s top-off': {
    prepare: async () => {
      const made = await toppingWorld(16);
      const plan = atGroup(2, () => 'before');
      await expect(compact(batchesOf(made.world.start({ plan })), L1_ONLY)).rejects.toBeInstanceOf(Crash);
      made.world.start({ othersDead: true });
      return made;
    },
    act: async (p) => {
      const done = await compact(batchesOf(p), { ...L1_ONLY, threshold: 0.9 });
      expect(done.resumed).toBe(1);
      return done;
    },
  },
  'a process that goes on with a dead one’s run': {
    prepare: async () => {
      const made = await sealedWorld(TWO);
      await diesWhileCopying(made);
      return made;
    },
    act: async (p) => {
      const done = await compact(batchesOf(p), { ...L2, threshold: 0.9 });
      expect(done.resumed).toBe(1);
      return done;
    },
  },
  'a merge of bucket remnants, with the sources freed': {
    prepare: () => thinnedWorld(THIN),
    act: (p) => merges(p, calmMerge),
  },
  'a merge beside deletes, puts of its blocks, and GC': {
    prepare: () => thinnedWorld(THIN),
    act: async (p, model) => {
      const merging = compact(batchesOf(p), MERGE_ONLY);
      await besideEachOther(merging, writesBeside(p, model));
      return [[...model.undecided.keys()], await merging];
    },
  },
  'a process that goes on with a dead one’s merge': {
    prepare: async () => {
      const made = await thinnedWorld(THIN);
      await diesWhileMerging(made);
      return made;
    },
    act: async (p) => {
      const { settings } = MERGE_ONLY;
      const done = await compact(batchesOf(p), { settings, merge: false });
      expect(done.resumed).toBe(1);
      return done;
    },
  },
};
