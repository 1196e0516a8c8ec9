// What a process puts, counted for the figures of the day: one write for every so many bytes, and one at the end.
import type { PutOutcome } from '../../frontend/put-item.ts';
import type { BulkCoder } from '../../live-coder/bulk-coder.ts';
import type { Components } from '../../volume/rows/components.ts';
import { addTally } from './tally.ts';

/** Tallied together: one row a day counts them all. */
const TALLIED_BYTES = 64 * 1024 * 1024;

export class PutTally {
  readonly #components: Components;
  readonly #bulk: Pick<BulkCoder, 'takeMade'> | undefined;
  #ingestedBytes = 0;

  constructor(components: Components, bulk: Pick<BulkCoder, 'takeMade'> | undefined) {
    this.#components = components;
    this.#bulk = bulk;
  }

  /** The same outcomes, counted; written when they end if there is much by then. */
  async *counted(outcomes: AsyncIterable<PutOutcome>): AsyncGenerator<PutOutcome> {
    try {
      for await (const outcome of outcomes) {
        if (outcome.ok) this.#ingestedBytes += outcome.newBytes;
        yield outcome;
      }
    } finally {
      if (this.#ingestedBytes >= TALLIED_BYTES) await this.write();
    }
  }

  async write(): Promise<void> {
    const ingestedBytes = this.#ingestedBytes;
    this.#ingestedBytes = 0;
    const made = this.#bulk?.takeMade();
    const coded = made && {
      encodedBytes: made.recordBytes,
      encodedStoredBytes: made.storedBytes,
      encodedGroups: made.groups,
    };
    await addTally(this.#components, { ingestedBytes, ...coded });
  }
}
