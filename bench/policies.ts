// Compaction policies in the simulator: what ships, what ships less one strategy, and fixed policies, on the declared
// workloads. `policies` has fleets of 20 and 200 volumes (docs/compaction.md), `policies-large` 20,000, with fewer
// policies and three workloads.
import { compared, policiesTable, summaryTable } from '../lib/sim/policies/comparison.ts';
import { FLEET_SIZES, LARGE_FLEET, LARGE_WORKLOADS, WORKLOADS, type Workload } from '../lib/sim/policies/workloads.ts';
import { type Benches, type BenchResult, machine } from './bench.ts';

export const benches: Benches = {
  policies: async () => benchPolicies('policies', FLEET_SIZES, WORKLOADS),
  'policies-large': async () => benchPolicies('policies-large', [LARGE_FLEET], LARGE_WORKLOADS),
};

/** Ratios to what the policy compared with holds for the same bytes. */
const GOAL = 1.05;
const GOAL_MEAN = 1.02;

function benchPolicies(bench: string, sizes: readonly number[], workloads: readonly Workload[]): BenchResult {
  const comparisons = sizes.flatMap((volumes) =>
    workloads.map((workload) => {
      const comparison = compared(workload, volumes);
      process.stderr.write(`${workload.name}, ${volumes} volumes: ${comparison.againstFixed.toFixed(3)}\n`);
      return comparison;
    }),
  );
  const against = comparisons.map(({ againstFixed }) => againstFixed);
  const worst = Math.max(...against);
  const mean = against.reduce((sum, ratio) => sum + ratio, 0) / against.length;
  const ablated = Math.max(...comparisons.flatMap(({ againstAblations }) => againstAblations));
  return {
    bench,
    machine: machine(),
    figures: [
      {
        name: 'overhead over the best fixed policy at equal bytes, worst',
        value: worst,
        unit: '',
        ratio: worst / GOAL,
      },
      { name: 'the same, mean', value: mean, unit: '', ratio: mean / GOAL_MEAN },
      { name: 'the same over what ships less one strategy, worst', value: ablated, unit: '', ratio: ablated / 1.02 },
    ],
    text: [...summaryTable(comparisons), ...comparisons.flatMap((one) => ['', ...policiesTable(one)])],
  };
}
