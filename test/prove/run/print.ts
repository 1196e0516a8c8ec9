// The sums of a run for people.
import { coverageOf } from '../checkers/steps.ts';
import type { Profile } from '../faults/profile.ts';
import { openFault } from '../open-faults.ts';
import type { FailedSeed, SumsFigures } from './sums.ts';

const STACK_LINES = 8;
const MISSING_MAX = 300;

export function printSums(
  sums: SumsFigures,
  profile: Profile,
  first: number,
  seconds: number,
  open: readonly FailedSeed[],
): void {
  const { runs, steps, operations, faults, failed } = sums;
  const last = first + Math.max(0, runs - 1);
  console.log(
    `profile ${profile.name}, seeds ${first} to ${last}: ${runs} schedules in ${seconds.toFixed(1)} s (${(runs / seconds).toFixed(1)} a second)`,
  );
  console.log(`${operations} operations of clients, ${steps} events`);
  const made = Object.entries(faults).map(([kind, count]) => `${kind} ${count}`);
  console.log(`faults: ${made.length === 0 ? 'none' : made.join(', ')}`);
  const coverage = coverageOf(sums.coverage);
  for (const [what, { seen, of, missing }] of [
    ['crash points', coverage.crashPoints],
    ['steps of the protocols', coverage.steps],
    ['edges of state machines', coverage.edges],
  ] as const) {
    console.log(`coverage: ${seen} of ${of} ${what}`);
    for (const name of missing.slice(0, MISSING_MAX)) console.log(`  not seen: ${name}`);
    if (missing.length > MISSING_MAX) console.log(`  and ${missing.length - MISSING_MAX} more`);
  }
  for (const { seed, kind, message, stack, command } of failed) {
    console.log(`\nFAILED seed ${seed}: ${kind}: ${message}`);
    if (stack !== undefined) console.log(stack.split('\n').slice(0, STACK_LINES).join('\n'));
    console.log(command);
  }
  for (const one of open)
    console.log(`\nOPEN seed ${one.seed}: ${openFault(profile.name, one)?.what}: ${one.kind}: ${one.message}`);
  console.log(`\nprove: ${runs - open.length - failed.length} passed, ${failed.length} failed`);
  if (open.length > 0) console.log(`prove: ${open.length} seeds show open faults, not mended yet`);
}
