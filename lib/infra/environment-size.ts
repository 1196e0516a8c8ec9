// Lambda takes 4,096 bytes of variables, and says so in the middle of a deployment. What is known only then (names that
// CloudFormation makes) is reckoned at its longest here, so that a stage that cannot be deployed is refused before.
import { invalid } from '../foundation/errors.ts';
import { BUCKET_NAME_CHARACTERS_MAX, ENVIRONMENT_BYTES_MAX } from '../limits/stage.ts';
import { cellName, stackNames } from './resource-names.ts';
import type { StageSettings } from './stage-settings.ts';

/** CloudFormation's own end of a name. */
const SUFFIX = 13;
const ARN_OF_KEY = 'arn:aws:kms:ap-southeast-1:123456789012:key/00000000-0000-0000-0000-000000000000'.length;
const QUEUES_OF_ACCOUNT = 'https://sqs.ap-southeast-1.amazonaws.com/123456789012/'.length;

function environmentBytes(stage: StageSettings, variables: Readonly<Record<string, string>>): number {
  const { zoneData, cellData } = stackNames(stage);
  const bucket = Math.min(BUCKET_NAME_CHARACTERS_MAX, cellData.length + '-drive00'.length + SUFFIX);
  const queue = QUEUES_OF_ACCOUNT + cellName(stage, 'drain-dead').length;
  const longest: Readonly<Record<string, number>> = {
    POCKETFUL_DRIVES: stage.drives * (bucket + 1),
    POCKETFUL_STAGING: bucket,
    POCKETFUL_TABLE: zoneData.length + '-PandaTable00000000'.length + SUFFIX,
    POCKETFUL_KEY: ARN_OF_KEY,
    POCKETFUL_ACCOUNT: 12,
    POCKETFUL_DRAIN_QUEUE_URL: queue,
    POCKETFUL_DRAIN_DLQ_URL: queue,
  };
  return Object.entries(variables).reduce(
    (sum, [name, value]) => sum + name.length + (longest[name] ?? Buffer.byteLength(value)),
    0,
  );
}

/** Throws `invalid` STAGE_INVALID. */
export function checkEnvironment(
  stage: StageSettings,
  folder: string,
  variables: Readonly<Record<string, string>>,
): void {
  const bytes = environmentBytes(stage, variables);
  if (bytes <= ENVIRONMENT_BYTES_MAX) return;
  const text = `stage: the variables of ${folder} take up to ${bytes} bytes of the ${ENVIRONMENT_BYTES_MAX} that Lambda allows`;
  throw invalid('STAGE_INVALID', `${text}: a shorter name of the stage, fewer drives, or shorter budgets fit`);
}
