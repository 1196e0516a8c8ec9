import { describe, expect, it } from 'vitest';
import { SimulatedClock } from '../../lib/foundation/clock.ts';
import { Crash, scriptedPlan } from '../../lib/foundation/faults.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { FaultyKekStore } from '../../lib/keys/faulty-kek-store.ts';
import { MemoryKekStore } from '../../lib/keys/memory-kek-store.ts';

describe('FaultyKekStore', () => {
  it('asks the plan before each call, and does what it says', async () => {
    const inner = new MemoryKekStore({ clock: new SimulatedClock(), randomness: new SeededRandomness(1) });
    const seen: string[] = [];
    const modes = ['none', 'before', 'after', 'before-error', 'after-error'] as const;
    const plan = scriptedPlan(({ operation, call }, detail) => {
      seen.push(`${operation} ${detail}`.trim());
      return modes[call - 1] ?? 'none';
    });
    const store = new FaultyKekStore(inner, plan);
    expect(await store.versions()).toHaveLength(1);
    await expect(store.rotate()).rejects.toBeInstanceOf(Crash);
    expect(await inner.versions()).toHaveLength(1);
    await expect(store.rotate()).rejects.toBeInstanceOf(Crash);
    expect(await inner.versions()).toHaveLength(2);
    await expect(store.kek(1)).rejects.toMatchObject({ kind: 'retry', code: 'KEK_BUSY' });
    await expect(store.destroy(1)).rejects.toMatchObject({ kind: 'retry', code: 'KEK_BUSY' });
    await expect(inner.kek(1)).rejects.toMatchObject({ code: 'KEK_DESTROYED' });
    expect(seen).toEqual(['versions', 'rotate', 'rotate', 'kek 1', 'destroy 1']);
  });
});
