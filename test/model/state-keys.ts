// Short keys of plain states, equal for equal ones. Steps share the parts they do not change, and there are few different parts: each
// has a number, so that a key is a character or two for each property, and states that are kept share one copy of each part.

const WIDE = 0xffff;

export class StateKeys {
  readonly #numbers = new Map<string, number>();
  readonly #parts: unknown[] = [];
  /** Of the copies in #parts only: a map that all parts ever made go through would cost more than it saves. */
  readonly #known = new WeakMap<object, number>();

  /** Of states that all have the same properties in the same order: objects, arrays, strings, and whole numbers. */
  keyOf(state: object): string {
    let key = '';
    for (const name in state) {
      const value = state[name as keyof typeof state] as unknown;
      const number = typeof value === 'number' && value >= 0 ? 2 * value : 2 * this.#numberOf(value) + 1;
      key += number < WIDE ? String.fromCharCode(number) : String.fromCharCode(WIDE, number / WIDE, number % WIDE);
    }
    return key;
  }

  /** The same state, of the parts that are known. */
  shared<State extends object>(state: State): State {
    const copy = { ...state };
    for (const name in copy) {
      const value = copy[name];
      if (typeof value === 'object') copy[name] = this.#parts[this.#numberOf(value)] as typeof value;
    }
    return copy;
  }

  #numberOf(part: unknown): number {
    const isObject = typeof part === 'object' && part !== null;
    const known = isObject ? this.#known.get(part) : undefined;
    if (known !== undefined) return known;
    const text = JSON.stringify(part);
    const same = this.#numbers.get(text);
    if (same !== undefined) return same;
    const number = this.#parts.push(part) - 1;
    this.#numbers.set(text, number);
    if (isObject) this.#known.set(part, number);
    return number;
  }
}
