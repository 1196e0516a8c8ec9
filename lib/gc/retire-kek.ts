// Before a KEK version is destroyed: nothing is wrapped by it, and nothing can be any more.
//
// RETIRE. 1: the row kek-retiring|V, and of every version before V. 2: END, the leases of all open volumes that are
// held (lib/volume/open/end-leases.ts). 3: COUNT the blocks wrapped by V or a version before it; if there are none, it
// may be destroyed. A writer leases a volume, then reads kek-retiring of its version, then commits and indexes under
// the token. Leased before 2 reached the volume, it is stopped by the token; leased after, it sees the row. A rewrap to
// V that hangs since before is stopped by its own condition: it names an older version, and by 3 no block has one.
import { retiringKek } from '../panda/rows/retiring-kek-row.ts';
import { endLeases } from '../volume/open/end-leases.ts';
import type { Components } from '../volume/rows/components.ts';
import { transact } from '../volume/rows/transact.ts';
import { blocksByKekVersion } from './rewrap-keys.ts';

/** How many blocks are wrapped by the version or one before it: final if 0. A crash leaves rows that refuse writers. */
export async function retireKek(components: Components, version: number): Promise<number> {
  const until = (await components.keks.versions()).filter((one) => one.version <= version && one.state !== 'destroyed');
  for (const one of until) await transact(components, [retiringKek(one.version)], async () => false);
  await endLeases(components);
  let blocks = 0;
  for (const [of, count] of await blocksByKekVersion(components)) if (of <= version) blocks += count;
  return blocks;
}
