// pocketful adopt: this copy of a store's metadata has the drives from now on.
import type { Command } from 'commander';
import { openEmbedded } from '../../lib/engine/wire/embedded.ts';
import { addCommand } from './command.ts';
import { countOf } from './show/text.ts';

export function addAdopt(program: Command): void {
  addCommand(
    program,
    'adopt',
    'let this copy of a store have its drives, and give up what another one wrote to them since',
    async (run) => {
      const store = await openEmbedded(run.directory());
      try {
        const report = await store.adopt();
        run.answer(
          { storeId: store.row.storeId, ...report },
          `adopted store ${store.row.storeId} in ${store.path} (epoch ${report.epoch}); ${countOf(report.raisedZones, 'zone')} of others stay on the drives for seven days, then doctor --fix erases them`,
        );
        for (const label of report.unlisted)
          run.say(`pocketful: ${label} cannot be listed: what it holds is not given up yet`);
      } finally {
        await store.close();
      }
    },
  );
}
