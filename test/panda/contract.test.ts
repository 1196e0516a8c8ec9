// The contract of Panda on the bodies that need no network; that of a SQLite Panda whose thread commits is a long one.
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { FaultyPanda } from '../../lib/panda/faulty-panda.ts';
import { MemoryPanda } from '../../lib/panda/memory-panda.ts';
import { pandaContract } from '../contract/panda.contract.ts';
import { sqliteContract } from './sqlite-contract.ts';
import { StalePanda } from './stale-panda.ts';

pandaContract('memory', async () => {
  const panda = new MemoryPanda();
  return { panda, close: () => panda.close() };
});

pandaContract('faulty without faults', async () => {
  const panda = new FaultyPanda(new MemoryPanda(), { decide: () => 'none' });
  return { panda, close: () => panda.close() };
});

pandaContract('stale where that is allowed', async () => {
  const panda = new StalePanda(new MemoryPanda(), new SeededRandomness(3));
  return { panda, close: () => panda.close() };
});

sqliteContract('SQLite', Number.POSITIVE_INFINITY);
