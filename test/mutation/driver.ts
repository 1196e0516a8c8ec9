// The one test file of a process that runs tests with mutants: it collects the tests of all other files, and runs them itself, one mutant at a time.
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, it } from 'vitest';
import { type Answer, type Job, type MutantJob, mutantKey } from './job.ts';
import { ownMs, runTest, TestTimeout, testsOf } from './run-test.ts';
import { Switches } from './switches.ts';

type Tests = ReturnType<typeof testsOf>;

const ROOT = path.resolve(import.meta.dirname, '../..');
/** What a test may take beyond its time: other work may be under way on this machine. */
const SLOWER_TIMES = 10;
const SLOWER_MS = 2_000;
/** What a failed test leaves under way may end. */
const DRAIN_MS = 5;

const job = JSON.parse(fs.readFileSync(process.env['MUTATION_JOB'] ?? '', 'utf8')) as Job;
const answers = fs.openSync(job.answers, 'a');
const answer = (line: Answer): void => {
  fs.writeSync(answers, `${JSON.stringify(line)}\n`);
};
const switches = new Switches();
globalThis.__mutation = switches;

let rejected: unknown;
process.on('unhandledRejection', (error) => {
  rejected ??= error ?? new Error('rejected with nothing');
});

for (const file of job.testFiles)
  describe(file, async () => {
    await import(/* @vite-ignore */ path.join(ROOT, file));
  });

it('mutants', { timeout: 0 }, async ({ task }) => {
  const tests = testsOf(task.file);
  answer({ kind: 'loaded', pid: process.pid });
  if (job.mutants === undefined) await cover(tests);
  else await tryMutants(tests, job.mutants);
  answer({ kind: 'done' });
});

async function cover(tests: Tests): Promise<void> {
  for (const [name, test] of tests) {
    if (name === 'mutants' || test.mode === 'todo') continue;
    answer({ kind: 'begin', test: name, ms: 60_000 });
    const startMs = ownMs();
    switches.record();
    const failure = await failureOf(test, 240_000);
    const files = switches.recorded();
    if (failure !== undefined) answer({ kind: 'unfit', test: name, reason: reasonOf(failure) });
    else answer({ kind: 'covered', test: name, ms: ownMs() - startMs, files });
  }
}

async function tryMutants(tests: Tests, mutants: readonly MutantJob[]): Promise<void> {
  for (const mutant of mutants) {
    const isSpoilt = await tryMutant(tests, mutant);
    if (isSpoilt) return;
  }
}

/** Whether this process is of no more use. */
async function tryMutant(tests: Tests, mutant: MutantJob): Promise<boolean> {
  const key = mutantKey(mutant);
  let count = 0;
  for (const { test: name, ms } of mutant.tests) {
    const test = tests.get(name);
    if (test === undefined) continue;
    answer({ kind: 'begin', test: name, ms, mutant: key });
    count += 1;
    const limitMs = ms * SLOWER_TIMES + SLOWER_MS;
    switches.on(mutant.file, mutant.index);
    const failure = await failureOf(test, limitMs);
    switches.off();
    if (failure === undefined) continue;
    const reason = reasonOf(failure);
    if (failure instanceof TestTimeout) {
      answer({ kind: 'killed', mutant: key, test: name, reason });
      answer({ kind: 'spoilt', reason });
      return true;
    }
    // It is the mutant only if the test passes without it.
    await sleep(DRAIN_MS);
    rejected = undefined;
    const without = await failureOf(test, limitMs);
    if (without !== undefined) {
      answer({ kind: 'unfit', test: name, reason: reasonOf(without) });
      answer({ kind: 'spoilt', reason: `${name} fails without the mutant, too` });
      return true;
    }
    answer({ kind: 'killed', mutant: key, test: name, reason });
    return false;
  }
  answer({ kind: 'survived', mutant: key, tests: count });
  return false;
}

async function failureOf(
  test: Tests extends ReadonlyMap<string, infer T> ? T : never,
  limitMs: number,
): Promise<unknown> {
  rejected = undefined;
  try {
    await runTest(test, limitMs);
    return rejected;
  } catch (error) {
    return error ?? new Error('failed with nothing');
  }
}

const reasonOf = (error: unknown): string => String(error instanceof Error ? error.message : error).slice(0, 200);
