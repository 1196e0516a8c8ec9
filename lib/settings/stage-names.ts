// The names by which a client finds a deployed stage: its stack and the stack's outputs. The CDK app and the client
// share them, so that a rename cannot break one of the two.

export const stackNameOf = (stage: string): string => `Pocketful-${stage}`;

/** What the stage was deployed with; stacks of earlier releases have none. */
export const OPTIONS_OUTPUT = 'StageOptions';

export const OUTPUTS = {
  stage: 'Stage',
  table: 'PandaTable',
  drives: 'DriveBuckets',
  key: 'KekKey',
  frontend: 'FrontendFunction',
  url: 'FrontendUrl',
  settings: 'StoreSettings',
  planner: 'PlannerFunction',
  compactor: 'CompactorFunction',
  drainer: 'DrainerFunction',
  encoder: 'EncoderFunction',
  gc: 'GcFunction',
  tuner: 'ThresholdTunerFunction',
  journal: 'JournalFunction',
  drainQueue: 'DrainQueueUrl',
  drainDlq: 'DrainDlqUrl',
  stateMachine: 'CompactionStateMachine',
} as const;
