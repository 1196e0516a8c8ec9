// Which volumes the scrubber looks at next: what is new within a day, everything within two weeks, the longest unverified first.
import { describe, expect, it } from 'vitest';
import { DAY_MS } from '../../lib/foundation/durations.ts';
import { volumeId } from '../../lib/foundation/ids.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { planScrub, type ScrubVolume, scrubFigures } from '../../lib/verify/scrub-plan.ts';
import type { ScrubRow } from '../../lib/verify/scrub-row.ts';

const PERIODS = { sweepMs: 14 * DAY_MS, freshMs: DAY_MS };
const NOW = 100 * DAY_MS;
const idOf = (n: number) => volumeId(n.toString(16).padStart(16, '0'));
const volume = (n: number, changes: Partial<ScrubVolume> = {}): ScrubVolume => ({
  id: idOf(n),
  generation: 1,
  nextSeq: 11,
  createdAtMs: 0,
  extentUsedBytes: [600, 400],
  hasDirectories: true,
  ...changes,
});
const row = (n: number, changes: Partial<ScrubRow> = {}): ScrubRow => ({
  volume: idOf(n),
  generation: 1,
  allAtMs: NOW - 5 * DAY_MS,
  lastAtMs: NOW - 5 * DAY_MS,
  readSeq: 10,
  hasReadDirectories: true,
  hasMissed: false,
  underWay: undefined,
  ...changes,
});
const plan = (volumes: ScrubVolume[], rows: ScrubRow[], request: Partial<Parameters<typeof planScrub>[2]> = {}) =>
  planScrub(volumes, new Map(rows.map((one) => [one.volume, one])), { nowMs: NOW, periods: PERIODS, ...request });

