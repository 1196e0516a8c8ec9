// A few of the kills of kill.long.test.ts, in every `npm test`.
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../cli/temporary-folder.ts';
import { killOften } from './kill.ts';

describe('kill -9', () => {
  const root = temporaryFolder();
  it('of real processes, a few times', async () => {
    expect(await killOften(join(root, 'store'), 4, 1, { aliveMsMax: 600 })).toBeGreaterThan(10);
  }, 120_000);
});
