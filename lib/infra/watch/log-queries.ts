// Saved queries over the functions' logs, for CloudWatch Logs Insights: they cost nothing until somebody runs one.
import { CfnQueryDefinition } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { cellName, zoneName } from '../resource-names.ts';
import { WORKERS } from '../stage-parts.ts';
import type { StageSettings } from '../stage-settings.ts';

interface LogQuery {
  readonly name: string;
  readonly folders: readonly string[];
  readonly text: string;
}

const EVERYTHING = ['frontend', ...WORKERS];

const QUERIES: readonly LogQuery[] = [
  {
    name: 'errors',
    folders: EVERYTHING,
    text: 'fields @timestamp, service, message, error.name, error.message\n| filter level in ["ERROR", "CRITICAL"]\n| sort @timestamp desc\n| limit 100',
  },
  {
    name: 'requests-by-outcome',
    folders: ['frontend'],
    text: 'filter message = "request"\n| stats count(*) as requests, pct(ms, 50) as p50, pct(ms, 99) as p99 by via, outcome\n| sort requests desc',
  },
  {
    name: 'compaction-runs',
    folders: ['planner', 'compactor'],
    text: 'fields @timestamp, service, message, report.run, report.plan, report.movedBytes, report.retired, report.done, ms\n| sort @timestamp desc\n| limit 200',
  },
  {
    name: 'drain-and-live-coder',
    folders: ['drainer', 'live-coder'],
    text: 'fields @timestamp, service, message, report.reason.text, report.sent, report.ended, report.retired, ms\n| sort @timestamp desc\n| limit 200',
  },
  {
    name: 'garbage-and-threshold',
    folders: ['gc', 'threshold-tuner', 'encoder'],
    text: 'fields @timestamp, service, message, report.slots, report.recordBytes, report.freedZones, report.threshold, report.moved, report.reason.text, ms\n| sort @timestamp desc\n| limit 100',
  },
  {
    name: 'slow-or-cut-off',
    folders: EVERYTHING,
    text: 'filter type = "platform.report"\n| fields record.metrics.durationMs as ms, record.metrics.maxMemoryUsedMB as mb, record.status as status\n| stats count(*) as calls, max(ms) as slowest, max(mb) as peak by @log, status\n| sort slowest desc',
  },
];

export function addLogQueries(scope: Construct, stage: StageSettings): void {
  for (const { name, folders, text } of QUERIES)
    new CfnQueryDefinition(scope, `Query-${name}`, {
      // Slashes make folders in the console.
      name: `pocketful/${stage.stage}/${name}`,
      logGroupNames: folders.map((folder) => `/aws/lambda/${functionName(stage, folder)}`),
      queryString: text,
    });
}

const functionName = (stage: StageSettings, folder: string): string =>
  folder === 'frontend' ? zoneName(stage, folder) : cellName(stage, folder);
