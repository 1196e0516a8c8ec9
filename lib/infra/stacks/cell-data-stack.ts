// The data of a cell: its drives, what is on its way to them, and the queue between drainer and Live Coder.
import { CfnResource, RemovalPolicy } from 'aws-cdk-lib';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { DrainQueue } from '../drain-queue.ts';
import { Drives } from '../drives.ts';
import { Staging } from '../staging.ts';
import { PocketfulStack, type PocketfulStackProps } from './pocketful-stack.ts';

export class CellDataStack extends PocketfulStack {
  readonly drives: Drives;
  readonly staging: Staging;
  readonly drainQueue: DrainQueue;

  constructor(scope: Construct, id: string, props: PocketfulStackProps) {
    const { stage } = props;
    super(scope, id, { description: `Pocketful ${stage.stage}: ${stage.drives} drives and the queue`, ...props });
    this.drives = new Drives(this, 'Drives', { count: stage.drives, ephemeral: stage.ephemeral });
    this.staging = new Staging(this, 'StagedParts', { ephemeral: stage.ephemeral });
    if (stage.ephemeral) this.#keepNoLogs();
    this.drainQueue = new DrainQueue(this, 'Drain', { stage });
  }

  /** CDK's function that empties drives would make a log group by itself, which then outlives the stage. */
  #keepNoLogs(): void {
    const provider = this.node.tryFindChild('Custom::S3AutoDeleteObjectsCustomResourceProvider');
    const handler = provider?.node.tryFindChild('Handler');
    if (!(handler instanceof CfnResource)) throw new Error("CDK's deleter of objects is not where it was");
    const logs = new LogGroup(this, 'DeleterLogs', {
      retention: RetentionDays.ONE_DAY,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    handler.addPropertyOverride('LoggingConfig', { LogGroup: logs.logGroupName });
  }
}
