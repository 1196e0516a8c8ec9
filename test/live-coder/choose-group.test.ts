import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IMBALANCE_AIM, imbalance, layOut } from '../../lib/format/placement.ts';
import { bestSubset } from '../../lib/live-coder/best-subset.ts';
import { chooseGroup, groupTargetBytes, type WaitingBucket } from '../../lib/live-coder/choose-group.ts';
import { PRESETS } from '../../lib/settings/settings.ts';

const MIB = 1024 * 1024;
const { personal } = PRESETS;
const RECORD_BYTES = 4 * MIB + 48;
const EMPTY = { extentFreeBytes: 63 * MIB, buckets: 256 };

const bucketsOf = (count: number, records = 3, bytes = RECORD_BYTES): WaitingBucket[] =>
  Array.from({ length: count }, () => ({ recordBytes: new Array<number>(records).fill(bytes) }));

const levelOf = (buckets: readonly WaitingBucket[]): number =>
  imbalance(
    layOut(
      buckets.flatMap(({ recordBytes }) => recordBytes.map((length) => ({ length }))),
      6,
      [0, 0, 0, 0, 0, 0],
    ),
  );

describe('chooseGroup', () => {
  it('waits for a whole group', () => {
    expect(chooseGroup([], personal, [EMPTY], true)).toBeUndefined();
    for (let count = 1; count < 8; count++)
      expect(chooseGroup(bucketsOf(count), personal, [EMPTY], false)).toBeUndefined();
  });

  it('takes as many long records as make level columns', () => {
    const choice = chooseGroup(bucketsOf(8), personal, [EMPTY], false);
    expect(choice).toEqual({ chosen: [0, 1, 2, 3, 4, 5, 6, 7], reason: 'full' });
    expect(levelOf(bucketsOf(8))).toBeLessThanOrEqual(IMBALANCE_AIM);
    expect(levelOf(bucketsOf(7))).toBeGreaterThan(IMBALANCE_AIM);
  });

  it('gives up on level columns rather than hold more than it should', () => {
    expect(chooseGroup(bucketsOf(5, 5), personal, [EMPTY], false)).toBeUndefined();
    expect(chooseGroup(bucketsOf(6, 5), personal, [EMPTY], false)?.reason).toBe('full');
  });

  it('closes a volume with the buckets that fill it best, once there is a choice', () => {
    const room = { extentFreeBytes: 14 * MIB, buckets: 256 };
    const mixed = [...bucketsOf(4, 128, MIB / 8), ...bucketsOf(3, 48, MIB / 4)];
    const choice = chooseGroup(mixed, personal, [room, EMPTY], false);
    expect(choice?.reason).toBe('fills the volume');
    const bytes = (choice?.chosen ?? []).flatMap((i) => mixed[i]?.recordBytes ?? []).reduce((a, b) => a + b, 0);
    expect(bytes).toBe(4 * 16 * MIB + 12 * MIB);
    expect(chooseGroup(mixed.slice(0, 5), personal, [room, EMPTY], false)).toBeUndefined();
  });

  it('passes over a volume that is as good as full, or has too many buckets', () => {
    for (const poor of [
      { extentFreeBytes: 3 * MIB, buckets: 256 },
      { extentFreeBytes: 15 * MIB, buckets: 0 },
      { extentFreeBytes: 15 * MIB, buckets: 2 },
    ])
      expect(chooseGroup(bucketsOf(10), personal, [poor, EMPTY], false)).toMatchObject({ reason: 'full' });
  });

  it('puts all that fits one group into the last one', () => {
    expect(chooseGroup(bucketsOf(2), personal, [EMPTY], true)).toEqual({ chosen: [0, 1], reason: 'last' });
    const nearlyFull = { extentFreeBytes: 12.5 * MIB, buckets: 256 };
    expect(chooseGroup(bucketsOf(2), personal, [nearlyFull, EMPTY], true)).toEqual({ chosen: [0, 1], reason: 'last' });
  });

  it('never waits for ever: enough waiting bytes, or a flush, always make a group of distinct buckets', () => {
    const bucket = fc.record({ records: fc.integer({ min: 1, max: 40 }), kib: fc.integer({ min: 1, max: 400 }) });
    const room = fc.record({
      extentFreeBytes: fc.integer({ min: 0, max: 63 * MIB }),
      buckets: fc.integer({ min: 0, max: 256 }),
    });
    fc.assert(
      fc.property(
        fc.array(bucket, { minLength: 1, maxLength: 60 }),
        fc.array(room, { maxLength: 2 }),
        (drawn, open) => {
          const waiting = drawn.map(({ records, kib }) => ({
            recordBytes: new Array<number>(records).fill(kib * 1024),
          }));
          const bytes = waiting.flatMap(({ recordBytes }) => recordBytes).reduce((a, b) => a + b, 0);
          const rooms = [...open.sort((a, b) => a.extentFreeBytes - b.extentFreeBytes), EMPTY];
          for (const flush of [true, false]) {
            const choice = chooseGroup(waiting, personal, rooms, flush);
            if (choice === undefined) expect(flush || bytes >= 1.25 * personal.groupBytesMin).toBe(false);
            else {
              expect(choice.chosen.length).toBeGreaterThan(0);
              expect(new Set(choice.chosen).size).toBe(choice.chosen.length);
              expect(choice.chosen.every((i) => i >= 0 && i < waiting.length)).toBe(true);
            }
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it('asks for about the minimum, in even shares of a volume', () => {
    for (const settings of Object.values(PRESETS)) {
      expect(groupTargetBytes(settings)).toBeGreaterThan(settings.groupBytesMin * 0.55);
      expect(groupTargetBytes(settings)).toBeLessThan(settings.groupBytesMin * 1.1);
    }
  });
});

describe('bestSubset', () => {
  it('stays within the limit and the count, and leaves no gap that an exchange would fill', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 1000 }), { maxLength: 30 });
    fc.assert(
      fc.property(sizes, fc.integer({ min: 0, max: 8000 }), fc.integer({ min: 0, max: 12 }), (all, limit, count) => {
        const chosen = bestSubset(all, limit, count);
        const total = chosen.reduce((sum, i) => sum + (all[i] as number), 0);
        expect(total).toBeLessThanOrEqual(limit);
        expect(chosen.length).toBeLessThanOrEqual(count);
        expect(chosen).toEqual([...new Set(chosen)].sort((a, b) => a - b));
        const rest = all.filter((_, i) => !chosen.includes(i));
        for (const i of chosen)
          for (const size of rest) {
            const gain = size - (all[i] as number);
            expect(gain > 0 && total + gain <= limit).toBe(false);
          }
      }),
    );
  });
});
