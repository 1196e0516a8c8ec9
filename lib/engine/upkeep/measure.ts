// The figures of a store at this moment, for both engines: gauges for alarms, and one row a day to compare with.
import { listJournal } from '../../compaction/run/journal.ts';
import { DAY_MS } from '../../foundation/durations.ts';
import { hotPressureOf } from '../../live-coder/hot-pressure.ts';
import type { Write } from '../../panda/panda.ts';
import { removedFromRow, removedPartitions } from '../../panda/rows/removed/removed-row.ts';
import { trashFromRow, trashPartitions } from '../../panda/rows/trash-row.ts';
import type { Components } from '../../volume/rows/components.ts';
import { listBuckets, listVolumes, rowsOf } from '../../volume/rows/read-rows.ts';
import { transact } from '../../volume/rows/transact.ts';
import { type DailyFigures, type GaugeFacts, gaugesOf, hotGauges, sealedOverhead } from '../status/gauges.ts';
import { collectKeeping, type Keeping } from '../status/keeping.ts';
import { statusOf } from '../status/status.ts';
import { dailyAttributes, dailyFromRow, dailyKey } from './daily-row.ts';

interface Measured extends Pick<GaugeFacts, 'volumes' | 'status'> {
  readonly keeping: Keeping;
}

/** By the names of metric-names.ts; what cannot be said yet, or is zero of what should be, is left out. */
export async function measure(components: Components): Promise<Readonly<Record<string, number>>> {
  const { panda, settings } = components;
  // Buckets after volumes: one that moves in between counts once, where it is then.
  const volumes = await listVolumes(panda, settings.cell, components.badRow);
  const buckets = await listBuckets(panda, settings.cell, components.badRow);
  const trash = { blocks: 0, bytes: 0 };
  const status = statusOf({ storeId: components.storeId, settings, volumes, buckets, drives: [], trash });
  return measureOf(components, { volumes, status, keeping: await collectKeeping(components, volumes) });
}

/** The same where the rows are read and the drives were asked. */
export async function measureOf(
  components: Components,
  { volumes, status, keeping }: Measured,
): Promise<Readonly<Record<string, number>>> {
  const { settings } = components;
  const nowMs = Math.max(0, components.clock.nowMs());
  const gauges = gaugesOf({
    nowMs,
    settings,
    status,
    volumes,
    journals: await listJournal(components),
    oldestTrashMs: await oldestTrash(components),
    weekAgo: await readDaily(components, nowMs - 7 * DAY_MS),
  });
  await writeDaily(components, nowMs, { overhead: sealedOverhead(status), fillHistogram: status.fillHistogram });
  const wrong = Object.entries(keeping).filter(([, value]) => value > 0);
  return { ...gauges, ...hotGauges(hotPressureOf(volumes, settings)), ...Object.fromEntries(wrong) };
}

async function oldestTrash({ panda, settings }: Components): Promise<number | undefined> {
  let oldest: number | undefined;
  // In the order of their times.
  for (const partition of removedPartitions(settings.cell))
    for (const row of (await panda.query(partition, {}, { limit: 1 })).rows)
      oldest = Math.min(oldest ?? Infinity, removedFromRow(row).atMs);
  for (const partition of trashPartitions(settings.cell))
    for await (const row of rowsOf(panda, partition)) oldest = Math.min(oldest ?? Infinity, trashFromRow(row).sinceMs);
  return oldest;
}

async function readDaily({ panda, settings }: Components, ms: number): Promise<DailyFigures | undefined> {
  const row = await panda.get(dailyKey(settings.cell, ms));
  return row === undefined ? undefined : dailyFromRow(row);
}

async function writeDaily(components: Components, nowMs: number, figures: DailyFigures): Promise<void> {
  const key = dailyKey(components.settings.cell, nowMs);
  if ((await components.panda.get(key)) !== undefined) return;
  const put: Write = { kind: 'put', ...key, attributes: dailyAttributes(figures) };
  await transact(components, [put], async () => false);
}
