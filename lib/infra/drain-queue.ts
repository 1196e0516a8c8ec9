// L3's queue: buckets to be moved, from the drainer to the Live Coder. What is received fifteen times goes to the
// dead letters: a few receives are lost to functions that were turned away or died.
// The queue is not the truth (the drainer sends again what Panda says), so losing it costs time only.
import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import type { IGrantable } from 'aws-cdk-lib/aws-iam';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { RECEIVES_MAX } from '../limits/bytes.ts';
import { VISIBILITY_PER_TIME_OUT } from '../limits/stage.ts';
import { cellName } from './resource-names.ts';
import type { StageSettings } from './stage-settings.ts';

/** The longest SQS keeps a message. */
const RETENTION = Duration.days(14);

export interface DrainQueueProps {
  readonly stage: StageSettings;
}

export class DrainQueue extends Construct {
  readonly queue: Queue;
  readonly deadLetters: Queue;

  constructor(scope: Construct, id: string, { stage }: DrainQueueProps) {
    super(scope, id);
    const common = {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: RETENTION,
      removalPolicy: RemovalPolicy.DESTROY,
    };
    this.deadLetters = new Queue(this, 'DeadLetters', { ...common, queueName: cellName(stage, 'drain-dead') });
    this.queue = new Queue(this, 'Queue', {
      ...common,
      queueName: cellName(stage, 'drain'),
      visibilityTimeout: Duration.seconds(VISIBILITY_PER_TIME_OUT * stage.workerTimeoutSeconds),
      deadLetterQueue: { queue: this.deadLetters, maxReceiveCount: RECEIVES_MAX },
    });
  }

  /** Depth, age and dead letters: what flow control looks at. */
  grantFigures(grantee: IGrantable): void {
    this.queue.grant(grantee, 'sqs:GetQueueAttributes');
    this.deadLetters.grant(grantee, 'sqs:GetQueueAttributes');
  }

  /** What is dead, so that it is not sent again. */
  grantLookAtDead(grantee: IGrantable): void {
    this.deadLetters.grant(grantee, 'sqs:ReceiveMessage', 'sqs:ChangeMessageVisibility');
  }

  grantSend(grantee: IGrantable): void {
    this.queue.grant(grantee, 'sqs:SendMessage');
  }

  /** A consumer that puts back at once what it cannot do now; receiving and deleting come with the event source. */
  grantRelease(grantee: IGrantable): void {
    this.queue.grant(grantee, 'sqs:ChangeMessageVisibility');
  }
}
