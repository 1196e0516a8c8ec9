// What became of the single items of a command: counted, said as it happens, and listed in the JSON answer.

import type { Run } from './command.ts';
import { describe, EXIT, exitCodeOf } from './exit-codes.ts';
import { shownName } from './show/text.ts';

const SAID_MAX = 50;
/** Said once, whatever else was under way. */
const STOPPED = 'DISK_FULL';

export interface FailedItem {
  readonly name: string;
  readonly kind: string;
  readonly code: string;
  readonly message: string;
}

export class ItemFailures {
  readonly list: FailedItem[] = [];
  #isStopped = false;
  #isDamaged = false;
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
    if (said.code === STOPPED && this.#isStopped) return;
    this.#isStopped ||= said.code === STOPPED;
    if (this.list.length <= SAID_MAX)
      this.#run.say(
        `pocketful: ${shownName(said.code === STOPPED ? said.message : lineOf(name, said.message))} (${said.code})`,
      );
    else if (this.list.length === SAID_MAX + 1) this.#run.say('pocketful: … more of them are not shown');
  }

  /** True once one of them said that none after it will do better. */
  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** A name whose row cannot be read: passed over, and the command ends with that. */
  addDamaged({ key, error }: { readonly key: string; readonly error: Error }): void {
    this.add(key, error);
    this.#isDamaged = true;
  }

  /**
   * Some items failed: 3; if rows are damaged, 6; if all that there were failed for one reason, or no further one was
   * tried, the exit code of that reason.
   */
  settle(attempted: number): void {
    if (this.list.length === 0) return;
    // All of them, and for one reason: that is what became of the command.
    const isOneReason = this.list.length >= attempted && this.list.every(({ code }) => code === this.list[0]?.code);
    const some = isOneReason ? this.#firstExitCode : EXIT.someFailed;
    this.#run.exitCode = this.#isStopped ? EXIT.retry : this.#isDamaged ? EXIT.corrupt : some;
  }
}

/** A message that is about more than this item, such as that the store is full, does not name it. */
const lineOf = (name: string, message: string): string => (message.includes(name) ? message : `${name}: ${message}`);
