// What became of the single items of a command: counted, said as it happens, and listed in the JSON answer.

import type { Run } from './command.ts';
import { describe, EXIT, exitCodeOf } from './exit-codes.ts';
import { shownName } from './show/text.ts';

const SAID_MAX = 50;

export interface FailedItem {
  readonly name: string;
  readonly kind: string;
  readonly code: string;
  readonly message: string;
}

export class ItemFailures {
  readonly list: FailedItem[] = [];
  #firstExitCode: number = EXIT.ok;
  readonly #run: Run;

  constructor(run: Run) {
    this.#run = run;
  }

  add(name: string, error: unknown): void {
    const said = describe(error);
    if (said.kind === 'internal') throw error;
    if (this.list.length === 0) this.#firstExitCode = exitCodeOf(error);
    this.list.push({ name, ...said });
    if (this.list.length <= SAID_MAX) this.#run.say(`pocketful: ${shownName(said.message)} (${said.code})`);
    else if (this.list.length === SAID_MAX + 1) this.#run.say('pocketful: … more of them are not shown');
  }

  /** Some items failed: 3; if it was the only one there was, its own exit code. */
  settle(attempted: number): void {
    if (this.list.length > 0) this.#run.exitCode = attempted === 1 ? this.#firstExitCode : EXIT.someFailed;
  }
}
