// L1 and L2 as a state machine: plan, then every run of the plan in a compactor of its own, again until it says it is
// done. The state holds ids only; progress is in Panda, so an execution may be killed or started twice at any time. A
// run that fails gives its leases back and does not stop the others; the execution then fails, which is what the alarm
// sees.
import { Duration } from 'aws-cdk-lib';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import {
  Choice,
  Condition,
  DefinitionBody,
  Fail,
  Map as MapState,
  Pass,
  type RetryProps,
  StateMachine,
  Succeed,
  TaskInput,
  Timeout,
} from 'aws-cdk-lib/aws-stepfunctions';
import { LambdaInvoke } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import { Construct } from 'constructs';
import { SECOND_MS } from '../foundation/durations.ts';
import { INVOCATION_SKEW_MS } from '../limits/engine.ts';
import { MACHINE_WAIT_SECONDS, MACHINE_WAIT_SECONDS_MAX, TASK_GRACE_SECONDS } from '../limits/stage.ts';
import { cellName } from './resource-names.ts';
import type { StageSettings } from './stage-settings.ts';

/**
 * Busy, throttled, or an outcome nobody knows: every step may be done again. A run whose compactor crashed early is
 * held until that one would have had to end, so the waits together are longer than the longest lease.
 */
const PASSING = [
  'PocketfulRetry',
  'PocketfulConflict',
  'PocketfulUnknown',
  'Lambda.TooManyRequestsException',
  'Lambda.ServiceException',
  'Lambda.AWSLambdaException',
  'Lambda.SdkClientException',
  'Lambda.ClientExecutionTimeoutException',
];
/** Cut off in the middle: the next call takes the run over. */
const CUT_OFF = ['Lambda.Unknown', 'States.Timeout', 'Sandbox.Timedout', 'Runtime.ExitError'];

const CUT_OFF_RETRY: RetryProps = { errors: CUT_OFF, interval: Duration.seconds(1), backoffRate: 2, maxAttempts: 4 };

const passingRetry = (workerTimeoutSeconds: number): RetryProps => ({
  errors: PASSING,
  interval: Duration.seconds(MACHINE_WAIT_SECONDS),
  backoffRate: 2,
  maxAttempts: attemptsToOutwait(workerTimeoutSeconds + INVOCATION_SKEW_MS / SECOND_MS + TASK_GRACE_SECONDS),
  maxDelay: Duration.seconds(MACHINE_WAIT_SECONDS_MAX),
});

/** So many waits are that long together. */
function attemptsToOutwait(seconds: number): number {
  let attempts = 0;
  for (let waited = 0; waited < seconds; attempts++)
    waited += Math.min(MACHINE_WAIT_SECONDS * 2 ** attempts, MACHINE_WAIT_SECONDS_MAX);
  return attempts;
}

const EXECUTION_TIMEOUT = Duration.hours(12);

export interface CompactionMachineProps {
  readonly stage: StageSettings;
  readonly planner: IFunction;
  readonly compactor: IFunction;
}

export class CompactionMachine extends Construct {
  readonly machine: StateMachine;
  readonly #props: CompactionMachineProps;

  constructor(scope: Construct, id: string, props: CompactionMachineProps) {
    super(scope, id);
    this.#props = props;
    const failed = new Fail(this, 'SomeRunsFailed', {
      error: 'RunsFailed',
      cause: 'runs of this plan gave up; their leases were given back, and the next execution plans them again',
    });
    const definition = this.#invoke('Plan', props.planner)
      .next(this.#runs())
      .next(
        new Choice(this, 'AllDone')
          // What a path with a single match gives is left open: a list of one, or the one.
          .when(Condition.or(Condition.isPresent('$.failed[0]'), Condition.booleanEquals('$.failed', true)), failed)
          .otherwise(new Succeed(this, 'Compacted')),
      );
    this.machine = new StateMachine(this, 'Machine', {
      stateMachineName: cellName(props.stage, 'compaction'),
      comment: `Pocketful ${props.stage.stage}: L1 and L2 compaction`,
      definitionBody: DefinitionBody.fromChainable(definition),
      timeout: EXECUTION_TIMEOUT,
      tracingEnabled: props.stage.tracing,
    });
  }

  #runs(): MapState {
    const gaveUp = new Pass(this, 'GaveUp', { parameters: { 'run.$': '$.run', failed: true } });
    const release = this.#invoke('Release', this.#props.compactor, { 'run.$': '$.run', release: true }, '$.released');
    release.addCatch(gaveUp, { resultPath: '$.releaseError' });
    const compact = this.#invoke('Compact', this.#props.compactor, { 'run.$': '$.run' });
    compact.addCatch(release.next(gaveUp), { resultPath: '$.error' });
    const again = new Choice(this, 'Done')
      .when(Condition.booleanEquals('$.done', true), new Succeed(this, 'RunDone'))
      .otherwise(compact);
    const map = new MapState(this, 'EachRun', {
      itemsPath: '$.runs',
      maxConcurrencyPath: '$.concurrency',
      // Of each run only whether it gave up: what it did is in Panda and in the log.
      resultSelector: { 'failed.$': '$[*].failed' },
    });
    return map.itemProcessor(compact.next(again));
  }

  #invoke(id: string, lambdaFunction: IFunction, payload?: object, resultPath?: string): LambdaInvoke {
    const { workerTimeoutSeconds } = this.#props.stage;
    const seconds = workerTimeoutSeconds + TASK_GRACE_SECONDS;
    const task = LambdaInvoke.jsonPath(this, id, {
      lambdaFunction,
      payloadResponseOnly: true,
      retryOnServiceExceptions: false,
      taskTimeout: Timeout.duration(Duration.seconds(seconds)),
      // Without one the state's own input is the event.
      ...(payload === undefined ? {} : { payload: TaskInput.fromObject(payload) }),
      ...(resultPath === undefined ? {} : { resultPath }),
    });
    for (const retry of [passingRetry(workerTimeoutSeconds), CUT_OFF_RETRY]) task.addRetry(retry);
    return task;
  }
}
