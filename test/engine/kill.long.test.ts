// kill -9 of real processes at random moments, 200 times (issue: crash safety, b).
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../cli/temporary-folder.ts';
import { killOften } from './kill.ts';

const STORES = 4;
const KILLS = 50;

describe('kill -9', () => {
  const root = temporaryFolder();
  for (let seed = 1; seed <= STORES; seed++)
    it(`of real processes, ${KILLS} times, seed ${seed}`, async () => {
      expect(await killOften(join(root, `store-${seed}`), KILLS, seed)).toBeGreaterThan(500);
    });

  for (let seed = 1; seed <= STORES; seed++)
    it(`of processes that repair, with a drive lost or emptied all the while, ${KILLS} times, seed ${seed}`, async () => {
      const dir = join(root, `repaired-${seed}`);
      expect(await killOften(dir, KILLS, seed, { repair: true })).toBeGreaterThan(300);
    });
});
