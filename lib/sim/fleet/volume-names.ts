// Ids of simulated volumes: made once, and frozen arrays of a shard's range kept, since the planner asks for them at
// every plan.

export class VolumeNames {
  #ids: readonly string[] = [];
  readonly #ranges = new Map<string, readonly string[]>();

  constructor(count: number) {
    this.grow(count);
  }

  copy(): VolumeNames {
    const twin = new VolumeNames(0);
    twin.#ids = this.#ids;
    return twin;
  }

  grow(count: number): void {
    const from = this.#ids.length;
    const more = Array.from({ length: count - from }, (_, i) => (from + i).toString(16).padStart(16, '0'));
    this.#ids = Object.freeze(from === 0 ? more : [...this.#ids, ...more]);
    this.#ranges.clear();
  }

  /** Ids from `first` to before `end`. */
  range(first: number, end: number): readonly string[] {
    if (first === 0 && end === this.#ids.length) return this.#ids;
    const key = `${first}-${end}`;
    const known = this.#ranges.get(key) ?? Object.freeze(this.#ids.slice(first, end));
    this.#ranges.set(key, known);
    return known;
  }
}
