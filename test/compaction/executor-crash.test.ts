// Port calls of compaction runs are places to die at: afterwards a new process ends the run, or goes on with it, and nothing is lost,
// counted twice or left over. Every one of them is tried in executor-crash.long.test.ts.
import { describe, expect, it } from 'vitest';
import { crashEverywhere } from '../store/crash.ts';
import { SCENARIOS } from './crash-scenarios.ts';

describe('a crash at one port call in forty-one', () => {
  for (const [what, scenario] of Object.entries(SCENARIOS))
    it(`of ${what}`, async () => {
      const report = await crashEverywhere(scenario, 41);
      expect(report.calls).toBeGreaterThan(30);
    });
});
