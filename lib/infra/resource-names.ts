// What things of a stage are called. Stateless things have names a person can type, so that runbooks hold whole
// commands and stacks need not refer to each other; data (buckets, tables, keys) is named by CloudFormation, which can
// then replace nothing by accident.
import { stackNameOf } from '../settings/stage-names.ts';
import type { StageSettings } from './stage-settings.ts';

type Named = Pick<StageSettings, 'stage' | 'store'>;

/** On everything of a stage; its value is the stage's name. */
export const COST_TAG = 'pocketful:stage';

export const stackNames = ({ stage, store }: Named) => ({
  zone: stackNameOf(stage),
  zoneData: `${stackNameOf(stage)}-data`,
  cell: `${stackNameOf(stage)}-${store.cell}`,
  cellData: `${stackNameOf(stage)}-${store.cell}-data`,
});

/** Of a thing the whole zone shares. */
export const zoneName = ({ stage }: Named, thing: string): string => `pocketful-${stage}-${thing}`;

/** Of a thing of the one cell. */
export const cellName = ({ stage, store }: Named, thing: string): string => `pocketful-${stage}-${store.cell}-${thing}`;
