// The schedules of the daemon under a simulated clock, and its tasks on a real store.
import { describe, expect, it } from 'vitest';
import { runTasks, type Task, type TaskOutcome, tasksOf } from '../../lib/engine/upkeep/daemon.ts';
import { SimulatedClock } from '../../lib/foundation/clock.ts';
import { corrupt, retryLater } from '../../lib/foundation/errors.ts';
import { temporaryFolder } from '../cli/temporary-folder.ts';
import { differing } from './small-store.ts';
import { makeSparse, withClient } from './sparse-store.ts';

const folder = temporaryFolder();

/** Runs until the clock has passed `untilMs`; `gc@0` for a task that was begun then. */
async function timeline(tasks: (clock: SimulatedClock) => Task[], untilMs: number) {
  const clock = new SimulatedClock();
  const stop = new AbortController();
  const seen: string[] = [];
  const outcomes: TaskOutcome[] = [];
  const watched = tasks(clock).map((task) => ({
    ...task,
    run: (signal: AbortSignal) => {
      seen.push(`${task.name}@${clock.monotonicMs()}`);
      if (clock.monotonicMs() >= untilMs) stop.abort();
      return task.run(signal);
    },
  }));
  await runTasks(watched, { clock, signal: stop.signal, onDone: (outcome) => outcomes.push(outcome) });
  return { seen, outcomes };
}

describe('the daemon', () => {
  it('does everything at the start, then each when it is due', async () => {
    const { seen } = await timeline(
      () => [
        { name: 'gc', everyMs: 30, run: async () => 1 },
        { name: 'tune', everyMs: 50, run: async () => 2 },
      ],
      100,
    );
    expect(seen).toEqual(['gc@0', 'tune@0', 'gc@30', 'tune@50', 'gc@60', 'gc@90', 'tune@100']);
  });

  it('does not make up for what a long task made late, and lets no task starve', async () => {
    const { seen } = await timeline(
      (clock) => [
        { name: 'compact', everyMs: 10, run: async () => clock.advance(35) },
        { name: 'gc', everyMs: 10, run: async () => clock.advance(35) },
      ],
      140,
    );
    expect(seen).toEqual(['compact@0', 'gc@35', 'compact@70', 'gc@105', 'compact@140']);
  });

  it('reports what cannot be done now and tries it again; a defect ends it', async () => {
    let tries = 0;
    const fail = async () => {
      tries += 1;
      if (tries < 3) throw retryLater('STORE_FULL', 'no room');
      return 'done';
    };
    const { outcomes } = await timeline(() => [{ name: 'encode', everyMs: 10, run: fail }], 30);
    expect(outcomes.map(({ error, report }) => error?.code ?? report)).toEqual([
      'STORE_FULL',
      'STORE_FULL',
      'done',
      'done',
    ]);
    const broken: Task = { name: 'gc', everyMs: 10, run: () => Promise.reject(new TypeError('broken')) };
    await expect(timeline(() => [broken], 30)).rejects.toThrow('broken');
  });

  it('ends after the task under way when it is told to stop, and while it sleeps', async () => {
    const stop = new AbortController();
    const clock = new SimulatedClock();
    const seen: string[] = [];
    const tasks: Task[] = [
      {
        name: 'gc',
        everyMs: 10,
        run: async (signal) => {
          stop.abort();
          seen.push('gc ends');
          signal.throwIfAborted();
        },
      },
      { name: 'tune', everyMs: 10, run: async () => seen.push('tune') },
    ];
    await runTasks(tasks, { clock, signal: stop.signal, onDone: () => seen.push('done') });
    expect(seen).toEqual(['gc ends']);
  });

  it('--once: gc, encode, compact, tune, verify and alarms of a real store, each once', async () => {
    const { dir, files } = await makeSparse(folder, 'once');
    await withClient(dir, async ({ admin }, store) => {
      const before = (await admin.status()).overhead.sealed;
      const outcomes: TaskOutcome[] = [];
      const tasks = tasksOf(store, undefined, { finish: true });
      const signal = new AbortController().signal;
      await runTasks(tasks, { clock: store.components.clock, signal, once: true, onDone: (of) => outcomes.push(of) });
      expect(outcomes.map(({ task }) => task)).toEqual([
        'drives',
        'gc',
        'encode',
        'repair',
        'compact',
        'tune',
        'verify',
        'alarms',
      ]);
      expect(outcomes.flatMap(({ error }) => error ?? [])).toEqual([]);
      expect((await admin.status()).overhead.sealed.volumes).toBeLessThan(before.volumes);
      expect(await differing(store, files)).toEqual([]);
    });
  });

  it('does nothing where this process may not write, and says why for every task', async () => {
    const { dir } = await makeSparse(folder, 'refused');
    await withClient(dir, async (_client, { components, volumes, frontend, queue }) => {
      const mayWrite = () => Promise.reject(corrupt('PANDA_BEHIND', 'older than its drives'));
      const outcomes: TaskOutcome[] = [];
      const tasks = tasksOf({ components: { ...components, mayWrite }, volumes, frontend, queue });
      const signal = new AbortController().signal;
      await runTasks(tasks, { clock: components.clock, signal, once: true, onDone: (of) => outcomes.push(of) });
      expect(outcomes.map(({ error }) => error?.code)).toEqual(tasks.map(() => 'PANDA_BEHIND'));
    });
  });
});
