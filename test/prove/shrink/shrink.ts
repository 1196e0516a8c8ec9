// Makes a failing seed small: fewer kinds of faults, fewer disasters, fewer faults, fewer operations, as long as it fails in the same way.
import type { Plan } from '../plan/plan.ts';
import { type RunResult, runPlan } from '../run/run-plan.ts';
import { type Cut, planWith, uncut } from './cut.ts';

const RUNS_MAX = 250;

export interface Shrunk {
  readonly cut: Cut;
  readonly result: RunResult;
  readonly runs: number;
}

export async function shrink(plan: Plan, failed: RunResult): Promise<Shrunk> {
  let cut: Cut = { ...uncut(plan), faultsMax: sum(Object.values(failed.faults)) };
  let result = failed;
  let runs = 0;
  /** Takes the smaller one if it fails alike. */
  const take = async (smaller: Cut): Promise<boolean> => {
    if (runs >= RUNS_MAX) return false;
    runs += 1;
    const tried = await runPlan(planWith(plan, smaller));
    if (tried.failure?.kind !== failed.failure?.kind) return false;
    cut = smaller;
    result = tried;
    return true;
  };
  let before = '';
  while (before !== JSON.stringify(cut) && runs < RUNS_MAX) {
    before = JSON.stringify(cut);
    for (const at of [...cut.disasters]) await take({ ...cut, disasters: cut.disasters.filter((one) => one !== at) });
    for (const at of [...cut.targets]) await take({ ...cut, targets: cut.targets.filter((one) => one !== at) });
    for (const name of [...cut.rates]) await take({ ...cut, rates: cut.rates.filter((one) => one !== name) });
    for (let step = Math.ceil(cut.faultsMax / 2); step >= 1; step = Math.floor(step / 2))
      while (cut.faultsMax >= step && (await take({ ...cut, faultsMax: cut.faultsMax - step })));
    for (const worker of cut.operations.keys()) await take({ ...cut, operations: cut.operations.with(worker, []) });
    for (const worker of cut.operations.keys())
      for (const at of (cut.operations[worker] as number[]).toReversed()) {
        const kept = (cut.operations[worker] as number[]).filter((one) => one !== at);
        await take({ ...cut, operations: cut.operations.with(worker, kept) });
      }
  }
  return { cut, result, runs };
}

const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);
