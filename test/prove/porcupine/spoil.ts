// Histories that no store should have: a good one with one thing changed. Many are still those of a register; whether they are is what is asked.
import type { SeededRandomness } from '../../../lib/foundation/randomness.ts';
import type { Operation, Value } from '../model/history.ts';

type Change = (operation: Operation, random: SeededRandomness, values: readonly Value[]) => Operation;

const CHANGES: readonly Change[] = [
  (operation, random, values) => ({ ...operation, seen: [values[random.below(values.length)]] }),
  (operation, random) => ({ ...operation, from: operation.from - random.below(2000) }),
  (operation, random) => ({ ...operation, from: operation.from + random.below(2000) }),
  (operation, random) =>
    operation.to === undefined ? operation : { ...operation, to: operation.to - random.below(2000) },
  (operation) =>
    operation.kind === 'get' ? operation : { ...operation, result: 'ok', to: operation.to ?? operation.from + 1 },
  (operation) =>
    operation.kind === 'put-absent'
      ? { ...operation, result: operation.result === 'ok' ? 'refused' : 'ok' }
      : operation,
  (operation, random, values) => ({
    ...operation,
    value: operation.kind === 'put' ? values[random.below(values.length)] : operation.value,
  }),
];

/** The same history with one or two operations changed, or one left out. */
export function spoilt(history: readonly Operation[], random: SeededRandomness): readonly Operation[] {
  const values = [...new Set(history.map(({ value }) => value)), undefined];
  const changed = [...history];
  for (let i = 0; i <= random.below(2); i++) {
    const at = random.below(changed.length);
    const operation = changed[at];
    const change = CHANGES[random.below(CHANGES.length + 1)];
    if (operation === undefined) break;
    if (change === undefined) changed.splice(at, 1);
    else changed[at] = wellFormed(change(operation, random, values));
  }
  return changed;
}

/** It ends after it began. */
const wellFormed = (operation: Operation): Operation =>
  operation.to === undefined || operation.to >= operation.from ? operation : { ...operation, to: operation.from };
