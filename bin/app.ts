// The CDK app: one stack for the stage that the context names (`cdk deploy -c stage=dev -c preset=personal`).
import { App } from 'aws-cdk-lib';
import { isPocketfulError } from '../lib/foundation/errors.ts';
import { parseStageSettings, STAGE_CONTEXT_KEYS } from '../lib/infra/stage-settings.ts';
import { StageStack } from '../lib/infra/stage-stack.ts';

const app = new App();
try {
  const given = STAGE_CONTEXT_KEYS.map((key) => [key, app.node.tryGetContext(key)]);
  const stage = parseStageSettings(Object.fromEntries(given.filter(([, value]) => value !== undefined)));
  const { CDK_DEFAULT_ACCOUNT: account, CDK_DEFAULT_REGION: region } = process.env;
  const env = account === undefined || region === undefined ? {} : { env: { account, region } };
  new StageStack(app, `Pocketful-${stage.stage}`, { stage, ...env });
} catch (error) {
  if (!isPocketfulError(error)) throw error;
  console.error(`pocketful: ${error.message} (${error.code})`);
  process.exitCode = 1;
}
