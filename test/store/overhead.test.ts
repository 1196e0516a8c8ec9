// Stored overhead over code overhead is at most 1.06, and sealed volumes are full: small records under the demo settings,
// small and long files side by side under the personal ones. Two volumes of each; twelve, of four kinds, in overhead.long.test.ts.
import { describe, expect, it } from 'vitest';
import { PRESETS } from '../../lib/settings/settings.ts';
import { PERSONAL_SCALED, sealedOverhead } from './sealed-overhead.ts';

const KIB = 1024;

describe('overhead of sealed volumes', () => {
  it('of 4 to 64 KiB records in lrc-12-2-2', async () => {
    const measured = await sealedOverhead(PRESETS.demo, 2, (random) => 4 * KIB + random.below(60 * KIB + 1));
    expect(measured.storedToCode).toBeLessThanOrEqual(1.06);
    expect(measured.leastFill).toBeGreaterThanOrEqual(0.93);
  });

  it('of small and long files side by side', async () => {
    const nextBytes = (random: { below(bound: number): number }): number =>
      random.below(random.below(3) === 0 ? 800 * KIB : 20 * KIB);
    const measured = await sealedOverhead(PERSONAL_SCALED, 2, nextBytes);
    expect(measured.storedToCode).toBeLessThanOrEqual(1.06);
    expect(measured.meanFill).toBeGreaterThanOrEqual(0.92);
  });
});
