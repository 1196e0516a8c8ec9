// RESTORE --FROM-DRIVES that ends at any of its calls, as of now and as of an earlier time: the next one brings everything
// back all the same, and so does one that loses what the first had made.
import { cpSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { FaultyDrive } from '../../lib/drive/faulty-drive.ts';
import { type RestorePorts, restoreFromDrives } from '../../lib/engine/journal/restore-from-drives.ts';
import { CountingPlan, type FaultMode } from '../../lib/foundation/faults.ts';
import { FaultyPanda } from '../../lib/panda/faulty-panda.ts';
import { temporaryFolder } from '../cli/temporary-folder.ts';
import { dies, FaultyShelf, FaultySource } from '../journal/world.ts';
import { livedStore, loseMetadata } from './lived-store.ts';
import { differing, filesOf, withStore } from './small-store.ts';

const root = temporaryFolder();
const original = join(root, 'store');
const first = filesOf(1, 6);
const second = filesOf(2, 6);
let betweenMs = 0;

beforeAll(async () => {
  betweenMs = await livedStore(original, first, second);
});

const under = (plan: CountingPlan): RestorePorts => ({
  panda: (inner) => new FaultyPanda(inner, plan),
  drive: (inner) => new FaultyDrive(inner, { plan }),
  shelf: (inner) => new FaultyShelf(inner, () => plan),
  source: (inner) => new FaultySource(inner, () => plan),
});

async function expectBack(dir: string, files: ReadonlyMap<string, Uint8Array>): Promise<void> {
  await withStore(dir, async (store) => {
    expect(await differing(store, files)).toEqual([]);
    expect((await store.frontend.list({ namespace: 'default' })).objects.length).toBe(files.size);
  });
}

/** Ends a restore at call after call, each time of the same drives; then one that is let be, twice. */
async function endAtEachCall(dir: string, mode: FaultMode, atMs: number | undefined): Promise<Map<string, number>> {
  const want = atMs === undefined ? new Map([...first, ...second]) : first;
  cpSync(original, dir, { recursive: true });
  loseMetadata(dir);
  const hits = new Map<string, number>();
  for (let at = 1; ; at++) {
    const plan = new CountingPlan(at, mode);
    const isDead = await dies(() => restoreFromDrives(dir, { atMs, through: under(plan) }));
    if (!isDead) break;
    const [call = ''] = (plan.hit ?? '').split(' ');
    hits.set(call, (hits.get(call) ?? 0) + 1);
    expect(readdirSync(dir)).not.toContain('panda.sqlite');
    expect(at).toBeLessThan(2000);
  }
  await expectBack(dir, want);
  loseMetadata(dir);
  await restoreFromDrives(dir);
  await expectBack(dir, want);
  return hits;
}

describe('a restore that dies', () => {
  it.each([
    ['before', 'now'],
    ['after', 'now'],
    ['before', 'then'],
    ['after', 'then'],
  ] as const)('%s any of its calls, as of %s', { timeout: 120_000 }, async (mode, when) => {
    const hits = await endAtEachCall(join(root, `${mode}-${when}`), mode, when === 'now' ? undefined : betweenMs);
    for (const call of ['drive.list', 'drive.put', 'panda.transact', 'panda.advance'])
      expect(hits.get(call) ?? 0, call).toBeGreaterThan(0);
    // What was moved since is found by a scan of the drives only.
    expect((hits.get('panda.scan') ?? 0) > 0).toBe(when === 'then');
  });
});
