import { describe, expect, it } from 'vitest';
import { InvocationClock, isOverdueOwner, ownerUntil } from '../../lib/engine/wire/invocation.ts';
import { SimulatedClock } from '../../lib/foundation/clock.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';

describe('an invocation', () => {
  it('is gone once its time is over, and a little more', () => {
    const clock = new SimulatedClock();
    const owner = ownerUntil(clock.nowMs() + 60_000, new SeededRandomness(1));
    expect(owner).not.toContain('/');
    expect(isOverdueOwner(owner, clock)).toBe(false);
    clock.advance(60_001);
    expect(isOverdueOwner(owner, clock)).toBe(false); // its clock may differ from ours
    clock.advance(10_000);
    expect(isOverdueOwner(owner, clock)).toBe(true);
    for (const other of ['function-0011', 'until-', 'until-12x-ab', 'p1', ''])
      expect(isOverdueOwner(other, clock)).toBe(false);
  });

  it('sleeps no longer than it has time', async () => {
    const inner = new SimulatedClock();
    const clock = new InvocationClock(inner);
    await clock.sleep(1_000_000);
    clock.begin(1000);
    await clock.sleep(600);
    await expect(clock.sleep(600)).rejects.toMatchObject({ kind: 'unknown', code: 'TIME_UP' });
    expect(clock.monotonicMs()).toBe(1_000_600);
    clock.begin(1000);
    await clock.sleep(600);
    expect(clock.nowMs()).toBe(inner.nowMs());
  });
});
