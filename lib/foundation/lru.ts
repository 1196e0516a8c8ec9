// A cache bounded by weight; the least recently used entries go first.
import { assert } from './assert.ts';

export class LruCache<K, V> {
  readonly #weightMax: number;
  readonly #weigh: (value: V) => number;
  readonly #entries = new Map<K, { value: V; weight: number }>();
  #weight = 0;

  constructor(weightMax: number, weigh: (value: V) => number = () => 1) {
    assert(weightMax > 0, 'a cache holds something');
    this.#weightMax = weightMax;
    this.#weigh = weigh;
  }

  get(key: K): V | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.value;
  }

  set(key: K, value: V): void {
    this.delete(key);
    const weight = this.#weigh(value);
    this.#entries.set(key, { value, weight });
    this.#weight += weight;
    for (const oldest of this.#entries.keys()) {
      if (this.#weight <= this.#weightMax || this.#entries.size === 1) break;
      this.delete(oldest);
    }
  }

  delete(key: K): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#weight -= entry.weight;
  }

  clear(): void {
    this.#entries.clear();
    this.#weight = 0;
  }
}
