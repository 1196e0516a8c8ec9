// pocketful plan and compact through the real CLI: the plan file, its exit codes, and options that make no sense.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { scheduleOf } from '../../bin/commands/daemon.ts';
import { exitCodeOf } from '../../bin/commands/exit-codes.ts';
import { type PlanOptions, planRequestOf } from '../../bin/commands/plan-options.ts';
import type { CompactReport } from '../../lib/compaction/do/rounds.ts';
import { STRATEGIES } from '../../lib/compaction/facts/plan-settings.ts';
import type { MergePlan } from '../../lib/compaction/plan/merges/merge-plan.ts';
import type { Status } from '../../lib/engine/status/status.ts';
import { TASKS } from '../../lib/engine/upkeep/daemon.ts';
import { makeSparse } from '../engine/sparse-store.ts';
import { json, pocketful } from './cli.ts';
import { temporaryFolder } from './temporary-folder.ts';

const cwd = temporaryFolder();
const STORE = ['--store', 'file:sparse'];

beforeAll(async () => {
  await makeSparse(cwd, 'sparse');
});

describe('pocketful compact', () => {
  it('does exactly what plan --json said; an edited file is exit code 2, one that is done already 1', async () => {
    const said = await pocketful(cwd, ['plan', '--finish', '--json', ...STORE]);
    expect(said.code).toBe(0);
    writeFileSync(join(cwd, 'plan.json'), said.stdout);
    writeFileSync(join(cwd, 'edited.json'), said.stdout.replace('"takeBuckets":', '"takeBuckets":1'));
    const edited = await pocketful(cwd, ['compact', '--plan', 'edited.json', ...STORE]);
    expect([edited.code, edited.stderr]).toEqual([2, expect.stringContaining('PLAN_EDITED')]);
    const done = await json<CompactReport>(cwd, ['compact', '--plan', 'plan.json', ...STORE]);
    const plan = JSON.parse(readFileSync(join(cwd, 'plan.json'), 'utf8')) as { runs: { name: string }[] };
    expect(done.runs.map(({ name }) => name)).toEqual(plan.runs.map(({ name }) => name));
    expect(done.after.capacityBytes).toBeLessThan(done.before.capacityBytes);
    const again = await pocketful(cwd, ['compact', '--plan', 'plan.json', ...STORE]);
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining('PLAN_STALE')]);
  });
});

describe('--strategy', () => {
  it('merge is asked for by itself, and part of all', async () => {
    expect(planRequestOf({ strategy: 'merge' })).toMatchObject({ merge: 'only' });
    expect(planRequestOf({}).strategies).toEqual(STRATEGIES);
    const merges = await json<MergePlan>(cwd, ['plan', '--strategy', 'merge', ...STORE]);
    expect(merges).toMatchObject({
      cell: 'c0',
      reason: { code: 'ROWS_WITHIN_BOUND', text: expect.stringContaining('rows per live GiB') },
    });
    const shown = await pocketful(cwd, ['plan', ...STORE]);
    expect(shown.stdout).toMatch(/^merges(: none|, before these runs:).*rows per live GiB/m);
    const plan = await json<{ merges: { reason: string } | null }>(cwd, ['plan', ...STORE]);
    expect(plan.merges?.reason).toEqual(merges.reason);
    expect(await json(cwd, ['plan', '--strategy', 'l2', ...STORE])).toMatchObject({ merges: null });
  });

  it('and status says from how many bucket rows on, and how fast data dies', async () => {
    const { compaction } = await json<Status>(cwd, ['status', ...STORE]);
    expect(compaction?.bucketRows).toMatchObject({ rows: expect.any(Number), perGibMax: expect.any(Number) });
    expect(compaction?.deletes).toHaveLength(4);
    const shown = await pocketful(cwd, ['status', ...STORE]);
    expect(shown.stdout).toMatch(/^bucket rows: .* a live GiB; remnants are merged from /m);
    expect(shown.stdout).toContain('within a day 0.50 % (assumed)');
  });
});

