// Columns that lie in pieces, as records do before they are in a chunk: coded a window at a time, so that there is
// never a second copy of them in memory.
import { assert } from '../foundation/assert.ts';
import { CODED_WINDOW_BYTES } from '../limits/bytes.ts';
import type { InPlaceCodec } from './in-place.ts';

/** One after the other they are the column. */
export type Column = readonly Uint8Array[];

export const columnBytesOf = (column: Column): number => column.reduce((sum, { length }) => sum + length, 0);

/** What of a column was not read yet. */
class Rest {
  readonly #pieces: Column;
  #piece = 0;
  #from = 0;

  constructor(pieces: Column) {
    this.#pieces = pieces;
  }

  /** Fills the window as far as there is something; the part that has it. */
  into(window: Uint8Array): Uint8Array {
    let filled = 0;
    while (filled < window.length && this.#piece < this.#pieces.length) {
      const piece = this.#pieces[this.#piece] as Uint8Array;
      const bytes = Math.min(piece.length - this.#from, window.length - filled);
      window.set(piece.subarray(this.#from, this.#from + bytes), filled);
      filled += bytes;
      this.#from += bytes;
      if (this.#from < piece.length) break;
      this.#piece += 1;
      this.#from = 0;
    }
    return window.subarray(0, filled);
  }
}

/**
 * The parity of columns in pieces into `parity`, each as long as the longest of them, padded. `windows` are as many as
 * data columns, of CODED_WINDOW_BYTES, best in the same memory as the parity; their bytes are whatever was there.
 */
export function codePieces(
  codec: InPlaceCodec,
  columns: readonly Column[],
  parity: readonly Uint8Array[],
  windows: readonly Uint8Array[],
): void {
  assert(columns.length === codec.dataColumns && windows.length === columns.length, 'one window for each column');
  const rests = columns.map((column) => new Rest(column));
  const length = parity[0]?.length ?? 0;
  for (let from = 0; from < length; from += CODED_WINDOW_BYTES) {
    const to = Math.min(length, from + CODED_WINDOW_BYTES);
    codec.encodeInto(
      rests.map((rest, i) => rest.into(windows[i] as Uint8Array)),
      parity.map((column) => column.subarray(from, to)),
    );
  }
}
