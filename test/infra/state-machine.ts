// Runs the definition of a state machine in memory, as far as ours goes: tasks with retries and catches, choices, a map, passes. It counts the
// states entered (each is billed) and records every call with the waiting before it.

export class TaskError extends Error {
  constructor(name: string) {
    super(name);
    this.name = name;
  }
}

type Data = Record<string, unknown>;
type Task = (payload: Data) => Data;

interface Rule {
  readonly Variable?: string;
  readonly BooleanEquals?: boolean;
  readonly IsPresent?: boolean;
  readonly Or?: readonly Rule[];
  readonly Next: string;
}

interface State {
  readonly Type: 'Task' | 'Choice' | 'Map' | 'Pass' | 'Succeed' | 'Fail';
  readonly Next?: string;
  readonly End?: boolean;
  readonly Resource?: string;
  readonly Parameters?: Data;
  readonly ResultPath?: string;
  readonly ResultSelector?: Readonly<Record<string, string>>;
  readonly Retry?: readonly {
    readonly ErrorEquals: readonly string[];
    readonly IntervalSeconds: number;
    readonly BackoffRate: number;
    readonly MaxAttempts: number;
    readonly MaxDelaySeconds?: number;
  }[];
  readonly Catch?: readonly {
    readonly ErrorEquals: readonly string[];
    readonly ResultPath: string;
    readonly Next: string;
  }[];
  readonly Choices?: readonly Rule[];
  readonly Default?: string;
  readonly ItemsPath?: string;
  readonly MaxConcurrencyPath?: string;
  readonly ItemProcessor?: Definition;
  readonly Error?: string;
}

export interface Definition {
  readonly StartAt: string;
  readonly States: Readonly<Record<string, State>>;
}

export interface Execution {
  readonly status: 'succeeded' | 'failed';
  readonly error: string | undefined;
  /** Names of the states entered, a retry counted again. */
  readonly entered: readonly string[];
  readonly waitedSeconds: readonly number[];
  readonly concurrency: number | undefined;
}

/** `tasks` by a part of their resource; `onWait` is told of every wait before it is over. */
export function execute(
  definition: Definition,
  tasks: Readonly<Record<string, Task>>,
  input: Data = {},
  onWait: (seconds: number) => void = () => {},
): Execution {
  const run = new Run(tasks, onWait);
  try {
    run.walk(definition, input);
    return { status: 'succeeded', error: undefined, ...run };
  } catch (error) {
    if (!(error instanceof TaskError)) throw error;
    return { status: 'failed', error: error.name, ...run };
  }
}

class Run {
  readonly entered: string[] = [];
  readonly waitedSeconds: number[] = [];
  concurrency: number | undefined;
  readonly #tasks: Readonly<Record<string, Task>>;

  readonly #onWait: (seconds: number) => void;

  constructor(tasks: Readonly<Record<string, Task>>, onWait: (seconds: number) => void) {
    this.#tasks = tasks;
    this.#onWait = onWait;
  }

  walk({ StartAt, States }: Definition, input: Data): Data {
    let name = StartAt;
    let data = input;
    for (;;) {
      const state = States[name] as State;
      this.entered.push(name);
      const { next, output } = this.#step(name, state, data);
      data = output;
      if (next === undefined) return data;
      name = next;
    }
  }

  #step(name: string, state: State, data: Data): { next: string | undefined; output: Data } {
    if (state.Type === 'Fail') throw new TaskError(state.Error ?? 'Fail');
    if (state.Type === 'Succeed') return { next: undefined, output: data };
    if (state.Type === 'Choice') return { next: chosen(state, data), output: data };
    if (state.Type === 'Pass') return { next: state.Next, output: filled(state.Parameters ?? {}, data) };
    if (state.Type === 'Map') return { next: state.Next, output: this.#map(state, data) };
    try {
      const answer = this.#call(name, state, data);
      return { next: state.Next, output: placed(state.ResultPath, data, answer) };
    } catch (error) {
      const caught = state.Catch?.find(({ ErrorEquals }) => matches(ErrorEquals, (error as Error).name));
      if (!(error instanceof TaskError) || caught === undefined) throw error;
      return { next: caught.Next, output: placed(caught.ResultPath, data, { Error: error.name }) };
    }
  }

  #map(state: State, data: Data): Data {
    const items = at(state.ItemsPath ?? '$', data) as Data[];
    this.concurrency = at(state.MaxConcurrencyPath ?? '$', data) as number;
    const results = items.map((item) => this.walk(state.ItemProcessor as Definition, item));
    const [[field, path] = []] = Object.entries(state.ResultSelector ?? {});
    if (field !== 'failed.$' || path !== '$[*].failed') throw new Error(`not understood here: ${field}: ${path}`);
    return { failed: results.map((result) => result['failed']).filter((failed) => failed !== undefined) };
  }

  #call(name: string, state: State, data: Data): Data {
    const [, task] = Object.entries(this.#tasks).find(([part]) => state.Resource?.includes(part)) ?? [];
    if (task === undefined) throw new Error(`no task for ${state.Resource}`);
    const attempts = new Map<object, number>();
    for (;;) {
      try {
        return task(state.Parameters === undefined ? data : filled(state.Parameters, data));
      } catch (error) {
        const rule = state.Retry?.find(({ ErrorEquals }) => matches(ErrorEquals, (error as Error).name));
        const done = rule === undefined ? 0 : (attempts.get(rule) ?? 0);
        if (rule === undefined || done >= rule.MaxAttempts) throw error;
        attempts.set(rule, done + 1);
        const waits = rule.IntervalSeconds * rule.BackoffRate ** done;
        const seconds = Math.min(waits, rule.MaxDelaySeconds ?? Number.POSITIVE_INFINITY);
        this.waitedSeconds.push(seconds);
        this.#onWait(seconds);
        this.entered.push(name);
      }
    }
  }
}

const matches = (names: readonly string[], name: string): boolean =>
  names.includes(name) || names.includes('States.ALL');

function at(path: string, data: unknown): unknown {
  const steps = path.match(/\w+(?=\.|\[|$)|(?<=\[)\d+(?=\])/g) ?? [];
  let value = data;
  for (const step of steps) value = (value as Data | undefined)?.[step];
  return value;
}

const filled = (template: Data, data: Data): Data =>
  Object.fromEntries(
    Object.entries(template).map(([key, value]) =>
      key.endsWith('.$') ? [key.slice(0, -2), at(value as string, data)] : [key, value],
    ),
  );

const placed = (path: string | undefined, data: Data, result: Data): Data =>
  path === undefined ? result : { ...data, [path.slice(2)]: result };

function chosen({ Choices = [], Default }: State, data: Data): string {
  const next = Choices.find((rule) => holds(rule, data))?.Next ?? Default;
  if (next === undefined) throw new TaskError('States.NoChoiceMatched');
  return next;
}

function holds(rule: Rule, data: Data): boolean {
  if (rule.Or !== undefined) return rule.Or.some((one) => holds(one, data));
  const value = at(rule.Variable ?? '$', data);
  return rule.IsPresent === undefined ? value === rule.BooleanEquals : (value !== undefined) === rule.IsPresent;
}
