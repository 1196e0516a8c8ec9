// Placement: nothing straddles, overlaps or is left out; columns come out nearly equal on realistic groups, and the
// longest goes onto the emptiest extent.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IMBALANCE_AIM, imbalance, type Layout, layOut } from '../../lib/format/placement.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

/** Every record whole in one column, back to back from 0, so that no byte is shared and none is unused. */
function expectSound(records: readonly { length: number }[], dataColumns: number, layout: Layout): void {
  expect([layout.column.length, layout.offset.length]).toEqual([records.length, records.length]);
  expect(layout.columnBytes.length).toBe(dataColumns);
  for (let c = 0; c < dataColumns; c++) {
    const here = records
      .map(({ length }, i) => ({ length, offset: layout.offset[i] as number, column: layout.column[i] }))
      .filter(({ column }) => column === c)
      .sort((a, b) => a.offset - b.offset || a.length - b.length);
    let end = 0;
    for (const { offset, length } of here) {
      expect(offset).toBe(end);
      end += length;
    }
    expect(layout.columnBytes[c]).toBe(end);
  }
  expect(layout.columnBytes.reduce((a, b) => a + b, 0)).toBe(records.reduce((a, { length }) => a + length, 0));
}

const groups = fc.record({
  lengths: fc.array(fc.integer({ min: 0, max: 70_000 }), { maxLength: 80 }),
  used: fc.array(fc.nat(1e6), { minLength: 1, maxLength: 16 }),
});

describe('layOut', () => {
  it('places every record whole, without overlap or gap', () => {
    fc.assert(
      fc.property(groups, ({ lengths, used }) => {
        const records = lengths.map((length) => ({ length }));
        const layout = layOut(records, used.length, used);
        expectSound(records, used.length, layout);
        expect(layOut(records, used.length, used)).toEqual(layout);
      }),
      { numRuns: 300 },
    );
  });

  it('puts longer columns onto emptier extents', () => {
    fc.assert(
      fc.property(groups, ({ lengths, used }) => {
        const { columnBytes } = layOut(
          lengths.map((length) => ({ length })),
          used.length,
          used,
        );
        for (const [a, usedA] of used.entries())
          for (const [b, usedB] of used.entries())
            if (usedA < usedB) expect(columnBytes[a]).toBeGreaterThanOrEqual(columnBytes[b] as number);
      }),
    );
  });

  it('keeps the records of a column in the order they came in', () => {
    const layout = layOut(
      Array.from({ length: 40 }, (_, i) => ({ length: 100 + (i % 7) })),
      4,
      [0, 0, 0, 0],
    );
    for (let c = 0; c < 4; c++) {
      const offsets = layout.offset.filter((_, i) => layout.column[i] === c);
      expect(offsets).toEqual(offsets.toSorted((a, b) => a - b));
    }
  });

  it('improves longest-first where that misses the aim', () => {
    // Longest first alone gives 9+6+6 | 9+6; the best is 9+9 | 6+6+6.
    const records = [9, 9, 6, 6, 6].map((length) => ({ length }));
    const layout = layOut(records, 2, [0, 0]);
    expect(layout.columnBytes).toEqual([18, 18]);
  });

  it('never exceeds the aim with four or more records a column, none longer than twice another', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 12 }), fc.integer({ min: 4, max: 9 }), fc.nat(), (columns, each, seed) => {
        const randomness = new SeededRandomness(seed);
        const records = Array.from({ length: columns * each }, () => ({ length: 10_000 + randomness.below(10_001) }));
        expect(imbalance(layOut(records, columns, Array(columns).fill(0)))).toBeLessThanOrEqual(IMBALANCE_AIM);
      }),
      { numRuns: 300 },
    );
  });

  it('leaves columns empty when there are fewer records than columns', () => {
    expect(layOut([{ length: 7 }, { length: 9 }], 4, [5, 0, 0, 1])).toEqual({
      column: [2, 1],
      offset: [0, 0],
      columnBytes: [0, 9, 7, 0],
    });
    expect(layOut([], 2, [0, 0])).toEqual({ column: [], offset: [], columnBytes: [0, 0] });
    expect(imbalance({ columnBytes: [0, 0] })).toBe(1);
  });

  it('fills 12 columns of 256 KiB with records of 4 to 64 KiB within 0.5 %', () => {
    const randomness = new SeededRandomness(1);
    let worst = 1;
    for (let run = 0; run < 200; run++) {
      const records: { length: number }[] = [];
      for (let bytes = 0; bytes < 12 * 256 * KIB; bytes += records.at(-1)?.length ?? 0)
        records.push({ length: 48 + 4 * KIB + randomness.below(60 * KIB) });
      worst = Math.max(worst, imbalance(layOut(records, 12, Array(12).fill(0))));
    }
    expect(worst).toBeLessThan(1.005);
  });

  it('fills 6 columns with 24 records of 4 MiB exactly, and slightly compressed ones within 1 %', () => {
    const full = Array.from({ length: 24 }, () => ({ length: 4 * MIB + 48 }));
    expect(imbalance(layOut(full, 6, Array(6).fill(0)))).toBe(1);
    const randomness = new SeededRandomness(2);
    let worst = 1;
    for (let run = 0; run < 200; run++) {
      const records = full.map(({ length }) => ({ length: length - randomness.below(MIB) }));
      worst = Math.max(worst, imbalance(layOut(records, 6, Array(6).fill(0))));
    }
    expect(worst).toBeLessThan(1.01);
  });

  it('keeps the records of a bucket together: of twelve, ten lie in four columns at the most', () => {
    const randomness = new SeededRandomness(3);
    for (let run = 0; run < 20; run++) {
      const buckets = Array.from({ length: 12 }, () =>
        Array.from({ length: 32 }, () => 48 + 192 * KIB + randomness.below(64 * KIB)),
      );
      const { column, columnBytes } = layOut(
        buckets.flat().map((length) => ({ length })),
        12,
        Array(12).fill(0),
      );
      expect(imbalance({ columnBytes })).toBeLessThan(1.01);
      const columnsOf = buckets.map((_, b) => new Set(column.slice(32 * b, 32 * (b + 1))).size);
      expect(columnsOf.filter((count) => count <= 4).length, columnsOf.join()).toBeGreaterThanOrEqual(10);
    }
  });
});
