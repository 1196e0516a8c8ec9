// pocketful settings, as the operator of a store meets it: shown, set, refused, in force in plans and in the daemon, and taken back.
import { beforeAll, expect, it } from 'vitest';
import type { CompactReport } from '../../lib/compaction/do/rounds.ts';
import type { CompactionPlan } from '../../lib/compaction/plan/plan.ts';
import type { OperatingLine } from '../../lib/engine/upkeep/operating.ts';
import { makeSparse } from '../engine/sparse-store.ts';
import { json, pocketful } from './cli.ts';
import { temporaryFolder } from './temporary-folder.ts';

const cwd = temporaryFolder();
const run = <T>(args: string[], code = 0): Promise<T> => json<T>(cwd, ['--store', 'file:made', ...args], { code });
interface Listed {
  readonly settings: readonly OperatingLine[];
}
const settingsOf = async (...args: string[]): Promise<Record<string, OperatingLine>> =>
  Object.fromEntries((await run<Listed>(['settings', ...args])).settings.map((line) => [line.name, line]));

beforeAll(async () => {
  await makeSparse(cwd, 'made');
});

it('shows what is in force, and takes back what was set', async () => {
  const before = await settingsOf('list');
  expect(before['objective']).toEqual({ name: 'objective', value: 'worth', from: 'default' });
  expect(before['bytesWrittenPerDay']).toEqual({ name: 'bytesWrittenPerDay', value: 64 * 1024 ** 3, from: 'size' });
  expect(before['bytesReadPerDay']).toMatchObject({ value: null, from: 'default' });
  const set = await settingsOf('set', 'objective=money', 'bytesWrittenPerDay=2GB', 'metadataWritesPerSecond=none');
  expect(set['objective']).toMatchObject({ value: 'money', from: 'set' });
  expect(set['bytesWrittenPerDay']).toMatchObject({ value: 2e9, from: 'set' });
  expect(set['metadataWritesPerSecond']).toMatchObject({ value: null, from: 'set' });
  expect((await run<CompactionPlan>(['plan'])).settings.objective).toBe('money');
  expect((await run<CompactionPlan>(['plan', '--objective', 'worth'])).settings.objective).toBe('worth');
  const status = await run<{ compaction: { operating: unknown } }>(['status']);
  expect(status.compaction.operating).toMatchObject({ objective: 'money', bytesWrittenPerDay: 2e9 });
  expect((await pocketful(cwd, ['--store', 'file:made', 'status'])).stdout).toContain(
    'set by an operator: objective=money',
  );
  expect((await settingsOf('reset', 'objective'))['objective']).toMatchObject({ value: 'worth', from: 'default' });
  expect(await settingsOf('reset')).toEqual(before);
});

it.each([
  [['granularity=many'], 'OPERATING_INVALID'],
  [['nonsense=1'], 'OPERATING_INVALID'],
  [['objective'], 'OPERATING_INVALID'],
  [['objective=money', 'objective=worth'], 'OPERATING_INVALID'],
  [['objective=none'], 'OPERATING_INVALID'],
  [['bytesWrittenPerDay=0'], 'OPERATING_INVALID'],
  [['bytesWrittenPerDay=5XB'], 'BUDGET_INVALID'],
  [['l3UpTo=0.95'], 'BOUNDARIES_INVALID'],
  [['objective=money', 'l2Share=0.9'], 'BUDGET_INVALID'],
])('refuses %j, and changes nothing', async (texts, code) => {
  expect(await run(['settings', 'set', ...texts], 2)).toMatchObject({ error: { code } });
  expect((await settingsOf('list'))['objective']).toMatchObject({ from: 'default' });
});

it('limits what the schedules do, and not what is asked for by hand', async () => {
  const wanted = await run<CompactionPlan>(['plan']);
  expect(wanted.runs.length).toBeGreaterThan(0);
  await settingsOf('set', 'bytesWrittenPerDay=24');
  const { stdout } = await pocketful(cwd, ['--store', 'file:made', 'daemon', '--once', '--json']);
  const tasks = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { task: string; report: CompactReport });
  const compaction = tasks.find(({ task }) => task === 'compact')?.report;
  expect(compaction?.runs.flatMap(({ movedBytes }) => (movedBytes > 0 ? [movedBytes] : []))).toEqual([]);
  await settingsOf('reset');
  const byHand = await run<CompactReport>(['compact']);
  expect(byHand.runs.length).toBeGreaterThan(0);
});
