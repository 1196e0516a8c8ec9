// The one thing that makes anything happen: every port call and every sleep is an event here, done at its simulated time, one after the
// other. Between two events all promises that can go on do; nothing waits on real time.
import type { SimProcess } from './sim-process.ts';

interface PendingEvent {
  readonly atUs: number;
  /** Of events at one time the smaller one is done first: drawn, so that ties fall either way. */
  readonly tie: number;
  readonly id: number;
  /** Nothing of a dead process is done any more; of a frozen one, once it wakes. */
  readonly process: SimProcess | undefined;
  /** Happens at the other end of a call: whoever sent it may be frozen. */
  readonly isRemote: boolean;
  readonly run: () => void;
}

const isBefore = (a: PendingEvent, b: PendingEvent): boolean => (a.atUs - b.atUs || a.tie - b.tie || a.id - b.id) < 0;

export class Scheduler {
  /** Simulated time, microseconds. */
  nowUs = 0;
  /** Events done: the logical time of histories. */
  steps = 0;
  readonly #heap: PendingEvent[] = [];
  #nextId = 0;

  get nowMs(): number {
    return Math.floor(this.nowUs / 1000);
  }

  get pending(): number {
    return this.#heap.length;
  }

  schedule(delayUs: number, tie: number, process: SimProcess | undefined, run: () => void, isRemote = false): void {
    this.#push({ atUs: this.nowUs + delayUs, tie, id: this.#nextId++, process, isRemote, run });
  }

  /** Lets everything go on that does not wait for an event, then does the next event. False if there is none. */
  async step(): Promise<boolean> {
    await drained();
    for (let next = this.#pop(); next !== undefined; next = this.#pop()) {
      const { process } = next;
      if (process?.isDead) continue;
      if (process !== undefined && !next.isRemote && process.frozenUntilUs > next.atUs) {
        this.#push({ ...next, atUs: process.frozenUntilUs });
        continue;
      }
      this.nowUs = Math.max(this.nowUs, next.atUs);
      this.steps += 1;
      next.run();
      return true;
    }
    return false;
  }

  #push(event: PendingEvent): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent] as PendingEvent;
      if (!isBefore(event, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = event;
  }

  #pop(): PendingEvent | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as PendingEvent, heap[child] as PendingEvent)) child += 1;
      if (!isBefore(heap[child] as PendingEvent, last)) break;
      heap[at] = heap[child] as PendingEvent;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

/** All promises that can go on have: Node runs ticks only once no microtask is left. */
const drained = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve));
