// What clients talk to: the frontend function with its URL, and the outputs by which a client finds a stage.
import { ArnFormat, CfnOutput } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { FunctionUrlAuthType } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { OPTIONS_OUTPUT, OUTPUTS } from '../../settings/stage-names.ts';
import { Announcements } from '../around/announcements.ts';
import { Budget } from '../around/budget.ts';
import { CallerPolicies } from '../around/caller-policies.ts';
import { cellName, zoneName } from '../resource-names.ts';
import { scheduleSampler } from '../schedules.ts';
import { ServiceFunction } from '../service-function.ts';
import { optionsOf } from '../stage-context.ts';
import { grantStore, type StoreParts, storeEnvironment } from '../store-access.ts';
import type { CellStack } from './cell-stack.ts';
import { PocketfulStack, type PocketfulStackProps } from './pocketful-stack.ts';

export interface ZoneStackProps extends PocketfulStackProps {
  readonly parts: StoreParts;
  /** Deployed before: who finds the outputs finds everything. */
  readonly cell: CellStack;
}

export class ZoneStack extends PocketfulStack {
  readonly frontend: ServiceFunction;
  readonly announcements: Announcements | undefined;

  constructor(scope: Construct, id: string, props: ZoneStackProps) {
    const { parts, cell, ...rest } = props;
    super(scope, id, { description: `Pocketful ${props.stage.stage}: frontend`, ...rest });
    this.addStackDependency(cell);
    const { stage } = this;
    this.frontend = new ServiceFunction(this, 'Frontend', {
      folder: 'frontend',
      name: zoneName(stage, 'frontend'),
      description: `Pocketful ${stage.stage}: put, get, head, delete, list`,
      stage,
      environment: {
        ...storeEnvironment(stage, parts),
        POCKETFUL_STAGING: parts.cellData.staging.bucketName,
        ...(stage.schedules ? { POCKETFUL_ENCODER: cellName(stage, 'encoder') } : {}),
      },
    });
    grantStore(this.frontend.function, 'frontend', parts);
    parts.cellData.staging.grantUse(this.frontend.function);
    this.#grantEncoder();
    scheduleSampler(this, stage, this.frontend.function);
    const url = this.frontend.function.addFunctionUrl({ authType: FunctionUrlAuthType.AWS_IAM });
    const { functionArn } = this.frontend.function;
    new CallerPolicies(this, 'Callers', { stage, functionArn, stackId: this.stackId });
    const { budgetUsd, alarmEmail } = stage;
    const { table } = parts.zoneData.panda;
    this.announcements = stage.events ? new Announcements(this, 'Announcements', { stage, table }) : undefined;
    if (budgetUsd !== undefined && alarmEmail !== undefined)
      new Budget(this, 'Budget', { stage, dollars: budgetUsd, email: alarmEmail });
    this.#outputs(parts, this.frontend.function.functionName, url.url);
  }

  /** Puts that find little room call for it. A name, not a reference, as in the outputs. */
  #grantEncoder(): void {
    const encoder = { service: 'lambda', resource: 'function', resourceName: cellName(this.stage, 'encoder') };
    const arn = this.formatArn({ ...encoder, arnFormat: ArnFormat.COLON_RESOURCE_NAME });
    this.frontend.function.addToRolePolicy(
      new PolicyStatement({ actions: ['lambda:InvokeFunction'], resources: [arn] }),
    );
  }

  #outputs({ zoneData, cellData }: StoreParts, frontend: string, url: string): void {
    const { stage } = this;
    // Names, not references: nothing keeps the cell's stack from replacing what works there.
    const machine = { service: 'states', resource: 'stateMachine', resourceName: cellName(stage, 'compaction') };
    const values: Readonly<Record<keyof typeof OUTPUTS, readonly [value: string, description: string]>> = {
      stage: [stage.stage, 'The stage'],
      table: [zoneData.panda.table.tableName, "Panda's table"],
      drives: [cellData.drives.names, 'The buckets, in the order of their drive numbers'],
      key: [zoneData.kek.key.keyArn, 'The KMS key that wraps key-encryption keys'],
      frontend: [frontend, 'The frontend function'],
      url: [url, 'HTTP address of the frontend (signed requests only)'],
      settings: [JSON.stringify(stage.store), 'The settings of the store'],
      planner: [cellName(stage, 'planner'), 'The planner function'],
      compactor: [cellName(stage, 'compactor'), 'The compactor function'],
      drainer: [cellName(stage, 'drainer'), 'The drainer function'],
      encoder: [cellName(stage, 'encoder'), 'The encoder function'],
      gc: [cellName(stage, 'gc'), 'The garbage collector function'],
      tuner: [cellName(stage, 'threshold-tuner'), 'The threshold tuner function'],
      journal: [cellName(stage, 'journal'), 'The journal function'],
      drainQueue: [cellData.drainQueue.queue.queueUrl, 'The L3 queue'],
      drainDlq: [cellData.drainQueue.deadLetters.queueUrl, 'Its dead letters'],
      stateMachine: [
        this.formatArn({ ...machine, arnFormat: ArnFormat.COLON_RESOURCE_NAME }),
        'The state machine of L1 and L2 compaction',
      ],
    };
    new CfnOutput(this, OPTIONS_OUTPUT, {
      value: JSON.stringify(optionsOf(stage)),
      description: 'What it was deployed with: kept by the next deployment',
    });
    for (const [field, [value, description]] of Object.entries(values))
      new CfnOutput(this, OUTPUTS[field as keyof typeof OUTPUTS], { value, description });
  }
}
