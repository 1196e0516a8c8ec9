// Many rows into a fresh Panda, several transactions at once.

import { RESTORE_TRANSACTIONS_AT_ONCE } from '../../limits/engine.ts';
import { TRANSACTION_BYTES_MAX, TRANSACTION_ITEMS_MAX } from '../../limits/panda.ts';
import { rowBytes } from '../../panda/attributes.ts';
import type { Panda, Row, Write } from '../../panda/panda.ts';

const PROGRESS_ROWS = 10_000;

/** The number of rows. */
export async function putRows(
  panda: Panda,
  rows: AsyncIterable<Row>,
  onProgress: (rows: number) => void = () => {},
): Promise<number> {
  const running = new Set<Promise<void>>();
  let batch: Write[] = [];
  let bytes = 0;
  let count = 0;
  const flush = async (): Promise<void> => {
    if (batch.length === 0) return;
    const work = panda.transact(batch).then(() => {
      running.delete(work);
    });
    work.catch(() => {});
    running.add(work);
    batch = [];
    bytes = 0;
    if (running.size >= RESTORE_TRANSACTIONS_AT_ONCE) await Promise.race(running);
  };
  for await (const row of rows) {
    const size = rowBytes(row, row.attributes);
    if (batch.length === TRANSACTION_ITEMS_MAX || bytes + size > TRANSACTION_BYTES_MAX) await flush();
    batch.push({ kind: 'put', partition: row.partition, sort: row.sort, attributes: row.attributes });
    bytes += size;
    count += 1;
    if (count % PROGRESS_ROWS === 0) onProgress(count);
  }
  await flush();
  await Promise.all(running);
  onProgress(count);
  return count;
}
