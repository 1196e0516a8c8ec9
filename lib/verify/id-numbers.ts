// Numbers ids (and ids with a generation) in the order they come, without a string for each look: an open hash table of
// numbers.
import { ID_NUMBERS_MIN } from '../limits/verify.ts';

const EMPTY = -1;

/** An id of 16 hexadecimal digits as two numbers. */
export const halvesOf = (id: string): [high: number, low: number] => [
  Number.parseInt(id.slice(0, 8), 16),
  Number.parseInt(id.slice(8), 16),
];

const digits = (half: number): string => half.toString(16).padStart(8, '0');

export class IdNumbers {
  /** Numbers by hash, EMPTY where there is none; twice as many places as numbers at least. */
  #places = new Int32Array(2 * ID_NUMBERS_MIN).fill(EMPTY);
  #high = new Uint32Array(ID_NUMBERS_MIN);
  #low = new Uint32Array(ID_NUMBERS_MIN);
  #generation = new Float64Array(ID_NUMBERS_MIN);
  #size = 0;
  #last = EMPTY;

  get size(): number {
    return this.#size;
  }

  of(high: number, low: number, generation: number): number {
    if (this.#is(this.#last, high, low, generation)) return this.#last;
    let at = this.#placeOf(high, low, generation);
    if (this.#places[at] === EMPTY) {
      if (this.#size === this.#high.length) {
        this.#grow();
        at = this.#placeOf(high, low, generation);
      }
      this.#high[this.#size] = high;
      this.#low[this.#size] = low;
      this.#generation[this.#size] = generation;
      this.#places[at] = this.#size++;
    }
    this.#last = this.#places[at] as number;
    return this.#last;
  }

  find(high: number, low: number, generation: number): number | undefined {
    const number = this.#places[this.#placeOf(high, low, generation)] as number;
    return number === EMPTY ? undefined : number;
  }

  idOf(number: number): string {
    return digits(this.#high[number] as number) + digits(this.#low[number] as number);
  }

  #is(number: number, high: number, low: number, generation: number): boolean {
    return (
      number !== EMPTY &&
      this.#low[number] === low &&
      this.#high[number] === high &&
      this.#generation[number] === generation
    );
  }

  /** Where it is, or may be put. Ids are random: their bits are a hash. */
  #placeOf(high: number, low: number, generation: number): number {
    const mask = this.#places.length - 1;
    let at = (high ^ Math.imul(low ^ generation, 0x9e37_79b1)) & mask;
    for (;;) {
      const number = this.#places[at] as number;
      if (number === EMPTY || this.#is(number, high, low, generation)) return at;
      at = (at + 1) & mask;
    }
  }

  #grow(): void {
    const length = 2 * this.#high.length;
    const [high, low, generation] = [this.#high, this.#low, this.#generation];
    this.#high = new Uint32Array(length);
    this.#low = new Uint32Array(length);
    this.#generation = new Float64Array(length);
    this.#high.set(high);
    this.#low.set(low);
    this.#generation.set(generation);
    this.#places = new Int32Array(2 * length).fill(EMPTY);
    for (let number = 0; number < this.#size; number++) {
      const at = this.#placeOf(high[number] as number, low[number] as number, generation[number] as number);
      this.#places[at] = number;
    }
  }
}
