// A stream in memory: for tests, and for a store that lives in one process anyway.
import { assert } from '../foundation/assert.ts';
import type { Clock } from '../foundation/clock.ts';
import { MESSAGE_BYTES_MAX, RECEIVES_MAX } from '../limits/bytes.ts';
import type { DeadLetter, Delivery, Stream, StreamFigures } from './stream.ts';

interface Message {
  readonly id: string;
  readonly body: string;
  sentAtMs: number;
  visibleAtMs: number;
  receives: number;
  receipt: string | undefined;
  dead: boolean;
}

export class MemoryStream implements Stream {
  readonly #clock: Clock;
  readonly #receivesMax: number;
  #messages: Message[] = [];
  #next = 1;

  constructor(clock: Clock, receivesMax = RECEIVES_MAX) {
    this.#clock = clock;
    this.#receivesMax = receivesMax;
  }

  async send(bodies: readonly string[]): Promise<void> {
    const nowMs = this.#clock.nowMs();
    for (const body of bodies) {
      assert(Buffer.byteLength(body) <= MESSAGE_BYTES_MAX, 'a message is short');
      const id = String(this.#next++);
      this.#messages.push({
        id,
        body,
        sentAtMs: nowMs,
        visibleAtMs: nowMs,
        receives: 0,
        receipt: undefined,
        dead: false,
      });
    }
  }

  async receive(max: number, visibilityMs: number): Promise<Delivery[]> {
    const nowMs = this.#clock.nowMs();
    const out: Delivery[] = [];
    for (const message of this.#messages) {
      if (out.length >= max) break;
      if (message.dead || message.visibleAtMs > nowMs) continue;
      if (message.receives >= this.#receivesMax) {
        message.dead = true;
        continue;
      }
      message.receives += 1;
      message.visibleAtMs = nowMs + visibilityMs;
      message.receipt = `${message.id}/${message.receives}`;
      out.push({ id: message.id, body: message.body, receipt: message.receipt, receives: message.receives });
    }
    return out;
  }

  async ack(receipts: readonly string[]): Promise<void> {
    const done = new Set(receipts);
    this.#messages = this.#messages.filter(({ receipt, dead }) => dead || receipt === undefined || !done.has(receipt));
  }

  async release(receipts: readonly string[]): Promise<void> {
    const back = new Set(receipts);
    const nowMs = this.#clock.nowMs();
    for (const message of this.#messages)
      if (!message.dead && message.receipt !== undefined && back.has(message.receipt)) {
        message.visibleAtMs = nowMs;
        message.receipt = undefined;
      }
  }

  async figures(): Promise<StreamFigures> {
    const nowMs = this.#clock.nowMs();
    const alive = this.#messages.filter(({ dead }) => !dead);
    const inFlight = alive.filter(({ visibleAtMs }) => visibleAtMs > nowMs).length;
    const oldestAgeMs = alive.reduce((age, { sentAtMs }) => Math.max(age, nowMs - sentAtMs), 0);
    return { ready: alive.length - inFlight, inFlight, oldestAgeMs, dead: this.#messages.length - alive.length };
  }

  async dead(max: number): Promise<DeadLetter[]> {
    return this.#messages
      .filter(({ dead }) => dead)
      .slice(0, max)
      .map(({ id, body, receives }) => ({ id, body, receives }));
  }

  async redrive(ids?: readonly string[]): Promise<number> {
    const nowMs = this.#clock.nowMs();
    let count = 0;
    for (const message of this.#messages) {
      if (!message.dead || (ids !== undefined && !ids.includes(message.id))) continue;
      Object.assign(message, { dead: false, receives: 0, receipt: undefined, sentAtMs: nowMs, visibleAtMs: nowMs });
      count += 1;
    }
    return count;
  }

  async drop(ids: readonly string[]): Promise<number> {
    const before = this.#messages.length;
    this.#messages = this.#messages.filter(({ id, dead }) => !dead || !ids.includes(id));
    return before - this.#messages.length;
  }

  async close(): Promise<void> {}
}
