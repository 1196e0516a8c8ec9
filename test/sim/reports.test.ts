import { describe, expect, it } from 'vitest';
import { incidentPage, incidentTable, mapTable } from '../../lib/sim/incident/report.ts';
import { runIncident, stageIncident } from '../../lib/sim/incident/run.ts';
import { INCIDENT } from '../../lib/sim/incident/settings.ts';
import { shortText, ticksOf } from '../../lib/sim/svg-chart.ts';
import { fleetOfStatus, whatIf } from '../../lib/sim/what-if.ts';

const volume = (n: number, liveBytes: number, changes: object = {}) => ({
  id: n.toString(16).padStart(16, '0'),
  class: 'warm',
  codec: 'lrc-12-2-2',
  state: 'sealed',
  generation: 1,
  buckets: 3,
  fillPermille: 0,
  liveBytes,
  usedBytes: liveBytes,
  ...changes,
});
const CAPACITY = 12 * 512 * 1024;
const status = (volumes: readonly object[]): string =>
  JSON.stringify({ storeId: 's', preset: 'demo', volumes, more: 1 });

describe('a store’s what-if', () => {
  const file = status([
    ...Array.from({ length: 20 }, (_, n) => volume(n, Math.round(CAPACITY * 0.3))),
    volume(20, CAPACITY),
    volume(21, 7, { class: 'hot', codec: 'replica-4' }),
    volume(22, 7, { state: 'open' }),
  ]);

  it('plans its sealed volumes as they are', () => {
    const { rows, volumes } = whatIf(file);
    expect(volumes).toBe(21);
    const all = rows.find(({ strategies, threshold }) => strategies === 'L1 + L2 + L3' && threshold === 0.1);
    expect(all?.overheadBefore).toBeCloseTo(3, 1);
    expect(all?.overheadAfter).toBeLessThan(1.4);
    expect(all?.bytesRead).toBe(20 * Math.round(CAPACITY * 0.3));
  });

  it('takes an empty store', () => {
    expect(whatIf(status([])).rows.every(({ runs }) => runs === 0)).toBe(true);
  });

  it('refuses what is no status, in one line', () => {
    expect(() => fleetOfStatus('{')).toThrow('not JSON');
    expect(() => fleetOfStatus('{}')).toThrow('storeId');
    expect(() => fleetOfStatus(status([volume(1, -1)]))).toThrow('volumes.0.liveBytes');
  });
});

describe('the report', () => {
  const settings = { ...INCIDENT, liveVolumes: 100, burnInDays: 40, rampDays: 4, days: 7, plansPerDay: 1 };
  const result = runIncident(settings, ['l1', 'all'], stageIncident(settings));

  it('has no incident to tell of where L1 had nothing to do', () => {
    expect(() => stageIncident({ ...settings, liveVolumes: 20, burnInDays: 2 })).toThrow('L1 moved nothing');
  });

  it('is one page that asks the network for nothing', () => {
    const page = incidentPage(result);
    expect(page).not.toMatch(/https?:|<script|<link|@import|url\(/);
    expect(page.match(/<svg viewBox="0 0 560/g)).toHaveLength(8);
    expect(page).toContain('prefers-color-scheme:dark');
    expect(page).not.toContain('NaN');
  });

  it('has a row per arm', () => {
    const { rows } = incidentTable(result);
    expect(rows.map(([name]) => name)).toEqual(['arm', ...result.arms.map(({ text }) => text)]);
    expect(new Set(rows.map((row) => row.length)).size).toBe(1);
  });

  it('shows a map of settings as a table with a head over every column, and as dots', () => {
    const points = ([0.05, 0.5] as const).flatMap((l2Share) =>
      (['l2-one', 'l2-many'] as const).map((arm) => {
        const speed = arm === 'l2-one' ? 2.5 : null;
        return { arm, size: 0.8, byteBudget: 2, l2Share, excessRatio: 0.6, excessOverBaselineRatio: 0.2, speed };
      }),
    );
    const { rows } = mapTable(points);
    expect(rows.map((row) => row.length)).toEqual([6, 6]);
    expect(rows[1]).toEqual(['0.8', '2', '0.60, 2.5 LQ', '0.60, 2.5 LQ', '0.60, - L', '0.60, - L']);
    const page = incidentPage(result, points);
    expect(page).toContain('class="box"');
    expect(page.match(/<circle/g)).toHaveLength(2);
  });

  it('has round ticks and short figures', () => {
    expect(ticksOf(1.1, 1.6)).toEqual([1.1, 1.2, 1.3, 1.4, 1.5, 1.6].map((value) => expect.closeTo(value, 9)));
    expect(ticksOf(2, 2)).toEqual([2]);
    expect([0.1234, 12.34, 1234, 5.6e6, 7.8e12].map(shortText)).toEqual(['0.123', '12.3', '1.23k', '5.6M', '7.8T']);
  });
});
