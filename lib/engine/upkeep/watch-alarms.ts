// One look at the figures of a store that no CloudWatch watches: which alarms there are now, which began and which are
// over since the look before, whoever made it.

import { present } from '../../foundation/assert.ts';
import { readAlarms, writeAlarms } from '../status/alarm-row.ts';
import { type AlarmState, stepAlarms } from '../status/alarm-step.ts';
import { readStatusFacts } from '../status/collect-status.ts';
import { gaugeAlarmsOf } from '../status/gauge-alarms.ts';
import { keepingOf } from '../status/keeping.ts';
import { statusOf } from '../status/status.ts';
import type { EngineStore } from '../wire/engine-store.ts';
import { measureOf } from './measure.ts';

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
  const facts = await readStatusFacts(components, { queue });
  const status = statusOf(facts);
  const care = present(status.keeping, 'the drives were asked');
  const metrics = await measureOf(components, { volumes: facts.volumes, status, keeping: keepingOf(care, nowMs) });
  const before = await readAlarms(components);
  const alarms = gaugeAlarmsOf(components.settings);
  const step = stepAlarms(alarms, before, { metrics, urgent: care.alarms.map(({ name }) => name), nowMs });
  await writeAlarms(components, before, step.states);
  const texts = new Map<string, string>(alarms.map(({ name, says }) => [name, says]));
  for (const { name, text } of care.alarms) texts.set(name, text);
  const told = (states: readonly AlarmState[]): FiringAlarm[] =>
    states.map(({ name, sinceMs }) => ({ name, text: texts.get(name) ?? name, sinceMs }));
  return {
    metrics,
    firing: told(step.states.filter(({ isFiring }) => isFiring)),
    began: told(step.began),
    cleared: told(step.cleared),
  };
}
