// TUNE of a stage: the gauges through the metrics port, one daily row, and one step of the threshold's controller.
import type { ThresholdStep } from '../../compaction/threshold/law.ts';
import type { Components } from '../../volume/rows/components.ts';
import { worthPutting } from '../status/gauge-alarms.ts';
import type { MetricsPort } from '../wire/metrics.ts';
import { measure } from './measure.ts';
import { tune } from './tune.ts';

export interface TuneReport {
  readonly threshold: number;
  readonly moved: ThresholdStep['moved'];
  readonly reason: ThresholdStep['reason'];
  readonly metrics: Readonly<Record<string, number>>;
}

/** Safe at any time and twice: steps are per day of clock, and of two that run at once one wins. */
export async function tuneStage(components: Components, port: MetricsPort): Promise<TuneReport> {
  const metrics = await measure(components);
  await port.put(worthPutting(components.settings, metrics));
  const step = await tune(components);
  return { threshold: step.state.threshold, moved: step.moved, reason: step.reason, metrics };
}
