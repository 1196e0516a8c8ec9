// Runs one test that vitest has collected, again and again in one process: with the hooks around it, as often as asked. Not with vitest's own retries,
// which know neither mutants nor that a test may be run a thousand times.
import { type RunnerTestSuite as Suite, type RunnerTestCase as Test, TestRunner } from 'vitest';

type Task = Suite['tasks'][number];
type Hook = (...args: unknown[]) => unknown;

export class TestTimeout extends Error {}

/** The tests below a suite by the names of all that is around them; the same name twice is numbered. */
export function testsOf(root: Suite): ReadonlyMap<string, Test> {
  const found = new Map<string, Test>();
  const visit = (task: Task, above: string): void => {
    const name = above === '' ? task.name : `${above} > ${task.name}`;
    if (task.type === 'suite') for (const child of task.tasks) visit(child, name);
    else found.set(found.has(name) ? `${name} #${found.size}` : name, task);
  };
  for (const task of root.tasks) visit(task, '');
  return found;
}

/** Suites around a test, the outermost first. */
function suitesAround(test: Test): readonly Suite[] {
  const suites: Suite[] = [];
  for (let suite = test.suite; suite !== undefined; suite = suite.suite) suites.unshift(suite);
  return suites;
}

/** Fails as the test fails, or when it has had its time: of a processor and of waiting, not what others had on a busy machine. */
export async function runTest(test: Test, timeoutMs: number): Promise<void> {
  const start = ownMs();
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<never>((_, reject) => {
    const look = (): void => {
      const leftMs = timeoutMs - (ownMs() - start);
      if (leftMs <= 0) reject(new TestTimeout(`takes more than ${timeoutMs} ms`));
      else timer = setTimeout(look, Math.max(20, leftMs));
    };
    timer = setTimeout(look, timeoutMs);
  });
  try {
    await Promise.race([runWithHooks(test), tooLong]);
  } finally {
    clearTimeout(timer);
  }
}

export function ownMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000 + performance.eventLoopUtilization().idle;
}

async function runWithHooks(test: Test): Promise<void> {
  const suites = suitesAround(test);
  const after: (() => unknown)[] = [];
  let failure: { readonly error: unknown } | undefined;
  const hooksOf = (suite: Suite) => TestRunner.getSuiteHooks(suite) as unknown as Record<string, readonly Hook[]>;
  const before = async (name: 'All' | 'Each'): Promise<void> => {
    for (const suite of suites) {
      const args = name === 'All' ? [suite, suite] : [test.context, suite];
      for (const hook of hooksOf(suite)[`after${name}`] ?? []) after.unshift(() => hook(...args));
      for (const hook of hooksOf(suite)[`before${name}`] ?? []) {
        const cleanUp = await hook(...args);
        if (typeof cleanUp === 'function') after.unshift(() => cleanUp(...args));
      }
    }
  };
  try {
    await before('All');
    await before('Each');
    await TestRunner.getTestFn(test)?.();
  } catch (error) {
    failure = { error };
  }
  for (const hook of after) {
    try {
      await hook();
    } catch (error) {
      failure ??= { error };
    }
  }
  if (failure !== undefined) throw failure.error;
}
