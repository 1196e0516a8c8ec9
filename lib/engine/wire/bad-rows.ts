// Rows that lists passed over while a store was open, each once: what a command says of them at its end.
import type { BadRow } from '../../panda/rows/row-reader.ts';

const KEPT_MAX = 1000;

export class BadRows {
  readonly #rows = new Map<string, BadRow>();

  readonly tell = (row: BadRow): void => {
    if (this.#rows.size < KEPT_MAX) this.#rows.set(`${row.partition}\t${row.sort}`, row);
  };

  get list(): BadRow[] {
    return [...this.#rows.values()];
  }
}
