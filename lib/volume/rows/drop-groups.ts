// Rows of groups go when the volume's directories say what they said.
import { ROWS_PER_TRANSACTION } from '../../limits/panda.ts';
import type { Write } from '../../panda/panda.ts';
import { groupKey, groupPartition } from '../../panda/rows/group-row.ts';
import type { VolumeRow } from '../../panda/rows/volume-row.ts';
import type { Components } from './components.ts';
import { rowsOf } from './read-rows.ts';
import { transact } from './transact.ts';

/** Their facts are in the directories now. What a crash leaves behind goes when the volume is freed. */
export async function dropGroupRows(components: Components, volume: VolumeRow): Promise<void> {
  const keys = Array.from({ length: volume.nextSeq - 1 }, (_, i) => groupKey(volume.id, volume.generation, i + 1));
  for (let at = 0; at < keys.length; at += ROWS_PER_TRANSACTION) {
    const writes: Write[] = keys.slice(at, at + ROWS_PER_TRANSACTION).map((key) => ({ kind: 'delete', ...key }));
    await transact(components, writes, async () => false);
  }
}

/** Rows of groups that a seal which was cut off left behind: after the flip nobody would look for them. */
export async function dropGroupRowsOf(components: Components, volume: VolumeRow): Promise<void> {
  let deletes: Write[] = [];
  const flush = async (): Promise<void> => {
    if (deletes.length > 0) await transact(components, deletes, async () => false);
    deletes = [];
  };
  for await (const { partition, sort } of rowsOf(components.panda, groupPartition(volume.id, volume.generation))) {
    deletes.push({ kind: 'delete', partition, sort });
    if (deletes.length === ROWS_PER_TRANSACTION) await flush();
  }
  await flush();
}
