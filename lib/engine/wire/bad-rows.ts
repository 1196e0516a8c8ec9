// Rows that lists passed over while a store was open, each once: what a command says of them at its end.

import { BAD_ROWS_MAX } from '../../limits/engine.ts';
import type { BadRow } from '../../panda/rows/row-reader.ts';

export class BadRows {
  readonly #rows = new Map<string, BadRow>();

  readonly tell = (row: BadRow): void => {
    if (this.#rows.size < BAD_ROWS_MAX) this.#rows.set(`${row.partition}\t${row.sort}`, row);
  };

  get list(): BadRow[] {
    return [...this.#rows.values()];
  }
}
