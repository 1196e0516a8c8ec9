// The alarms of a store's figures: out of bounds for two hours, at once where a person must see to it, over with the first good look.
import { describe, expect, it } from 'vitest';
import { stepAlarms } from '../../lib/engine/status/alarm-step.ts';
import { gaugeAlarmsOf } from '../../lib/engine/status/gauge-alarms.ts';
import { HOUR_MS } from '../../lib/foundation/durations.ts';
import { METRICS } from '../../lib/settings/metric-names.ts';

const ALARMS = gaugeAlarmsOf({ warmCodec: 'rs-6-3' });
const step = (
  before: Parameters<typeof stepAlarms>[1],
  hours: number,
  metrics: Record<string, number>,
  urgent: string[] = [],
) => stepAlarms(ALARMS, before, { metrics, urgent, nowMs: hours * HOUR_MS });
const high = { [METRICS.sealedOverhead]: 2.03 };

describe('an alarm of a figure', () => {
  it('begins when it has been out of bounds for two hours, once, and is over with one good look', () => {
    const first = step([], 10, high);
    expect(first).toMatchObject({
      began: [],
      states: [{ name: 'overhead-high', sinceMs: 10 * HOUR_MS, isFiring: false }],
    });
    const second = step(first.states, 11.9, high);
    expect(second.began).toEqual([]);
    const third = step(second.states, 12, high);
    expect(third.began).toMatchObject([{ name: 'overhead-high', sinceMs: 10 * HOUR_MS, value: 2.03 }]);
    const fourth = step(third.states, 13, high);
    expect(fourth).toMatchObject({ began: [], cleared: [], states: [{ isFiring: true }] });
    expect(step(fourth.states, 14, { [METRICS.sealedOverhead]: 2.025 })).toMatchObject({
      states: [],
      cleared: [{ name: 'overhead-high' }],
    });
  });

  it('begins anew after a good look in between, and stays as it is while nobody can measure', () => {
    const first = step([], 10, high);
    expect(step(step(first.states, 11, { [METRICS.sealedOverhead]: 1.6 }).states, 12, high).began).toEqual([]);
    expect(step(first.states, 12, {}).states).toEqual(first.states);
    expect(step(first.states, 13, high).began).toHaveLength(1);
    // What is put only while it is above zero is well when it is not put.
    const risk = step([], 1, { VolumesAtRisk: 2 });
    expect(step(risk.states, 2, {}).states).toEqual([]);
  });

  it('below a bound counts as well as above one', () => {
    const underfilled = step(step([], 1, { [METRICS.liveCoderFill]: 0.79 }).states, 3, {
      [METRICS.liveCoderFill]: 0.5,
    });
    expect(underfilled.began).toMatchObject([{ name: 'live-coder-underfilled', value: 0.5 }]);
    expect(step([], 1, { [METRICS.liveCoderFill]: 0.8 }).states).toEqual([]);
  });

  it('that asks for a person does not wait, and a clock that goes back makes none older', () => {
    const away = step([], 5, {}, ['drive-away']);
    expect(away.began).toMatchObject([{ name: 'drive-away', sinceMs: 5 * HOUR_MS, value: null }]);
    const back = step(away.states, 3, {}, ['drive-away']);
    expect(back).toMatchObject({ began: [], states: [{ sinceMs: 3 * HOUR_MS }] });
    expect(step(back.states, 4, {}).cleared).toMatchObject([{ name: 'drive-away' }]);
  });
});
