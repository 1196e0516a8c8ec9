// One policy over two bodies: the contract of both, and budgets that bind what is done, merges too, over all rounds together.
import { describe, expect, it } from 'vitest';
import type { Batches } from '../../lib/compaction/do/batches.ts';
import { compact } from '../../lib/compaction/do/rounds.ts';
import { budgetsOf } from '../../lib/compaction/plan/budget.ts';
import { MemoryStream } from '../../lib/stream/memory-stream.ts';
import { batchesContract } from '../contract/batches.contract.ts';
import type { Process, World } from '../store/harness.ts';
import { batchesOf, sealedWorld } from './acting-world.ts';
import { thinnedWorld } from './merge-world.ts';
import { stageBatches } from './stage-batches.ts';

const BODIES: Readonly<Record<string, (world: World, p: Process) => Batches>> = {
  'in process': (_, p) => batchesOf(p),
  'in process, with a queue': (_, p) => batchesOf(p, new MemoryStream(p.components.clock)),
  'a stage': (world, p) => stageBatches(world, p),
};

for (const [body, make] of Object.entries(BODIES)) batchesContract(body, make);

/** So that there is a run to carry out. */
const WIDE = { minFill: 0.2, l3UpTo: 0.09 };

const ENGINES = ['in process', 'a stage'].map((name) => [name, BODIES[name] as (typeof BODIES)[string]] as const);

describe.each(ENGINES)('budgets: %s', (_, make) => {
  it('of one metadata write let no remnant be merged', async () => {
    const { world, p } = await thinnedWorld({ volumes: 5, filesEach: 60, keep: 5, seed: 27 });
    const merging = { rowsPerGibMax: 1 };
    const tight = await compact(make(world, p), {
      merge: 'only',
      merging,
      budgets: budgetsOf({ metadataWrites: 1 }),
    });
    expect(tight).toMatchObject({ runs: [], budgetUsed: 0 });
    const ample = await compact(make(world, p), {
      merge: 'only',
      merging,
      budgets: budgetsOf({ metadataWrites: 1e6 }),
    });
    expect(ample.runs).toMatchObject([{ strategy: 'merge', retired: expect.any(Number) }]);
    expect(ample.runs[0]?.metadataWrites).toBeGreaterThan(1);
    expect(ample.budgetUsed).toBeCloseTo((ample.runs[0]?.metadataWrites ?? 0) / 1e6, 9);
  });

  it('hold for all rounds together, and are charged with what was done', async () => {
    const { world, p } = await sealedWorld({ volumes: 6, filesEach: 90, deletedEach: () => 55, seed: 91 });
    const inner = make(world, p);
    const rounds: number[] = [];
    // Every run turns out to cost forty writes more than it was planned with.
    const dear: Batches = {
      ...inner,
      runsAtOnce: 1,
      carry: async (run, signal) => {
        const done = await inner.carry(run, signal);
        const spent = { ...done.spent, metadataWrites: done.spent.metadataWrites + 1e6 };
        rounds.push(spent.metadataWrites);
        return { ...done, spent };
      },
    };
    const options = { untilStable: true, merge: false, settings: WIDE, budgets: budgetsOf({ metadataWrites: 1e6 }) };
    const report = await compact(dear, options);
    expect(rounds.length).toBe(1);
    expect(report.plans).toBe(1);
    expect(report.budgetUsed).toBeGreaterThan(1);
  });
});
