// Which mutant is on, and which are come by: what instrumented files ask at every step. At most one is on.

/** A mutant that is come by that often has made an endless loop. */
const HITS_MAX = 1_000_000;
const MUTANTS_MAX = 4096;
const NONE = -1;

interface FileSwitches {
  on: number;
  hits: number;
  /** 1 at each mutant that was come by. */
  readonly seen: Uint8Array;
}

export class Switches {
  readonly #files = new Map<string, FileSwitches>();

  /** For a file: is this mutant on? */
  readonly of = (file: string): ((index: number) => boolean) => {
    const own = this.#file(file);
    return (index) => {
      own.seen[index] = 1;
      if (index !== own.on) return false;
      own.hits += 1;
      if (own.hits > HITS_MAX) throw new Error('the mutant does not end');
      return true;
    };
  };

  on(file: string, index: number): void {
    this.off();
    const own = this.#file(file);
    own.on = index;
    own.hits = 0;
  }

  off(): void {
    for (const own of this.#files.values()) own.on = NONE;
  }

  record(): void {
    for (const { seen } of this.#files.values()) seen.fill(0);
  }

  /** What was come by since `record`. */
  recorded(): Record<string, number[]> {
    const found: Record<string, number[]> = {};
    for (const [file, { seen }] of this.#files) {
      const indexes = [...seen.keys()].filter((index) => seen[index] === 1);
      if (indexes.length > 0) found[file] = indexes;
    }
    return found;
  }

  #file(file: string): FileSwitches {
    const known = this.#files.get(file);
    if (known !== undefined) return known;
    const own = { on: NONE, hits: 0, seen: new Uint8Array(MUTANTS_MAX) };
    this.#files.set(file, own);
    return own;
  }
}

declare global {
  var __mutation: Switches | undefined;
}
