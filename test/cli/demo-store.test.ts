// The demonstration's own store: it deletes only what it made itself, and names drives as they lie in the store.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Demo } from '../../lib/client/demo/demo.ts';
import { demoTree } from '../../lib/client/demo/demo-tree.ts';
import { createEmbedded } from '../../lib/engine/wire/embedded.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { PRESETS } from '../../lib/settings/settings.ts';
import { pocketful } from './cli.ts';
import { temporaryFolder } from './temporary-folder.ts';

const cwd = temporaryFolder();

describe('the store of the demonstration', () => {
  it('is not deleted if the demonstration did not make it', async () => {
    const precious = join(cwd, '.pocketful-demo/precious');
    mkdirSync(join(cwd, '.pocketful-demo'));
    writeFileSync(precious, 'mine');
    const ran = await pocketful(cwd, ['demo', '.']);
    expect([ran.code, ran.stderr]).toEqual([2, expect.stringContaining('DEMO_FOREIGN')]);
    expect(existsSync(precious)).toBe(true);
  });

  it('shows a local repair with one drive away, and names drives that are waited for as they lie in it', async () => {
    const random = new SeededRandomness(8);
    mkdirSync(join(cwd, 'tree'));
    for (let i = 0; i < 200; i++) writeFileSync(join(cwd, 'tree', `f${i}`), random.bytes(random.below(80_000)));
    const tree = await demoTree(join(cwd, 'tree'), 1e9, 1, () => false);
    const store = await createEmbedded(join(cwd, 'store'), { settings: PRESETS.demo, drives: 20 });
    const demo = new Demo(store, tree, 1);
    const tick = () => {};
    await demo.put(tick);
    await demo.encode(tick);
    const repair = await demo.localRepair([0, 1], tick);
    expect(repair).toMatchObject({ otherColumns: 15, alone: expect.any(Number) });
    expect(repair?.columnsRead).toHaveLength(6);
    const away = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
    for (const drive of away) await demo.takeAway(drive);
    const waiting = await demo.readAll(tick, true);
    expect(waiting.length).toBeGreaterThan(0);
    for (const { drives } of waiting) for (const drive of drives) expect(drive).toMatch(/^drives\/0[0-9]$/);
    await demo.bringBack();
    await store.close();
  });
});
