// The CDK app: the stacks of the stage that the context names (`cdk deploy --all -c stage=dev -c preset=personal`).
import { App } from 'aws-cdk-lib';
import { isPocketfulError } from '../lib/foundation/errors.ts';
import { newStage } from '../lib/infra/stacks/stage.ts';
import { parseStageSettings, STAGE_CONTEXT_KEYS } from '../lib/infra/stage-settings.ts';

const app = new App();
try {
  const given = STAGE_CONTEXT_KEYS.map((key) => [key, app.node.tryGetContext(key)]);
  const stage = parseStageSettings(Object.fromEntries(given.filter(([, value]) => value !== undefined)));
  const { CDK_DEFAULT_ACCOUNT: account, CDK_DEFAULT_REGION: region } = process.env;
  newStage(app, stage, account === undefined || region === undefined ? undefined : { account, region });
} catch (error) {
  if (!isPocketfulError(error)) throw error;
  console.error(`pocketful: ${error.message} (${error.code})`);
  process.exitCode = 1;
}
