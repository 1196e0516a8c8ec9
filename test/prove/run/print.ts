// The sums of a run for people.
import { coverageOf } from '../checkers/steps.ts';
import type { Profile } from '../faults/profile.ts';
import type { OpenFault } from '../open-faults.ts';
import type { FailedSeed, SumsFigures } from './sums.ts';

const STACK_LINES = 8;
const MISSING_MAX = 300;

/** With the open fault that it is a case of, if it is one. */
type JudgedSeed = FailedSeed & { readonly open: OpenFault | undefined };

export function printSums(
  sums: Omit<SumsFigures, 'failed'> & { readonly failed: readonly JudgedSeed[] },
  profile: Profile,
  first: number,
  seconds: number,
): void {
  const { runs, steps, operations, faults } = sums;
  const failed = sums.failed.filter(({ open }) => open === undefined);
  const known = sums.failed.filter(({ open }) => open !== undefined);
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
  for (const { seed, kind, message, open } of known)
    console.log(`\nOPEN seed ${seed}: ${open?.what}: ${kind}: ${message}`);
  console.log(`\nprove: ${runs - sums.failed.length} passed, ${failed.length} failed`);
  if (known.length > 0) console.log(`prove: ${known.length} seeds show open faults, not mended yet`);
}
