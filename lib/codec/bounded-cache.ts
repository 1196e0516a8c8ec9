// A map that forgets its least recently used entry when it is full: erasure patterns are many, memory is not.

export class BoundedCache<K, V> {
  readonly #entries = new Map<K, V>();
  readonly #entriesMax: number;
  /** Most calls ask for what the last one asked for. */
  #last: { readonly key: K; readonly value: V } | undefined;

  constructor(entriesMax: number) {
    this.#entriesMax = entriesMax;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** The entry of `key`, made by `make` if it is not there. */
  getOrMake(key: K, make: () => V): V {
    if (this.#last?.key === key) return this.#last.value;
    const known = this.#entries.get(key);
    const value = known === undefined ? make() : known;
    if (known !== undefined) this.#entries.delete(key);
    this.#entries.set(key, value);
    this.#last = { key, value };
    if (this.#entries.size > this.#entriesMax) this.#entries.delete(this.#entries.keys().next().value as K);
    return value;
  }
}
