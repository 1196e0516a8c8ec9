// The contract of Panda on the bodies that need no network.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { FaultyPanda } from '../../lib/panda/faulty-panda.ts';
import { MemoryPanda } from '../../lib/panda/memory-panda.ts';
import { SqlitePanda } from '../../lib/panda/sqlite/sqlite-panda.ts';
import { pandaContract } from '../contract/panda.contract.ts';
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

for (const [name, threadAfterWrites, runs] of [
  ['SQLite', Number.POSITIVE_INFINITY, 40],
  ['SQLite, committed by a thread', 0, 10],
] as const)
  pandaContract(
    name,
    async () => {
      const folder = mkdtempSync(join(tmpdir(), 'panda-'));
      const path = join(folder, 'panda.db');
      let panda = await SqlitePanda.open(path, { threadAfterWrites });
      return {
        panda,
        async reopen() {
          await panda.close();
          panda = await SqlitePanda.open(path, { create: false, threadAfterWrites });
          return panda;
        },
        async close() {
          await panda.close();
          rmSync(folder, { recursive: true });
        },
      };
    },
    { runs, reopens: true },
  );
