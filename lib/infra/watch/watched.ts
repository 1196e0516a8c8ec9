// What alarms and dashboard are made of: the parts of a stage that have metrics.
import type { Duration } from 'aws-cdk-lib';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { StageSettings } from '../stage-settings.ts';

export interface Watched {
  readonly stage: StageSettings;
  /** Of the metadata table. */
  readonly tableName: string;
  readonly queues: Readonly<Record<'drain' | 'dead' | 'failed', IQueue>>;
  readonly machineArn: string;
  /** The frontend is known by its name only: its stack comes later. */
  readonly functions: readonly IFunction[];
}

export interface MetricOptions {
  readonly statistic: string;
  readonly period: Duration;
}
