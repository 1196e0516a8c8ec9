// Ctrl-C: the first stops new work and lets what is under way end; the second ends the process at once. Either way the
// store is sound, as it is after a power cut.
import { EXIT } from './exit-codes.ts';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
/** Under `npm run` one press of Ctrl-C may come twice: from the terminal, and from npm that passes it on. */
const SAME_PRESS_MS = 200;
const isUnderNpm = (): boolean => process.env['npm_lifecycle_event'] !== undefined;

export class Interruption {
  readonly #controller = new AbortController();
  /** Until then one more signal is the same press. */
  #sameUntilMs = Number.NEGATIVE_INFINITY;
  readonly #onSignal = (): void => {
    if (this.#controller.signal.aborted) {
      if (performance.now() > this.#sameUntilMs) process.exit(EXIT.interrupted);
      this.#sameUntilMs = Number.NEGATIVE_INFINITY;
      return;
    }
    if (isUnderNpm()) this.#sameUntilMs = performance.now() + SAME_PRESS_MS;
    process.stderr.write(
      `${process.stderr.isTTY ? '\r\x1b[2K' : ''}pocketful: stopping: what is under way is finished first (press Ctrl-C again to stop at once)\n`,
    );
    this.stop();
  };

  /** As the first Ctrl-C does. */
  stop(): void {
    if (!this.happened) this.#controller.abort(new InterruptedError());
  }

  constructor() {
    for (const signal of SIGNALS) process.on(signal, this.#onSignal);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get happened(): boolean {
    return this.#controller.signal.aborted;
  }

  end(): void {
    for (const signal of SIGNALS) process.off(signal, this.#onSignal);
  }
}

export class InterruptedError extends Error {
  constructor() {
    super('interrupted');
    this.name = 'InterruptedError';
  }
}
