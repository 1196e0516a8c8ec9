// What one measurement makes of the alarms before it, pure: a figure is an alarm once it has been out of bounds long
// enough, what a person must see to is one at once, and both stop with the first good look.
import { ALARM_AFTER_MS } from '../../limits/alarms.ts';
import type { GaugeAlarm } from './gauge-alarms.ts';

export interface AlarmState {
  readonly name: string;
  /** Out of bounds since. */
  readonly sinceMs: number;
  readonly isFiring: boolean;
  /** As measured last; null: it is no figure. */
  readonly value: number | null;
}

export interface Measured {
  readonly metrics: Readonly<Record<string, number>>;
  /** Names of alarms that do not wait. */
  readonly urgent: readonly string[];
  readonly nowMs: number;
}

export interface AlarmStep {
  readonly states: readonly AlarmState[];
  readonly began: readonly AlarmState[];
  readonly cleared: readonly AlarmState[];
}

export function stepAlarms(
  alarms: readonly GaugeAlarm[],
  before: readonly AlarmState[],
  { metrics, urgent, nowMs }: Measured,
): AlarmStep {
  const known = new Map(before.map((state) => [state.name, state]));
  // A clock that went back makes no alarm older than it is.
  const sinceOf = (name: string): number => Math.min(known.get(name)?.sinceMs ?? nowMs, nowMs);
  const now = new Map<string, AlarmState>();
  for (const alarm of alarms) {
    const { name } = alarm;
    const was = known.get(name);
    const value = metrics[alarm.metric];
    if (value === undefined && was !== undefined && alarm.silence === 'unchanged') now.set(name, was);
    if (value === undefined || isWithin(alarm, value)) continue;
    const sinceMs = sinceOf(name);
    const isFiring = was?.isFiring === true || alarm.isAtOnce === true || nowMs - sinceMs >= ALARM_AFTER_MS;
    now.set(name, { name, sinceMs, isFiring, value });
  }
  for (const name of urgent)
    now.set(name, { name, sinceMs: sinceOf(name), isFiring: true, value: now.get(name)?.value ?? null });
  const states = [...now.values()];
  return {
    states,
    began: states.filter(({ name, isFiring }) => isFiring && known.get(name)?.isFiring !== true),
    cleared: before.filter(({ name, isFiring }) => isFiring && now.get(name)?.isFiring !== true),
  };
}

const isWithin = ({ is, limit }: GaugeAlarm, value: number): boolean =>
  is === 'above' ? value <= limit : value >= limit;
