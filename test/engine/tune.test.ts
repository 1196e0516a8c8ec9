// The threshold's controller on a store: its state is a row, its measurement the sealed volumes, and plans use what it says.

import { describe, expect, it } from 'vitest';
import { planOf } from '../../lib/engine/upkeep/compaction.ts';
import { noteBudgetUsed, readTuning, tune } from '../../lib/engine/upkeep/tune.ts';
import { DAY_MS } from '../../lib/foundation/durations.ts';
import { collectGarbage } from '../../lib/gc/collect-garbage.ts';
import { MemoryStream } from '../../lib/stream/memory-stream.ts';
import { deleteFiles, sealedWorld } from '../compaction/acting-world.ts';

describe('tune', () => {
  it('lowers while budgets have room, raises only when they are used up and overhead rises', async () => {
    const { world, model, p } = await sealedWorld({ volumes: 10, filesEach: 12, deletedEach: () => 2, seed: 71 });
    expect((await readTuning(p.components)).threshold).toBe(0.2);
    expect((await tune(p.components)).reason.code).toBe('FIRST_MEASUREMENT');
    world.clock.advance(DAY_MS);
    expect((await tune(p.components)).moved).toBe('lowered');
    expect((await readTuning(p.components)).threshold).toBeCloseTo(0.195, 6);
    expect((await tune(p.components)).reason.code).toBe('CLOCK_STOOD');
    await deleteFiles(
      p,
      model,
      [...model.there.keys()].filter((_, i) => i % 2 === 0),
    );
    await collectGarbage(p.components);
    await noteBudgetUsed(p.components, 1);
    world.clock.advance(DAY_MS);
    expect((await tune(p.components)).moved).toBe('raised');
    const { threshold } = await readTuning(p.components);
    expect(threshold).toBeCloseTo(0.2, 6);
    const store = { ...p, components: p.components, queue: new MemoryStream(p.components.clock) };
    expect((await planOf(store)).threshold).toBe(threshold);
  });

  it('keeps its hands off a store with few sealed volumes, and off the row when another process was first', async () => {
    const { p } = await sealedWorld({ volumes: 2, filesEach: 12, deletedEach: () => 2, seed: 72 });
    expect((await tune(p.components)).reason).toEqual({
      code: 'TOO_FEW_VOLUMES',
      text: 'fewer than 10 sealed volumes',
    });
    const steps = await Promise.all([tune(p.components), tune(p.components)]);
    expect(steps.map(({ moved }) => moved)).toEqual(['kept', 'kept']);
  });
});
