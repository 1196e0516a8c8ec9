// What works on a cell: planner and compactors as a state machine, drainer and Live Coder around the queue, encoder,
// garbage collector and tuner on schedules, and what watches over them. Nothing in this stack holds data.
import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { FilterCriteria, StartingPosition } from 'aws-cdk-lib/aws-lambda';
import { SqsDestination } from 'aws-cdk-lib/aws-lambda-destinations';
import { DynamoEventSource, SqsDlq, SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { DRAIN_BATCH_MAX, LIVE_CODERS_MAX } from '../../limits/stage.ts';
import { unshippedPartitions } from '../../panda/rows/journal-rows.ts';
import { METRIC_NAMESPACE } from '../../settings/metric-names.ts';
import { CompactionMachine } from '../compaction-machine.ts';
import { cellName } from '../resource-names.ts';
import { Schedules } from '../schedules.ts';
import { ServiceFunction } from '../service-function.ts';
import {
  drainWindowSeconds,
  JOURNAL_BATCH,
  JOURNAL_MEMORY_MIB,
  LIGHT_MEMORY_MIB,
  PLANNER_MEMORY_MIB,
  type Worker,
} from '../stage-parts.ts';
import { grantStore, type StoreParts, storeEnvironment } from '../store-access.ts';
import { Watching } from '../watch/watching.ts';
import { PocketfulStack, type PocketfulStackProps } from './pocketful-stack.ts';

export interface CellStackProps extends PocketfulStackProps {
  readonly parts: StoreParts;
}

export class CellStack extends PocketfulStack {
  readonly services: Readonly<Record<Worker, ServiceFunction>>;
  readonly compaction: CompactionMachine;
  readonly failedEvents: Queue;
  readonly watching: Watching;
  readonly #parts: StoreParts;

  constructor(scope: Construct, id: string, props: CellStackProps) {
    const { parts, ...rest } = props;
    super(scope, id, { description: `Pocketful ${props.stage.stage}: compaction, encoding, shredding`, ...rest });
    this.#parts = parts;
    const { stage } = this;
    const { drainQueue } = parts.cellData;
    const heavy = stage.workerMemoryMiB;
    const light = Math.min(LIGHT_MEMORY_MIB, heavy);
    const services = {
      planner: this.#worker('planner', 'plans L1 and L2 compaction', Math.min(PLANNER_MEMORY_MIB, heavy)),
      compactor: this.#worker('compactor', 'does one run of a plan', heavy),
      drainer: this.#worker('drainer', 'sends buckets of sparse volumes to the queue', light),
      'live-coder': this.#worker('live-coder', 'codes queued buckets into full volumes', heavy),
      encoder: this.#worker('encoder', 'codes cooled hot volumes into warm ones', heavy),
      gc: this.#worker('gc', 'shreds what was deleted, and verifies what is there', light),
      'threshold-tuner': this.#worker('threshold-tuner', 'tunes the threshold and measures', light),
      journal: this.#worker(
        'journal',
        'ships what changes in the table onto the drives',
        Math.min(JOURNAL_MEMORY_MIB, heavy),
      ),
    };
    this.services = services;
    this.compaction = new CompactionMachine(this, 'Compaction', {
      stage,
      planner: services.planner.function,
      compactor: services.compactor.function,
    });
    this.#connectQueue();
    this.#measure();
    this.failedEvents = this.#collectFailures();
    if (stage.journal) this.#connectStream();
    const compaction = this.compaction.machine;
    new Schedules(this, 'Schedules', {
      stage,
      drainer: services.drainer.function,
      encoder: services.encoder.function,
      gc: services.gc.function,
      tuner: services['threshold-tuner'].function,
      compaction,
      journal: stage.journal ? services.journal.function : undefined,
    });
    this.watching = new Watching(this, 'Watching', {
      stage,
      tableName: parts.zoneData.panda.table.tableName,
      queues: { drain: drainQueue.queue, dead: drainQueue.deadLetters, failed: this.failedEvents },
      machineArn: compaction.stateMachineArn,
      functions: Object.values(services).map((service) => service.function),
    });
  }

  #worker(folder: Worker, does: string, memoryMiB: number): ServiceFunction {
    const { stage } = this;
    const { drainQueue } = this.#parts.cellData;
    const service = new ServiceFunction(this, pascal(folder), {
      folder,
      name: cellName(stage, folder),
      description: `Pocketful ${stage.stage}: ${does}`,
      stage,
      memoryMiB,
      timeout: Duration.seconds(stage.workerTimeoutSeconds),
      environment: {
        ...storeEnvironment(stage, this.#parts),
        POCKETFUL_DRAIN_QUEUE_URL: drainQueue.queue.queueUrl,
        POCKETFUL_DRAIN_DLQ_URL: drainQueue.deadLetters.queueUrl,
        ...(stage.budgets === undefined ? {} : { POCKETFUL_BUDGETS: JSON.stringify(stage.budgets) }),
        ...(stage.concurrency === undefined ? {} : { POCKETFUL_EXECUTIONS: String(stage.concurrency) }),
        ...(stage.repairBytesPerDay === undefined
          ? {}
          : { POCKETFUL_REPAIR_BYTES_PER_DAY: String(stage.repairBytesPerDay) }),
      },
    });
    grantStore(service.function, folder, this.#parts);
    return service;
  }

  #connectQueue(): void {
    const { drainQueue } = this.#parts.cellData;
    const drainer = this.services.drainer.function;
    const liveCoder = this.services['live-coder'].function;
    drainQueue.grantSend(drainer);
    drainQueue.grantFigures(drainer);
    drainQueue.grantLookAtDead(drainer);
    drainQueue.grantFigures(liveCoder);
    drainQueue.grantFigures(this.services.encoder.function);
    drainQueue.grantRelease(liveCoder);
    liveCoder.addEventSource(
      new SqsEventSource(drainQueue.queue, {
        batchSize: DRAIN_BATCH_MAX,
        maxBatchingWindow: Duration.seconds(drainWindowSeconds(this.stage.store.preset)),
        reportBatchItemFailures: true,
        maxConcurrency: LIVE_CODERS_MAX,
      }),
    );
  }

  /** A shard's batches one after the other, each again until it is shipped: the order of a row's images is kept. */
  #connectStream(): void {
    const { table } = this.#parts.zoneData.panda;
    const unshipped = unshippedPartitions(this.stage.store.cell);
    this.services.journal.function.addEventSource(
      new DynamoEventSource(table, {
        startingPosition: StartingPosition.TRIM_HORIZON,
        batchSize: JOURNAL_BATCH.rows,
        maxBatchingWindow: Duration.seconds(JOURNAL_BATCH.seconds),
        // The stream forgets after a day. What is given up before says so, and an alarm does.
        maxRecordAge: Duration.hours(JOURNAL_BATCH.hoursMax),
        onFailure: new SqsDlq(this.failedEvents),
        filters: [FilterCriteria.filter({ dynamodb: { Keys: { pk: { S: [{ 'anything-but': unshipped }] } } } })],
      }),
    );
  }

  #measure(): void {
    const tuner = this.services['threshold-tuner'].function;
    this.#parts.cellData.drainQueue.grantFigures(tuner);
    // PutMetricData knows no resources; the namespace is what can be held fast.
    for (const measures of [tuner, this.services.encoder.function])
      measures.addToRolePolicy(
        new PolicyStatement({
          actions: ['cloudwatch:PutMetricData'],
          resources: ['*'],
          conditions: { StringEquals: { 'cloudwatch:namespace': METRIC_NAMESPACE } },
        }),
      );
  }

  /**
   * Scheduled events that failed twice. A day later they are forgotten: the schedule has run again many times since.
   */
  #collectFailures(): Queue {
    const failed = new Queue(this, 'FailedEvents', {
      queueName: cellName(this.stage, 'failed-events'),
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(1),
      removalPolicy: RemovalPolicy.DESTROY,
    });
    const onFailure = new SqsDestination(failed);
    for (const folder of ['drainer', 'encoder', 'gc', 'threshold-tuner', 'journal'] as const)
      this.services[folder].function.configureAsyncInvoke({
        retryAttempts: 1,
        maxEventAge: Duration.hours(1),
        onFailure,
      });
    return failed;
  }
}

/** `live-coder` is LiveCoder. */
const pascal = (name: string): string => name.replaceAll(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase());
