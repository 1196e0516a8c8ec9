// Who ships the journal of the metadata, merges what was shipped, takes snapshots and deletes what nobody needs: as `StoreJournal` does each second.
import { journalCopies } from '../../../lib/engine/ship/store-journal.ts';
import type { SeededRandomness } from '../../../lib/foundation/randomness.ts';
import { Shelves } from '../../../lib/journal/shelves.ts';
import { ship, shipSnapshot } from '../../../lib/journal/ship.ts';
import { type TendPorts, tendLadder } from '../../../lib/journal/tend.ts';
import { currentKek } from '../../../lib/volume/rows/known-keks.ts';
import { acceptable } from './client.ts';
import type { Acting, SimWorld } from './sim-world.ts';

type Act = (world: SimWorld, acting: Acting, random: SeededRandomness) => Promise<void>;

const SHIPPINGS_MAX = 12;
const KINDS = ['retry', 'unknown', 'conflict'];

function portsOf(world: SimWorld, { components, process }: Acting): TendPorts {
  const { clock, randomness, storeId, keks, owner } = components;
  const { source, shelves } = world.journalOf(process);
  const places = shelves.map((shelf, drive) => ({ drive, shelf, domain: `${drive}`, isActive: true }));
  return {
    ...{ source, clock, randomness, storeId, owner },
    isOwnerGone: (other) => components.isOwnerGone(other),
    shelvesOf: () => new Shelves(places, journalCopies(world.settings)),
    kekOf: (version) => keks.kek(version),
    currentKek: () => currentKek(components),
  };
}

export const SHIPPER: Readonly<Record<string, Act>> = {
  ship: async (world, acting) => {
    await ship(portsOf(world, acting));
  },
  // What is refused now is shipped by the next one.
  'ship-on': async (world, acting, random) => {
    const ports = portsOf(world, acting);
    for (let times = 2 + random.below(SHIPPINGS_MAX); times > 0; times--) {
      await acting.components.clock.sleep(random.below(random.below(3) === 0 ? 3000 : 60));
      await ship(ports).catch((error: unknown) => acceptable(world, error, KINDS));
    }
    await tendLadder(ports);
  },
  'tend-ladder': async (world, acting) => {
    await tendLadder(portsOf(world, acting));
  },
  snapshot: async (world, acting, random) => {
    await shipSnapshot(portsOf(world, acting), random.below(2) === 0);
  },
};
