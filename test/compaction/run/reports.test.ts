// What runs report adds up: steps to a run, and what was done to what budgets count.
import { expect, it } from 'vitest';
import { NOTHING_SPENT } from '../../../lib/compaction/plan/budget.ts';
import { addOutcome, NO_OUTCOME, type Outcome, runReportOf, spentOn } from '../../../lib/compaction/run/reports.ts';
import type { VolumeId } from '../../../lib/foundation/ids.ts';
import { SMALL } from '../acting-world.ts';

const spent = { bytesRead: 1, bytesWritten: 2, metadataWrites: 3, requests: 4, computeMs: 5, dollars: 6 };
const first: Outcome = {
  retired: 1,
  destinationVolumes: ['a', 'b'] as VolumeId[],
  movedBuckets: 2,
  movedBytes: 30,
  hostBytes: 4,
  storedBytes: 50,
  spent,
  skipped: [{ volume: 'x', reason: { code: 'VOLUME_GONE', text: 'x' } }],
  stalled: { code: 'STORE_FULL', text: 'full' },
  merged: { buckets: 1, remnants: 2, blockRows: 3, rowsDropped: 4 },
};

it('steps are a run: sums, each destination once, and the end of the last one', () => {
  const second: Outcome = {
    ...first,
    destinationVolumes: ['b', 'c'] as VolumeId[],
    skipped: [{ volume: 'y', reason: { code: 'VOLUME_OWNED', text: 'y' } }],
    stalled: undefined,
    merged: undefined,
  };
  const sum = addOutcome(first, second);
  expect(sum).toEqual({
    retired: 2,
    destinationVolumes: ['a', 'b', 'c'],
    movedBuckets: 4,
    movedBytes: 60,
    hostBytes: 8,
    storedBytes: 100,
    spent: { bytesRead: 2, bytesWritten: 4, metadataWrites: 6, requests: 8, computeMs: 10, dollars: 12 },
    skipped: [...first.skipped, ...second.skipped],
    stalled: undefined,
    merged: first.merged,
  });
  const merged = { buckets: 9, remnants: 9, blockRows: 9, rowsDropped: 9 };
  expect(addOutcome(second, { ...first, merged })).toMatchObject({ stalled: first.stalled, merged });
  expect(addOutcome(NO_OUTCOME, first)).toEqual(first);
  const { merged: _, ...rest } = sum;
  expect(runReportOf('l2-0001', 'l2', sum)).toEqual({
    name: 'l2-0001',
    strategy: 'l2',
    ...rest,
    destinations: 3,
    metadataWrites: 6,
    dollars: 12,
  });
});

it('what was done costs what a plan would count for it, but bytes as they were stored, and rows where they were counted', () => {
  const nothing = { copiedBytes: 0, storedBytes: 0, copiedBuckets: 0, retired: 0, destinations: 0, queued: false };
  expect(spentOn(SMALL, nothing)).toEqual(NOTHING_SPENT);
  expect(spentOn(SMALL, { ...nothing, copiedBuckets: 3, destinations: 1, storedBytes: 9 })).toEqual(NOTHING_SPENT);
  const done = {
    copiedBytes: 20_000,
    storedBytes: 31_000,
    copiedBuckets: 5,
    retired: 2,
    destinations: 1,
    queued: false,
  };
  const whole = spentOn(SMALL, done);
  expect(whole).toEqual({
    bytesRead: 20_000,
    bytesWritten: 31_000,
    metadataWrites: 39,
    requests: 22,
    computeMs: 1,
    dollars: expect.closeTo(0.0002826730339693, 12),
  });
  const queued = spentOn(SMALL, { ...done, queued: true });
  expect(queued).toEqual({ ...whole, dollars: expect.closeTo(0.0001386730339693, 12) });
  expect(spentOn(SMALL, { ...done, metadataWrites: 7 })).toEqual({
    ...whole,
    metadataWrites: 7,
    dollars: expect.closeTo(0.0002426730339693, 12),
  });
  expect(spentOn(SMALL, { ...nothing, retired: 1 })).toMatchObject({ metadataWrites: 6, bytesRead: 0 });
  expect(spentOn(SMALL, { ...nothing, metadataWrites: 1 })).toMatchObject({ metadataWrites: 1, bytesRead: 0 });
});
