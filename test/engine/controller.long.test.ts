// The threshold's controller, driven through deletes: while a budget is used up and overhead rises it raises the threshold; when the
// deletes are over and the budget is wide it lowers it again. On the embedded engine and with a stage's functions alike.
import { expect, it } from 'vitest';
import { type Budgets, budgetsOf } from '../../lib/compaction/plan/budget.ts';
import { compactStore, planOf } from '../../lib/engine/upkeep/compaction.ts';
import { tune } from '../../lib/engine/upkeep/tune.ts';
import { DAY_MS } from '../../lib/foundation/durations.ts';
import { collectGarbage } from '../../lib/gc/collect-garbage.ts';
import { MemoryStream } from '../../lib/stream/memory-stream.ts';
import { deleteFiles, sealedWorld } from '../compaction/acting-world.ts';
import { Stage } from '../functions/stage.ts';

const REQUEST = { strategies: ['l2'], merge: false } as const;
/** So that a budget of little more than one run is one. */
const MOSTLY_L2 = { l1: 0.01, l2: 0.98, l3: 0.01 };
const CALM_DAYS_MAX = 30;

interface Engine {
  /** A day's compaction under these budgets. */
  compact(budgets: Partial<Budgets>, strategy?: 'l1' | 'l2'): Promise<void>;
  /** A day's step of the controller: what it did. */
  step(): Promise<{ readonly moved: string; readonly threshold: number }>;
}

async function aging() {
  const made = await sealedWorld({ volumes: 30, filesEach: 125, bytesMax: 1800, deletedEach: () => 10, seed: 31 });
  const { p, model, world } = made;
  const store = { ...p, components: p.components, queue: new MemoryStream(p.components.clock) };
  const keys = [...model.there.keys()];
  return {
    world,
    store,
    p,
    /** Every so manieth of the files that there were at first. */
    deletePart: async (from: number, every: number): Promise<void> => {
      await deleteFiles(
        p,
        model,
        keys.filter((_, i) => i % every === from),
      );
      await collectGarbage(p.components);
    },
    /** What one run reads that a plan would make now. */
    oneRun: async (): Promise<number> => (await planOf(store, REQUEST)).runs[0]?.work.bytesRead ?? 0,
  };
}
type Aging = Awaited<ReturnType<typeof aging>>;

const embedded = ({ store, p }: Aging): Engine => ({
  compact: async (budgets, strategy = 'l2') =>
    void (await compactStore(store, { ...REQUEST, strategies: [strategy], budgets })),
  step: async () => {
    const { moved, state } = await tune(p.components);
    return { moved, threshold: state.threshold };
  },
});

function stageOf({ world }: Aging): Engine {
  const stage = new Stage(world);
  return {
    compact: async (budgets, strategy = 'l2') => {
      stage.budgets = budgetsOf(budgets);
      const { runs } = await stage.invoke('planner', { strategies: [strategy] });
      for (const { run } of runs as { readonly run: string }[])
        while ((await stage.invoke('compactor', { run }))['done'] !== true);
    },
    step: async () => {
      const { moved, threshold } = await stage.invoke('threshold-tuner');
      return { moved: String(moved), threshold: Number(threshold) };
    },
  };
}

it.each([
  ['embedded', embedded],
  ['stage', stageOf],
] as const)('raises while a budget binds, and lowers in the calm: %s', async (_, engineOf) => {
  const old = await aging();
  const engine = engineOf(old);
  const { threshold: start } = await engine.step();
  const raised: string[] = [];
  let high = start;
  for (let day = 0; day < 3; day++) {
    await old.deletePart(day, 10);
    old.world.clock.advance(DAY_MS);
    await engine.compact({ bytesRead: Math.round(1.025 * (await old.oneRun())), shares: MOSTLY_L2 });
    const { moved, threshold } = await engine.step();
    raised.push(moved);
    high = Math.max(high, threshold);
  }
  expect(raised).toContain('raised');
  expect(high).toBeGreaterThan(start);
  let low = high;
  for (let day = 0; day < CALM_DAYS_MAX && low >= high; day++) {
    old.world.clock.advance(DAY_MS);
    // Of volumes so thin L1 wants none: the budget is there, and overhead stands.
    await engine.compact({ bytesRead: 1e12 }, 'l1');
    low = (await engine.step()).threshold;
  }
  expect(low).toBeLessThan(high);
});
