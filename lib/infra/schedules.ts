// What runs by itself. Rules of EventBridge cost nothing; the functions they start are part of what an idle stage
// costs.
import { Duration } from 'aws-cdk-lib';
import { type IRuleTarget, Rule, RuleTargetInput, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction, SfnStateMachine } from 'aws-cdk-lib/aws-events-targets';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { cellName } from './resource-names.ts';
import { SCHEDULE_MINUTES } from './stage-parts.ts';
import type { StageSettings } from './stage-settings.ts';

export interface SchedulesProps {
  readonly stage: StageSettings;
  readonly drainer: IFunction;
  readonly encoder: IFunction;
  readonly gc: IFunction;
  readonly tuner: IFunction;
  readonly compaction: StateMachine;
  /** Undefined: the stage ships none. */
  readonly journal: IFunction | undefined;
}

export class Schedules extends Construct {
  constructor(scope: Construct, id: string, props: SchedulesProps) {
    super(scope, id);
    const { stage, compaction, drainer, encoder, gc, tuner, journal } = props;
    const event = RuleTargetInput.fromObject({});
    const periodMs = Duration.minutes(SCHEDULE_MINUTES.compaction).toMilliseconds();
    const verify = { everyMs: Duration.minutes(SCHEDULE_MINUTES.gc).toMilliseconds() };
    const targets = {
      drainer: new LambdaFunction(drainer, { event: RuleTargetInput.fromObject({ watch: true }) }),
      encoder: new LambdaFunction(encoder, { event }),
      gc: new LambdaFunction(gc, { event: RuleTargetInput.fromObject({ verify }) }),
      tuner: new LambdaFunction(tuner, { event }),
      compaction: new SfnStateMachine(compaction, { input: RuleTargetInput.fromObject({ periodMs }) }),
    };
    for (const [name, target] of Object.entries(targets)) every(this, stage, name as keyof typeof targets, target);
    if (journal === undefined) return;
    const verified = new LambdaFunction(journal, { event: RuleTargetInput.fromObject({ verify: {} }) });
    every(this, stage, 'journal', verified);
  }
}

/**
 * The storage watcher's turn, in the frontend, as no other function can unwrap keys: half of the time that a request
 * has.
 */
export function scheduleSampler(scope: Construct, stage: StageSettings, frontend: IFunction): void {
  const event = { op: 'sample', msMax: stage.functionTimeoutSeconds * 500 };
  every(scope, stage, 'sampler', new LambdaFunction(frontend, { event: RuleTargetInput.fromObject(event) }));
}

function every(scope: Construct, stage: StageSettings, name: keyof typeof SCHEDULE_MINUTES, target: IRuleTarget): void {
  new Rule(scope, name, {
    ruleName: cellName(stage, name),
    description: `Pocketful ${stage.stage}: ${name}`,
    enabled: stage.schedules,
    schedule: Schedule.rate(Duration.minutes(SCHEDULE_MINUTES[name])),
    targets: [target],
  });
}
