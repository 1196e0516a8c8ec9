// When a snapshot of the metadata is due: what has come since must weigh half of the last one, and in a burst of new
// rows far more, for each snapshot reads all rows.
import { expect, it } from 'vitest';
import { snapshotReason } from '../../lib/journal/ladder.ts';
import { NOTHING } from '../../lib/journal/points.ts';
import type { Segment } from '../../lib/journal/way.ts';
import {
  SNAPSHOT_AGE_MS,
  SNAPSHOT_BURST_WEIGHT,
  SNAPSHOT_LADDER_BYTES_MIN,
  SNAPSHOTS_APART_MS,
} from '../../lib/limits/journal.ts';

const MIB = 1024 * 1024;
const AT_MS = 1_000_000;

const segment = (level: Segment['level'], bytes: number, drives: readonly number[] = [0, 1]): Segment => ({
  ...{ level, from: NOTHING, to: { sequence: 1, mark: '00000001' }, atMs: AT_MS, id: '0000' },
  ...{ epoch: 1, bytes, parts: [{ name: 'part', drives }] },
});
const due = (snapshotBytes: number, bytesSince: readonly number[], afterMs: number, copies = 2): string =>
  snapshotReason({
    way: [segment('snapshot', snapshotBytes), ...bytesSince.map((bytes) => segment(0, bytes))],
    nowMs: AT_MS + afterMs,
    copies,
    isListedWhole: true,
  });

it('half the weight of the last one makes it due, a while after that', () => {
  expect(due(8 * MIB, [2 * MIB, 2 * MIB - 1], SNAPSHOTS_APART_MS)).toBe('none');
  expect(due(8 * MIB, [2 * MIB, 2 * MIB], SNAPSHOTS_APART_MS)).toBe('weight');
  expect(due(8 * MIB, [2 * MIB, 2 * MIB], SNAPSHOTS_APART_MS - 1)).toBe('none');
  // A clock that was set back says nothing.
  expect(due(8 * MIB, [4 * MIB], -SNAPSHOTS_APART_MS)).toBe('none');
});

it('so much more makes it due at once, and so little never', () => {
  expect(due(MIB, [SNAPSHOT_BURST_WEIGHT * MIB - 1], 0)).toBe('none');
  expect(due(MIB, [SNAPSHOT_BURST_WEIGHT * MIB], 0)).toBe('weight');
  expect(due(100, [SNAPSHOT_LADDER_BYTES_MIN - 1], SNAPSHOTS_APART_MS)).toBe('none');
  expect(due(100, [SNAPSHOT_LADDER_BYTES_MIN], 0)).toBe('weight');
});

it('copies, age and a way that leads nowhere are reasons whatever it weighs', () => {
  expect(due(8 * MIB, [MIB], 0, 3)).toBe('copies');
  expect(due(8 * MIB, [MIB], SNAPSHOT_AGE_MS - 1)).toBe('none');
  expect(due(8 * MIB, [MIB], SNAPSHOT_AGE_MS)).toBe('age');
  expect(due(8 * MIB, [], SNAPSHOT_AGE_MS)).toBe('none');
  expect(snapshotReason({ way: undefined, nowMs: AT_MS, copies: 2, isListedWhole: true })).toBe('broken');
  expect(snapshotReason({ way: undefined, nowMs: AT_MS, copies: 2, isListedWhole: false })).toBe('none');
});
