// Panda's table: partition and sort key, both strings, paid per request.
import { AttributeType, BillingMode, StreamViewType, Table, TableEncryption } from 'aws-cdk-lib/aws-dynamodb';
import { type Grant, type IGrantable, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { removalOf } from './removal.ts';

export interface PandaTableProps {
  readonly ephemeral: boolean;
  /** Nobody deletes it before that is taken back. */
  readonly isProtected: boolean;
  /** What changes is streamed: for the journal to be shipped onto the drives, or to be told of. */
  readonly isStreamed: boolean;
}

export class PandaTable extends Construct {
  readonly table: Table;

  constructor(scope: Construct, id: string, props: PandaTableProps) {
    super(scope, id);
    this.table = new Table(this, 'Table', {
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      sortKey: { name: 'sk', type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      encryption: TableEncryption.DEFAULT,
      ...(props.isStreamed ? { stream: StreamViewType.NEW_IMAGE } : {}),
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: !props.ephemeral },
      deletionProtection: props.isProtected,
      removalPolicy: removalOf(props.ephemeral),
    });
  }

  /**
   * What the Panda port's DynamoDB body calls; a transaction needs the permission of each of its items. Rows of the
   * partitions in `neverWritten` (with wildcards) are read, not written.
   */
  grantUse(grantee: IGrantable, neverWritten: readonly string[]): void {
    this.table.grant(
      grantee,
      'dynamodb:GetItem',
      'dynamodb:BatchGetItem',
      'dynamodb:Query',
      'dynamodb:ConditionCheckItem',
    );
    const except = { 'ForAllValues:StringNotLike': { 'dynamodb:LeadingKeys': [...neverWritten] } };
    grantee.grantPrincipal.addToPrincipalPolicy(
      new PolicyStatement({
        actions: ['dynamodb:PutItem', 'dynamodb:UpdateItem', 'dynamodb:DeleteItem'],
        resources: [this.table.tableArn],
        ...(neverWritten.length === 0 ? {} : { conditions: except }),
      }),
    );
  }

  /** Reading single rows, and nothing else. */
  grantRead(grantee: IGrantable): Grant {
    return this.table.grant(grantee, 'dynamodb:GetItem');
  }
}
