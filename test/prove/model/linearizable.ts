// Whether the history of one key could have been that of a register: Wing and Gong's search with Lowe's memory of what was tried. An operation that
// was never answered, or failed, may have been done at any time after it began, or never.
import type { Operation, Value } from './history.ts';

/** Above this many states looked at the answer is "not known": it never is in these small histories. */
const STATES_MAX = 2_000_000;

export type Verdict =
  | { readonly isLinearizable: true }
  | { readonly isLinearizable: false; readonly stuck: readonly Operation[] };

/** What the register is after the operation, or undefined if it cannot be done in this state. */
function applied(operation: Operation, state: Value): { readonly state: Value } | undefined {
  const { kind, value, result, seen } = operation;
  if (kind === 'get') return seen?.includes(state) ? { state } : undefined;
  if (kind === 'delete') return { state: undefined };
  if (kind === 'put') return { state: value };
  if (result === 'refused') return state === undefined ? undefined : { state };
  return state === undefined ? { state: value } : undefined;
}

export function linearizable(operations: readonly Operation[]): Verdict {
  // A get that failed says nothing.
  const all = operations
    .filter(({ kind, result }) => kind !== 'get' || result === 'ok')
    .sort((a, b) => a.from - b.from);
  const mustBeDone = all.filter(({ result }) => result !== 'maybe').length;
  const seen = new Set<string>();
  const done = new Uint8Array(all.length);
  let states = 0;
  let best: readonly Operation[] = all;

  const search = (state: Value, certain: number): boolean => {
    if (certain === mustBeDone) return true;
    const name = `${state}|${done.join('')}`;
    if (seen.has(name)) return false;
    seen.add(name);
    states += 1;
    if (states > STATES_MAX) throw new Error(`a history of ${all.length} operations is too wide to be checked`);
    // What began after something undone had ended cannot come before it.
    let ends = Number.POSITIVE_INFINITY;
    for (let i = 0; i < all.length; i++) {
      const one = all[i] as Operation;
      if (done[i] === 0 && one.result !== 'maybe') ends = Math.min(ends, one.to ?? Number.POSITIVE_INFINITY);
    }
    for (let i = 0; i < all.length; i++) {
      const one = all[i] as Operation;
      if (done[i] !== 0) continue;
      if (one.from > ends) break;
      const next = applied(one, state);
      if (next === undefined) continue;
      done[i] = 1;
      if (search(next.state, certain + (one.result === 'maybe' ? 0 : 1))) return true;
      done[i] = 0;
    }
    const left = all.filter((_, i) => done[i] === 0);
    if (left.length < best.length) best = left;
    return false;
  };

  return search(undefined, 0) ? { isLinearizable: true } : { isLinearizable: false, stuck: best };
}
