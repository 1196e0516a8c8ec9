// Faults for tests, shared by the faulty bodies of every port: a plan says before each call whether it is cut off,
// fails, or is done and then reported as failed. Bodies differ only in the error they report.

export type FaultPort = 'drive' | 'panda' | 'keys' | 'stream';

/** One port call. `call` counts from 1 over all ports that share a plan. */
export interface FaultPoint {
  readonly port: FaultPort;
  readonly operation: string;
  readonly call: number;
}

/**
 * - `none`          the call is made as usual
 * - `before`        the process dies before the call: nothing is done, Crash is thrown
 * - `after`         the process dies after the call: it is done, Crash is thrown
 * - `before-error`  nothing is done and the port's error is thrown
 * - `after-error`   it is done, but the port's error is thrown: the caller cannot know
 */
export type FaultMode = 'none' | 'before' | 'after' | 'before-error' | 'after-error';

export interface FaultPlan {
  /** Asked once before each call. `detail` names the target, for people and for filters. */
  decide(port: FaultPort, operation: string, detail: string): FaultMode;
  /** True once the process counts as dead: calls that were under way then do not return either. */
  readonly crashed?: boolean;
}

/** Stands for the death of the process: production code never catches it, as it is not a PocketfulError. */
export class Crash extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'Crash';
  }
}

/** Makes one port call under a plan. `error` is what the port would report for an unknown outcome. */
export async function underPlan<T>(
  plan: FaultPlan,
  port: FaultPort,
  operation: string,
  detail: string,
  call: () => Promise<T>,
  error: () => Error,
): Promise<T> {
  const mode = plan.decide(port, operation, detail);
  const crash = (): Crash => new Crash(`crash: ${port}.${operation} ${detail}`);
  if (mode === 'before') throw crash();
  if (mode === 'before-error') throw error();
  try {
    const result = await call();
    if (mode === 'none' && plan.crashed !== true) return result;
  } catch (cause) {
    if (mode === 'none' && plan.crashed !== true) throw cause;
  }
  throw mode === 'after-error' && plan.crashed !== true ? error() : crash();
}

/** A plan from a function of the numbered call. */
export function scriptedPlan(decide: (point: FaultPoint, detail: string) => FaultMode): FaultPlan {
  let call = 0;
  return {
    decide(port, operation, detail) {
      call += 1;
      return decide({ port, operation, call }, detail);
    },
  };
}

/**
 * Counts every port call; at call number `at` it applies `mode`. Once it has crashed, every further call crashes too: a
 * dead process makes no calls. Without arguments it only counts, to learn how many calls a use-case makes.
 */
export class CountingPlan implements FaultPlan {
  readonly #at: number;
  readonly #mode: FaultMode;
  #calls = 0;
  #crashed = false;
  #hit: string | undefined;

  constructor(at = 0, mode: FaultMode = 'none') {
    this.#at = at;
    this.#mode = mode;
  }

  /** Calls asked for so far, those refused after the crash left out. */
  get calls(): number {
    return this.#calls;
  }

  get crashed(): boolean {
    return this.#crashed;
  }

  /** What was called at number `at`, once it was reached. */
  get hit(): string | undefined {
    return this.#hit;
  }

  decide(port: FaultPort, operation: string, detail: string): FaultMode {
    if (this.#crashed) return 'before';
    this.#calls += 1;
    if (this.#calls !== this.#at) return 'none';
    this.#hit = `${port}.${operation} ${detail}`;
    this.#crashed = this.#mode === 'before' || this.#mode === 'after';
    return this.#mode;
  }
}
