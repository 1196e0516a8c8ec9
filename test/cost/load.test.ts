// The month of a load: what it is asked in, what is refused, and that its items are what they say.
import { describe, expect, it } from 'vitest';
import { costSheetOf, monthSheetOf } from '../../bin/commands/stage/deploy-costs.ts';
import { type Load, parseLoad } from '../../lib/cost/load.ts';
import { parseStageSettings } from '../../lib/infra/stage-settings.ts';

const STAGE = parseStageSettings({});
const LOAD = parseLoad('puts=1M,size=64KiB,keep=12mo');

const itemsOf = (load: Load, stage = STAGE): Map<string, number> =>
  new Map(monthSheetOf(stage, load).map(({ item, dollars }) => [item, dollars]));
const lineOf = (what: RegExp, stage = STAGE): number =>
  costSheetOf(stage).find((line) => what.test(line.what))?.dollars ?? Number.NaN;

describe('a load', () => {
  it('is read from its text', () => {
    expect(LOAD).toEqual({ puts: 1e6, sizeBytes: 65_536, keepMonths: 12, gets: 0, perCall: 64 });
    expect(parseLoad('keep=30d,size=1.5MB,puts=2k,gets=7,percall=1')).toEqual({
      puts: 2000,
      sizeBytes: 1_500_000,
      keepMonths: 1,
      gets: 7,
      perCall: 1,
    });
    expect(parseLoad('puts=1,size=1B,keep=2y').keepMonths).toBe(24);
  });

  it.each([
    ['', /none of puts/],
    ['puts=1M,size=64KiB', /keep=… is missing/],
    ['puts=1M,puts=2M,size=64KiB,keep=1mo', /twice/],
    ['puts=-1,size=64KiB,keep=1mo', /puts=-1: an amount is like 1M/],
    ['puts=1e9,size=64KiB,keep=1mo', /puts=1e9/],
    ['puts=999999999999999999,size=64KiB,keep=1mo', /an amount/],
    ['puts=1M,size=64,keep=1mo', /size=64: an amount is like 64KiB/],
    ['puts=1M,size=0KiB,keep=1mo', /at least one byte/],
    ['puts=1M,size=64KiB,keep=12', /keep=12/],
    ['puts=1M,size=64KiB,keep=0d', /some time/],
    ['puts=1M,size=64KiB,keep=1mo,percall=65', /1 to 64/],
    ['puts=1M,size=64KiB,keep=1mo,toString=1', /toString/],
    ['puts=1toString,size=64KiB,keep=1mo', /an amount/],
  ])('%j is refused', (text, why) => {
    expect(() => parseLoad(text)).toThrow(
      expect.objectContaining({ code: 'LOAD_INVALID', message: expect.stringMatching(why) }),
    );
  });
});

describe('the month of a load', () => {
  it('is what the sheet says of a million blobs, and of a GB', () => {
    const items = itemsOf(LOAD);
    expect(items.get('idle')).toBe(lineOf(/^idle, a month$/));
    expect(items.get('puts, 64 a call')).toBeCloseTo(lineOf(/put, 64 a call/), 9);
    expect(items.get('deletes, 64 a call, and shredding')).toBeCloseTo(lineOf(/deleted, 64 a call/), 9);
    expect(items.get('metadata kept')).toBeCloseTo(12 * lineOf(/^metadata/), 9);
    const liveGb = (12 * 1e6 * 65_536) / 1e9;
    expect(items.get('storage, encoded, standard')).toBeCloseTo(liveGb * lineOf(/^a GB of live data/), 6);
    expect(items.get('scrubbing')).toBeCloseTo(liveGb * lineOf(/scrubber/), 6);
    const single = itemsOf({ ...LOAD, perCall: 1, gets: 3e6 });
    expect(single.get('puts, 1 a call')).toBeCloseTo(lineOf(/one after the other/), 9);
    expect(single.get('reads, one a call')).toBeCloseTo(3 * lineOf(/read, one a call/), 9);
  });

  it('sums up, and lies between calls of one and of 64', () => {
    const lines = monthSheetOf(STAGE, LOAD);
    const sum = lines.slice(0, -1).reduce((total, { dollars }) => total + dollars, 0);
    expect(lines.at(-1)).toEqual({ item: 'all of it', dollars: sum });
    const puts = [1, 2, 8, 64].map(
      (perCall) => itemsOf({ ...LOAD, perCall }).get(`puts, ${perCall} a call`) ?? Number.NaN,
    );
    expect(puts).toEqual([...puts].sort((a, b) => b - a));
  });

  it('has as many calls as the blobs need', () => {
    expect(itemsOf({ ...LOAD, sizeBytes: 1024 * 1024 }).has('puts, 4 a call')).toBe(true);
    const long = itemsOf({ ...LOAD, sizeBytes: 40 * 1024 * 1024 }).get('puts, 1 a call') ?? Number.NaN;
    expect(long).toBeCloseTo(10 * lineOf(/one after the other/), 6);
  });

  it('counts a storage class by what it asks for: reads, its least time, seldom scrubs', () => {
    const of = (warmClass: string, load = LOAD): Map<string, number> =>
      itemsOf(load, parseStageSettings({ warmClass }));
    const total = (items: Map<string, number>): number => items.get('all of it') ?? Number.NaN;
    const [standard, glacier] = [of('standard'), of('glacier-ir')];
    expect(glacier.get('storage, encoded, glacier-ir')).toBeCloseTo(
      ((standard.get('storage, encoded, standard') ?? 0) * 0.004) / 0.023,
      9,
    );
    // Kept for a year it pays; for a month it does not, as three are paid for.
    expect(total(glacier)).toBeLessThan(total(standard));
    const brief = { ...LOAD, keepMonths: 1 };
    expect(total(of('glacier-ir', brief))).toBeGreaterThan(total(of('standard', brief)));
    expect(of('glacier-ir', brief).get('deleted before the least time of glacier-ir')).toBeGreaterThan(0);
    expect([...glacier.keys()].some((item) => item.startsWith('deleted before'))).toBe(false);
    // Neither does it pay where everything is read each month.
    const read = { ...LOAD, gets: 12e6 };
    expect(total(of('glacier-ir', read))).toBeGreaterThan(total(of('standard', read)));
    // What is read by itself, and kept: less than half of it in S3 Standard. Once in two weeks would cost it all.
    const own = (glacier.get('scrubbing') ?? 0) + (glacier.get('storage, encoded, glacier-ir') ?? 0);
    expect(own).toBeLessThan((standard.get('storage, encoded, standard') ?? 0) / 2);
  });

  it('has no way back where a stage has none', () => {
    const items = itemsOf(LOAD, parseStageSettings({ ephemeral: 'true' }));
    expect([...items.keys()].filter((item) => /recovery|journal/.test(item))).toEqual([]);
    expect([...itemsOf(LOAD).keys()].filter((item) => /recovery|journal/.test(item))).toHaveLength(2);
  });
});
