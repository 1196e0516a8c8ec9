// TUNE of a stage: one step of the threshold's controller, one daily row, and the gauges through the metrics port.

import { listJournal } from '../../compaction/run/journal.ts';
import type { ThresholdStep } from '../../compaction/threshold/law.ts';
import { DAY_MS } from '../../foundation/durations.ts';
import type { Write } from '../../panda/panda.ts';
import { removedFromRow, removedPartitions } from '../../panda/rows/removed/removed-row.ts';
import { trashFromRow, trashPartitions } from '../../panda/rows/trash-row.ts';
import type { Components } from '../../volume/rows/components.ts';
import { listBuckets, listVolumes, rowsOf } from '../../volume/rows/read-rows.ts';
import { transact } from '../../volume/rows/transact.ts';
import { type DailyFigures, gaugesOf, sealedOverhead } from '../status/gauges.ts';
import { collectKeeping } from '../status/keeping.ts';
import { statusOf } from '../status/status.ts';
import type { MetricsPort } from '../wire/metrics.ts';
import { dailyAttributes, dailyFromRow, dailyKey } from './daily-row.ts';
import { tune } from './tune.ts';

export interface TuneReport {
  readonly threshold: number;
  readonly moved: ThresholdStep['moved'];
  readonly reason: ThresholdStep['reason'];
  readonly metrics: Readonly<Record<string, number>>;
}

/** Safe at any time and twice: steps are per day of clock, and of two that run at once one wins. */
export async function tuneStage(components: Components, port: MetricsPort): Promise<TuneReport> {
  const { panda, settings } = components;
  const nowMs = Math.max(0, components.clock.nowMs());
  // Buckets after volumes: one that moves in between counts once, where it is then.
  const volumes = await listVolumes(panda, settings.cell, components.badRow);
  const buckets = await listBuckets(panda, settings.cell, components.badRow);
  const trash = { blocks: 0, bytes: 0 };
  const status = statusOf({ storeId: components.storeId, settings, volumes, buckets, drives: [], trash });
  const overhead = sealedOverhead(status);
  const weekAgo = await readDaily(components, nowMs - 7 * DAY_MS);
  const gauges = gaugesOf({
    nowMs,
    settings,
    status,
    volumes,
    journals: await listJournal(components),
    oldestTrashMs: await oldestTrash(components),
    weekAgo,
  });
  const wrong = Object.entries(await collectKeeping(components, volumes)).filter(([, value]) => value > 0);
  const metrics = { ...gauges, ...Object.fromEntries(wrong) };
  await port.put(metrics);
  await writeDaily(components, nowMs, { overhead, fillHistogram: status.fillHistogram });
  const step = await tune(components);
  return { threshold: step.state.threshold, moved: step.moved, reason: step.reason, metrics };
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
