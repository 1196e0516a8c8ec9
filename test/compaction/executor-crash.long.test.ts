// As executor-crash.test.ts, at every single port call.
import { describe, expect, it } from 'vitest';
import { crashEverywhere } from '../store/crash.ts';
import { SCENARIOS } from './crash-scenarios.ts';

describe('a crash at every port call', () => {
  for (const [what, scenario] of Object.entries(SCENARIOS))
    it(`of ${what}`, async () => {
      const report = await crashEverywhere(scenario);
      expect(report.calls).toBeGreaterThan(30);
    });
});
