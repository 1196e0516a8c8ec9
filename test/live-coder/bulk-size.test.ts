// How large the groups of bulk puts are, and so how much of a put is in memory.
import { expect, it } from 'vitest';
import { bulkBatchBytes, bulkFromBytes, bulkHeldBytes, bulkSettings } from '../../lib/live-coder/bulk-size.ts';
import { PRESETS } from '../../lib/settings/settings.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

it.each([
  ['personal', 64 * KIB, { group: 36, from: 48, held: 60 }],
  ['personal', 4 * MIB, { group: 60, from: 60, held: 90 }],
  ['personal', 1024 * MIB, { group: 60, from: 60, held: 90 }],
  ['cell', 64 * KIB, { group: 36, from: 48, held: 60 }],
  ['cell', 4 * MIB, { group: 120, from: 120, held: 190 }],
  ['demo', 64 * KIB, { group: 3, from: 12, held: 13 }],
] as const)('of %s, records of up to %d bytes', (preset, longest, expected) => {
  const settings = PRESETS[preset];
  expect(bulkSettings(settings, longest).groupBytesMin).toBe(expected.group * MIB);
  expect(bulkFromBytes(settings, longest)).toBe(expected.from * MIB);
  expect(bulkHeldBytes(settings, longest)).toBeLessThanOrEqual(expected.held * MIB);
  // A full group and a batch more: what is read waits for no memory before there is a group.
  expect(bulkHeldBytes(settings, longest)).toBeGreaterThanOrEqual(
    bulkFromBytes(settings, longest) + bulkBatchBytes(settings, longest),
  );
});
