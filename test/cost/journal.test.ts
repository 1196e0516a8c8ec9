// What the journal of a stage costs: by hand at one rate, less for each blob the more of them come at once, and little
// beside the put itself.
import { describe, expect, it } from 'vitest';
import { costSheetOf } from '../../bin/commands/stage/deploy-costs.ts';
import { journalDollars } from '../../lib/cost/journal.ts';
import { PRICE_BOOK } from '../../lib/cost/price-book.ts';
import { parseStageSettings } from '../../lib/infra/stage-settings.ts';

const SHAPE = { batch: { rows: 5000, seconds: 30 }, copies: 4, drives: 10, memoryMiB: 1024 };

describe('the journal of a stage', () => {
  it('costs what its batches cost', () => {
    // A million seconds: a batch each 30, six puts of each with the merges, ten lists for every eighth.
    const batches = 1e6 / 30;
    const requests = (batches * 6 + (1e6 / 300) * 10) * 5e-6;
    const compute = (batches * 0.15 + 2.2e6 * 0.05e-3 * 4) * 0.0000133334 + batches * 0.2e-6;
    const metadata = batches * 5 * 0.125e-6 + batches * 2 * 0.625e-6;
    expect(journalDollars(SHAPE, 1, PRICE_BOOK)).toBeCloseTo(requests + compute + metadata, 2);
  });

  it('costs less the faster they come, down to batches that are full', () => {
    const rates = [0.01, 0.1, 1, 10, 100, 1000].map((rate) => journalDollars(SHAPE, rate, PRICE_BOOK));
    expect(rates).toEqual([...rates].sort((a, b) => b - a));
    expect(rates.at(-1)).toBeLessThan(0.05);
  });

  it.each(['personal', 'thrifty'])('is in the sheet of %s, and small beside the puts', (preset) => {
    const sheet = costSheetOf(parseStageSettings({ preset }));
    const line = (what: string): number => sheet.find((one) => one.what.includes(what))?.dollars ?? Number.NaN;
    expect(line('journal of a million blobs put, 1 a second')).toBeLessThan(line('put, one a call, one') / 10);
    expect(line('journal of a million blobs put, 100 a second')).toBeLessThan(line('put, 64 a call') / 10);
  });
});