describe('pocketful dlq', () => {
  it('lists nothing, and drops nothing without --yes or that is not there', async () => {
    expect(await json(cwd, ['dlq', 'list', ...STORE])).toEqual({ letters: [] });
    const unsure = await pocketful(cwd, ['dlq', 'drop', '7', ...STORE]);
    expect([unsure.code, unsure.stderr]).toEqual([2, expect.stringContaining('NOT_CONFIRMED')]);
    const unknown = await pocketful(cwd, ['dlq', 'drop', '7', '--yes', ...STORE]);
    expect([unknown.code, unknown.stderr]).toEqual([4, expect.stringContaining('LETTER_MISSING')]);
  });
});

describe('pocketful daemon', () => {
  it('says a document per pass, and Ctrl-C ends it cleanly while it sleeps', async () => {
    const ran = await pocketful(cwd, ['daemon', '--json', ...STORE], {
      onStart: (child) => {
        let lines = 0;
        child.stdout?.on('data', (bytes: Buffer) => {
          const before = lines;
          lines += bytes.toString().split('\n').length - 1;
          // Once: a second one ends it at once. `drives` has nothing to say.
          const all = TASKS.length - 1;
          if (before < all && lines >= all) child.kill('SIGINT');
        });
      },
    });
    expect([ran.code, ran.signal]).toEqual([130, null]);
    const tasks = ran.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { task: string; error?: unknown });
    expect(tasks.map(({ task, error }) => error ?? task)).toEqual([
      'gc',
      'encode',
      'repair',
      'compact',
      'tune',
      'verify',
      'alarms',
    ]);
  });

  it('refuses intervals that are none', () => {
    for (const gcEvery of ['', '5', '0s', '-1h', '1y', '25d', '1h30m'])
      expect(() => scheduleOf({ gcEvery })).toThrow(expect.objectContaining({ code: 'DURATION_INVALID' }));
    expect(scheduleOf({ gcEvery: '90s', tuneEvery: '0.5h' })).toMatchObject({ gc: 90_000, tune: 1_800_000 });
  });
});

describe('options that make no sense are exit code 2', () => {
  const refuse = (options: PlanOptions, code: string) =>
    it(`${JSON.stringify(options)}: ${code}`, () => {
      let thrown: unknown;
      try {
        planRequestOf(options);
      } catch (error) {
        thrown = error;
      }
      expect(thrown).toMatchObject({ kind: 'invalid', code });
      expect(exitCodeOf(thrown)).toBe(2);
    });
  refuse({ strategy: 'l9' }, 'STRATEGY_UNKNOWN');
  refuse({ objective: 'speed' }, 'OBJECTIVE_UNKNOWN');
  for (const budget of [
    'dollars=0',
    'dollars=-1',
    'dollars=',
    'dollars=much',
    'dollars=1e999',
    'wishes=3',
    'dollars',
    'dollars=1,dollars=2',
  ])
    refuse({ budget: [budget] }, 'BUDGET_INVALID');
  for (const boundaries of ['0.8,0.5,1', '0.01,0.5,1', '0.1,0.5', '0.1,,1', '0.1,0.75,7', 'a,b,c'])
    refuse({ boundaries }, 'BOUNDARIES_INVALID');
  refuse({ targetOverhead: 0.5 }, 'PLAN_SETTINGS_INVALID');

  it('and sensible ones are understood', () => {
    expect(planRequestOf({ budget: ['bytesWritten=1.5GB,dollars=0.5', 'requests=10k'] }).budgets).toEqual({
      bytesWritten: 1.5e9,
      dollars: 0.5,
      requests: 10_000,
    });
    expect(planRequestOf({ strategy: 'l2', boundaries: '0.1,0.6,0.9' })).toMatchObject({
      strategies: ['l2'],
      boundaries: { l3UpTo: 0.1, l2UpTo: 0.6, l1UpTo: 0.9 },
    });
  });
});
