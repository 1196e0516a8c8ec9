// The data of a cell: its drives and the queue between drainer and Live Coder.
import type { Construct } from 'constructs';
import { DrainQueue } from './drain-queue.ts';
import { Drives } from './drives.ts';
import { PocketfulStack, type PocketfulStackProps } from './pocketful-stack.ts';

export class CellDataStack extends PocketfulStack {
  readonly drives: Drives;
  readonly drainQueue: DrainQueue;

  constructor(scope: Construct, id: string, props: PocketfulStackProps) {
    const { stage } = props;
    super(scope, id, { description: `Pocketful ${stage.stage}: ${stage.drives} drives and the queue`, ...props });
    this.drives = new Drives(this, 'Drives', { count: stage.drives, ephemeral: stage.ephemeral });
    this.drainQueue = new DrainQueue(this, 'Drain', { stage });
  }
}
