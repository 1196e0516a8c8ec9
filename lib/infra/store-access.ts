// How a function reaches the store: the variables that lib/engine/wire/stage-environment.ts reads, and the grants that
// go with them.
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { CellDataStack } from './stacks/cell-data-stack.ts';
import type { ZoneDataStack } from './stacks/zone-data-stack.ts';
import { DRIVE_ACCESS, NEVER_WRITTEN, type Worker } from './stage-parts.ts';
import type { StageSettings } from './stage-settings.ts';

export interface StoreParts {
  readonly zoneData: ZoneDataStack;
  readonly cellData: CellDataStack;
}

export function storeEnvironment(stage: StageSettings, { zoneData, cellData }: StoreParts): Record<string, string> {
  return {
    POCKETFUL_STAGE: stage.stage,
    POCKETFUL_TABLE: zoneData.panda.table.tableName,
    POCKETFUL_DRIVES: cellData.drives.names,
    POCKETFUL_KEY: zoneData.kek.key.keyArn,
    POCKETFUL_ACCOUNT: zoneData.account,
    POCKETFUL_SETTINGS: JSON.stringify(stage.store),
    ...(stage.warmClass === 'standard' ? {} : { POCKETFUL_WARM_CLASS: stage.warmClass }),
  };
}

/**
 * Rows and drives as far as the function needs them. Only the frontend can unwrap keys, and the journal, whose segments
 * are under them: what else works behind the frontend moves ciphertext, and has no right on the key at all.
 */
export function grantStore(grantee: IFunction, folder: 'frontend' | Worker, { zoneData, cellData }: StoreParts): void {
  const access = DRIVE_ACCESS[folder];
  if (access !== 'none') cellData.drives.grant(grantee, access);
  zoneData.panda.grantUse(grantee, NEVER_WRITTEN[folder]);
  if (folder === 'frontend' || folder === 'journal') zoneData.kek.grantUse(grantee);
}
