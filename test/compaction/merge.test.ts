// Which remnants are merged: none before there are too many rows, and then the cheapest of one size and age, within every limit.

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mergeSettingsFor } from '../../lib/compaction/facts/merge-settings.ts';
import { planSettingsOf } from '../../lib/compaction/facts/plan-settings.ts';
import { type RemnantBucket, type RemnantView, remnantViewOf } from '../../lib/compaction/facts/remnants.ts';
import { tierOf } from '../../lib/compaction/plan/merges/merge-candidates.ts';
import type { MergePlan } from '../../lib/compaction/plan/merges/merge-plan.ts';
import { planMerges } from '../../lib/compaction/plan/merges/merge-propose.ts';
import { DAY_MS } from '../../lib/foundation/durations.ts';
import { PRESETS } from '../../lib/settings/settings.ts';
import { volumeName } from './fleets.ts';

const MIB = 1024 * 1024;
const FULL = PRESETS.personal.bucketBytes;
const SLOTS = 256;

/** A bucket once full of 64 KiB blocks, so much of it alive. */
const remnant = (n: number, volume: number, fill: number): RemnantBucket => ({
  id: volumeName(n),
  volume: volumeName(volume),
  liveBytes: Math.round(fill * FULL),
  usedBytes: FULL,
  slots: SLOTS,
});

const volumes = (count: number, changes: { ageMs?: number; state?: 'sealed' | 'leased' | 'open' } = {}) =>
  Array.from({ length: count }, (_, i) => ({
    id: volumeName(i),
    generation: 1,
    state: changes.state ?? ('sealed' as const),
    bucketCount: 100,
    ageMs: changes.ageMs ?? 100 * DAY_MS,
  }));

const viewOf = (buckets: readonly RemnantBucket[], homes = volumes(4)): RemnantView =>
  remnantViewOf('store', 'c0', homes, buckets);

type Changes = Parameters<typeof mergeSettingsFor>[1];
const NO_BUDGET = {
  bytesRead: null,
  bytesWritten: null,
  metadataWrites: null,
  requests: null,
  computeMs: null,
  dollars: null,
};

const plan = (view: RemnantView, changes: Changes = {}, budget: Partial<typeof NO_BUDGET> | object = {}): MergePlan =>
  planMerges({
    view,
    settings: mergeSettingsFor(PRESETS.personal, changes),
    codec: 'rs-6-3',
    plan: planSettingsOf(),
    budget: { ...NO_BUDGET, ...budget },
  });

const thin = Array.from({ length: 100 }, (_, n) => remnant(n, n % 4, 0.02));

