// The demonstration on a small tree: its nine steps end well, and a file that is not what it was fails it, by name.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { exitCodeOf } from '../../bin/commands/exit-codes.ts';
import { Demo } from '../../lib/client/demo/demo.ts';
import { demoTree } from '../../lib/client/demo/demo-tree.ts';
import { createEmbedded } from '../../lib/engine/wire/embedded.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { PRESETS } from '../../lib/settings/settings.ts';
import { json, pocketful } from './cli.ts';
import { temporaryFolder } from './temporary-folder.ts';

const cwd = temporaryFolder();
const random = new SeededRandomness(3);

beforeAll(() => {
  mkdirSync(join(cwd, 'tree'));
  for (let i = 0; i < 250; i++) writeFileSync(join(cwd, 'tree', `f${i}`), random.bytes(random.below(100_000)));
});

describe('the demonstration', () => {
  it('shows the main job, step by step, and leaves a store to look at', async () => {
    const said = await json<{ files: number; steps: { step: string; result: string }[] }>(cwd, [
      'demo',
      'tree',
      '--seed',
      '3',
    ]);
    expect(said.files).toBe(250);
    const steps = said.steps.map(({ step, result }) => `${step}: ${result}`);
    expect(steps).toHaveLength(9);
    expect(steps[1]).toMatch(/encode: \d+ hot replica-4 volumes? into \d+ lrc-12-2-2 volume/);
    // Of the few volumes of so small a tree each may have lost more than one local repair mends: then with one drive away.
    expect(steps[2]).toMatch(
      /all 250 SHA-256 match, \d+ records rebuilt, (such as|with only drive \d+ away) column \d+ of volume [0-9a-f]{16} from 6 of the 15 others$/,
    );
    expect(steps[6]).toMatch(
      /gone for good, drive 20 takes its place: \d+ columns? made again, .* byte for byte; all \d+ volumes? complete$/,
    );
    expect(steps[7]).toMatch(/found by the scrubber in column \d+ of volume .* made again; all \d+ volumes? complete$/);
    expect(steps[8]).toMatch(
      /^verify: \d+ files have the SHA-256 of their source; \d+ deleted ones answer "not found"/,
    );
    expect(existsSync(join(cwd, '.pocketful-demo/panda.sqlite'))).toBe(true);
    const doctor = await pocketful(cwd, ['doctor', '--store', 'file:.pocketful-demo']);
    expect([doctor.code, doctor.stdout]).toEqual([0, expect.stringMatching(/^healthy/m)]);
  });

  it('fails, and names the file, when one byte differs from the source', async () => {
    const tree = await demoTree(join(cwd, 'tree'), 500_000, 5, () => false);
    const [first, ...rest] = tree.files;
    if (first === undefined) throw new Error('the tree has files');
    const forged = { ...tree, files: [...rest, { ...first, sha256: '0'.repeat(64) }] };
    const store = await createEmbedded(join(cwd, 'forged'), { settings: PRESETS.demo, drives: 20 });
    const demo = new Demo(store, forged, 1);
    await demo.put(() => {});
    const failure = await demo.readAll(() => {}).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'DEMO_MISMATCH', message: expect.stringContaining(first.name) });
    expect(exitCodeOf(failure)).toBe(1);
    await store.close();
  });

  it('takes the tree in path order, as much of it as it is told', async () => {
    const tree = await demoTree(join(cwd, 'tree'), 300_000, 1, (name) => name === 'f0');
    expect(tree.files.map(({ name }) => name)).toEqual([...tree.files.map(({ name }) => name)].sort());
    expect(tree.files[0]?.name).toBe('f1');
    expect(tree.bytes).toBeLessThanOrEqual(300_000);
    await expect(demoTree(join(cwd, 'nothing'), 1, 1, () => false)).rejects.toMatchObject({ code: 'TREE_EMPTY' });
  });
});
