// What cdk-nag's AwsSolutions pack finds in a stage and is meant to be so, each with its reason. Anything else it finds
// fails a test.
import { type CfnElement, Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import type { Stage } from './stacks/stage-stacks.ts';

const BUCKET_LOGS =
  'Access logs of drives would be more objects than the drives hold. Only the functions of the stage may touch a drive, and they log.';
const ALL_KEYS =
  'A function reads and writes every key of the drives of its own cell and of no other bucket: keys name zones, and which zone is whose is decided in Panda.';
const ALL_PARTS = 'Parts of bulk puts have names by lot, and the bucket holds nothing else.';
const NO_RESOURCES = 'PutMetricData knows no resources. Its condition allows the namespace of Pocketful only.';
const STREAMS = 'ListStreams knows no resources, and Lambda asks for it before it reads a stream.';
const VERSIONS = 'A state machine may call any version of the two functions it is made for.';
const HISTORY =
  'A standard state machine keeps every event of an execution for 90 days, free of charge. Log delivery would need permissions on *.';
const NO_TRACES =
  'One function is called after another; the history shows what a trace would, and X-Ray needs permissions on *.';
const TRACES = 'What X-Ray is sent knows no resources.';
const END_OF_LINE = 'This queue takes what others failed at. Nobody receives from it, so nothing can fail again.';
const NO_RECOVERY = 'An ephemeral stage is made to be thrown away: a copy to go back to would outlive it.';
const DELETER = "CDK's own function that empties the drives of an ephemeral stage before they are deleted.";
const PLAIN_ALARMS =
  'Alarms hold no data, and CloudWatch may not use the key that AWS manages for topics; a key of our own is $1 a month.';

export function acknowledgeFindings({ zoneData, cellData, cell, zone }: Stage): void {
  const { ephemeral, alarmEmail, tracing } = zoneData.stage;
  for (const bucket of [...cellData.drives.buckets, cellData.staging.bucket]) accept(bucket, 'S1', BUCKET_LOGS);
  const services = [zone.frontend, ...Object.values(cell.services)];
  for (const service of services)
    for (const arn of cellData.drives.exportedArns(service)) accept(service, `IAM5[Resource::${arn}/*]`, ALL_KEYS);
  accept(zone.frontend, `IAM5[Resource::${cellData.staging.exportedArn(zone.frontend)}/*]`, ALL_PARTS);
  for (const measures of [cell.services['threshold-tuner'], cell.services.encoder])
    accept(measures, 'IAM5[Resource::*]', NO_RESOURCES);
  accept(cell.services.journal, 'IAM5[Resource::*]', STREAMS);
  for (const { function: called } of [cell.services.planner, cell.services.compactor]) {
    const id = cell.getLogicalId(called.node.defaultChild as CfnElement);
    accept(cell.compaction, `IAM5[Resource::<${id}.Arn>:*]`, VERSIONS);
  }
  accept(cell.compaction, 'SF1', HISTORY);
  if (tracing) {
    for (const traced of [...services, zoneData.guard, cell.compaction]) accept(traced, 'IAM5[Resource::*]', TRACES);
  } else accept(cell.compaction, 'SF2', NO_TRACES);
  if (zone.announcements !== undefined) {
    accept(zone.announcements.role, 'IAM5[Resource::*]', STREAMS);
    accept(zone.announcements.failed, 'SQS3', END_OF_LINE);
  }
  accept(cell.failedEvents, 'SQS3', END_OF_LINE);
  if (alarmEmail !== undefined) accept(cell.watching, 'SNS2', PLAIN_ALARMS);
  if (!ephemeral) return;
  accept(zoneData.panda, 'DDB3', NO_RECOVERY);
  const deleter = cellData.node.tryFindChild('Custom::S3AutoDeleteObjectsCustomResourceProvider');
  for (const rule of ['IAM4', 'L1']) accept(deleter, rule, DELETER);
}

/** `rule` with its finding, if it makes several of one resource. */
function accept(construct: IConstruct | undefined, rule: string, reason: string): void {
  if (construct !== undefined) Validations.of(construct).acknowledge({ id: `AwsSolutions-${rule}`, reason });
}
