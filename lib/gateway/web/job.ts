// Work that somebody approved and that takes its time: one piece at once, and what became of the last one.
import type { Clock } from '../../foundation/clock.ts';
import { isPocketfulError } from '../../foundation/errors.ts';
import { secondsText } from '../../foundation/figures.ts';

export interface Progress {
  tell(text: string): void;
  readonly signal: AbortSignal;
}

export interface JobState {
  readonly name: string;
  readonly isRunning: boolean;
  readonly text: string;
}

export interface JobOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly onInternal: (error: unknown) => void;
}

export class Job {
  readonly #options: JobOptions;
  readonly #onEnd: () => void;
  #state: (Omit<JobState, 'text'> & { readonly said: string; readonly sinceMs: number }) | undefined;
  #ended: Promise<void> = Promise.resolve();

  constructor(options: JobOptions, onEnd: () => void) {
    this.#options = options;
    this.#onEnd = onEnd;
  }

  get state(): JobState | undefined {
    if (this.#state === undefined) return undefined;
    const { name, isRunning, said, sinceMs } = this.#state;
    const took = isRunning ? `, for ${secondsText(this.#options.clock.monotonicMs() - sinceMs)}` : '';
    return { name, isRunning, text: `${name}: ${said}${took}` };
  }

  /** When what is under way has ended. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  /** False: something else is under way. `work` answers with what was done, in a sentence. */
  start(name: string, work: (progress: Progress) => Promise<string>): boolean {
    if (this.#state?.isRunning) return false;
    const { clock, signal, onInternal } = this.#options;
    const sinceMs = clock.monotonicMs();
    const say = (said: string, isRunning: boolean): void => {
      this.#state = { name, isRunning, said, sinceMs };
    };
    say('is under way', true);
    this.#ended = work({ tell: (text) => say(text, true), signal })
      .then(
        (done) => say(done, false),
        (error: unknown) => {
          if (!isPocketfulError(error)) onInternal(error);
          say(`ended early: ${wordsOf(error)}`, false);
        },
      )
      .finally(this.#onEnd);
    return true;
  }
}

/** What a person is told of an error: the store's own words, and nothing of what nobody expected. */
export const wordsOf = (error: unknown): string =>
  isPocketfulError(error) ? `${error.message} (${error.code})` : 'something that nobody expected; the log has it';