describe('the scrubber', () => {
  it('reads a volume that was never read within a day, and leaves alone what was read five days ago', () => {
    const young = volume(2, { createdAtMs: NOW - DAY_MS / 2 });
    expect(plan([volume(1), young, volume(3)], [row(3)]).items).toMatchObject([
      { volume: idOf(1), kind: 'all', afterSeq: 0, skipDirectories: false, bytes: 1000 },
    ]);
    expect(plan([young], [], { nowMs: NOW + DAY_MS }).due).toBe(1);
  });

  it('reads what is new within a day: groups beyond those that were read, and directories written since', () => {
    const { items } = plan([volume(1, { nextSeq: 21 })], [row(1)]);
    expect(items).toMatchObject([{ kind: 'new', afterSeq: 10, skipDirectories: true, bytes: 500 }]);
    const sealed = plan([volume(1)], [row(1, { hasReadDirectories: false })]);
    expect(sealed.items).toMatchObject([{ kind: 'new', afterSeq: 10, skipDirectories: false, bytes: 0 }]);
    const today = row(1, { lastAtMs: NOW - DAY_MS / 2 });
    expect(plan([volume(1, { nextSeq: 21 })], [today]).items).toEqual([]);
  });

  it('reads everything again after two weeks, the longest unverified first, and what it could not reach after a day', () => {
    const old = (days: number) => ({ allAtMs: NOW - days * DAY_MS, lastAtMs: NOW - 2 * DAY_MS });
    const { items } = plan(
      [volume(1), volume(2), volume(3), volume(4)],
      [row(1, old(15)), row(2, old(20)), row(3, old(13)), row(4, { ...old(3), hasMissed: true })],
    );
    expect(items.map(({ volume: id, kind }) => [id, kind])).toEqual([
      [idOf(2), 'all'],
      [idOf(1), 'all'],
      [idOf(4), 'all'],
    ]);
  });

  it('takes a row of another generation for none', () => {
    expect(plan([volume(1, { generation: 2 })], [row(1)]).items).toMatchObject([{ kind: 'all' }]);
  });

  it('goes on where a look was cut, and begins anew where everything is asked for since then', () => {
    const underWay = { kind: 'all', beganAtMs: NOW - DAY_MS, afterSeq: 4 } as const;
    const cut = row(1, { allAtMs: NOW - 15 * DAY_MS, underWay });
    expect(plan([volume(1)], [cut]).items).toMatchObject([
      { kind: 'all', afterSeq: 4, beganAtMs: NOW - DAY_MS, skipDirectories: true },
    ]);
    expect(plan([volume(1)], [cut], { allSinceMs: NOW }).items).toMatchObject([{ afterSeq: 0, beganAtMs: undefined }]);
    expect(plan([volume(1)], [cut], { allSinceMs: NOW - 2 * DAY_MS }).items).toMatchObject([{ afterSeq: 4 }]);
    // Sealed in the middle of it: its directories are still to be read.
    const before = { ...cut, hasReadDirectories: false };
    expect(plan([volume(1)], [before]).items).toMatchObject([{ afterSeq: 4, skipDirectories: false }]);
  });

  it('--all is everything that was not read since, once', () => {
    const rows = [row(1, { allAtMs: NOW }), row(2)];
    expect(plan([volume(1), volume(2)], rows, { allSinceMs: NOW }).items).toMatchObject([
      { volume: idOf(2), kind: 'all' },
    ]);
  });

  it('does not wait for a time that a wrong clock wrote', () => {
    const ahead = row(1, { allAtMs: NOW + 900 * DAY_MS, lastAtMs: NOW + 900 * DAY_MS });
    expect(plan([volume(1), volume(2, { createdAtMs: NOW + 900 * DAY_MS })], [ahead]).due).toBe(2);
  });

  it('works ahead as much as a steady sweep reads, and never on what was read lately', () => {
    const volumes = Array.from({ length: 28 }, (_, n) => volume(n));
    const rows = volumes.map((_, n) => row(n, { allAtMs: NOW - (n % 14) * DAY_MS }));
    const { items, due } = plan(volumes, rows, { everyMs: DAY_MS });
    expect(due).toBe(0);
    expect(items).toHaveLength(2); // a fourteenth
    const lately = volumes.map((_, n) => row(n, { allAtMs: NOW - (n % 7) * DAY_MS }));
    expect(plan(volumes, lately, { everyMs: DAY_MS }).items).toEqual([]);
  });

  it('reads every byte within its period, however volumes come and go (seed 7)', () => {
    const random = new SeededRandomness(7);
    const rows = new Map<ScrubRow['volume'], ScrubRow>();
    let volumes = Array.from({ length: 40 }, (_, n) => volume(n));
    const stepMs = DAY_MS / 4;
    for (let nowMs = 1; nowMs < 60 * DAY_MS; nowMs += stepMs) {
      for (const item of planScrub(volumes, rows, { nowMs, periods: PERIODS, everyMs: stepMs }).items) {
        const one = volumes.find(({ id }) => id === item.volume) as ScrubVolume;
        const known = rows.get(one.id);
        const allAtMs = item.kind === 'all' ? nowMs : known?.allAtMs;
        const facts = { generation: one.generation, readSeq: one.nextSeq - 1, hasReadDirectories: one.hasDirectories };
        rows.set(one.id, { ...row(0), ...facts, volume: one.id, allAtMs, lastAtMs: nowMs });
      }
      for (const one of volumes) {
        const known = rows.get(one.id);
        if (known?.generation !== one.generation) expect(nowMs - one.createdAtMs).toBeLessThan(DAY_MS + stepMs);
        else expect(nowMs - (known.allAtMs ?? 0)).toBeLessThan(14 * DAY_MS + stepMs);
      }
      const { oldestAtMs = nowMs } = scrubFigures(volumes, rows, { nowMs, sweepMs: PERIODS.sweepMs });
      expect(nowMs - oldestAtMs).toBeLessThan(14 * DAY_MS + stepMs);
      volumes = volumes.filter(() => random.below(60) > 0);
      if (random.below(2) === 0) volumes.push(volume(1000 + random.below(1e9), { createdAtMs: nowMs }));
      const grown = random.below(volumes.length);
      volumes = volumes.map((one, i) => (i === grown ? { ...one, nextSeq: one.nextSeq + 1 } : one));
    }
  });
});
