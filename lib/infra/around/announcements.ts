// Tells the account's event bus of every put and delete: a pipe from the table's stream, so that what is told has
// happened, whoever did it, and is told at least once, also when the function that did it died. No code of ours runs.
import { Stack } from 'aws-cdk-lib';
import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnPipe } from 'aws-cdk-lib/aws-pipes';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { present } from '../../foundation/assert.ts';
import { STREAM_KEPT_SECONDS } from '../../limits/stage.ts';
import { objectPartition } from '../../panda/rows/object-row.ts';
import { zoneName } from '../resource-names.ts';
import type { StageSettings } from '../stage-settings.ts';

export const EVENT_SOURCE = 'pocketful';
export const EVENT_TYPE = 'Pocketful Object Changed';
/** Of the stream's own kinds of changes; a put over an object is a MODIFY. */
const DETAIL = `{"stage": "STAGE", "change": <$.eventName>, "object": <$.dynamodb.Keys.pk.S>, "key": <$.dynamodb.Keys.sk.S>, "at": <$.dynamodb.ApproximateCreationDateTime>}`;

export interface AnnouncementsProps {
  readonly stage: StageSettings;
  readonly table: Table;
}

export class Announcements extends Construct {
  readonly role: Role;
  readonly failed: Queue;

  constructor(scope: Construct, id: string, { stage, table }: AnnouncementsProps) {
    super(scope, id);
    const failed = new Queue(this, 'Failed', {
      queueName: zoneName(stage, 'failed-announcements'),
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
    });
    const bus = Stack.of(this).formatArn({ service: 'events', resource: 'event-bus', resourceName: 'default' });
    const role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('pipes.amazonaws.com') });
    table.grantStreamRead(role);
    failed.grant(role, 'sqs:SendMessage');
    const source = present(table.tableStreamArn, 'the table of a stage that announces has a stream');
    role.addToPrincipalPolicy(new PolicyStatement({ actions: ['events:PutEvents'], resources: [bus] }));
    this.role = role;
    this.failed = failed;
    const pipe = new CfnPipe(this, 'Pipe', {
      name: zoneName(stage, 'announcements'),
      description: `Pocketful ${stage.stage}: tells EventBridge of puts and deletes`,
      roleArn: role.roleArn,
      source,
      sourceParameters: {
        filterCriteria: {
          filters: [
            { pattern: JSON.stringify({ dynamodb: { Keys: { pk: { S: [{ prefix: objectPartition('') }] } } } }) },
          ],
        },
        dynamoDbStreamParameters: {
          startingPosition: 'LATEST',
          batchSize: 10,
          maximumRecordAgeInSeconds: STREAM_KEPT_SECONDS,
          maximumRetryAttempts: -1,
          deadLetterConfig: { arn: failed.queueArn },
        },
      },
      target: bus,
      targetParameters: {
        inputTemplate: DETAIL.replace('STAGE', stage.stage),
        eventBridgeEventBusParameters: { source: EVENT_SOURCE, detailType: EVENT_TYPE },
      },
    });
    // A pipe begins to read while it is made.
    pipe.node.addDependency(role);
  }
}
