// TUNE of a stage: one step of the threshold's controller, one daily row, and the gauges through the metrics port.

import { listJournal } from '../../compaction/run/journal.ts';
import type { ThresholdStep } from '../../compaction/threshold/law.ts';
import { DAY_MS } from '../../foundation/durations.ts';
import type { Key, Write } from '../../panda/panda.ts';
import { countsIn, optionalCount } from '../../panda/rows/row-reader.ts';
import { trashFromRow, trashPartitions } from '../../panda/rows/trash-row.ts';
import type { Components } from '../../volume/rows/components.ts';
import { listBuckets, listVolumes, rowsOf } from '../../volume/rows/read-rows.ts';
import { transact } from '../../volume/rows/transact.ts';
import { type DailyFigures, gaugesOf, sealedOverhead } from '../status/gauges.ts';
import { statusOf } from '../status/status.ts';
import type { MetricsPort } from '../wire/metrics.ts';
import { tune } from './tune.ts';

/** Of a ratio in a row. */
const MILLIONTHS = 1e6;

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

/** daily/CELL | day: the figures of a day, as its first look found them. */
const dailyKey = ({ settings }: Components, ms: number): Key => ({
  partition: `daily/${settings.cell}`,
  sort: new Date(Math.max(0, ms)).toISOString().slice(0, 10),
});

async function readDaily(c: Components, ms: number): Promise<DailyFigures | undefined> {
  const row = await c.panda.get(dailyKey(c, ms));
  if (row === undefined) return undefined;
  const millionths = optionalCount(row, 'o');
  return {
    overhead: millionths === undefined ? undefined : millionths / MILLIONTHS,
    fillHistogram: countsIn(row, 'h'),
  };
}

async function writeDaily(c: Components, nowMs: number, { overhead, fillHistogram }: DailyFigures): Promise<void> {
  const key = dailyKey(c, nowMs);
  if ((await c.panda.get(key)) !== undefined) return;
  const put: Write = {
    kind: 'put',
    ...key,
    attributes: {
      h: fillHistogram,
      ...(overhead === undefined ? {} : { o: Math.round(overhead * MILLIONTHS) }),
    },
  };
  await transact(c, [put], async () => false);
}
