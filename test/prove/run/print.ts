// The sums of a run for people.
import { coverageOf } from '../checkers/steps.ts';
import type { Profile } from '../faults/profile.ts';
import type { SumsFigures } from './sums.ts';

const STACK_LINES = 8;

export function printSums(sums: SumsFigures, profile: Profile, first: number, seconds: number): void {
  const { runs, steps, operations, faults, failed } = sums;
  const last = first + Math.max(0, runs - 1);
  console.log(
    `profile ${profile.name}, seeds ${first} to ${last}: ${runs} schedules in ${seconds.toFixed(1)} s (${(runs / seconds).toFixed(1)} a second)`,
  );
  console.log(`${operations} operations of clients, ${steps} events`);
  const made = Object.entries(faults).map(([kind, count]) => `${kind} ${count}`);
  console.log(`faults: ${made.length === 0 ? 'none' : made.join(', ')}`);
  const { steps: known, crashPoints, edges, missing } = coverageOf(sums.coverage);
  console.log(
    `coverage: ${known} steps, ${crashPoints.seen} of ${crashPoints.of} crash points, ${edges.seen} of ${edges.of} edges of state machines`,
  );
  for (const name of missing) console.log(`  not seen: ${name}`);
  for (const { seed, kind, message, stack, command } of failed) {
    console.log(`\nFAILED seed ${seed}: ${kind}: ${message}`);
    if (stack !== undefined) console.log(stack.split('\n').slice(0, STACK_LINES).join('\n'));
    console.log(command);
  }
  console.log(`\nprove: ${runs - failed.length} passed, ${failed.length} failed`);
}
