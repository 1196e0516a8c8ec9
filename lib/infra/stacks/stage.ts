// A stage as four stacks: data apart from what works on it, what a zone shares apart from its cell. Deployed in this
// order: metadata and key, drives and queue, workers, frontend.
import type { App, Environment } from 'aws-cdk-lib';
import { acknowledgeFindings } from '../acknowledgements.ts';
import { stackNames } from '../resource-names.ts';
import type { StageSettings } from '../stage-settings.ts';
import { CellDataStack } from './cell-data-stack.ts';
import { CellStack } from './cell-stack.ts';
import type { Stage } from './stage-stacks.ts';
import { ZoneDataStack } from './zone-data-stack.ts';
import { ZoneStack } from './zone-stack.ts';

export function newStage(app: App, stage: StageSettings, env?: Environment): Stage {
  const names = stackNames(stage);
  const common = { stage, ...(env === undefined ? {} : { env }) };
  const zoneData = new ZoneDataStack(app, names.zoneData, common);
  const cellData = new CellDataStack(app, names.cellData, common);
  // A contradiction is found there, before anything else is touched.
  cellData.addStackDependency(zoneData);
  const parts = { zoneData, cellData };
  const cell = new CellStack(app, names.cell, { ...common, parts });
  cell.addStackDependency(cellData);
  const zone = new ZoneStack(app, names.zone, { ...common, parts, cell });
  const made = { zoneData, cellData, cell, zone };
  acknowledgeFindings(made);
  return made;
}
