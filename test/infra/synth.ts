// Synthesizes the stacks of one stage with the feature flags of cdk.json, without bundling and without CDK's rules for templates, which take
// nine tenths of the time (stage.long.test.ts and every deployment run both).
import { readFileSync } from 'node:fs';
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { newStage } from '../../lib/infra/stacks/stage.ts';
import type { Stage } from '../../lib/infra/stacks/stage-stacks.ts';
import { parseStageSettings } from '../../lib/infra/stage-settings.ts';

export interface Synthesized {
  readonly app: App;
  readonly stage: Stage;
  readonly zoneData: Template;
  readonly cellData: Template;
  readonly cell: Template;
  readonly zone: Template;
  readonly all: readonly Template[];
}

/** `prepare` sees the app before it is synthesized. */
export function synthStage(
  context: Readonly<Record<string, unknown>>,
  prepare: (app: App) => void = () => undefined,
): Synthesized {
  const cdk = JSON.parse(readFileSync(new URL('../../cdk.json', import.meta.url), 'utf8'));
  process.env['CDK_VALIDATION'] = 'false';
  const app = new App({ context: { ...cdk.context, 'aws:cdk:bundling-stacks': [] } });
  const stage = newStage(app, parseStageSettings(context));
  prepare(app);
  const [zoneData, cellData, cell, zone] = [stage.zoneData, stage.cellData, stage.cell, stage.zone].map((stack) =>
    Template.fromStack(stack),
  ) as [Template, Template, Template, Template];
  return { app, stage, zoneData, cellData, cell, zone, all: [zoneData, cellData, cell, zone] };
}

export interface Resource {
  readonly Type: string;
  readonly Properties: Record<string, unknown>;
  readonly DeletionPolicy?: string;
}

export const resourcesIn = (templates: readonly Template[], type: string): Resource[] =>
  templates.flatMap((template) => Object.values(template.findResources(type)) as Resource[]);

export interface Statement {
  readonly Effect: string;
  readonly Action: string | string[];
  readonly Resource: unknown;
  readonly Principal?: unknown;
  readonly Condition?: unknown;
}

/** What our roles may do: what does not fit a role goes to a managed policy of its own. */
export const statementsIn = (templates: readonly Template[]): Statement[] =>
  ['AWS::IAM::Policy', 'AWS::IAM::ManagedPolicy']
    .flatMap((type) => resourcesIn(templates, type))
    .flatMap((policy) => (policy.Properties['PolicyDocument'] as { Statement: Statement[] }).Statement);

export const actionsOf = (statement: Statement): string[] => [statement.Action].flat();
export const resourcesOf = (statement: Statement): unknown[] => [statement.Resource].flat();
