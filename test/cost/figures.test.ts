// The cost sheet does not creep up: puts and gets counted on the real store and priced, well below what S3 alone asks for the puts. What the
// deploy sheet says of use is what the real store takes.
import { describe, expect, it } from 'vitest';
import { costSheetOf } from '../../bin/commands/stage/deploy-costs.ts';
import { codecShape } from '../../lib/codec/shape.ts';
import { PRICE_BOOK } from '../../lib/cost/price-book.ts';
import {
  BLOBS_PER_CALL,
  type BlobUnits,
  ROW_BYTES_KEPT,
  SCRUB_REQUESTS,
  scrubDollarsPerMonth,
  UNITS,
  usageDollars,
} from '../../lib/cost/usage.ts';
import { LIGHT_MEMORY_MIB } from '../../lib/infra/stage-parts.ts';
import { parseStageSettings } from '../../lib/infra/stage-settings.ts';
import { PRESETS, type Settings } from '../../lib/settings/settings.ts';
import {
  type CostFigure,
  deleteCost,
  getCost,
  lookCost,
  metadataBytes,
  putCost,
  scaledDown,
  scrubCost,
} from './figures.ts';

const { perMillionPuts, perMillionGets } = PRICE_BOOK.storage.standard;

describe('the cost sheet', () => {
  it.each([
    ['thrifty', PRESETS.thrifty, 1.75, 1],
    ['personal', PRESETS.personal, 2.0, 4],
  ] as const)(
    'a million puts of 64 KiB under %s cost at most 70 % of those of S3',
    async (_, settings, most, copies) => {
      const cost = await putCost(settings, 4);
      expect(cost.total).toBeLessThanOrEqual(most);
      expect(cost.total).toBeLessThan(0.7 * perMillionPuts);
      // 64 blobs are one object on each of the drives.
      expect(cost.requests).toBeGreaterThanOrEqual((copies / 64) * perMillionPuts);
      expect(cost.requests).toBeLessThan((copies / 64) * perMillionPuts * 1.3);
      // An object and a block row each, written plain: a unit each.
      expect(cost.metadata).toBeGreaterThan(2 * PRICE_BOOK.dynamo.perMillionWriteUnits);
    },
  );

  it('a month of scrubs costs at most 7 % of what storage does, and no more than the deploy sheet says', async () => {
    const cost = await scrubCost(scaledDown('personal', 128), 0.4, 128);
    expect(cost.ofStorage).toBeGreaterThan(0.01);
    expect(cost.ofStorage).toBeLessThan(0.07);
    // Groups are read whole: an object is 16 MiB, and a request more of each are its header and directory.
    expect(cost.getsPerStoredGb).toBeLessThanOrEqual(SCRUB_REQUESTS.gets);
    expect((cost.work.putRequests * 1e9) / cost.storedBytes).toBeLessThanOrEqual(2 * SCRUB_REQUESTS.lists);
    const said = scrubDollarsPerMonth(1e9, LIGHT_MEMORY_MIB, PRICE_BOOK);
    expect(said).toBeLessThan(0.07 * PRICE_BOOK.storage.standard.perGbMonth);
    const sheet = costSheetOf(parseStageSettings({}));
    expect(sheet.find(({ what }) => what.includes('scrubber'))?.dollars).toBeCloseTo(said * 1.5 * 1.06, 6);
  });

  it('a get is one ranged read', async () => {
    const cost = await getCost(PRESETS.personal, 8);
    expect(cost.requests).toBeCloseTo(perMillionGets, 6);
    expect(cost.metadata).toBeLessThan(0.3);
  });
});

const CALLS = 3;
/** Digits that are shown are right. */
const WITHIN = 0.03;
/** Of a pass of GC a part does not grow with what it shreds; it is a cent of a million. */
const READS_WITHIN = 0.1;

const expectNear = (what: string, said: number, counted: number, least = 0): void => {
  const off = Math.abs(said - counted);
  expect(off, `lib/cost/usage.ts says ${said} of ${what}, counted are ${counted}`).toBeLessThanOrEqual(
    Math.max(least, WITHIN * counted),
  );
};

function expectUnits(what: keyof typeof UNITS, { work }: CostFigure, blobs: number): void {
  const said: BlobUnits = UNITS[what];
  expectNear(`${what}.rowsWritten`, said.rowsWritten, work.metadataWrites / blobs);
  expectNear(`${what}.rowsRead`, said.rowsRead, work.metadataReads / blobs, READS_WITHIN);
}

const saidOf = (settings: Settings) => {
  const { dataColumns, parityColumns } = codecShape(settings.hotCodec);
  return usageDollars(dataColumns + parityColumns, PRICE_BOOK);
};

describe('what use costs', () => {
  it('is what the store is counted to do', async () => {
    const settings = PRESETS.thrifty;
    const blobs = CALLS * BLOBS_PER_CALL;
    const put64 = await putCost(settings, CALLS);
    const put1 = await putCost(settings, CALLS, 1);
    const get = await getCost(settings, BLOBS_PER_CALL);
    const { deleted, shredded } = await deleteCost(settings, CALLS);
    const single = await deleteCost(settings, BLOBS_PER_CALL, 1);
    expectUnits('put64', put64, blobs);
    expectUnits('put1', put1, CALLS);
    expectUnits('get', get, BLOBS_PER_CALL);
    expectUnits('delete64', deleted, blobs);
    expectUnits('delete1', single.deleted, BLOBS_PER_CALL);
    expectUnits('shred1', single.shredded, BLOBS_PER_CALL);
    expectUnits('shred', shredded, blobs);
    expectNear('ROW_BYTES_KEPT', ROW_BYTES_KEPT, await metadataBytes(settings, CALLS));
    const said = saidOf(settings);
    expectNear('put64', said.put64, put64.total);
    expectNear('put1', said.put1, put1.total);
    expectNear('get', said.get, get.total);
    expectNear('single deletes', said.deleted1, single.deleted.total + single.shredded.total);
    expectNear('deletes and GC', said.deleted, deleted.total + shredded.total);
  });

  it('differs by the columns of an append and by nothing else', async () => {
    const said = saidOf(PRESETS.personal);
    expectNear('put64', said.put64, (await putCost(PRESETS.personal, 1)).total);
    expectNear('put1', said.put1, (await putCost(PRESETS.personal, CALLS, 1)).total);
  });

  it('has nothing in it that grows with the number of volumes', async () => {
    const dollars = await lookCost(PRESETS.personal, 1_000);
    expect(dollars).toBe(await lookCost(PRESETS.personal, 0));
    expect(dollars).toBeLessThanOrEqual(0.375);
  });
});

describe('the sheet of a deploy', () => {
  const lines = (context: Record<string, unknown>): string[] =>
    costSheetOf(parseStageSettings(context)).map(({ what }) => what);

  it('names puts, gets, deletes, rows that are kept, and the way back only where there is one', () => {
    const all = lines({});
    for (const what of [
      /put, 64 a call/,
      /put, one a call, one/,
      /put, one a call, 8 at once/,
      /read, one/,
      /deleted, 64/,
      /deleted, one/,
      /^metadata/,
      /point-in-time/,
    ])
      expect(all.filter((line) => what.test(line))).toHaveLength(1);
    expect(lines({ ephemeral: 'true' }).filter((line) => /point-in-time/.test(line))).toEqual([]);
  });
});
