// A Panda before whose transactions somebody else may do something: what was read for them is older then.
import { MemoryPanda } from '../../lib/panda/memory-panda.ts';
import type { Write } from '../../lib/panda/panda.ts';

export class MeddledPanda extends MemoryPanda {
  before: ((writes: readonly Write[]) => Promise<void>) | undefined;

  override async transact(writes: readonly Write[]): Promise<void> {
    await this.before?.(writes);
    return super.transact(writes);
  }
}
