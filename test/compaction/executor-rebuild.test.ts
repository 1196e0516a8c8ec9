// After an L1 run the drives alone still say where everything is.
import { expect, it } from 'vitest';
import { compact } from '../../lib/compaction/do/rounds.ts';
import type { Row } from '../../lib/panda/panda.ts';
import { rebuiltPanda } from '../engine/rebuilding.ts';
import { World } from '../store/harness.ts';
import { batchesOf, sealedWorld } from './acting-world.ts';

it('a store topped off by L1 is rebuilt from its drives', async () => {
  const { world, model, p } = await sealedWorld({
    volumes: 3,
    filesEach: 60,
    deletedEach: (volume) => (volume === 0 ? 10 : 48),
    seed: 61,
  });
  const report = await compact(batchesOf(p), {
    settings: { strategies: ['l1'], minFill: 0.2, l3UpTo: 0.02, l2UpTo: 0.03 },
  });
  expect(report.runs.some(({ retired }) => retired > 0)).toBe(true);
  const backup: Row[] = [];
  for await (const page of world.panda.scan()) backup.push(...page);
  const { panda } = await rebuiltPanda(world, backup);
  const rebuilt = new World(world.seed, world.settings, world.drives, panda).start();
  await model.expectIn(rebuilt);
});
