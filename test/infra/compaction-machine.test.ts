// The state machine of L1 and L2, run in memory from its template: what it calls and with what, how it retries, what becomes of a
// run that fails, and how many transitions it is billed for.
import { beforeAll, describe, expect, it } from 'vitest';
import { isOverdueOwner, ownerUntil } from '../../lib/engine/wire/invocation.ts';
import { SimulatedClock } from '../../lib/foundation/clock.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { type Definition, type Execution, execute, TaskError } from './state-machine.ts';
import { type Resource, resourcesIn, synthStage } from './synth.ts';

const TRANSITIONS_PER_RUN_MAX = 8;
let definition: Definition;
let patient: Definition;

beforeAll(() => {
  definition = definitionOf({ stage: 'prod' });
  patient = definitionOf({ stage: 'prod', workerTimeoutSeconds: 900 });
});

function definitionOf(context: Readonly<Record<string, unknown>>): Definition {
  const { cell } = synthStage(context);
  const [machine] = resourcesIn([cell], 'AWS::StepFunctions::StateMachine') as [Resource];
  const { 'Fn::Join': joined } = machine.Properties['DefinitionString'] as { 'Fn::Join': [string, unknown[]] };
  const text = joined[1].map((part) => (typeof part === 'string' ? part : JSON.stringify(part).replaceAll('"', "'")));
  return JSON.parse(text.join(''));
}

type Compactor = (run: string, isRelease: boolean, call: number) => boolean;

/** Plans `runs` and runs them; `compactor` says whether a run is done, or throws. */
function runAll(runs: readonly string[], compactor: Compactor): Execution & { calls: unknown[] } {
  const calls: unknown[] = [];
  const counts = new Map<string, number>();
  const execution = execute(definition, {
    Planner: (payload) => {
      calls.push(payload);
      return { runs: runs.map((run) => ({ run })), concurrency: 4, plan: 'digest' };
    },
    Compactor: (payload) => {
      calls.push(payload);
      const run = payload['run'] as string;
      const call = (counts.get(run) ?? 0) + 1;
      counts.set(run, call);
      return { run, done: compactor(run, payload['release'] === true, call), movedBytes: 1, retired: 1 };
    },
  });
  return { ...execution, calls };
}

const fails = (name: string): never => {
  throw new TaskError(name);
};

describe('the compaction state machine', () => {
  it('plans, then compacts every run with as many at once as the plan allows', () => {
    const execution = runAll(['a', 'b'], () => true);
    expect(execution).toMatchObject({ status: 'succeeded', concurrency: 4, waitedSeconds: [] });
    expect(execution.calls).toEqual([{}, { run: 'a' }, { run: 'b' }]);
  });

  it('calls a compactor again until its run is done', () => {
    const { calls, status } = runAll(['a'], (_run, _release, call) => call === 3);
    expect(calls).toEqual([{}, { run: 'a' }, { run: 'a' }, { run: 'a' }]);
    expect(status).toBe('succeeded');
  });

  it('does nothing, cheaply, when there is nothing to do', () => {
    expect(runAll([], () => true)).toMatchObject({
      status: 'succeeded',
      entered: ['Plan', 'EachRun', 'AllDone', 'Compacted'],
    });
  });

  it('makes at most eight transitions a run, though a run takes several calls', () => {
    const runs = ['a', 'b', 'c', 'd'];
    for (const [calls, most] of [
      [1, 4],
      [2, 6],
      [3, TRANSITIONS_PER_RUN_MAX],
    ] as const) {
      const { entered } = runAll(runs, (_run, _release, call) => call === calls);
      expect(entered.length / runs.length).toBeLessThanOrEqual(most);
    }
  });

  it.each([
    'PocketfulRetry',
    'PocketfulConflict',
    'PocketfulUnknown',
    'Lambda.TooManyRequestsException',
    'Lambda.ClientExecutionTimeoutException',
  ])('waits longer and longer after %s', (name) => {
    const { waitedSeconds, status } = runAll(['a'], (_run, _release, call) => (call < 4 ? fails(name) : true));
    expect(waitedSeconds).toEqual([2, 4, 8]);
    expect(status).toBe('succeeded');
  });

  it.each(['Lambda.Unknown', 'States.Timeout', 'Sandbox.Timedout', 'Runtime.ExitError'])(
    'goes on with a run that was cut off: %s',
    (name) => {
      const { calls, status } = runAll(['a'], (_run, _release, call) => (call === 1 ? fails(name) : true));
      expect(calls).toEqual([{}, { run: 'a' }, { run: 'a' }]);
      expect(status).toBe('succeeded');
    },
  );

  it('gives the leases of a run back that fails for good, finishes the others, and then fails', () => {
    const { calls, status, error } = runAll(['a', 'b', 'c'], (run, isRelease) =>
      run === 'b' && !isRelease ? fails('PocketfulCorrupt') : true,
    );
    expect(calls).toEqual([{}, { run: 'a' }, { run: 'b' }, { run: 'b', release: true }, { run: 'c' }]);
    expect({ status, error }).toEqual({ status: 'failed', error: 'RunsFailed' });
  });

  it('gives up on a run that stays busy, and releases it', () => {
    const { calls, status, waitedSeconds } = runAll(['a'], (_run, isRelease) =>
      isRelease ? true : fails('PocketfulRetry'),
    );
    expect(waitedSeconds).toEqual([2, 4, 8, 16, 32, 64, 120, 120]);
    expect(calls.at(-1)).toEqual({ run: 'a', release: true });
    expect(status).toBe('failed');
  });

  it.each([
    [300, 1],
    [300, 40],
    [900, 3],
  ])('of %i s outwaits a compactor that crashes %i s after it began, and goes on with its run', (timeoutS, diesAtS) => {
    const clock = new SimulatedClock();
    const randomness = new SeededRandomness(1);
    // Nobody can ask whether an invocation still runs: its name says until when it may.
    let owner: string | undefined;
    const calls: string[] = [];
    const Compactor = (): Record<string, unknown> => {
      if (owner !== undefined && !isOverdueOwner(owner, clock)) {
        calls.push('held');
        throw new TaskError('PocketfulRetry');
      }
      calls.push(owner === undefined ? 'crashed' : 'done');
      if (owner !== undefined) return { run: 'a', done: true };
      owner = ownerUntil(clock.nowMs() + timeoutS * 1000, randomness);
      clock.advance(diesAtS * 1000);
      throw new TaskError('Runtime.ExitError');
    };
    const Planner = () => ({ runs: [{ run: 'a' }], concurrency: 4 });
    const machine = timeoutS === 900 ? patient : definition;
    const { status } = execute(machine, { Planner, Compactor }, {}, (seconds) => clock.advance(seconds * 1000));
    expect(status).toBe('succeeded');
    expect(calls[0]).toBe('crashed');
    expect(calls.at(-1)).toBe('done');
    expect(calls.filter((call) => call === 'held').length).toBeGreaterThan(3);
  });

  it('survives a release that fails: the next execution takes the run over', () => {
    const { calls, error } = runAll(['a', 'b'], (run) => (run === 'a' ? fails('PocketfulDenied') : true));
    expect(calls).toEqual([{}, { run: 'a' }, { run: 'a', release: true }, { run: 'b' }]);
    expect(error).toBe('RunsFailed');
  });

  it('fails with the planner, whose errors are retried too', () => {
    const execution = execute(definition, { Planner: () => fails('PocketfulInvalid') });
    expect(execution).toMatchObject({ status: 'failed', error: 'PocketfulInvalid', entered: ['Plan'] });
  });
});
