// What merges cost: rows, requests, bytes and dollars.
import { codecShape } from '../../../codec/shape.ts';
import { dollarsOf, NO_WORK, type Work } from '../../../cost/cost-of.ts';
import { PRICE_BOOK } from '../../../cost/price-book.ts';
import { PAIRS_PER_TRANSACTION } from '../../../limits/panda.ts';
import { pricingOf } from '../work.ts';
import type { MergeRequest, PlannedMerge } from './merge-plan.ts';

/** Block rows to a read unit of 4 KB. */
const BLOCK_ROWS_PER_READ = 10;
/** Rows of a source: its bucket and its dead bits when its blocks leave, and the three of its end. */
const ROWS_PER_SOURCE = 5;
/** Lease, note of where its blocks went, end. */
const ROWS_PER_VOLUME = 3;
/** Lease, volume and group row of the commit, settling. */
const ROWS_PER_GROUP = 4;

/** What merges add up to. */
export interface MergeTotals {
  readonly merges: number;
  readonly liveBytes: number;
  readonly blocks: number;
  readonly sources: number;
  readonly volumes: number;
  readonly rowsSaved: number;
}
export const NO_MERGES: MergeTotals = { merges: 0, liveBytes: 0, blocks: 0, sources: 0, volumes: 0, rowsSaved: 0 };

export const plusMerge = (totals: MergeTotals, merge: PlannedMerge, newVolumes: number): MergeTotals => ({
  merges: totals.merges + 1,
  liveBytes: totals.liveBytes + merge.liveBytes,
  blocks: totals.blocks + merge.blocks,
  sources: totals.sources + merge.sources.length,
  volumes: totals.volumes + newVolumes,
  rowsSaved: totals.rowsSaved + merge.rowsSaved,
});

/** `scanned`: block rows of the store, all of which are read to find those of the remnants. */
export function workOfMerges({ codec, plan }: MergeRequest, totals: MergeTotals, scanned: number): Work {
  if (totals.merges === 0) return NO_WORK;
  const { dataColumns, parityColumns } = codecShape(codec);
  const columns = dataColumns + parityColumns;
  const { merges, liveBytes, blocks, sources, volumes } = totals;
  const groups = Math.ceil(liveBytes / plan.groupBytes);
  return {
    ...NO_WORK,
    bytesRead: liveBytes,
    bytesWritten: Math.ceil((liveBytes * columns) / dataColumns),
    getRequests: Math.ceil(liveBytes / plan.readBytes) + sources,
    putRequests: groups * columns + merges * (parityColumns + 1),
    metadataWrites:
      Math.ceil(blocks * (1 + 1 / PAIRS_PER_TRANSACTION)) +
      sources * ROWS_PER_SOURCE +
      merges +
      volumes * ROWS_PER_VOLUME +
      groups * ROWS_PER_GROUP,
    metadataReads: Math.ceil(scanned / BLOCK_ROWS_PER_READ) + sources * 2,
    computeMs: Math.ceil((liveBytes / plan.moveBytesPerSecond) * 1000),
  };
}

export const dollarsOfMerges = ({ plan, book }: MergeRequest, work: Work): number =>
  dollarsOf(work, pricingOf(plan, book ?? PRICE_BOOK)).total;
