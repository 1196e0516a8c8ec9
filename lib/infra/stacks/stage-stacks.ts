// The four stacks of a stage, for those who look at all of them.
import type { CellDataStack } from './cell-data-stack.ts';
import type { CellStack } from './cell-stack.ts';
import type { ZoneDataStack } from './zone-data-stack.ts';
import type { ZoneStack } from './zone-stack.ts';

export interface Stage {
  readonly zoneData: ZoneDataStack;
  readonly cellData: CellDataStack;
  readonly cell: CellStack;
  readonly zone: ZoneStack;
}
