// Exhaustive breadth-first search over a model: every reachable state, or the shortest way to a violation.
import { type Condition, START, stepsOf, violationOf } from './protocol.ts';
import { StateKeys } from './state-keys.ts';

export interface Model<State> {
  readonly start: State;
  readonly stepsOf: (state: State) => readonly { readonly name: string; readonly next: State }[];
  readonly violationOf: (state: State) => string | undefined;
}

export interface Found {
  readonly states: number;
  readonly violation: string | undefined;
  /** The steps to it. */
  readonly trace: readonly string[];
}

export const search = (off: ReadonlySet<Condition> = new Set()): Found =>
  searchModel({ start: START, stepsOf: (state) => stepsOf(state, off), violationOf });

export function searchModel<State extends object>(model: Model<State>, statesMax = 2_000_000): Found {
  const states: State[] = [model.start];
  const parents: number[] = [-1];
  const names: string[] = ['start'];
  const keys = new StateKeys();
  const seen = new Set([keys.keyOf(model.start)]);
  for (let at = 0; at < states.length; at++) {
    const violation = model.violationOf(states[at] as State);
    if (violation !== undefined) return { states: states.length, violation, trace: traceTo(at, parents, names) };
    for (const { name, next } of model.stepsOf(states[at] as State)) {
      const key = keys.keyOf(next);
      if (seen.has(key)) continue;
      seen.add(key);
      states.push(keys.shared(next));
      parents.push(at);
      names.push(name);
    }
    if (states.length > statesMax) throw new Error(`more than ${statesMax} states`);
  }
  return { states: states.length, violation: undefined, trace: [] };
}

function traceTo(at: number, parents: readonly number[], names: readonly string[]): string[] {
  const trace: string[] = [];
  for (let i = at; i > 0; i = parents[i] as number) trace.unshift(names[i] as string);
  return trace;
}
