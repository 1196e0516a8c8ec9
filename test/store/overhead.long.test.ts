// Stored overhead over code overhead is at most 1.06, and sealed volumes are full: twelve volumes of each kind of records.
import { describe, expect, it } from 'vitest';
import { PRESETS } from '../../lib/settings/settings.ts';
import { PERSONAL_SCALED, sealedOverhead } from './sealed-overhead.ts';

const KIB = 1024;

describe('overhead of sealed volumes', () => {
  it('of 4 to 64 KiB records in lrc-12-2-2', async () => {
    const measured = await sealedOverhead(PRESETS.demo, 12, (random) => 4 * KIB + random.below(60 * KIB + 1));
    expect(measured.storedToCode).toBeLessThanOrEqual(1.06);
    expect(measured.leastFill).toBeGreaterThanOrEqual(0.93);
  });

  it('of records of which 24 make a group, in rs-6-3', async () => {
    const measured = await sealedOverhead(PERSONAL_SCALED, 12, () => 64 * KIB);
    expect(measured.storedToCode).toBeLessThanOrEqual(1.06);
    expect(measured.leastFill).toBeGreaterThanOrEqual(0.93);
  });

  it('of files that end in a shorter record', async () => {
    const measured = await sealedOverhead(PERSONAL_SCALED, 12, () => 781_250);
    expect(measured.storedToCode).toBeLessThanOrEqual(1.06);
    expect(measured.leastFill).toBeGreaterThanOrEqual(0.925);
  });

  it('of small and long files side by side', async () => {
    const nextBytes = (random: { below(bound: number): number }): number =>
      random.below(random.below(3) === 0 ? 800 * KIB : 20 * KIB);
    const measured = await sealedOverhead(PERSONAL_SCALED, 12, nextBytes);
    expect(measured.storedToCode).toBeLessThanOrEqual(1.06);
    expect(measured.meanFill).toBeGreaterThanOrEqual(0.92);
  });
});