describe('the plan of merges', () => {
  it('is empty while rows per live GiB are within the bound, and says so', () => {
    const whole = plan(viewOf(Array.from({ length: 100 }, (_, n) => remnant(n, n % 4, 0.9))));
    expect(whole.merges).toEqual([]);
    expect(whole.reason.text).toContain('within the bound of 256');
    expect(whole.before.rows).toBe(100);
    expect(whole.after).toEqual(whole.before);
  });

  it('merges remnants of one size into as few buckets as hold them, until the rows are few enough', () => {
    const made = plan(viewOf(thin));
    expect(made.reason.text).toContain('are over the bound of 256');
    expect(made.merges.length).toBeGreaterThan(0);
    expect(made.before.rowsPerGib).toBeCloseTo(3200, 0);
    expect(made.after.rowsPerGib).toBeLessThan(made.before.rowsPerGib / 10);
    for (const merge of made.merges) {
      expect(merge.sources.length).toBeGreaterThanOrEqual(4);
      expect(merge.liveBytes).toBeLessThanOrEqual(FULL);
      expect(merge.blocks).toBe(merge.sources.length * 5);
    }
    expect(made.volumes.map(({ volume }) => volume)).toEqual([0, 1, 2, 3].map(volumeName));
    expect(Object.isFrozen(made.merges[0]?.sources)).toBe(true);
  });

  it('goes no further than it has to: the merges that save most rows for a block row come first', () => {
    const mixed = [...thin, ...Array.from({ length: 100 }, (_, n) => remnant(1000 + n, n % 4, 0.2))];
    const view = viewOf(mixed);
    const all = plan(view, { relief: 0.01 });
    const some = plan(view, { rowsPerGibMax: 400 });
    expect(some.merges.length).toBeLessThan(all.merges.length);
    expect(some.merges.every(({ tier }) => tier === 2)).toBe(true);
    expect(some.after.rowsPerGib).toBeLessThanOrEqual(400 * 0.75 * 1.35);
  });

  it('waits until a merge is efficient: enough remnants of one size, few enough block rows, the scan paid for', () => {
    expect(plan(viewOf(thin.slice(0, 3))).reason.code).toBe('TOO_FEW_REMNANTS');
    // Of twenty blocks six columns cannot be made level.
    expect(plan(viewOf(thin.slice(0, 4))).reason.code).toBe('GROUP_UNEVEN');
    expect(plan(viewOf(thin.slice(0, 5))).merges).toHaveLength(1);
    expect(plan(viewOf(thin), { blockRowsPerRowMax: 5 }).reason.code).toBe('MERGES_TOO_DEAR');
    // A store with so many other blocks that looking through them costs more than it saves.
    const crowd = Array.from({ length: 50 }, (_, n) => ({ ...remnant(5000 + n, n % 4, 1), slots: 60_000 }));
    const scan = plan(viewOf([...thin, ...crowd]), { rowsPerGibMax: 10, blockRowsPerRowMax: 50, scanRowsPerWrite: 10 });
    expect(scan.merges).toEqual([]);
    expect(scan.reason.code).toBe('SCAN_TOO_DEAR');
    expect(scan.work.metadataWrites).toBe(0);
  });

  it('keeps ages apart, and leaves volumes that are open or owned by others alone', () => {
    const ages = [DAY_MS / 2, 100 * DAY_MS].flatMap((ageMs, i) =>
      volumes(1, { ageMs }).map((volume) => ({ ...volume, id: volumeName(i) })),
    );
    const made = plan(
      viewOf(
        thin.map((bucket, n) => ({ ...bucket, volume: volumeName(n % 2) })),
        ages,
      ),
    );
    expect(new Set(made.merges.map(({ ageClass }) => ageClass))).toEqual(new Set([0, 3]));
    for (const merge of made.merges) expect(new Set(merge.sources.map(({ volume }) => volume)).size).toBe(1);
    expect(plan(viewOf(thin, volumes(4, { state: 'leased' }))).merges).toEqual([]);
    const open = plan(viewOf(thin, volumes(4, { state: 'open' })));
    expect(open.merges).toEqual([]);
    expect(open.before.rows).toBe(100);
  });

  it('keeps lanes apart', () => {
    const lanes = volumes(4).map((home, i) => ({ ...home, lane: i % 2 === 0 ? 0 : 9 }));
    const { merges } = plan(viewOf(thin, lanes), { rowsPerGibMax: 1 });
    expect(merges.length).toBeGreaterThan(1);
    const laneOf = new Map(lanes.map(({ id, lane }) => [id, lane]));
    for (const { sources } of merges) expect(new Set(sources.map(({ volume }) => laneOf.get(volume))).size).toBe(1);
  });

  it('stays within block rows, volumes and every line of the budget, and says what stopped it', () => {
    const view = viewOf(thin);
    const whole = plan(view);
    expect(plan(view, { blockRowsMax: 260 }).reason.text).toContain('as many block rows as it may');
    expect(plan(view, { volumesMax: 3 }).reason.text).toContain('as many volumes as it may');
    for (const [line, limit] of Object.entries({ metadataWrites: 500, bytesRead: 20 * MIB, dollars: 0.0012 })) {
      const less = plan(view, {}, { [line]: limit });
      expect(less.merges.length, line).toBeLessThan(whole.merges.length);
      expect(less.reason.text, line).toContain('no budget is left');
    }
    expect(plan(view, {}, { metadataWrites: 1e9 }).merges).toEqual(whole.merges);
  });

  it('counts buckets without a live slot as rows that go', () => {
    const made = plan(viewOf([...thin, { ...remnant(999, 0, 0), liveBytes: 0 }]));
    expect(made.emptyBuckets).toBe(1);
    expect(made.after.rows).toBe(made.before.rows - 1 - made.merges.reduce((sum, m) => sum + m.rowsSaved, 0));
  });

  it('refuses settings that contradict each other', () => {
    const refused = expect.objectContaining({ kind: 'invalid', code: 'MERGE_SETTINGS_INVALID' });
    expect(() => mergeSettingsFor(PRESETS.demo, { sourcesMin: 2 })).toThrowError(refused);
    expect(() => mergeSettingsFor(PRESETS.demo, { rowsPerGibMax: 0 })).toThrowError(refused);
  });
});

const someBuckets = fc.array(
  fc.record({ volume: fc.nat(5), permille: fc.nat(1000), slots: fc.integer({ min: 1, max: 400 }) }),
  { maxLength: 200 },
);

describe('any plan of merges', () => {
  it('takes no bucket twice, moves sizes up a tier, keeps its limits, and does not hang on the order of the rows', () => {
    fc.assert(
      fc.property(someBuckets, fc.integer({ min: 1, max: 2000 }), (drawn, bound) => {
        const buckets = drawn.map(({ volume, permille, slots }, n) => ({
          ...remnant(n, volume, permille / 1000),
          slots,
        }));
        const changes = { rowsPerGibMax: bound, blockRowsMax: 3000, blockRowsPerRowMax: 300 };
        const settings = mergeSettingsFor(PRESETS.personal, changes);
        const made = plan(viewOf(buckets, volumes(6)), changes);
        expect(plan(viewOf([...buckets].reverse(), volumes(6)), changes)).toEqual(made);
        const taken = made.merges.flatMap(({ sources }) => sources);
        expect(new Set(taken.map(({ bucket }) => bucket)).size).toBe(taken.length);
        expect(made.blockRows).toBeLessThanOrEqual(3000);
        for (const merge of made.merges) {
          expect(new Set(merge.sources.map(({ liveBytes }) => tierOf(liveBytes, settings)))).toEqual(
            new Set([merge.tier]),
          );
          expect(tierOf(merge.liveBytes, settings)).toBeLessThan(merge.tier);
          expect(merge.liveBytes).toBeLessThanOrEqual(settings.bucketBytes);
          expect(merge.blocks).toBeLessThanOrEqual(300 * merge.rowsSaved);
        }
        if (made.before.rowsPerGib <= bound) expect(made.merges).toEqual([]);
        expect(made.after.liveBytes).toBe(made.before.liveBytes);
      }),
    );
  });
});
