// One look at the figures of a store that no CloudWatch watches: which alarms there are now, which began and which are
// over since the look before, whoever made it.

import { readAlarms, writeAlarms } from '../status/alarm-row.ts';
import { type AlarmState, stepAlarms } from '../status/alarm-step.ts';
import { collectStatus } from '../status/collect-status.ts';
import { gaugeAlarmsOf } from '../status/gauge-alarms.ts';
import type { EngineStore } from '../wire/engine-store.ts';
import { measure } from './measure.ts';

export interface AlarmReport {
  readonly metrics: Readonly<Record<string, number>>;
  readonly firing: readonly FiringAlarm[];
  readonly began: readonly FiringAlarm[];
  readonly cleared: readonly FiringAlarm[];
}

export interface FiringAlarm {
  /** The heading of its runbook in docs/operations.md. */
  readonly name: string;
  readonly text: string;
  readonly sinceMs: number;
}

export async function watchAlarms({ components, queue }: EngineStore): Promise<AlarmReport> {
  const nowMs = Math.max(0, components.clock.nowMs());
  const metrics = await measure(components);
  const { keeping } = await collectStatus(components, { queue });
  const before = await readAlarms(components);
  const alarms = gaugeAlarmsOf(components.settings);
  const urgent = keeping?.alarms ?? [];
  const step = stepAlarms(alarms, before, { metrics, urgent: urgent.map(({ name }) => name), nowMs });
  await writeAlarms(components, before, step.states);
  const texts = new Map<string, string>(alarms.map(({ name, says }) => [name, says]));
  for (const { name, text } of urgent) texts.set(name, text);
  const told = (states: readonly AlarmState[]): FiringAlarm[] =>
    states.map(({ name, sinceMs }) => ({ name, text: texts.get(name) ?? name, sinceMs }));
  return {
    metrics,
    firing: told(step.states.filter(({ isFiring }) => isFiring)),
    began: told(step.began),
    cleared: told(step.cleared),
  };
}
