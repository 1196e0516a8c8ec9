// The contract of Panda on a SQLite file: committed on the main thread, or by a thread after so many writes.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SqlitePanda } from '../../lib/panda/sqlite/sqlite-panda.ts';
import { pandaContract } from '../contract/panda.contract.ts';

const RUNS = 40;

export function sqliteContract(name: string, threadAfterWrites: number): void {
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
    { runs: RUNS, reopens: true },
  );
}
