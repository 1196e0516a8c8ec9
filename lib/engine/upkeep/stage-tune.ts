// TUNE of a stage: one step of the threshold's controller, one daily row, and the gauges through the metrics port.

import { listJournal } from '../../compaction/run/journal.ts';
import type { ThresholdStep } from '../../compaction/threshold/law.ts';
import { DAY_MS } from '../../foundation/durations.ts';
import type { Write } from '../../panda/panda.ts';
import { trashFromRow, trashPartitions } from '../../panda/rows/trash-row.ts';
import type { Components } from '../../volume/rows/components.ts';
import { listBuckets, listVolumes, rowsOf } from '../../volume/rows/read-rows.ts';
import { transact } from '../../volume/rows/transact.ts';
import { type DailyFigures, gaugesOf, sealedOverhead } from '../status/gauges.ts';
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
export async function tuneStage(c: Components, metrics: MetricsPort): Promise<TuneReport> {
  const { panda, settings } = c;
  const nowMs = Math.max(0, c.clock.nowMs());
  // Buckets after volumes: one that moves in between counts once, where it is then.
  const volumes = await listVolumes(panda, settings.cell, c.badRow);
  const buckets = await listBuckets(panda, settings.cell, c.badRow);
  const trash = { blocks: 0, bytes: 0 };
  const status = statusOf({ storeId: c.storeId, settings, volumes, buckets, drives: [], trash });
  const overhead = sealedOverhead(status);
  const weekAgo = await readDaily(c, nowMs - 7 * DAY_MS);
  const gauges = gaugesOf({
    nowMs,
    settings,
    status,
    volumes,
    journals: await listJournal(c),
    oldestTrashMs: await oldestTrash(c),
    weekAgo,
  });
  await metrics.put(gauges);
  await writeDaily(c, nowMs, { overhead, fillHistogram: status.fillHistogram });
  const step = await tune(c);
  return { threshold: step.state.threshold, moved: step.moved, reason: step.reason, metrics: gauges };
}

async function oldestTrash({ panda, settings }: Components): Promise<number | undefined> {
  let oldest: number | undefined;
  for (const partition of trashPartitions(settings.cell))
    for await (const row of rowsOf(panda, partition)) oldest = Math.min(oldest ?? Infinity, trashFromRow(row).sinceMs);
  return oldest;
}

async function readDaily({ panda, settings }: Components, ms: number): Promise<DailyFigures | undefined> {
  const row = await panda.get(dailyKey(settings.cell, ms));
  return row === undefined ? undefined : dailyFromRow(row);
}

async function writeDaily(c: Components, nowMs: number, figures: DailyFigures): Promise<void> {
  const key = dailyKey(c.settings.cell, nowMs);
  if ((await c.panda.get(key)) !== undefined) return;
  const put: Write = { kind: 'put', ...key, attributes: dailyAttributes(figures) };
  await transact(c, [put], async () => false);
}
