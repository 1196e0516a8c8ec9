import { SimulatedClock } from '../../lib/foundation/clock.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { MemoryKekStore } from '../../lib/keys/memory-kek-store.ts';
import { keysContract } from '../contract/keys.contract.ts';

keysContract('memory', async () => ({
  store: new MemoryKekStore({ clock: new SimulatedClock(), randomness: new SeededRandomness(1) }),
  close: async () => undefined,
}));
