// Doctor's look at what lies on the drives and is in no row: what only a newer Panda can know, and what belongs to
// nothing.

import { QUARANTINE_MS } from '../../limits/volume.ts';
import { quarantineFromRow, quarantinePartition } from '../../panda/rows/drives/quarantine-row.ts';
import type { Findings } from '../../verify/findings.ts';
import { lookAtDrives } from '../../volume/behind/newer-chunks.ts';
import { rowsOf } from '../../volume/rows/read-rows.ts';
import type { EmbeddedStore } from '../wire/embedded/embedded-store.ts';

export async function findUnknownChunks(store: EmbeddedStore, findings: Findings): Promise<void> {
  const refusal = await store.refusal();
  if (refusal !== undefined) findings.add('wrong', 'panda', `${refusal.message} (${refusal.code})`);
  const { components } = store;
  for (const { drive, strays } of await lookAtDrives(components)) {
    if (strays.length === 0) continue;
    const since: number[] = [];
    for await (const row of rowsOf(components.panda, quarantinePartition(drive)))
      since.push(quarantineFromRow(row).sinceMs);
    const zones = `drive ${drive} holds ${strays.length} zones of chunks that belong to nothing`;
    const then =
      since.length === 0
        ? 'pocketful doctor --fix puts them into quarantine, and erases them seven days later'
        : `${since.length} are in quarantine, pocketful doctor --fix erases them from ${dayOf(Math.min(...since) + QUARANTINE_MS)} on`;
    findings.add('waits', 'stray', `${zones}: ${then}`);
  }
}

const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
