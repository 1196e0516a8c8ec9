// Synthesizes the stack of one stage with the feature flags of cdk.json and without bundling: two seconds, so once a file.
import { readFileSync } from 'node:fs';
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { parseStageSettings } from '../../lib/infra/stage-settings.ts';
import { StageStack } from '../../lib/infra/stage-stack.ts';

export function synthStage(context: Readonly<Record<string, unknown>>): Template {
  const cdk = JSON.parse(readFileSync(new URL('../../cdk.json', import.meta.url), 'utf8'));
  const app = new App({ context: { ...cdk.context, 'aws:cdk:bundling-stacks': [] } });
  const stage = parseStageSettings(context);
  return Template.fromStack(new StageStack(app, `Pocketful-${stage.stage}`, { stage }));
}

export interface Statement {
  readonly Effect: string;
  readonly Action: string | string[];
  readonly Resource: unknown;
  readonly Principal?: unknown;
}

export const actionsOf = (statement: Statement): string[] => [statement.Action].flat();
export const resourcesOf = (statement: Statement): unknown[] => [statement.Resource].flat();
