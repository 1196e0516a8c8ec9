// Any stream under a fault plan, for crash tests.
import { retryLater } from '../foundation/errors.ts';
import { type FaultPlan, underPlan } from '../foundation/faults.ts';
import type { DeadLetter, Delivery, Stream, StreamFigures } from './stream.ts';

const busy = () => retryLater('STREAM_BUSY', 'the stream is busy (fault plan)');

export class FaultyStream implements Stream {
  readonly #inner: Stream;
  readonly #plan: FaultPlan;

  constructor(inner: Stream, plan: FaultPlan) {
    this.#inner = inner;
    this.#plan = plan;
  }

  #under<T>(operation: string, call: () => Promise<T>): Promise<T> {
    return underPlan(this.#plan, 'stream', operation, '', call, busy);
  }

  send(bodies: readonly string[]): Promise<void> {
    return this.#under('send', () => this.#inner.send(bodies));
  }
  receive(max: number, visibilityMs: number): Promise<Delivery[]> {
    return this.#under('receive', () => this.#inner.receive(max, visibilityMs));
  }
  ack(receipts: readonly string[]): Promise<void> {
    return this.#under('ack', () => this.#inner.ack(receipts));
  }
  release(receipts: readonly string[]): Promise<void> {
    return this.#under('release', () => this.#inner.release(receipts));
  }
  figures(): Promise<StreamFigures> {
    return this.#under('figures', () => this.#inner.figures());
  }
  dead(max: number): Promise<DeadLetter[]> {
    return this.#under('dead', () => this.#inner.dead(max));
  }
  redrive(ids?: readonly string[]): Promise<number> {
    return this.#under('redrive', () => this.#inner.redrive(ids));
  }
  drop(ids: readonly string[]): Promise<number> {
    return this.#under('drop', () => this.#inner.drop(ids));
  }
  close(): Promise<void> {
    return this.#inner.close();
  }
}
